"""What each speaker of a recording sounds like, on the mean: to find out whether another one sounds alike."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.speakers.encoder import DIMENSIONS, normed
from anonymizer.speakers.labelling import STEP_SECONDS, WINDOW_SECONDS
from anonymizer.speakers.turns import Turns

FloatArray = npt.NDArray[np.float32]

_CELLS_A_SECOND: Final = 100
# A window tells of a speaker if so much of it is theirs. Where none does, the one that has most tells.
_TELLS: Final = 0.6


def mean_voices(windows: FloatArray, turns: Turns, begins: float) -> FloatArray:
    """Gives one voice for each speaker.

    Args:
        windows: (N, 256), the voices of windows of 1.6 s, every 0.5 s.
        turns: who speaks when.
        begins: when the first window does, in seconds of the turns.

    Returns:
        (speakers, 256) float32, each of length 1; zeros for a speaker whom no window holds.
    """
    seconds = (len(windows) - 1) * STEP_SECONDS + WINDOW_SECONDS if len(windows) else 0.0
    cells = round(seconds * _CELLS_A_SECOND)
    firsts = np.rint(np.arange(len(windows)) * STEP_SECONDS * _CELLS_A_SECOND).astype(int)
    behinds = np.minimum(firsts + round(WINDOW_SECONDS * _CELLS_A_SECOND), cells)
    voices = np.zeros((turns.speakers, DIMENSIONS), np.float32)
    for speaker in range(turns.speakers):
        speaks = np.zeros(cells, bool)
        for turn in turns.of(speaker):
            first, behind = (max(0, round((at - begins) * _CELLS_A_SECOND)) for at in (turn.begin, turn.end))
            speaks[first:behind] = True
        so_far = np.concatenate([[0], np.cumsum(speaks)])
        share = (so_far[behinds] - so_far[firsts]) / (WINDOW_SECONDS * _CELLS_A_SECOND)
        if share.any():
            voices[speaker] = windows[share >= min(_TELLS, share.max())].mean(axis=0)
    return normed(voices)
