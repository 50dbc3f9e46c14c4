"""What a log sends to a witness, and what comes back (c2sp.org/tlog-witness, add-checkpoint)."""

from __future__ import annotations

from dataclasses import dataclass

from provenance.checkpoint import MAX_SIZE, parse_decimal
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.merkle import HASH_BYTES
from provenance.note import MAX_NOTE_BYTES, SignatureLine, parse_signature_line

ADD_CHECKPOINT = "add-checkpoint"
SIZE_CONTENT_TYPE = "text/x.tlog.size"
MAX_PROOF_HASHES = 63
MAX_SUBMISSION_BYTES = MAX_NOTE_BYTES + (8 << 10)
MAX_ANSWER_BYTES = 64 << 10
MAX_ANSWER_LINES = 16

_OLD = "old "


@dataclass(frozen=True)
class Submission:
    """A checkpoint and the proof that it continues an older one; nothing of it is checked.

    Attributes:
        old_size: leaves of the older tree.
        proof: RFC 6962, section 2.1.2; hashes of 32 bytes.
        note: the signed checkpoint.

    Raises:
        FormatError: more hashes than there can be, or of another length.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.old_size <= MAX_SIZE or len(self.proof) > MAX_PROOF_HASHES:
            raise FormatError("the submission's old size or proof is out of range")
        if any(len(item) != HASH_BYTES for item in self.proof):
            raise FormatError("the submission's proof holds a hash of another length")

    def to_bytes(self) -> bytes:
        """Gives the body of the request."""
        lines = [f"{_OLD}{self.old_size}", *(base64_text(item) for item in self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.note

    @classmethod
    def parse(cls, untrusted: bytes) -> Submission:
        """Reads the body of a request; the checkpoint in it is not looked at.

        Raises:
            FormatError: not exactly the published form, or too large.
        """
        if len(untrusted) > MAX_SUBMISSION_BYTES:
            raise FormatError("the submission is too large", "too_large")
        head, gap, note = untrusted.partition(b"\n\n")
        try:
            old, *hashes = head.decode("ascii").split("\n")
        except ValueError:
            raise FormatError("the submission does not begin with its old size") from None
        if not gap or not old.startswith(_OLD) or len(hashes) > MAX_PROOF_HASHES:
            raise FormatError("the submission does not begin with its old size and at most 63 hashes")
        return cls(
            old_size=parse_decimal(old.removeprefix(_OLD)),
            proof=tuple(base64_bytes(line) for line in hashes),
            note=note,
        )


def parse_cosignatures(untrusted: bytes) -> tuple[SignatureLine, ...]:
    """Reads a witness's answer with status 200: signature lines, whose signatures are not checked.

    Raises:
        FormatError: none, too many, or something else.
    """
    if len(untrusted) > MAX_ANSWER_BYTES:
        raise FormatError("the witness's answer is too large", "too_large")
    try:
        lines = untrusted.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise FormatError("the witness's answer is not UTF-8") from None
    if lines.pop() or not 1 <= len(lines) <= MAX_ANSWER_LINES:
        raise FormatError("the witness's answer is not a few signature lines")
    return tuple(parse_signature_line(line) for line in lines)


def parse_known_size(untrusted: bytes) -> int:
    """Reads a witness's answer with status 409: the size that it cosigned last.

    Raises:
        FormatError: not one number in its line.
    """
    try:
        line = untrusted[: MAX_ANSWER_LINES * 2].decode("ascii")
    except UnicodeDecodeError:
        raise FormatError("the witness does not tell the size that it knows") from None
    if not line.endswith("\n"):
        raise FormatError("the witness does not tell the size that it knows")
    return parse_decimal(line.removesuffix("\n"))
