"""A key that pays for putting the contract of anchors on a chain, as a file: that of whoever deploys.

The contract has no owner, so the key has no power over it afterwards, and may be thrown away. The key that
sends anchors is the vault's, and never leaves it (`keyvault.vault.anchoring`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyvault.key_file import KeyFileError, key_object, key_parts, read_key_file, write_key_file
from keyvault.signing.secp256k1 import ChainKeyError, address_of, load_chain_key, new_chain_key, sign_digest
from provenance.anchors.keccak import keccak256

FORMAT = "bauta.chain-key/v1"
# PKCS #8 of a key on secp256k1 with its public point.
_LENGTHS = {"secp256k1": 135}


@dataclass(frozen=True)
class ChainKey:
    """One key. Its repr shows nothing.

    Attributes:
        secp256k1: PKCS #8, DER.

    Raises:
        ChainKeyError: it is no key.
    """

    secp256k1: bytes = field(repr=False)

    def __post_init__(self) -> None:
        load_chain_key(self.secp256k1)

    @classmethod
    def generate(cls) -> ChainKey:
        """Draws a fresh one."""
        return cls(bytes(new_chain_key()))

    @property
    def address(self) -> bytes:
        """Its address on every chain, 20 bytes."""
        return address_of(load_chain_key(self.secp256k1).public_key())

    def sign(self, to_sign: bytes) -> bytes:
        """Gives r, s and the parity of y over the Keccak-256 of an unsigned transaction, 65 bytes."""
        return sign_digest(load_chain_key(self.secp256k1), keccak256(to_sign))

    def write(self, path: Path, passphrase: str | None) -> None:
        """Writes a new file; `key_file.write_key_file` has the errors."""
        write_key_file(path, key_object(FORMAT, {"secp256k1": self.secp256k1}), passphrase)

    @classmethod
    def read(cls, path: Path, ask_passphrase: Callable[[], str]) -> ChainKey:
        """Reads what `write` wrote.

        Args:
            path: the file.
            ask_passphrase: asked only if the file is sealed.

        Raises:
            ChainKeyError: no such key, or another passphrase.
            OSError: it cannot be read.
        """
        try:
            parts, _ = key_parts(read_key_file(path, ask_passphrase), FORMAT, _LENGTHS)
        except KeyFileError as error:
            raise ChainKeyError(f"the chain's key cannot be used: {error}") from None
        return cls(**parts)
