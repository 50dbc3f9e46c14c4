"""The worker release: somebody with a release key stands by one version of the worker."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import Digest, Instant, Pattern, Table, Word, of
from provenance.statements.vocabulary import MODELS, POLICIES

# PEP 440 without a local part, which would admit any word, and of three numbers: four would admit an address.
VERSION = Pattern(re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){1,2}((a|b|rc)[0-9]{1,4})?(\.dev[0-9]{1,4})?"))


@dataclass(frozen=True)
class WorkerReleaseFacts(Facts):
    """Signed by a release key, or by the node key where the operator releases for itself.

    The measurement alone decides; the other fields say what went into it, for people.

    Attributes:
        measurement: hex SHA-256 over the worker's code, lock, dependencies, models and policies; the subject.
        version: as the package calls itself, "0.1.0".
        models: hex SHA-256 of each model file, by name.
        policies: hex SHA-256 of the text of each shipped policy, by name.
        lock_sha256: hex SHA-256 of the lock file.
        released_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value, or there is no model or no policy.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:worker-release:v1"
    SUBJECT_NAME: ClassVar[str] = "worker"
    SUBJECT_FIELD: ClassVar[str | None] = "measurement"

    measurement: str = of(Digest("measurement"))
    version: str = of(VERSION)
    models: Mapping[str, str] = of(Table(Word(MODELS), Digest("model")))
    policies: Mapping[str, str] = of(Table(Word(POLICIES), Digest("policy")))
    lock_sha256: str = of(Digest("lock"))
    released_at: str = of(Instant())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.models or not self.policies:
            raise FormatError("the worker release names no model or no policy")

    def subject_sha256(self) -> str:
        """The measurement."""
        return self.measurement
