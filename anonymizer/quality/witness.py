"""Sees every frame of the original before it is covered, and keeps what the result is to be held against.

Of each frame a byte: whether the picture outside the covers was bright, and whether it moved since the frame
before. So a result that is black or stands still where the original did not is told apart from one whose
original did, and from one in which a person was removed and nothing else ever moved.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.operator import Cover, Scene
from anonymizer.quality.flicker import Flicker
from anonymizer.quality.tiles import Tiles
from anonymizer.track.stillness import CELLS, Small, small_copy
from anonymizer.video.picture import Picture

BRIGHT: Final = 1
MOVED: Final = 2
# Of 255, mean of the open cells; black is 16.
LEAST_BRIGHT: Final = 40.0
# In some open cell: so much more than in a result that is taken to stand still (readback.py) that no coder's
# loss lies between the two.
LEAST_MOVE: Final = 12.0
# With less of the picture open, nothing is said about it.
LEAST_OPEN: Final = 0.05


class Witness:
    """One video's frames, in order, as they were and as they went to the encoder.

    Attributes:
        tiles: parts of some of them.
        flicker: of the covers.
    """

    def __init__(self) -> None:
        """Has seen no frame."""
        self.tiles = Tiles()
        self.flicker = Flicker()
        self._flags = array("B")
        self._times = array("q")
        self._last: tuple[Small, npt.NDArray[np.bool_]] | None = None

    @property
    def flags(self) -> Sequence[int]:
        """BRIGHT and MOVED of each frame."""
        return self._flags

    @property
    def times(self) -> Sequence[int]:
        """When each frame is to be shown, in ticks of the result."""
        return self._times

    def see(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes the next frame, not covered yet, and its covers."""
        frame, luma = len(self._flags), scene.planes[0].pixels
        self.flicker.see(covers, scene.time, scene.shot)
        if self.tiles.is_due(frame):
            self.tiles.keep(frame, luma, [cover.region for cover in covers])
        small, open_cells = small_copy(luma), _open_cells(covers, scene.width, scene.height)
        flags = BRIGHT if _mean(small, open_cells) >= LEAST_BRIGHT else 0
        if self._last is not None:
            before, open_before = self._last
            change = np.abs(small - before)[open_cells & open_before]
            flags |= MOVED if change.size and float(change.max()) >= LEAST_MOVE else 0
        self._flags.append(flags)
        self._last = small, open_cells

    def sent(self, picture: Picture, *, changed: bool) -> None:
        """Takes the frame again, as it goes to the encoder.

        Args:
            picture: covered; frames come in the order in which they were seen.
            changed: it was changed outside the covers too, on purpose: then what the encoder gets stands for
                the original.
        """
        frame = len(self._times)
        self._times.append(picture.pts)
        if changed and frame in self.tiles.of_frame:
            self.tiles.replace(frame, picture.planes[0].pixels)


def _open_cells(covers: Sequence[Cover], width: int, height: int) -> npt.NDArray[np.bool_]:
    columns, rows = CELLS
    is_open = np.ones((rows, columns), np.bool_)
    for cover in covers:
        down, across = cover.region.coarse.shape
        left, right = (2 * at * columns / width for at in (cover.region.left, cover.region.left + across))
        top, bottom = (2 * at * rows / height for at in (cover.region.top, cover.region.top + down))
        is_open[max(0, math.floor(top)) : math.ceil(bottom), max(0, math.floor(left)) : math.ceil(right)] = (
            False
        )
    return is_open


def _mean(small: Small, open_cells: npt.NDArray[np.bool_]) -> float:
    if open_cells.mean() < LEAST_OPEN:
        return 0.0
    return float(small[open_cells].mean())
