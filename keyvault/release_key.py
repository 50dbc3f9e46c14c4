"""The private half of a release key, as a file: its holder says which versions of the worker are released.

It belongs to people who review the code, on a machine that runs no service. Three algorithms always, since a
release may have to be believed for long: Ed25519, ML-DSA-65 and SLH-DSA-SHA2-128s.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyvault.key_file import KeyFileError, key_object, key_parts, read_key_file, write_key_file
from keyvault.signing.hybrid import SEED_BYTES, HybridSigner
from keyvault.signing.slhdsa import PRIVATE_KEY_BYTES, SlhDsaKey

FORMAT = "bauta.release-key/v1"
_LENGTHS = {"ed25519": SEED_BYTES, "mldsa65": SEED_BYTES, "slhdsa128s": PRIVATE_KEY_BYTES}


class ReleaseKeyError(KeyFileError):
    """A file is no release key, or the passphrase is not its own."""

    code = "release_key_invalid"


@dataclass(frozen=True)
class ReleaseKey:
    """The private parts of one release key. Its repr shows nothing.

    Attributes:
        ed25519: seed, 32 bytes.
        mldsa65: seed, 32 bytes.
        slhdsa128s: private key, 64 bytes.
    """

    ed25519: bytes = field(repr=False)
    mldsa65: bytes = field(repr=False)
    slhdsa128s: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> ReleaseKey:
        """Draws a fresh one."""
        return cls(
            os.urandom(SEED_BYTES), os.urandom(SEED_BYTES), bytes(SlhDsaKey.generate().private_bytes())
        )

    @property
    def signer(self) -> HybridSigner:
        """Signs with all three.

        Raises:
            KeyvaultError: a part has the wrong length.
        """
        return HybridSigner.from_seeds(self.ed25519, self.mldsa65, SlhDsaKey(self.slhdsa128s))

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
        write_key_file(path, self._to_bytes(), passphrase)

    @classmethod
    def read(cls, path: Path, ask_passphrase: Callable[[], str]) -> ReleaseKey:
        """Reads what `write` wrote.

        Args:
            path: the file.
            ask_passphrase: asked only if the file is sealed.

        Raises:
            ReleaseKeyError: no release key, or another passphrase.
            OSError: it cannot be read.
        """
        try:
            return cls._from_bytes(read_key_file(path, ask_passphrase))
        except KeyFileError as error:
            raise ReleaseKeyError(f"the release key cannot be used: {error}") from None

    def _to_bytes(self) -> bytes:
        parts = {"ed25519": self.ed25519, "mldsa65": self.mldsa65, "slhdsa128s": self.slhdsa128s}
        return key_object(FORMAT, parts)

    @classmethod
    def _from_bytes(cls, untrusted: bytes) -> ReleaseKey:
        parts, _ = key_parts(untrusted, FORMAT, _LENGTHS)
        return cls(**parts)
