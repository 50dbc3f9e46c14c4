"""What one leaf of the log holds: the kind and the hash of an envelope, never the envelope.

The log is public and how often a face was seen is not, so an entry names a statement without telling it.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance import canonical
from provenance.errors import FormatError
from provenance.merkle import leaf_hash

ENTRY_FORMAT = "bauta.entry/v1"
KINDS = (
    "intake",
    "submission",
    "release",
    "job",
    "failure",
    "policy",
    "worker-release",
    "key-rotation",
    "disclosure-request",
    "disclosure-worker",
    "disclosure-approval",
    "disclosure-denial",
    "disclosure-cancellation",
    "disclosure-count",
    "disclosure-release",
    "resharing",
    "erasure",
    "consent",
    "consent-withdrawal",
)
"""The last name of each statement's predicate type, without its version (`statements.Facts.kind`)."""


@dataclass(frozen=True)
class Entry:
    """One leaf's content.

    Attributes:
        kind: one of `KINDS`.
        envelope_sha256: SHA-256 of the envelope's canonical JSON, 32 bytes (`dsse.Envelope.digest`).

    Raises:
        FormatError: another kind or length.
    """

    kind: str
    envelope_sha256: bytes

    def __post_init__(self) -> None:
        if self.kind not in KINDS or len(self.envelope_sha256) != 32:
            raise FormatError("a log entry is of no known kind or holds no SHA-256")

    def to_bytes(self) -> bytes:
        """Gives the canonical JSON."""
        return canonical.dumps(
            {"entry": ENTRY_FORMAT, "kind": self.kind, "sha256": self.envelope_sha256.hex()}
        )

    @property
    def leaf(self) -> bytes:
        """The RFC 6962 leaf hash, 32 bytes."""
        return leaf_hash(self.to_bytes())
