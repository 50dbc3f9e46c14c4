"""One picture of many frames: what a cover lets through a little of in each frame adds up over a film.

The frames of one person in one half of a film become one; the gallery may hold the other half, and every
other recording. Averaging also takes out what an encoder added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.faces.gathering import Sample
from evaluation.faces.recognizers import Pixels

LEAST_FRAMES = 3


@dataclass(frozen=True)
class Group:
    """Samples that become one.

    Attributes:
        members: their places in the list of samples.
        person: whose they are.
    """

    members: tuple[int, ...]
    person: str


def halves(samples: Sequence[Sample]) -> list[Group]:
    """Returns the groups of every person in every film that has enough frames of them for two."""
    runs: dict[tuple[str, str], list[int]] = {}
    for place, sample in enumerate(samples):
        runs.setdefault((sample.source, sample.person), []).append(place)
    groups = []
    for (_, person), places in sorted(runs.items()):
        if len(places) < 2 * LEAST_FRAMES:
            continue
        ordered = sorted(places, key=lambda place: samples[place].time)
        middle = len(ordered) // 2
        for half in (ordered[:middle], ordered[middle:]):
            groups.append(Group(tuple(half), person))
    return groups


def averaged(chips: Sequence[Pixels]) -> Pixels:
    """Returns the mean of squares of one size."""
    return np.asarray(np.mean(np.stack(chips), axis=0, dtype=np.float32).round(), np.uint8)
