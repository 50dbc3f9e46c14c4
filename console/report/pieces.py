"""What was found out about a part of an original, or a lossless copy: for programs and for a terminal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from console.report import words
from console.report.untouched import untouched_document, untouched_in_words
from console.report.verdict import Failure, logged_at, stated
from provenance.checklist import Step, VerificationError
from provenance.committed import Origin
from provenance.pieces.reveal import RevealPackage
from provenance.pieces.untouched import UntouchedReport

_US = 1_000_000


@dataclass(frozen=True)
class PiecesVerdict:
    """What a check of a part, or of a copy without a statement of its own, found.

    Attributes:
        steps: one report a step, in order.
        origin: who committed to the original; None if a check of that failed.
        package: what a part shows; None for a copy.
        sound_after_us: how much later than its pictures the sound of a part begins in the original, as the
            part has it.
        report: what is untouched in a copy; None for a part.
        failure: the first step that failed; None if every one held.
    """

    steps: tuple[Step, ...]
    origin: Origin | None = None
    package: RevealPackage | None = None
    sound_after_us: int | None = None
    report: UntouchedReport | None = None
    failure: Failure | None = None

    @classmethod
    def failed(cls, error: VerificationError) -> PiecesVerdict:
        """A check that did not hold."""
        return cls(error.steps, failure=Failure(error.step, error.code, str(error)))

    def document(self) -> dict[str, Any]:
        """The outcome for programs; docs/pieces.md lists the fields."""
        steps = [asdict(step) for step in self.steps]
        if self.failure is not None or self.origin is None:
            failure = self._failure()
            return {
                "verified": False,
                "failed_step": failure.step,
                "code": failure.code,
                "message": failure.message,
                "steps": steps,
            }
        told: dict[str, Any] = {"verified": True, "commitment": self.origin.root.hex()}
        if self.package is not None:
            told["part"] = part_document(self.package, self.sound_after_us)
        if self.report is not None:
            told["untouched"] = untouched_document(self.report)
        if self.origin.recorder is not None:
            told["recorder"] = self.origin.recorder
        if self.origin.stated is not None:
            told |= {
                "log_index": self.origin.stated.log_index,
                "logged_at": logged_at(self.origin.stated.checkpoint),
                "statement": stated(self.origin.stated.facts),
            }
        return {**told, "steps": steps}

    def lines(self) -> str:
        """The outcome for a terminal: a line for each step, what is not proven, and the answer."""
        return "\n".join(
            [*(f"{words.MARKS[step.status]} {step.sentence}" for step in self.steps), self.answer]
        )

    @property
    def answer(self) -> str:
        """The outcome in a sentence or two."""
        if self.failure is not None or self.origin is None:
            failure = self._failure()
            return f"NOT VERIFIED at {failure.step} ({failure.code}): {failure.message}."
        if self.package is not None:
            shown = shown_in_words(self.package)
            return f"VERIFIED: {shown}. It is {self._whose(self.origin)}{self._sound()}"
        if self.report is not None:
            return f"VERIFIED: {untouched_in_words(self.report)} The original is {self._whose(self.origin)}"
        raise AssertionError("a check is of a part or of a copy")

    def _whose(self, origin: Origin) -> str:
        by = [f"what recorder {origin.recorder} signed"] if origin.recorder is not None else []
        if origin.stated is not None:
            facts = origin.stated.facts
            by.append(f"what was handed in as job {facts.job_id}, finished {facts.finished_at}")
        return f"{' and '.join(by)}."

    def _sound(self) -> str:
        if self.sound_after_us is None:
            return ""
        seconds = self.sound_after_us / _US
        return f" That its sound begins {seconds:.3f} s after its pictures, nobody committed to."

    def _failure(self) -> Failure:
        if self.failure is None:
            raise AssertionError("a verdict without an origin has a failure")
        return self.failure


def part_document(package: RevealPackage, sound_after_us: int | None) -> dict[str, Any]:
    """What a part shows, for programs: stretches of pieces, and the seconds that follow from them."""
    shown: dict[str, Any] = {}
    for tree, opening in package.trees:
        first, end = opening.stretches[0]
        shown[tree.kind] = {"first": first, "end": end, "of": tree.size}
        if tree.kind == "frames":
            shown["frames"] |= {
                "from_seconds": package.times[0] / _US,
                "last_seconds": package.times[-1] / _US,
            }
        elif tree.kind == "audio":
            samples, rate, _, _ = tree.shape
            shown["audio"] |= {"from_seconds": first * samples / rate, "to_seconds": end * samples / rate}
    if sound_after_us is not None:
        shown["sound_after_seconds"] = sound_after_us / _US
    return shown


def shown_in_words(package: RevealPackage) -> str:
    """What a part shows, as a part of a sentence."""
    told = []
    for tree, opening in package.trees:
        first, end = opening.stretches[0]
        if tree.kind == "frames" and tree.size == 1:
            told.append("the picture")
        elif tree.kind == "frames":
            told.append(
                f"frames {first:,} to {end - 1:,} of {tree.size:,}, from {_clock(package.times[0])} to "
                f"{_clock(package.times[-1])}"
            )
        elif tree.kind == "audio":
            samples, rate, _, _ = tree.shape
            begins, ends = (at * samples * _US // rate for at in (first, end))
            told.append(f"sound from {_clock(begins)} to {_clock(ends)} of the sound track")
        else:
            whole = " (all)" if (first, end) == (0, tree.size) else ""
            told.append(f"blocks {first:,} to {end - 1:,} of {tree.size:,} of the file{whole}")
    return " and ".join(told)


def _clock(time_us: int) -> str:
    seconds, rest = divmod(max(time_us, 0), _US)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{head}:{seconds:02}.{rest // 1000:03}"
