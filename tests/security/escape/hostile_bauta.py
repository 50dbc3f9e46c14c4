"""The real `bauta`, whose service gets a hostile worker host: BAUTA_TEST_TAKE_OVER names what its jobs do.

Vault, front desk, supervisor and command line are the product's own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from console.main import run

HOST = Path(__file__).with_name("hostile_host.py")
VARIABLE = "BAUTA_TEST_TAKE_OVER"


class HostilePopen(subprocess.Popen[bytes]):
    """Starts what it is told to, but for the worker host."""

    def __init__(self, words: list[str], **settings: object) -> None:
        if "enclave.nursery" in words:
            arguments = words[words.index("enclave.nursery") + 1 :]
            words = [sys.executable, str(HOST), *arguments, "--take-over", os.environ[VARIABLE]]
        super().__init__(words, **settings)  # type: ignore[call-overload]  # passed on as they came


def main() -> None:
    """The command line."""
    subprocess.Popen = HostilePopen  # type: ignore[assignment]  # the supervisor's only way to start a process
    run()


if __name__ == "__main__":
    main()
