"""Jobs: states (pure), store (SQLite), spool (ciphertext on disk), dispatcher (runs them behind the wall)."""
