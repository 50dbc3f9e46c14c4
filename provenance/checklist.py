"""Named steps in a fixed order, with a report of each one and the first failure."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from provenance.errors import ProvenanceError

Status = Literal["ok", "failed", "not reached", "not asked", "not checked"]


@dataclass(frozen=True)
class Step:
    """How far one step came.

    Attributes:
        step: its id, stable.
        sentence: what holds if the step does, for people.
        status: "ok", "failed", "not reached"; "not asked": whoever verifies does not demand it; or
            "not checked": it cannot be, here and now, and nothing is said against it.
    """

    step: str
    sentence: str
    status: Status


class VerificationError(ProvenanceError):
    """A step failed.

    Attributes:
        step: the id of the step.
        code: why.
        steps: one report a step, in order; those after the failed one were not reached.
    """

    code = "verification_failed"

    def __init__(self, step: str, cause: ProvenanceError, steps: tuple[Step, ...]) -> None:
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
        self._left: dict[str, Status] = {}

    @contextlib.contextmanager
    def step(self, step: str) -> Iterator[None]:
        """Runs one step.

        Raises:
            VerificationError: the block raised a ProvenanceError.
        """
        with self.attempt(step):
            yield
        self._waiting.pop(0)

    @contextlib.contextmanager
    def attempt(self, step: str) -> Iterator[None]:
        """Runs what can be done of a step that will be left: it can fail, and does not hold by this.

        Raises:
            VerificationError: the block raised a ProvenanceError.
        """
        self._expect(step)
        try:
            yield
        except ProvenanceError as error:
            raise VerificationError(step, error, self._reports(failed=step)) from error

    def leave(self, step: str, status: Literal["not asked", "not checked"] = "not asked") -> None:
        """Goes on without a step that nobody demands, or that cannot be checked here; the report says so."""
        self._expect(step)
        self._left[self._waiting.pop(0)] = status

    def reports(self) -> tuple[Step, ...]:
        """Gives one report a step, all of them done."""
        if self._waiting:
            raise AssertionError(f"the step {self._waiting[0]} was never run")
        return self._reports(failed=None)

    def _expect(self, step: str) -> None:
        if step != self._waiting[0]:
            raise AssertionError(f"the next step is {self._waiting[0]}, not {step}")

    def _reports(self, failed: str | None) -> tuple[Step, ...]:
        def status(step: str) -> Status:
            if step == failed:
                return "failed"
            if step in self._left:
                return self._left[step]
            return "not reached" if step in self._waiting else "ok"

        return tuple(Step(step, sentence, status(step)) for step, sentence in self._sentences.items())
