"""What a witness decides about a submission, given the last tree head that it signed. No I/O, no key.

The order of the checks and their answers are those of c2sp.org/tlog-witness. Whoever calls holds a lock
for each log around `judge`, the durable write of what it gives, and the signature.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from provenance.checkpoint import CheckpointText, verify_line
from provenance.errors import FormatError, MerkleError, ProvenanceError
from provenance.merkle import EMPTY_ROOT, verify_consistency
from provenance.note import Note, SignatureLine, VerifierKey, parse_note
from provenance.witness.errors import (
    ConflictError,
    InconsistentError,
    MalformedError,
    UnknownLogError,
    UnsignedError,
)
from provenance.witness.submission import Submission

Misbehaviour = Literal["fork", "shrink", "rewrite"]


@dataclass(frozen=True)
class SignedHead:
    """A tree head that its log signed with all keys that the witness knows.

    Attributes:
        text: the tree head.
        lines: the log's signature lines, one a key; no others.
        signed_at: POSIX seconds on the log's clock; None where no key signs a time.
    """

    text: CheckpointText
    lines: tuple[SignatureLine, ...]
    signed_at: int | None

    def note(self, more: tuple[SignatureLine, ...] = ()) -> bytes:
        """The signed note, with further lines under those of the log."""
        return Note(self.text.to_bytes().decode(), self.lines + more).to_bytes()


@dataclass(frozen=True)
class Grievance:
    """Two signed tree heads of one log that do not go together.

    Attributes:
        kind: "fork": two roots at one size. "shrink": by the log's own clock, the smaller tree was signed
            after the larger. Both are proof. "rewrite": a larger tree came without a proof that it continues
            the known one; anyone can send an honest tree with a false proof, so this asks the log a question.
        known: the head that the witness signed last.
        offered: what came.
        offered_old_size: the submission's.
        offered_proof: the submission's.
    """

    kind: Misbehaviour
    known: SignedHead
    offered: SignedHead
    offered_old_size: int
    offered_proof: tuple[bytes, ...]


def read_head(untrusted_note: bytes, logs: Mapping[str, tuple[VerifierKey, ...]]) -> SignedHead:
    """Reads a checkpoint and checks the log's signatures on it; lines by strangers are dropped.

    Raises:
        MalformedError, UnknownLogError, UnsignedError: with the status that is due.
    """
    try:
        note = parse_note(untrusted_note)
    except FormatError:
        raise MalformedError("the submission holds no signed note") from None
    # Before the text is read: an unknown log's name may have a form that we do not take.
    keys = logs.get(note.text.partition("\n")[0])
    if keys is None:
        raise UnknownLogError("the checkpoint is of a log that this witness was not told of")
    try:
        text = CheckpointText.parse_extended(note.text.encode())
    except FormatError:
        raise MalformedError("the note is no checkpoint") from None
    lines: list[SignatureLine] = []
    times: list[int] = []
    for key in keys:
        by_key = [line for line in note.lines if line.is_by(key)]
        if not by_key:
            raise UnsignedError("a key of the log did not sign the checkpoint")
        try:
            moments = [verify_line(line, key, text) for line in by_key]
        except ProvenanceError:
            raise UnsignedError("a signature of the log does not verify") from None
        lines.append(by_key[0])
        times.extend(moment for moment in moments[:1] if moment is not None)
    return SignedHead(text, tuple(lines), max(times, default=None))


def judge(submission: Submission, offered: SignedHead, known: SignedHead | None) -> None:
    """Accepts a tree head that continues the known one.

    Args:
        submission: as it came.
        offered: its checkpoint, from `read_head`.
        known: the last head that this witness signed; None before the first one.

    Raises:
        MalformedError, ConflictError, InconsistentError: with the status that is due.
    """
    size, root = offered.text.size, offered.text.root
    known_size, known_root = (known.text.size, known.text.root) if known else (0, EMPTY_ROOT)
    if submission.old_size > size:
        raise MalformedError("the old size is larger than the checkpoint's")
    if submission.old_size != known_size:
        raise ConflictError(known_size)
    if size == 0 and root != EMPTY_ROOT:
        raise InconsistentError("a tree without leaves has another root")
    try:
        verify_consistency(known_size, size, submission.proof, known_root, root)
    except MerkleError:
        raise InconsistentError("the proof does not lead from the known tree to this one") from None


def grievance(submission: Submission, offered: SignedHead, known: SignedHead | None) -> Grievance | None:
    """Says what a refused submission shows about its log, if anything.

    A smaller tree alone is none: anyone can send an old checkpoint again.
    """
    if known is None:
        return None
    kind: Misbehaviour
    size, known_size = offered.text.size, known.text.size
    if size == known_size:
        if offered.text.root == known.text.root:
            return None
        kind = "fork"
    elif size < known_size:
        if (offered.signed_at or 0) <= (known.signed_at or offered.signed_at or 0):
            return None
        kind = "shrink"
    elif submission.old_size == known_size:
        kind = "rewrite"
    else:
        return None
    return Grievance(kind, known, offered, submission.old_size, submission.proof)
