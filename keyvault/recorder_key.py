"""The private half of a recording key, as a file: a device or an app signs with it what it records.

It belongs to the device. Two algorithms, Ed25519 and ML-DSA-65, as every other signature of Bauta has.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyvault.key_file import KeyFileError, key_object, key_parts, read_key_file, write_key_file
from keyvault.signing.hybrid import SEED_BYTES, HybridSigner

FORMAT = "bauta.recorder-key/v1"
_LENGTHS = {"ed25519": SEED_BYTES, "mldsa65": SEED_BYTES}


class RecorderKeyError(KeyFileError):
    """A file is no recording key, or the passphrase is not its own."""

    code = "recorder_key_invalid"


@dataclass(frozen=True)
class RecorderKey:
    """The private parts of one recording key. Its repr shows nothing.

    Attributes:
        ed25519: seed, 32 bytes.
        mldsa65: seed, 32 bytes.
    """

    ed25519: bytes = field(repr=False)
    mldsa65: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> RecorderKey:
        """Draws a fresh one."""
        return cls(os.urandom(SEED_BYTES), os.urandom(SEED_BYTES))

    @property
    def signer(self) -> HybridSigner:
        """Signs with both.

        Raises:
            KeyvaultError: a part has the wrong length.
        """
        return HybridSigner.from_seeds(self.ed25519, self.mldsa65)

    def write(self, path: Path, passphrase: str | None) -> None:
        """Writes a new file that only its owner can read, and makes it durable.

        Args:
            path: where.
            passphrase: seals the file (age, scrypt); None leaves it in the clear.

        Raises:
            FileExistsError: the path is taken; a private key is never overwritten.
            OSError: it could not be written, and nothing is left behind.
            AgeRecipientError: the passphrase is empty.
        """
        parts = {"ed25519": self.ed25519, "mldsa65": self.mldsa65}
        write_key_file(path, key_object(FORMAT, parts), passphrase)

    @classmethod
    def read(cls, path: Path, ask_passphrase: Callable[[], str]) -> RecorderKey:
        """Reads what `write` wrote.

        Args:
            path: the file.
            ask_passphrase: asked only if the file is sealed.

        Raises:
            RecorderKeyError: no recording key, or another passphrase.
            OSError: it cannot be read.
        """
        try:
            parts, _ = key_parts(read_key_file(path, ask_passphrase), FORMAT, _LENGTHS)
        except KeyFileError as error:
            raise RecorderKeyError(f"the recording key cannot be used: {error}") from None
        return cls(**parts)
