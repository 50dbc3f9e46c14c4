"""Identity files, as `age-keygen` writes them, and parsing either kind of key by its prefix."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from keyvault.age.errors import AgeIdentityError, AgeRecipientError
from keyvault.age.hybrid import HybridIdentity, HybridRecipient
from keyvault.age.x25519 import X25519Identity, X25519Recipient

MAX_IDENTITY_FILE_CHARS = 1024 * 1024


def parse_recipient(text: str) -> HybridRecipient | X25519Recipient:
    """Parses `age1pq1…` or `age1…`, with nothing around it.

    Raises:
        AgeRecipientError: neither of them, or malformed, or a key that keeps no secret.
    """
    if text.startswith("age1pq1"):
        return HybridRecipient.parse(text)
    if text.startswith("age1"):
        return X25519Recipient.parse(text)
    raise AgeRecipientError("a recipient begins with age1pq1 or age1")


def parse_identity(text: str) -> HybridIdentity | X25519Identity:
    """Parses `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`, with nothing around it.

    Raises:
        AgeIdentityError: neither of them, or malformed.
    """
    if text.startswith("AGE-SECRET-KEY-PQ-1"):
        return HybridIdentity.parse(text)
    if text.startswith("AGE-SECRET-KEY-1"):
        return X25519Identity.parse(text)
    raise AgeIdentityError("an identity begins with AGE-SECRET-KEY-PQ-1 or AGE-SECRET-KEY-1")


def parse_identity_file(text: str) -> list[HybridIdentity | X25519Identity]:
    """Parses one identity a line; empty lines and lines that begin with # are skipped.

    Raises:
        AgeIdentityError: a malformed line, which is named by its number alone, or no identity at all.
    """
    if len(text) > MAX_IDENTITY_FILE_CHARS:
        raise AgeIdentityError("the identity file is too large")
    identities: list[HybridIdentity | X25519Identity] = []
    for number, line in enumerate(text.split("\n"), start=1):
        entry = line.removesuffix("\r")
        if not entry or entry.startswith("#"):
            continue
        try:
            identities.append(parse_identity(entry))
        except AgeIdentityError as defect:
            raise AgeIdentityError(f"line {number} of the identity file: {defect}") from None
    if not identities:
        raise AgeIdentityError("the identity file holds no identity")
    return identities


def format_identity_file(
    identity: HybridIdentity | X25519Identity, created_at: datetime | None = None
) -> str:
    """The text of an identity file.

    Args:
        identity: the private key.
        created_at: with a time zone; now when absent.
    """
    stamp = (created_at or datetime.now(UTC)).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"# created: {stamp}\n# public key: {identity.recipient}\n{identity.encode()}\n"


def write_identity_file(
    path: Path, identity: HybridIdentity | X25519Identity, created_at: datetime | None = None
) -> None:
    """Writes a new identity file that only its owner can read, and makes it durable.

    Raises:
        FileExistsError: the path is taken; a private key is never overwritten.
        OSError: it could not be written, and nothing is left behind.
    """
    text = format_identity_file(identity, created_at)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
