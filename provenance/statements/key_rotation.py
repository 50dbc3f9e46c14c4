"""The key rotation statement: an intake key is destroyed, and nobody opens what was sealed to it any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import Digest, Instant, Maybe, of


@dataclass(frozen=True)
class KeyRotationFacts(Facts):
    """Signed by the node key after the key's last copy was overwritten in memory and on the disk.

    That a key was made stands in its intake statement, which has the same subject. It is the vault's word: no
    signature can show that nobody had copied the disk before.

    Attributes:
        retired_sha256: hex SHA-256 of the destroyed key's recipient string; the subject.
        successor_sha256: of the recipient that was made next; None where there was none by then.
        made_at: "2026-11-21T00:00:00Z".
        destroyed_at: the same form.

    Raises:
        FormatError: a field does not take its value, the key succeeds itself, or it was destroyed before it
            was made.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:key-rotation:v1"
    SUBJECT_NAME: ClassVar[str] = "intake-recipient"
    SUBJECT_FIELD: ClassVar[str | None] = "retired_sha256"

    retired_sha256: str = of(Digest("public-key"))
    successor_sha256: str | None = of(Maybe(Digest("public-key")))
    made_at: str = of(Instant())
    destroyed_at: str = of(Instant())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.successor_sha256 == self.retired_sha256:
            raise FormatError("a key is said to be its own successor")
        if self.destroyed_at < self.made_at:
            raise FormatError("a key is said to be destroyed before it was made")

    def subject_sha256(self) -> str:
        """SHA-256 of the recipient string, as in the intake statement."""
        return self.retired_sha256
