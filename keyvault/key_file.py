"""A private key of a person's own, as a file: mode 0600, never overwritten, perhaps under a passphrase."""

from __future__ import annotations

import base64
import binascii
import io
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from keyvault.age import AgeError, PassphraseIdentity, PassphraseRecipient, open_sealed, seal
from keyvault.errors import KeyvaultError
from provenance import canonical
from provenance.errors import ProvenanceError

MAX_FILE_BYTES = 16 << 10
_AGE_MAGIC = b"age-encryption.org/"


class KeyFileError(KeyvaultError):
    """A file is no key of this kind, or the passphrase is not its own."""

    code = "key_file_invalid"


def write_key_file(path: Path, content: bytes, passphrase: str | None) -> None:
    """Writes a new file that only its owner can read, and makes it durable.

    Args:
        path: where.
        content: what is kept.
        passphrase: seals the file (age, scrypt); None leaves it in the clear.

    Raises:
        FileExistsError: the path is taken; a private key is never overwritten.
        OSError: it could not be written, and nothing is left behind.
        AgeRecipientError: the passphrase is empty.
    """
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
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def read_key_file(path: Path, ask_passphrase: Callable[[], str], max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Reads what `write_key_file` wrote.

    Args:
        path: the file.
        ask_passphrase: asked only if the file is sealed.
        max_bytes: beyond which nothing is read.

    Raises:
        KeyFileError: it does not open with this passphrase.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(max_bytes + 1)
    if not content.startswith(_AGE_MAGIC):
        return content
    opened = io.BytesIO()
    try:
        open_sealed(io.BytesIO(content), opened, [PassphraseIdentity(ask_passphrase())])
    except AgeError:
        raise KeyFileError("the key does not open with this passphrase, or its file is damaged") from None
    return opened.getvalue()


def key_object(format_name: str, parts: Mapping[str, bytes], **more: str) -> bytes:
    """Gives a key's content: canonical JSON and a newline, the private parts in base64."""
    encoded = {name: base64.b64encode(part).decode() for name, part in parts.items()}
    return canonical.dumps({"format": format_name, **encoded, **more}) + b"\n"


def key_parts(
    untrusted: bytes, format_name: str, lengths: Mapping[str, int], *more: str
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Reads what `key_object` wrote.

    Args:
        untrusted: the content.
        format_name: that it must have.
        lengths: the private parts that it must have, in bytes.
        more: names of its other fields, which are text.

    Returns:
        The private parts and the other fields, by name.

    Raises:
        KeyFileError: anything else.
    """
    try:
        content = canonical.loads(untrusted.removesuffix(b"\n"), MAX_FILE_BYTES)
        if not isinstance(content, dict) or content.pop("format", None) != format_name:
            raise KeyFileError("the file is no key of this kind")
        fields = {name: content.pop(name) for name in more}
        parts = {name: base64.b64decode(text, validate=True) for name, text in content.items()}
    except (ProvenanceError, KeyError, TypeError, ValueError, binascii.Error):
        raise KeyFileError("the file is no key of this kind") from None
    found = {name: len(part) for name, part in parts.items()}
    if found != dict(lengths) or not all(isinstance(text, str) for text in fields.values()):
        raise KeyFileError("the file is no key of this kind")
    return parts, fields
