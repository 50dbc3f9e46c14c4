"""The private half of a witness, as a file. The name lies with the keys: one key never signs under two names.

c2sp.org/tlog-cosignature demands that, since the Ed25519 message does not hold the name.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyvault.key_file import KeyFileError, key_object, key_parts, read_key_file, write_key_file
from keyvault.signing.hybrid import SEED_BYTES
from keyvault.signing.witness import WitnessSigner
from provenance.errors import FormatError
from provenance.note import check_name

FORMAT = "bauta.witness-key/v1"
_LENGTHS = {"ed25519": SEED_BYTES, "mldsa44": SEED_BYTES}


class WitnessKeyError(KeyFileError):
    """A file is no witness's key, or the passphrase is not its own."""

    code = "witness_key_invalid"


@dataclass(frozen=True)
class WitnessKey:
    """The private parts of one witness. Its repr shows the name alone.

    Attributes:
        name: that it signs under.
        ed25519: seed, 32 bytes.
        mldsa44: seed, 32 bytes.

    Raises:
        FormatError: the name is none for a key.
    """

    name: str
    ed25519: bytes = field(repr=False)
    mldsa44: bytes = field(repr=False)

    def __post_init__(self) -> None:
        check_name(self.name)

    @classmethod
    def generate(cls, name: str) -> WitnessKey:
        """Draws a fresh one.

        Raises:
            FormatError: the name is none for a key.
        """
        return cls(name, os.urandom(SEED_BYTES), os.urandom(SEED_BYTES))

    @property
    def signer(self) -> WitnessSigner:
        """Signs with both."""
        return WitnessSigner(self.name, self.ed25519, self.mldsa44)

    def write(self, path: Path, passphrase: str | None) -> None:
        """Writes a new file; `key_file.write_key_file` has the errors."""
        parts = {"ed25519": self.ed25519, "mldsa44": self.mldsa44}
        write_key_file(path, key_object(FORMAT, parts, name=self.name), passphrase)

    @classmethod
    def read(cls, path: Path, ask_passphrase: Callable[[], str]) -> WitnessKey:
        """Reads what `write` wrote.

        Args:
            path: the file.
            ask_passphrase: asked only if the file is sealed.

        Raises:
            WitnessKeyError: no witness's key, or another passphrase.
            OSError: it cannot be read.
        """
        try:
            parts, fields = key_parts(read_key_file(path, ask_passphrase), FORMAT, _LENGTHS, "name")
            return cls(name=fields["name"], **parts)
        except (KeyFileError, FormatError) as error:
            raise WitnessKeyError(f"the witness's key cannot be used: {error}") from None
