"""Named steps of a verification of evidence: provenance's checklist, in this package's errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from enclave.attest.errors import EvidenceError, EvidenceRefusedError
from provenance.checklist import Checklist, Step, VerificationError
from provenance.errors import ProvenanceError


class EvidenceChecklist:
    """Runs steps in the order they are listed; the first that fails ends the verification.

    Args:
        sentences: what holds if a step does, by id, in order.
    """

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._checklist = Checklist(sentences)

    @contextlib.contextmanager
    def step(self, step: str) -> Iterator[None]:
        """Runs one step.

        Raises:
            EvidenceRefusedError: the block raised an EvidenceError.
        """
        try:
            with self._checklist.step(step):
                try:
                    yield
                except EvidenceError as error:
                    raise ProvenanceError(str(error), error.code) from error
        except VerificationError as error:
            raise EvidenceRefusedError(error.step, error.code, str(error), error.steps) from error

    def reports(self) -> tuple[Step, ...]:
        """Gives one report a step, all of them done."""
        return self._checklist.reports()
