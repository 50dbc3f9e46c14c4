"""The intake statement: where to seal, until when, and which workers the vault will release keys to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import AGE_RECIPIENT, Digest, Instant, Sorted, of, parse_instant


@dataclass(frozen=True)
class IntakeFacts(Facts):
    """Signed by the node key; a client checks it before it seals a byte.

    Attributes:
        recipient: "age1pq1…", the recipient that uploads are sealed to.
        valid_from: first second at which to seal to it, "2026-11-21T00:00:00Z".
        valid_until: first second at which not to any more.
        worker_measurements: hex SHA-256, sorted: the workers that the vault releases file keys to.

    Raises:
        FormatError: a field does not take its value, or the validity is empty.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:intake:v1"
    SUBJECT_NAME: ClassVar[str] = "intake-recipient"

    recipient: str = of(AGE_RECIPIENT)
    valid_from: str = of(Instant())
    valid_until: str = of(Instant())
    worker_measurements: tuple[str, ...] = of(Sorted(Digest("measurement")))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.valid_from >= self.valid_until:
            raise FormatError("the intake's validity is empty")
        if not self.worker_measurements:
            raise FormatError("the intake names no worker measurement")

    def subject_sha256(self) -> str:
        """SHA-256 of the recipient string."""
        return hashlib.sha256(self.recipient.encode("ascii")).hexdigest()

    def covers(self, moment: datetime) -> bool:
        """Says whether a moment lies within the validity.

        Raises:
            FormatError: the moment has no time zone.
        """
        if moment.tzinfo is None:
            raise FormatError("a time has no time zone")
        return parse_instant(self.valid_from) <= moment < parse_instant(self.valid_until)
