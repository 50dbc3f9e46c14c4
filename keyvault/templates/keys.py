"""The owner's secret key, and the public context, with which others compute and cannot read.

    context   "bauta.template-context/v1\\n"   public key (2 polynomials)   Galois keys (2 rotations x 3 x 2)
    owner     "bauta.template-owner/v1\\n"   context id (32)   secret key (1 polynomial)

Every polynomial has its residues modulo all four primes (`residues`). The context's id is SHA-256 of its
bytes; templates and scores carry it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from keyvault.key_file import KeyFileError, read_key_file, write_key_file
from keyvault.templates import seal
from keyvault.templates.errors import malformed
from keyvault.templates.parameters import GALOIS_ELEMENTS, PRIMES
from keyvault.templates.residues import Residues, pack_residues, read_residues, residues_bytes

CONTEXT_ID_BYTES: Final = 32
PUBLIC_POLYNOMIALS: Final = 2
GALOIS_POLYNOMIALS: Final = len(GALOIS_ELEMENTS) * seal.DATA_PRIMES * 2

_CONTEXT_LABEL = b"bauta.template-context/v1\n"
_OWNER_LABEL = b"bauta.template-owner/v1\n"
_PUBLIC_BYTES = residues_bytes(PUBLIC_POLYNOMIALS, len(PRIMES))
CONTEXT_BYTES: Final = len(_CONTEXT_LABEL) + _PUBLIC_BYTES + residues_bytes(GALOIS_POLYNOMIALS, len(PRIMES))
OWNER_BYTES: Final = len(_OWNER_LABEL) + CONTEXT_ID_BYTES + residues_bytes(1, len(PRIMES))
# The file may be sealed: age's header and tags come on top.
MAX_OWNER_FILE_BYTES: Final = OWNER_BYTES + (4 << 10)


@dataclass(frozen=True, eq=False)
class PublicContext:
    """What others compute with. Public.

    Attributes:
        public: (2, 4, RING), to encrypt with.
        galois: (12, 4, RING), to rotate with.
    """

    public: Residues = field(repr=False)
    galois: Residues = field(repr=False)

    @cached_property
    def encoded(self) -> bytes:
        """Its only encoding."""
        return _CONTEXT_LABEL + pack_residues(self.public) + pack_residues(self.galois)

    @cached_property
    def context_id(self) -> bytes:
        """32 bytes."""
        return hashlib.sha256(self.encoded).digest()

    @cached_property
    def seal(self) -> seal.Seal:
        """The same in SEAL; made at first use.

        Raises:
            TemplateError: template_malformed.
        """
        return seal.open_context(self.public, self.galois)

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> PublicContext:
        """Reads what `encoded` gives.

        Raises:
            TemplateError: template_malformed.
        """
        if len(untrusted) != CONTEXT_BYTES or not untrusted.startswith(_CONTEXT_LABEL):
            raise malformed("public context of templates")
        at = len(_CONTEXT_LABEL)
        what = "public context of templates"
        return cls(
            read_residues(untrusted[at : at + _PUBLIC_BYTES], PUBLIC_POLYNOMIALS, PRIMES, what),
            read_residues(untrusted[at + _PUBLIC_BYTES :], GALOIS_POLYNOMIALS, PRIMES, what),
        )

    @classmethod
    def read(cls, path: Path) -> PublicContext:
        """Reads a file.

        Raises:
            TemplateError: template_malformed.
            OSError: it cannot be read.
        """
        with path.open("rb") as file:
            return cls.from_bytes(file.read(CONTEXT_BYTES + 1))


@dataclass(frozen=True, eq=False)
class OwnerKey:
    """What opens templates and scores. Never leaves its owner.

    Attributes:
        context_id: of the public context that it belongs to.
        secret: (1, 4, RING).
    """

    context_id: bytes
    secret: Residues = field(repr=False)

    def to_bytes(self) -> bytes:
        """Its only encoding. Secret."""
        return _OWNER_LABEL + self.context_id + pack_residues(self.secret)

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> OwnerKey:
        """Reads what `to_bytes` gives.

        Raises:
            TemplateError: template_malformed.
        """
        if len(untrusted) != OWNER_BYTES or not untrusted.startswith(_OWNER_LABEL):
            raise malformed("owner's key of templates")
        at = len(_OWNER_LABEL)
        secret = read_residues(untrusted[at + CONTEXT_ID_BYTES :], 1, PRIMES, "owner's key of templates")
        return cls(untrusted[at : at + CONTEXT_ID_BYTES], secret)

    def write(self, path: Path, passphrase: str) -> None:
        """Writes it as a new file, mode 0600, sealed by a passphrase (age, scrypt).

        Raises:
            FileExistsError: the path is taken.
            OSError: it could not be written.
            AgeRecipientError: the passphrase is empty.
        """
        write_key_file(path, self.to_bytes(), passphrase)

    @classmethod
    def read(cls, path: Path, ask_passphrase: Callable[[], str]) -> OwnerKey:
        """Reads such a file; one that is not sealed is refused.

        Raises:
            TemplateError: template_malformed.
            KeyFileError: it does not open with this passphrase.
            OSError: it cannot be read.
        """
        asked: list[str] = []

        def ask() -> str:
            asked.append(ask_passphrase())
            return asked[0]

        content = read_key_file(path, ask, MAX_OWNER_FILE_BYTES)
        if not asked:
            raise KeyFileError("the owner's key lies open; a key of templates is sealed by a passphrase")
        return cls.from_bytes(content)

    @cached_property
    def kept(self) -> Any:
        """SEAL's keeper of the secret key, whose `data.secret_key()` it is."""
        return seal.open_secret(self.secret)


def make_keys() -> tuple[OwnerKey, PublicContext]:
    """Draws an owner's keys."""
    secret, public, galois = seal.generate()
    context = PublicContext(public, galois)
    return OwnerKey(context.context_id, secret), context
