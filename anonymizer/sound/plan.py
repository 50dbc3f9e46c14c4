"""What becomes of every moment of a track: who decides it, and how strongly.

The policy holds everywhere. Within a turn it is what was decided about the speaker, then what was decided
about a span of time, then the words on the policy's list: of these the strongest wins. Between turns nobody
was heard, which is no proof that nobody speaks: there the strongest of the policy and both neighbours holds,
so that the end of a word that was taken for silence has the mask of whoever said it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.effects import BY_STRENGTH, VoiceEffect, strength, strongest
from anonymizer.speakers.turns import Turn, Turns

Cells = npt.NDArray[np.int16]
# What is decided about a speaker; None: what holds for everybody.
OfSpeaker = Callable[[int], VoiceEffect | None]
Timed = tuple[float, float, VoiceEffect]

CELLS_PER_SECOND: Final = 100
# A voice begins before it is found to, and ends later: so much of a kept voice goes with whoever speaks next
# to it, and so near is next to it.
SHRINK_SECONDS: Final = 0.15
NEAR_SECONDS: Final = 0.5
# Anything shorter is no stretch: it goes with a stronger neighbour, or takes from a weaker one.
LEAST_CELLS: Final = 8

# So many voices there are at most, so that one number holds an effect and a speaker.
_VOICES: Final = 64


@dataclass(frozen=True)
class Stretch:
    """A part of a track to which one thing happens.

    Attributes:
        begin, end: hundredths of a second from the track's first sample.
        effect: what happens.
        speaker: whose mask it has.
    """

    begin: int
    end: int
    effect: VoiceEffect
    speaker: int


@dataclass(frozen=True)
class Plan:
    """What happens to a track, from its first sample to its last.

    Attributes:
        stretches: in order, without gaps; at least one.
    """

    stretches: tuple[Stretch, ...]

    @property
    def seconds(self) -> dict[VoiceEffect, float]:
        """For how long what happens."""
        spent: dict[VoiceEffect, float] = {}
        for stretch in self.stretches:
            length = (stretch.end - stretch.begin) / CELLS_PER_SECOND
            spent[stretch.effect] = spent.get(stretch.effect, 0.0) + length
        return spent


def plan_of(
    turns: Turns, policy: VoiceEffect, of_speaker: OfSpeaker, spans: Sequence[Timed], begins: float
) -> Plan:
    """Makes the plan of one track.

    Args:
        turns: who speaks when, in seconds of the result.
        policy: what holds for everybody.
        of_speaker: what is decided about a speaker.
        spans: what is decided about stretches of time, and words that were found; in seconds of the result.
        begins: when the track's first sample is heard, seconds of the result.
    """
    count = max(1, round((turns.seconds - begins) * CELLS_PER_SECOND))
    cells = np.full(count, _label("remove" if policy == "bleep" else policy, 0), np.int16)
    spoken = [(turn, _effect_in(turn, policy, of_speaker)) for turn in turns.turns]
    _paint_gaps(cells, spoken, policy, begins)
    for turn, effect in spoken:
        cells[_cells(turn.begin, turn.end, begins)] = _label(effect, turn.speaker)
    for (turn, effect), (following, its_effect) in itertools.pairwise(spoken):
        if turn.speaker != following.speaker and following.begin - turn.end <= NEAR_SECONDS:
            _part(cells, turn, effect, following, its_effect, begins)
    for begin, end, effect in spans:
        here = _cells(begin, max(end, begin + LEAST_CELLS / CELLS_PER_SECOND), begins)
        speakers = cells[here] % _VOICES
        cells[here] = np.maximum(cells[here], strength(effect) * _VOICES + speakers)
    return Plan(tuple(_stretches(cells)))


def _effect_in(turn: Turn, policy: VoiceEffect, of_speaker: OfSpeaker) -> VoiceEffect:
    decided = of_speaker(turn.speaker) or policy
    # Who is not sure to be heard alone is not shown by a decision about one of those who may be speaking.
    return decided if turn.sure else strongest(decided, policy)


def _paint_gaps(
    cells: Cells, spoken: Sequence[tuple[Turn, VoiceEffect]], policy: VoiceEffect, begins: float
) -> None:
    around = [None, *spoken, None]
    for before, after in itertools.pairwise(around):
        beside = [each for each in (before, after) if each is not None]
        if not beside:
            return
        effect = strongest(policy, *(of_turn for _, of_turn in beside))
        effect = "remove" if effect == "bleep" else effect
        starts = before[0].end if before is not None else begins
        stops = after[0].begin if after is not None else begins + len(cells) / CELLS_PER_SECOND
        # It belongs to whoever is nearer; where one of both is masked more strongly, to that one.
        weight = strength(before[1]) - strength(after[1]) if before and after else (1 if before else -1)
        middle = (starts + stops) / 2 if weight == 0 else (stops if weight > 0 else starts)
        cells[_cells(starts, middle, begins)] = _label(effect, beside[0][0].speaker)
        cells[_cells(middle, stops, begins)] = _label(effect, beside[-1][0].speaker)


def _part(
    cells: Cells,
    before: Turn,
    effect_before: VoiceEffect,
    after: Turn,
    effect_after: VoiceEffect,
    begins: float,
) -> None:
    """Lets the stronger of two neighbouring turns reach into the weaker one."""
    if strength(effect_before) > strength(effect_after):
        reach = _cells(after.begin, min(after.begin + SHRINK_SECONDS, after.end), begins)
        cells[reach] = _label(effect_before, before.speaker)
    elif strength(effect_before) < strength(effect_after):
        reach = _cells(max(before.end - SHRINK_SECONDS, before.begin), before.end, begins)
        cells[reach] = _label(effect_after, after.speaker)


def _cells(begin: float, end: float, begins: float) -> slice:
    first, last = (max(0, round((time - begins) * CELLS_PER_SECOND)) for time in (begin, end))
    return slice(first, max(first, last))


def _label(effect: VoiceEffect, speaker: int) -> int:
    return strength(effect) * _VOICES + speaker


def _stretches(cells: Cells) -> list[Stretch]:
    for begin, end, label in _runs(cells):
        if end - begin < LEAST_CELLS:
            # It grows into what is weaker; into what is not, it is lost below.
            grown = slice(max(0, min(begin, len(cells) - LEAST_CELLS)), begin + LEAST_CELLS)
            weaker = cells[grown] // _VOICES < label // _VOICES
            cells[grown][weaker] = label
    done: list[tuple[int, int, int]] = []
    for run in _runs(cells):
        begin, end, label = run
        if done and _is_short(done[-1]) and not _is_weaker(label, done[-1][2]):
            begin = done.pop()[0]
        if done and (done[-1][2] == label or (_is_short(run) and not _is_weaker(done[-1][2], label))):
            begin, _, label = done.pop()
        done.append((begin, end, label))
    return [Stretch(begin, end, BY_STRENGTH[label // _VOICES], label % _VOICES) for begin, end, label in done]


def _runs(cells: Cells) -> list[tuple[int, int, int]]:
    borders = [0, *(np.flatnonzero(np.diff(cells)) + 1).tolist(), len(cells)]
    return [(begin, end, int(cells[begin])) for begin, end in itertools.pairwise(borders)]


def _is_short(run: tuple[int, int, int]) -> bool:
    return run[1] - run[0] < LEAST_CELLS


def _is_weaker(label: int, other: int) -> bool:
    return label // _VOICES < other // _VOICES
