"""The voices on a sheet: who was heard, and when. Nothing of what is said, and nothing that can be heard."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from enclave.review.decisions import MAX_MILLISECONDS, MAX_SPEAKERS, VOICE_EFFECTS
from enclave.review.objects import Reading

CODE = "review_package_invalid"
MAX_TURNS = 400

_MAX_COUNT = (1 << 53) - 1
_SPEAKER_KEYS = ("speaker", "effect", "spoken_ms", "unsure_ms", "count", "turns")


@dataclass(frozen=True)
class SheetSpeaker:
    """One voice.

    Attributes:
        speaker: its number; the first that is heard is 0.
        effect: what becomes of it in this result, one of VOICE_EFFECTS.
        spoken_ms: how long it speaks in all.
        unsure_ms: how long of that another voice may be in it; there a decision to keep it does nothing.
        count: how often it begins to speak.
        turns: from and to of the longest, at most 400, in order of time.
    """

    speaker: int
    effect: str
    spoken_ms: int
    unsure_ms: int
    count: int
    turns: tuple[tuple[int, int], ...]

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        told: dict[str, Any] = {key: getattr(self, key) for key in _SPEAKER_KEYS}
        return {**told, "turns": [list(turn) for turn in self.turns]}


def speaker_list(reading: Reading) -> tuple[SheetSpeaker, ...]:
    """Reads the member `speakers` of a sheet.

    Raises:
        ReviewError: `review_package_invalid`.
    """
    speakers = tuple(map(_speaker, reading.items("speakers", MAX_SPEAKERS)))
    if [speaker.speaker for speaker in speakers] != list(range(len(speakers))):
        raise reading.error("speakers stand in the order of their numbers")
    return speakers


def _speaker(untrusted: Any) -> SheetSpeaker:
    reading = Reading(untrusted, _SPEAKER_KEYS, CODE)
    turns = tuple(_turn(reading, turn) for turn in reading.items("turns", MAX_TURNS))
    if any(before[1] > after[0] for before, after in itertools.pairwise(turns)):
        raise reading.error("turns must be in order of time")
    return SheetSpeaker(
        speaker=reading.count("speaker", MAX_SPEAKERS - 1),
        effect=reading.word("effect", VOICE_EFFECTS),
        spoken_ms=reading.count("spoken_ms", MAX_MILLISECONDS),
        unsure_ms=reading.count("unsure_ms", MAX_MILLISECONDS),
        count=reading.count("count", _MAX_COUNT, least=1),
        turns=turns,
    )


def _turn(reading: Reading, untrusted: Any) -> tuple[int, int]:
    message = f"a turn is two whole numbers from 0 to {MAX_MILLISECONDS}, the first one less"
    if not isinstance(untrusted, list) or len(untrusted) != 2:
        raise reading.error(message)
    from_ms, to_ms = (reading.whole(each, message, MAX_MILLISECONDS) for each in untrusted)
    if from_ms >= to_ms:
        raise reading.error(message)
    return from_ms, to_ms
