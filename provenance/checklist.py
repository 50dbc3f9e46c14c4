"""Named steps in a fixed order, with a report of each one and the first failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from provenance.errors import ProvenanceError


class StepStatus(StrEnum):
    """How far a step came."""

    OK = "ok"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class StepReport:
    """One step.

    Attributes:
        step: its id, stable.
        sentence: what holds if the step does, for people.
        status: how far it came.
    """

    step: str
    sentence: str
    status: StepStatus


class VerificationError(ProvenanceError):
    """A step failed.

    Attributes:
        step: the id of the step.
        code: why.
        steps: one report a step, in order; those after the failed one were not reached.
    """

    code = "verification_failed"

    def __init__(self, step: str, cause: ProvenanceError, steps: tuple[StepReport, ...]) -> None:
        super().__init__(str(cause), cause.code)
        self.step = step
        self.steps = steps


class Checklist:
    """Runs steps in the order they are listed; one that is skipped or out of order is a bug.

    Args:
        sentences: what holds if a step does, by id, in order.
    """

    def __init__(self, sentences: Mapping[str, str]) -> None:
        self._sentences = sentences
        self._waiting = list(sentences)

    @contextlib.contextmanager
    def step(self, step: str) -> Iterator[None]:
        """Runs one step.

        Raises:
            VerificationError: the block raised a ProvenanceError.
        """
        if step != self._waiting[0]:
            raise AssertionError(f"the next step is {self._waiting[0]}, not {step}")
        try:
            yield
        except ProvenanceError as error:
            raise VerificationError(step, error, self._reports(failed=step)) from error
        self._waiting.pop(0)

    def reports(self) -> tuple[StepReport, ...]:
        """Gives one report a step, all of them done."""
        if self._waiting:
            raise AssertionError(f"the step {self._waiting[0]} was never run")
        return self._reports(failed=None)

    def _reports(self, failed: str | None) -> tuple[StepReport, ...]:
        def status(step: str) -> StepStatus:
            if step == failed:
                return StepStatus.FAILED
            return StepStatus.NOT_REACHED if step in self._waiting else StepStatus.OK

        return tuple(StepReport(step, sentence, status(step)) for step, sentence in self._sentences.items())
