"""A PKCS#11 token for tests: SoftHSM2 in a folder of the test's own, real in all but the hardware."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

LABEL = "bauta test"
PIN = b"445566-a-pin"
SECURITY_OFFICER_PIN = "1234567"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)


class SoftToken:
    """One initialised token.

    Attributes:
        module: SoftHSM2's library.
        label: the token's label.
        pin: its user PIN.
        folder: where its objects lie.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        found = [Path(path) for path in _MODULES if Path(path).exists()]
        if not found or shutil.which("softhsm2-util") is None:
            pytest.skip("SoftHSM2 is not installed (Debian: softhsm2)")
        self.module, self.label, self.pin = found[0], LABEL, PIN
        self.folder = folder / "tokens"
        self.folder.mkdir(parents=True)
        settings = folder / "softhsm2.conf"
        settings.write_text(f"directories.tokendir = {self.folder}\nobjectstore.backend = file\n")
        monkeypatch.setenv("SOFTHSM2_CONF", str(settings))
        self.add(LABEL, PIN)

    def add(self, label: str, pin: bytes) -> None:
        """Initialises one more token."""
        words = ["--init-token", "--free", "--label", label, "--so-pin", SECURITY_OFFICER_PIN]
        subprocess.run(
            ["softhsm2-util", *words, "--pin", pin.decode()],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )
