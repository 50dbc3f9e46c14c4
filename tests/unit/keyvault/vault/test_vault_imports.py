"""What each side loads: the vault nothing slow or talkative, the front desk's client nothing private."""

from __future__ import annotations

import subprocess
import sys


def loaded_by(module: str) -> set[str]:
    """The names of all modules in a fresh interpreter after one import."""
    script = f"import {module}, sys; print(*sys.modules)"
    seen = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names = set(seen.stdout.split())
    assert module in names
    return names


def test_the_vault_loads_no_server_no_database_and_no_media_library() -> None:
    slow = {"grpc", "http", "sqlite3", "sqlite_utils", "numpy", "torch", "av", "asyncio", "provenance.log"}
    assert not slow & loaded_by("keyvault.vault.__main__")


def test_the_client_loads_no_private_key_code_of_ours() -> None:
    private = {
        name
        for name in loaded_by("keyvault.client")
        if name.startswith(("keyvault.vault", "keyvault.signing", "keyvault.age", "keyvault.release"))
    }
    assert private == set()
