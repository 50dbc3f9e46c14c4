"""A cloud's key service, played by a folder. It stands in for one in tests and refuses to work elsewhere.

It has what the real ones have: keys that never leave it, Encrypt and Decrypt with an encryption context,
and ways to say no. The package `bauta-test-kms` that a test installs on the spot is this file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keyvault.vault.custody.contract import Custodian, Parameters
from keyvault.vault.custody.errors import CustodyError


class KmsDouble(Custodian):
    """Wraps with a key of the folder. `config` is JSON: {"service": folder, "key": name}."""

    kind: ClassVar[str] = "kms-double"

    def __init__(self, config: Path) -> None:
        assert "PYTEST_CURRENT_TEST" in os.environ, "this is no key service"
        chosen = json.loads(config.read_bytes())
        self._service, self._key = Path(chosen["service"]), chosen["key"]

    def wrap(self, master_key: memoryview, store_id: bytes) -> Parameters:
        nonce = os.urandom(12)
        ciphertext = self._cipher(self._key).encrypt(nonce, master_key, _context(store_id))
        return {"ciphertext": (nonce + ciphertext).hex(), "key": self._key}

    def unwrap(self, parameters: Mapping[str, Any], store_id: bytes, into: memoryview) -> None:
        sealed = bytes.fromhex(parameters["ciphertext"])
        try:
            self._cipher(parameters["key"]).decrypt_into(sealed[:12], sealed[12:], _context(store_id), into)
        except InvalidTag:
            raise CustodyError("vault_custodian_key_changed") from None

    def _cipher(self, key: str) -> AESGCM:
        for word in ("unreachable", "denied"):
            if (self._service / word).exists():
                raise CustodyError(f"vault_custodian_{word}")
        try:
            return AESGCM((self._service / f"{key}.key").read_bytes())
        except FileNotFoundError:
            raise CustodyError("vault_custodian_key_missing") from None


def make(config: Path | None) -> KmsDouble:
    """The entry point."""
    assert config is not None
    return KmsDouble(config)


def make_service(folder: Path) -> Path:
    """Founds a service with one key, and gives a configuration file for it."""
    folder.mkdir()
    (folder / "main.key").write_bytes(os.urandom(32))
    config = folder / "config.json"
    config.write_text(json.dumps({"service": str(folder), "key": "main"}))
    return config


def install(site: Path) -> None:
    """Makes an installed package of this file in a folder that is then put on the path."""
    (site / "bauta_test_kms.py").write_text(Path(__file__).read_text())
    facts = site / "bauta_test_kms-1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: bauta-test-kms\nVersion: 1\n")
    (facts / "entry_points.txt").write_text("[bauta.custodians]\ntest-kms = bauta_test_kms:make\n")


def _context(store_id: bytes) -> bytes:
    return b"bauta store " + store_id
