"""What instructions say about a review: who may decide, and in a second run what was seen and decided.

    {"key":"<base64 of 32 bytes>"}                                          a first run
    {"decisions":"<base64>","key":"<base64 of 32 bytes>","record_bytes":n}  a second one

The record's n bytes stand between the preamble's line and the media, as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import PreambleError
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

KEY_BYTES = 32
MAX_RECORD_BYTES = 32 << 20
MAX_DECISIONS_BYTES = 48 << 10


@dataclass(frozen=True)
class ReviewInstructions:
    """A review that is wanted, or one that has taken place.

    Attributes:
        key: Ed25519, 32 bytes; made for this review alone. Decisions are signed with its private half.
        record_bytes: length of the record of the first run; 0 in the first run.
        decisions: the signed decisions, as `anonymizer.review` reads them; empty in the first run.

    Raises:
        PreambleError: a length is out of range, or decisions come without a record.
    """

    key: bytes
    record_bytes: int = 0
    decisions: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise PreambleError(f"a review key has {KEY_BYTES} bytes")
        if not 0 <= self.record_bytes <= MAX_RECORD_BYTES or len(self.decisions) > MAX_DECISIONS_BYTES:
            raise PreambleError("the record of a review or its decisions are too large")
        if bool(self.record_bytes) != bool(self.decisions):
            raise PreambleError("a review's decisions need the record, and the record decisions")

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        key = {"key": base64_text(self.key)}
        if not self.record_bytes:
            return key
        return {**key, "decisions": base64_text(self.decisions), "record_bytes": self.record_bytes}

    @classmethod
    def from_object(cls, untrusted: object) -> ReviewInstructions:
        """Reads that object.

        Raises:
            PreambleError: it is another.
        """
        if not isinstance(untrusted, Mapping) or untrusted.keys() not in (
            {"key"},
            {"key", "decisions", "record_bytes"},
        ):
            raise PreambleError("a review has a key, and then decisions and record_bytes, and nothing else")
        record_bytes = untrusted.get("record_bytes", 0)
        if isinstance(record_bytes, bool) or not isinstance(record_bytes, int):
            raise PreambleError("record_bytes is a whole number")
        try:
            key, decisions = base64_bytes(untrusted["key"]), base64_bytes(untrusted.get("decisions", ""))
        except FormatError:
            raise PreambleError("a review's key and decisions are base64") from None
        review = cls(key=key, record_bytes=record_bytes, decisions=decisions)
        if review.to_object() != untrusted:
            raise PreambleError("a review says nothing empty")
        return review
