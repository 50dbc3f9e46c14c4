"""Which stretches of a finished sound are listened to: of every voice that was to go, some, spread evenly.

A stretch holds one speaker's speech of 1.6 s, what the encoder was trained on, if need be out of several
turns. Only where somebody was heard is listened again: between turns, silence would speak for the effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.sound.plan import CELLS_PER_SECOND, Plan
from anonymizer.speakers.turns import Turns

STRETCH_SECONDS: Final = 1.6
# Who says less than a whole stretch in all has a shorter one, but not a shorter one than this.
LEAST_SECONDS: Final = 0.8
# Of one voice; more say nothing new.
MOST_OF_A_VOICE: Final = 64
# Where two stretches of a plan meet, one fades into the other.
_MARGIN_SECONDS: Final = 0.05
# Silence begins where a voice that is heard ends, and a tone rings on in the coder: of it, the middle.
_SILENT_MARGIN_SECONDS: Final = 0.15
_LEAST_SILENT_SECONDS: Final = 0.6

Span = tuple[float, float]


@dataclass(frozen=True)
class Voice:
    """One speaker under one kind of effect.

    Attributes:
        speaker: the number.
        is_silent: whether nobody may be heard; else somebody else speaks instead.
    """

    speaker: int
    is_silent: bool


@dataclass(frozen=True)
class Stretch:
    """What is listened to at once.

    Attributes:
        voice: whose it was.
        spans: begins and ends in seconds of the result, in order.
    """

    voice: Voice
    spans: tuple[Span, ...]


def stretches_of(turns: Turns, plan: Plan, begins: float) -> Mapping[Voice, Sequence[Stretch]]:
    """Says what can be listened to, voice by voice, in the order in which it is worth it.

    Args:
        turns: who was heard when, in seconds of the result.
        plan: what became of it.
        begins: when the track's first sample is heard, seconds of the result.
    """
    spans: dict[Voice, list[Span]] = {}
    for voice, span in _spans(turns, plan, begins):
        spans.setdefault(voice, []).append(span)
    cut = {voice: list(_cut(voice, of_voice)) for voice, of_voice in spans.items()}
    return {voice: _spread(stretches) for voice, stretches in cut.items() if stretches}


def _spans(turns: Turns, plan: Plan, begins: float) -> Iterator[tuple[Voice, Span]]:
    """Gives the parts of turns in which the speaker must not be heard."""
    first = 0
    for turn in turns.turns:
        while (
            first < len(plan.stretches) - 1
            and begins + plan.stretches[first].end / CELLS_PER_SECOND <= turn.begin
        ):
            first += 1
        for part in plan.stretches[first:]:
            from_, to = (begins + cell / CELLS_PER_SECOND for cell in (part.begin, part.end))
            if from_ >= turn.end:
                break
            if part.effect == "keep" or (part.effect == "anonymize" and part.speaker != turn.speaker):
                continue
            is_silent = part.effect != "anonymize"
            margin = _SILENT_MARGIN_SECONDS if is_silent else _MARGIN_SECONDS
            from_, to = max(turn.begin, from_) + margin, min(turn.end, to) - margin
            if to - from_ > (_LEAST_SILENT_SECONDS if is_silent else 0):
                yield Voice(turn.speaker, is_silent), (from_, to)


def _cut(voice: Voice, spans: Sequence[Span]) -> Iterator[Stretch]:
    """Cuts a voice into stretches; what must be silent is not put together out of pieces."""
    waiting: list[Span] = []
    waits, found = 0.0, False
    for begin, end in spans:
        at = begin
        while at < end:
            upto = min(end, at + STRETCH_SECONDS - waits)
            waiting.append((at, upto))
            waits, at = waits + upto - at, upto
            if voice.is_silent or waits >= STRETCH_SECONDS - 1e-6:
                yield Stretch(voice, tuple(waiting))
                waiting, waits, found = [], 0.0, True
    if not found and waits >= LEAST_SECONDS:
        yield Stretch(voice, tuple(waiting))


def _spread(stretches: Sequence[Stretch]) -> Sequence[Stretch]:
    """Gives some, ordered so that the first few are spread over all of them (van der Corput, 1935)."""
    bits = max(1, (len(stretches) - 1).bit_length())
    order = sorted(range(len(stretches)), key=lambda place: f"{place:0{bits}b}"[::-1])
    return [stretches[place] for place in order[:MOST_OF_A_VOICE]]
