"""A plan cut into pieces that fit into memory, and how one passes into the next.

A piece lasts 20 seconds at most and is cut where it is quietest. Two neighbours overlap for a moment, in
which one fades out and the other in. That moment lies within the weaker one: nothing of a voice that is kept
sounds in what is not, and of a bleeped word not even its beginning is heard.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

from anonymizer.sound.effects import VoiceEffect, strength
from anonymizer.sound.envelope import CELLS_PER_SECOND, Levels, quietest
from anonymizer.sound.plan import Plan, Stretch

MOST_CELLS: Final = 20 * CELLS_PER_SECOND
# From here on a quiet moment is looked for; the rest of a stretch is never shorter than this.
LEAST_CELLS: Final = 8 * CELLS_PER_SECOND
FADE_SECONDS: Final = 0.02


@dataclass(frozen=True)
class Piece:
    """A part of a track that is made at once.

    Attributes:
        fades_in, full, fades_out, ends: numbers of samples, in this order: from the first it grows out of the
            piece before, from the second on nothing else is heard, from the third on the next one grows.
        effect: what happens.
        speaker: whose mask it has.
    """

    fades_in: int
    full: int
    fades_out: int
    ends: int
    effect: VoiceEffect
    speaker: int


def pieces_of(plan: Plan, levels: Levels, rate: int, samples: int) -> list[Piece]:
    """Cuts a plan.

    Args:
        plan: of the track.
        levels: of the original (envelope.py); where they end, cuts are made blindly.
        rate: samples a second.
        samples: of the whole track.
    """
    cut = [part for stretch in plan.stretches for part in _parts(stretch, levels)]
    places = [round(part.begin * rate / CELLS_PER_SECOND) for part in cut]
    kept = [(at, part) for at, part in zip(places, cut, strict=True) if at < samples] or [(0, cut[0])]
    fade = round(FADE_SECONDS * rate)
    borders = [(0, 0)]
    for (_, before), (at, after) in itertools.pairwise(kept):
        weight = strength(before.effect) - strength(after.effect)
        begins = at if weight > 0 else at - fade if weight < 0 else at - fade // 2
        borders.append((min(begins, samples), min(begins + fade, samples)))
    borders.append((samples, samples))
    return [
        Piece(*before, *after, part.effect, part.speaker)
        for (before, after), (_, part) in zip(itertools.pairwise(borders), kept, strict=True)
    ]


def _parts(stretch: Stretch, levels: Levels) -> list[Stretch]:
    parts, begin = [], stretch.begin
    while stretch.end - begin > MOST_CELLS:
        last = min(begin + MOST_CELLS, stretch.end - LEAST_CELLS)
        first = min(begin + LEAST_CELLS, last - 1)
        end = quietest(levels, first, last) if last <= len(levels) else last
        parts.append(Stretch(begin, end, stretch.effect, stretch.speaker))
        begin = end
    return [*parts, Stretch(begin, stretch.end, stretch.effect, stretch.speaker)]
