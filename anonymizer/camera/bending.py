"""Bends a picture by a pixel or two, smoothly, differently in each shot, and lets it drift by a few.

A pattern is found by adding up many frames, pixel on pixel. After this no two places of the picture, and no
two moments some seconds apart, share one shift: adding up blurs what is to be found, and no single shift,
scale or turn undoes it. To an eye it is nothing: a straight line is off by two pixels at most, and the whole
moves by less than two pixels a second, as in the steadiest hand. (That irregular resampling defeats sensor
fingerprints is known from stabilized video: Taspinar, Mohanty, Memon, "Source camera attribution using
stabilized video", WIFS 2016.)
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

PlaneArray = npt.NDArray[np.uint8]
Maps = tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16]]

# Pixels of the picture between two nodes of the field.
CELL: Final = 144
# Pixels: how far nodes lie off on average, and the most; how far the whole picture drifts.
DEVIATION, FARTHEST = 1.2, 2.4
DRIFT: Final = 4.0
# Turns of the drift a second; two that never come together.
FREQUENCIES: Final = (0.071, 0.053)
# The maps of a moment serve so long: within it nothing moves by more than an eighth of a pixel.
SECONDS_BETWEEN_MAPS: Final = 0.07


class Bend:
    """The bending of one shot, for planes of any resolution.

    Attributes:
        farthest: no pixel of the picture comes from farther away, across or down.
    """

    farthest: Final = FARTHEST * math.sqrt(2) + DRIFT

    def __init__(self, random: np.random.Generator, width: int, height: int) -> None:
        """Draws the fields for a picture of a size in pixels."""
        nodes = (2, 2, -(-height // CELL) + 3, -(-width // CELL) + 3)
        drawn = random.normal(0, DEVIATION, nodes)
        self._fields = np.clip(drawn, -FARTHEST, FARTHEST).astype(np.float32)
        self._phases = random.uniform(0, 2 * math.pi, 3)
        self._made_at: float | None = None
        self._maps: dict[int, Maps] = {}
        self._size = width, height

    def apply(self, plane: PlaneArray, step: int, time: float) -> PlaneArray:
        """Returns a plane bent as the picture is at a time.

        Args:
            plane: (H, W) uint8.
            step: luma pixels per sample, 1 or 2.
            time: seconds; times come in order.
        """
        if self._made_at is None or not 0 <= time - self._made_at < SECONDS_BETWEEN_MAPS:
            self._made_at = time
            self._maps = {}
        if step not in self._maps:
            self._maps[step] = self._maps_of(plane.shape, step, self._made_at)
        bent = cv2.remap(plane, *self._maps[step], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(bent, np.uint8)

    def _maps_of(self, shape: tuple[int, ...], step: int, time: float) -> Maps:
        height, width = shape
        one, other = (2 * math.pi * f * time + p for f, p in zip(FREQUENCIES, self._phases[:2], strict=True))
        now = self._fields[0] * math.cos(one) + self._fields[1] * math.sin(one)
        across = _enlarged(now[0] + DRIFT * math.cos(other), width, height, step)
        down = _enlarged(now[1] + DRIFT * math.sin(other + self._phases[2]), width, height, step)
        across += np.arange(width, dtype=np.float32)[None, :]
        down += np.arange(height, dtype=np.float32)[:, None]
        whole, parts = cv2.convertMaps(across, down, cv2.CV_16SC2)
        return np.asarray(whole, np.int16), np.asarray(parts, np.uint16)


def _enlarged(nodes: npt.NDArray[np.float32], width: int, height: int, step: int) -> npt.NDArray[np.float32]:
    """Returns the field at each sample of a plane, in its samples: cubic first, then linear."""
    rows, columns = nodes.shape
    finer = cv2.resize(nodes, (columns * 8, rows * 8), interpolation=cv2.INTER_CUBIC)
    cell = CELL // step
    whole = cv2.resize(finer, (columns * cell, rows * cell), interpolation=cv2.INTER_LINEAR)
    # Half a cell of margin: the outermost nodes lie outside.
    edge = cell // 2
    return np.ascontiguousarray(whole[edge : edge + height, edge : edge + width] / step, np.float32)
