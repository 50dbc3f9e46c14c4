"""Tiles of a few frames, kept until the result is read back.

Whole frames would not fit: a frame of 4K has 8 MB of luma. So of every eighth frame some tiles are kept, in
places that spread over the picture and lie clear of every cover; when they fill their room, every second one
of these frames is forgotten, and from then on half as many are taken. So an hour costs what a minute does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Region

Luma = npt.NDArray[np.uint8]

MOST_BYTES: Final = 4 * 1024 * 1024
TILE: Final = 64
# Less has no inside for a window of 11 pixels.
LEAST_TILE: Final = 16
TILES_A_FRAME: Final = 6
FIRST_STRIDE: Final = 8
# A coder predicts across a cover's edge, and smooths it: so near it the picture may differ.
CLEARANCE: Final = 8
# The plastic number's powers: points that spread evenly over a square (Roberts, "The unreasonable
# effectiveness of quasirandom sequences", 2018).
STEP_X, STEP_Y = 0.7548776662466927, 0.5698402909980532


@dataclass(frozen=True)
class KeptTile:
    """A part of one frame's luma.

    Attributes:
        top, left: where, in pixels.
        pixels: (h, w) uint8.
    """

    top: int
    left: int
    pixels: Luma


class Tiles:
    """The tiles of one video, by the number of their frame.

    Attributes:
        of_frame: what is kept.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Takes the room."""
        self.of_frame: dict[int, tuple[KeptTile, ...]] = {}
        self._most_bytes = most_bytes
        self._stride = FIRST_STRIDE
        self._bytes = 0
        self._placed = 0

    def is_due(self, frame: int) -> bool:
        """Tells whether tiles of this frame are to be kept."""
        return frame % self._stride == 0

    def keep(self, frame: int, luma: Luma, covered: Sequence[Region]) -> None:
        """Keeps tiles of a frame that lie clear of the covers, if there is such a place."""
        height, width = luma.shape
        side = min(TILE, height, width)
        if side < LEAST_TILE:
            return
        kept = []
        for _ in range(TILES_A_FRAME):
            self._placed += 1
            left = int(self._placed * STEP_X % 1 * (width - side + 1))
            top = int(self._placed * STEP_Y % 1 * (height - side + 1))
            if not any(_touches(region, top, left, side) for region in covered):
                kept.append(KeptTile(top, left, luma[top : top + side, left : left + side].copy()))
        if kept:
            self.of_frame[frame] = tuple(kept)
            self._bytes += _size(kept)
        while self._bytes > self._most_bytes and len(self.of_frame) > 1:
            self._thin_out()

    def replace(self, frame: int, luma: Luma) -> None:
        """Takes the pixels of a frame's tiles anew: as they were changed on purpose."""
        self.of_frame[frame] = tuple(
            KeptTile(
                tile.top,
                tile.left,
                luma[
                    tile.top : tile.top + tile.pixels.shape[0], tile.left : tile.left + tile.pixels.shape[1]
                ].copy(),
            )
            for tile in self.of_frame[frame]
        )

    def _thin_out(self) -> None:
        self._stride *= 2
        self.of_frame = {frame: tiles for frame, tiles in self.of_frame.items() if frame % self._stride == 0}
        self._bytes = sum(_size(tiles) for tiles in self.of_frame.values())


def _size(tiles: Sequence[KeptTile]) -> int:
    return sum(tile.pixels.nbytes for tile in tiles)


def _touches(region: Region, top: int, left: int, side: int) -> bool:
    rows, columns = region.coarse.shape
    return (
        2 * region.left - CLEARANCE < left + side
        and left < 2 * (region.left + columns) + CLEARANCE
        and 2 * region.top - CLEARANCE < top + side
        and top < 2 * (region.top + rows) + CLEARANCE
    )
