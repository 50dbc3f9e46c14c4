"""How loud a track is in every hundredth of a second, and by how much one track lies behind another.

Onsets of speech are where its energy rises. Where they come earlier or later than in the original, lips and
words part: two tracks of onsets are laid over each other, and the shift at which they fit best is the answer.
"""

from __future__ import annotations

from array import array
from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Levels = npt.NDArray[np.float32]

CELLS_PER_SECOND: Final = 100
# Below it there is nothing that anybody says.
FLOOR_DB: Final = -60.0
# Hundredths of a second on both sides in which a shift is sought.
MOST_CELLS_OFF: Final = 25
# Less says nothing.
LEAST_CELLS: Final = 20
# With a worse fit the two tracks have nothing in common, and no shift is told.
LEAST_FIT: Final = 0.2


class Envelope:
    """Takes the samples of one channel in order, in pieces of any length; keeps 4 bytes a hundredth."""

    def __init__(self, rate: int) -> None:
        """Takes the sampling rate in Hz."""
        self._rate = rate
        self._waiting = np.zeros(0, np.float32)
        self._energies = array("f")

    def push(self, samples: Samples) -> None:
        """Takes more samples, (n,)."""
        waiting = np.concatenate([self._waiting, samples])
        first = len(self._energies)
        start = self._start_of(first)
        cells = max(0, (start + len(waiting)) * CELLS_PER_SECOND // self._rate - first)
        while self._start_of(first + cells) - start > len(waiting):
            cells -= 1
        if cells > 0:
            starts = np.asarray([self._start_of(first + cell) - start for cell in range(cells + 1)])
            taken = np.square(waiting[: starts[-1]], dtype=np.float64)
            self._energies.extend((np.add.reduceat(taken, starts[:-1]) / np.diff(starts)).tolist())
            waiting = waiting[starts[-1] :]
        self._waiting = waiting

    @property
    def levels(self) -> Levels:
        """The mean square of every whole hundredth of a second so far."""
        return np.array(self._energies, np.float32)

    def _start_of(self, cell: int) -> int:
        return round(cell * self._rate / CELLS_PER_SECOND)


def quietest(levels: Levels, first: int, last: int) -> int:
    """Returns the hundredth from first to last around which it is quietest: the best place for a cut."""
    around = np.convolve(levels[first:last], np.full(9, 1 / 9), "same")
    return first + int(np.argmin(around)) if len(around) else last


def seconds_off(original: Levels, result: Levels, counts: npt.NDArray[np.bool_]) -> float | None:
    """Returns by how much the result lies behind the original, in seconds; None where nobody can tell.

    Args:
        original: levels.
        result: levels of the same hundredths.
        counts: of which hundredths of the original anything is said.
    """
    length = min(len(original), len(result), len(counts))
    if length < LEAST_CELLS:
        return None
    rises = np.where(counts[1:length], _rises(original[:length]), 0.0)
    answers = _rises(result[:length])
    most = min(MOST_CELLS_OFF, length // 4)
    if not rises.any() or not answers.any():
        return None
    fits = np.asarray([_fit(rises, answers, off) for off in range(-most, most + 1)])
    best = int(np.argmax(fits))
    if fits[best] < LEAST_FIT:
        return None
    off = float(best - most)
    if 0 < best < len(fits) - 1:
        # The top of a parabola through the best fit and those beside it.
        before, top, after = fits[best - 1 : best + 2]
        off += float((before - after) / (2 * (before - 2 * top + after)))
    return off / CELLS_PER_SECOND


def _rises(levels: Levels) -> npt.NDArray[np.float64]:
    decibels = 10 * np.log10(np.maximum(levels.astype(np.float64), 10 ** (FLOOR_DB / 10)))
    smooth = np.convolve(decibels, np.full(5, 0.2), "same")
    return np.maximum(np.diff(smooth), 0.0)


def _fit(rises: npt.NDArray[np.float64], answers: npt.NDArray[np.float64], off: int) -> float:
    before = rises[max(0, -off) : len(rises) - max(0, off)]
    after = answers[max(0, off) : len(answers) - max(0, -off)]
    before, after = before - before.mean(), after - after.mean()
    size = float(np.linalg.norm(before) * np.linalg.norm(after))
    return float(before @ after) / size if size > 0 else 0.0
