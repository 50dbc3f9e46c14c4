"""The private half of a release key, as a file: its holder says which versions of the worker are released.

It belongs to people who review the code, on a machine that runs no service. Three algorithms always, since a
release may have to be believed for long: Ed25519, ML-DSA-65 and SLH-DSA-SHA2-128s.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from keyvault.age import AgeError, PassphraseIdentity, PassphraseRecipient, open_sealed, seal
from keyvault.errors import KeyvaultError
from keyvault.signing.hybrid import SEED_BYTES, HybridSigner
from keyvault.signing.slhdsa import PRIVATE_KEY_BYTES, SlhDsaKey
from provenance import canonical
from provenance.errors import ProvenanceError

FORMAT = "bauta.release-key/v1"
MAX_FILE_BYTES = 16 << 10
_AGE_MAGIC = b"age-encryption.org/"


class ReleaseKeyError(KeyvaultError):
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
        content = self._to_bytes()
        if passphrase is not None:
            sealed = io.BytesIO()
            seal(io.BytesIO(content), sealed, [PassphraseRecipient(passphrase)])
            content = sealed.getvalue()
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            path.unlink(missing_ok=True)
            raise

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
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if content.startswith(_AGE_MAGIC):
            opened = io.BytesIO()
            try:
                open_sealed(io.BytesIO(content), opened, [PassphraseIdentity(ask_passphrase())])
            except AgeError:
                raise ReleaseKeyError(
                    "the release key does not open with this passphrase, or its file is damaged"
                ) from None
            content = opened.getvalue()
        return cls._from_bytes(content)

    def _to_bytes(self) -> bytes:
        parts = {"ed25519": self.ed25519, "mldsa65": self.mldsa65, "slhdsa128s": self.slhdsa128s}
        encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return canonical.dumps({"format": FORMAT, **encoded}) + b"\n"

    @classmethod
    def _from_bytes(cls, untrusted: bytes) -> ReleaseKey:
        try:
            content = canonical.loads(untrusted.removesuffix(b"\n"), MAX_FILE_BYTES)
            if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
                raise ReleaseKeyError("the file is no release key")
            parts = {name: base64.b64decode(text, validate=True) for name, text in content.items()}
            lengths = {name: len(part) for name, part in parts.items()}
        except (ProvenanceError, TypeError, ValueError, binascii.Error):
            raise ReleaseKeyError("the file is no release key") from None
        if lengths != {"ed25519": SEED_BYTES, "mldsa65": SEED_BYTES, "slhdsa128s": PRIVATE_KEY_BYTES}:
            raise ReleaseKeyError("the file is no release key")
        return cls(**parts)
