"""Real witnesses for tests: `bauta witness` as a process."""

from __future__ import annotations

import json
import random
import subprocess
from pathlib import Path

from service_process import bauta_program, clean_environment


class WitnessProcess:
    """One `bauta witness` on its folder."""

    def __init__(self, data: Path, logs: Path, name: str) -> None:
        self.data = data
        self._logs = logs
        self._name = name
        # Of its own, so that nobody is given its port while it is down: whoever takes any port takes it of
        # 127.0.0.1.
        self.host = f"127.{random.randint(1, 254)}.{random.randint(0, 255)}.{random.randint(1, 254)}"
        self.port = 0
        self._process: subprocess.Popen[str] | None = None
        self.address = ""
        self.vkeys: tuple[str, ...] = ()

    def start(self) -> None:
        """Starts it, at the address that it had before, and waits until it listens."""
        words = [str(bauta_program()), "witness", "--json", "--data", str(self.data), "--name", self._name]
        words += ["--listen", f"{self.host}:{self.port}", "--log", str(self._logs)]
        with self.log_file.open("a") as log:
            self._process = subprocess.Popen(
                words, stdout=subprocess.PIPE, stderr=log, text=True, env=clean_environment()
            )
        assert self._process.stdout is not None
        document = ""
        for line in self._process.stdout:
            document += line
            if line.startswith("}"):
                break
        said = json.loads(document or "{}")
        assert "vkeys" in said, self.log_file.read_text()
        self.address, self.vkeys = said["address"], tuple(said["vkeys"])
        self.port = int(self.address.rstrip("/").rpartition(":")[2])

    @property
    def log_file(self) -> Path:
        """What it says on stderr."""
        return self.data.with_suffix(".log")

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def stop(self, *, kill: bool = False) -> int:
        """Ends it, in order or not; its exit code."""
        if self._process is None:
            return 0
        (self._process.kill if kill else self._process.terminate)()
        code = self._process.wait(120)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return code
