"""Checkpoints: a log's signed tree heads (c2sp.org/tlog-checkpoint), and what each kind of key signs.

The log signs twice under its origin: Ed25519 over the note's text, and ML-DSA-44 over a cosigned message
(c2sp.org/tlog-cosignature) that also holds the time. Witnesses add cosignatures under their own names, with
Ed25519 (cosignature/v1) or ML-DSA-44; both hold the time. To sign, take `message_to_sign` for each key,
make its `signature_line`, and `assemble` them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provenance.algorithms.registry import ED25519, MLDSA44
from provenance.algorithms.verifying import check_signature
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError, SignatureError
from provenance.note import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    MLDSA44_COSIGNATURE,
    Note,
    SignatureLine,
    VerifierKey,
    check_name,
    parse_note,
)

MAX_SIZE = (1 << 63) - 1
MAX_TEXT_BYTES = 1024
MAX_EXTENDED_TEXT_BYTES = 16 << 10
ROOT_BYTES = 32

_COSIGNATURE_HEADER = "cosignature/v1"
_COSIGNED_LABEL = b"subtree/v1\n\0"
_TIME_BYTES = 8


@dataclass(frozen=True)
class CheckpointText:
    """A tree head, not signed.

    Attributes:
        origin: the log's name.
        size: leaves in the tree.
        root: RFC 6962 root hash, 32 bytes.
        extensions: further lines. Our own log has none, since ML-DSA-44 would not cover them; a witness
            meets them in the checkpoints of other people's logs.

    Raises:
        FormatError: a value out of range.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 <= self.size <= MAX_SIZE or len(self.root) != ROOT_BYTES:
            raise FormatError("a checkpoint's size or root is out of range")
        if not all(self.extensions):
            raise FormatError("an extension line of a checkpoint is empty")

    def to_bytes(self) -> bytes:
        """Gives the three lines, and those of extensions."""
        lines = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def parse(cls, untrusted: bytes) -> CheckpointText:
        """Reads exactly three lines.

        Raises:
            FormatError: anything else.
        """
        if len(untrusted) > MAX_TEXT_BYTES:
            raise FormatError("the checkpoint's text is too large", "too_large")
        text = cls.parse_extended(untrusted)
        if text.extensions:
            raise FormatError("the checkpoint's text does not have exactly three lines")
        return text

    @classmethod
    def parse_extended(cls, untrusted: bytes) -> CheckpointText:
        """Reads three lines and any extensions, as a witness does.

        Raises:
            FormatError: anything else.
        """
        if len(untrusted) > MAX_EXTENDED_TEXT_BYTES:
            raise FormatError("the checkpoint's text is too large", "too_large")
        try:
            lines = untrusted.decode("utf-8").split("\n")
        except UnicodeDecodeError:
            raise FormatError("the checkpoint is not UTF-8") from None
        if len(lines) < 4 or lines.pop():
            raise FormatError("the checkpoint's text does not have its three lines")
        origin, size, root, *extensions = lines
        return cls(origin, parse_decimal(size), base64_bytes(root), tuple(extensions))


@dataclass(frozen=True)
class Checkpoint(CheckpointText):
    """A tree head whose signatures have been verified.

    Attributes:
        signed_at: POSIX seconds on the log's clock; None if no key that signs a time was asked for.
    """

    signed_at: int | None = None


def parse_checkpoint_text(untrusted: bytes) -> CheckpointText:
    """Reads a checkpoint's text, as a signer does before it signs.

    Raises:
        FormatError: not three lines in exactly the published form.
    """
    return CheckpointText.parse(untrusted)


def parse_decimal(untrusted: str) -> int:
    """Reads a number of a checkpoint or a proof: ASCII digits, no leading zero.

    Raises:
        FormatError: anything else, or above 2^63 - 1.
    """
    plain = untrusted.isascii() and untrusted.isdigit() and len(untrusted) <= len(str(MAX_SIZE))
    if not plain or (untrusted[0] == "0" and untrusted != "0") or int(untrusted) > MAX_SIZE:
        raise FormatError("a number is not written in plain decimal")
    return int(untrusted)


def message_to_sign(key: VerifierKey, text: CheckpointText, signed_at: int) -> bytes:
    """Gives the exact message that this key signs for a checkpoint.

    Args:
        key: a key of any kind.
        text: the tree head.
        signed_at: POSIX seconds; `ED25519_NOTE` does not sign it.

    Raises:
        FormatError: a time out of range.
    """
    if key.algorithm == ED25519_NOTE:
        return text.to_bytes()
    if key.algorithm == ED25519_COSIGNATURE:
        _time(signed_at)
        return f"{_COSIGNATURE_HEADER}\ntime {signed_at}\n".encode() + text.to_bytes()
    return b"".join(
        (
            _COSIGNED_LABEL,
            _short_string(key.name),
            _time(signed_at),
            _short_string(text.origin),
            _uint64(0),
            _uint64(text.size),
            text.root,
        )
    )


def signature_line(key: VerifierKey, signature: bytes, signed_at: int) -> SignatureLine:
    """Gives the line for a signature over `message_to_sign`.

    Raises:
        FormatError: a time out of range.
    """
    head = b"" if key.algorithm == ED25519_NOTE else _time(signed_at)
    return SignatureLine(name=key.name, key_id=key.key_id, blob=head + signature)


def assemble(text: CheckpointText, lines: Sequence[SignatureLine]) -> bytes:
    """Gives the signed note."""
    return Note(text=text.to_bytes().decode(), lines=tuple(lines)).to_bytes()


def verify_checkpoint(untrusted_note: bytes, origin: str, vkeys: Sequence[VerifierKey]) -> Checkpoint:
    """Accepts a checkpoint of this log with exactly one valid signature by every key.

    Lines by other keys are not looked at (c2sp.org/signed-note): a line by a stranger proves nothing and
    takes nothing away. Whether witnesses signed is for `provenance.witness` to check.

    Raises:
        FormatError: not a checkpoint.
        SignatureError: of another log, or a signature is missing, false or repeated.
    """
    note = parse_note(untrusted_note)
    text = CheckpointText.parse(note.text.encode())
    if text.origin != origin:
        raise SignatureError("the checkpoint is of another log", "wrong_log")
    if not vkeys:
        raise SignatureError("no key is trusted for this log", "no_trusted_key")
    times = [_verify_only_line(note, key, text) for key in vkeys]
    signed_at = max((moment for moment in times if moment is not None), default=None)
    return Checkpoint(origin=text.origin, size=text.size, root=text.root, signed_at=signed_at)


def verify_line(line: SignatureLine, key: VerifierKey, text: CheckpointText) -> int | None:
    """Checks one signature line that claims to be by a key.

    Returns:
        The time that was signed, POSIX seconds; None where the key does not sign one.

    Raises:
        SignatureError: it is false.
        FormatError: it has another length, or a time out of range.
    """
    if key.algorithm == ED25519_NOTE:
        check_signature(ED25519, key.public_key, message_to_sign(key, text, 0), line.blob)
        return None
    signed_at = int.from_bytes(line.blob[:_TIME_BYTES], "big")
    algorithm = MLDSA44 if key.algorithm == MLDSA44_COSIGNATURE else ED25519
    message = message_to_sign(key, text, signed_at)
    check_signature(algorithm, key.public_key, message, line.blob[_TIME_BYTES:])
    return signed_at


def _verify_only_line(note: Note, key: VerifierKey, text: CheckpointText) -> int | None:
    found = [line for line in note.lines if line.is_by(key)]
    if len(found) != 1:
        raise SignatureError("a key of the log has not signed the checkpoint exactly once", "wrong_signer")
    return verify_line(found[0], key, text)


def _short_string(text: str) -> bytes:
    raw = text.encode("utf-8")
    return bytes([len(raw)]) + raw


def _uint64(value: int) -> bytes:
    return value.to_bytes(8, "big")


def _time(signed_at: int) -> bytes:
    if not 0 <= signed_at <= MAX_SIZE:
        raise FormatError("a checkpoint's time is out of range")
    return _uint64(signed_at)
