"""What a job tells of the sound it made: times and measurements, never content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from anonymizer.sound.effects import VoiceEffect
from anonymizer.sound.envelope import CELLS_PER_SECOND, Levels, seconds_off
from anonymizer.sound.loudness import STEPS_PER_SECOND, Energies, integrated
from anonymizer.sound.plan import Plan
from anonymizer.sound.room import RoomFigures

Done = Literal["anonymized", "bleeped", "kept", "removed"]
AudioWord = Literal["anonymized", "bleeped", "kept", "none", "partly_kept", "removed"]
DONE: Final[Mapping[VoiceEffect, Done]] = {
    "anonymize": "anonymized",
    "bleep": "bleeped",
    "keep": "kept",
    "remove": "removed",
}

# Seconds around a join in which a step from sample to sample is compared.
AROUND_SECONDS: Final = 0.05
# A step at a join is a click where it is so much larger than those around it.
CLICK_FACTOR: Final = 3.0
LEAST_CLICK: Final = 0.02


@dataclass(frozen=True)
class SoundFigures:
    """What happened to a track that was listened to.

    Attributes:
        voices: how many people were heard.
        seconds: for how long what happened.
        words_bleeped: stretches with words on the policy's list; None where none were sought.
        loudness_off_lu: of what is still spoken, above the original's; None in silence.
        off_seconds: by how much what is still spoken lies behind the original; None where nobody can tell.
        clicks: at joins.
        room: what the room told, before and after; None where all sound was let through.
    """

    voices: int
    seconds: Mapping[Done, float]
    words_bleeped: int | None
    loudness_off_lu: float | None
    off_seconds: float | None
    clicks: int
    room: RoomFigures | None


def word_of(figures: SoundFigures) -> AudioWord:
    """Returns the weakest thing that happened to any of a track."""
    if "kept" in figures.seconds:
        return "kept" if len(figures.seconds) == 1 else "partly_kept"
    by_strength: tuple[AudioWord, ...] = ("anonymized", "bleeped", "removed")
    return next(word for word in by_strength if word in figures.seconds)


def seconds_of(plan: Plan) -> dict[Done, float]:
    """Returns for how long what happens in a plan."""
    return {DONE[effect]: seconds for effect, seconds in sorted(plan.seconds.items())}


def loudness_off(plan: Plan, original: Energies, result: Energies) -> float | None:
    """Returns by how many LU what is still spoken is louder than in the original; None in silence."""
    spoken = _spoken(plan, STEPS_PER_SECOND)
    length = min(len(original), len(result), len(spoken))
    before, after = (integrated(steps[:length][spoken[:length]]) for steps in (original, result))
    return None if before is None or after is None else after - before


def lip_sync_off(plan: Plan, original: Levels, result: Levels) -> float | None:
    """Returns by how many seconds speech lies behind the original; None where nobody can tell."""
    return seconds_off(original, result, _spoken(plan, CELLS_PER_SECOND))


def is_click(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], fade: int, rate: int) -> bool:
    """Tells whether there is a click where two pieces meet.

    Args:
        before: the end of what was made so far.
        after: what follows; its first `fade` samples are of both.
        fade: samples.
        rate: samples a second.
    """
    around = round(AROUND_SECONDS * rate)
    before, after = before[-around:], after[: fade + around]
    steps = np.abs(np.diff(np.concatenate([before, after])))
    join = slice(max(0, len(before) - 2), len(before) + fade + 2)
    elsewhere = np.delete(steps, np.arange(len(steps))[join])
    if not len(steps[join]) or not len(elsewhere):
        return False
    return float(steps[join].max()) > max(LEAST_CLICK, CLICK_FACTOR * float(elsewhere.max()))


def _spoken(plan: Plan, per_second: int) -> npt.NDArray[np.bool_]:
    every = CELLS_PER_SECOND // per_second
    cells = np.concatenate(
        [np.full(s.end - s.begin, s.effect in {"anonymize", "keep"}) for s in plan.stretches]
    )
    whole = len(cells) // every * every
    return np.asarray(cells[:whole].reshape(-1, every).all(axis=1), np.bool_)
