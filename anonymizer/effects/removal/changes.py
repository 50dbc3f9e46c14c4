"""What became of the room since it was learnt: another light, and things that came, for good or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Mask
from anonymizer.effects.removal.cells import FloatArray, cells_of, light, whole_cells

# Of 255, by which a cell must differ to show something else: luma, and colours.
ANOTHER_LUMA: Final = 8.0
ANOTHER_COLOUR: Final = 5.0
# Of 255, by which a cell may change from one look to the next and be quiet; and for how long it must be.
QUIET: Final = 3.0
STAYS_SECONDS: Final = 1.5
# Of 255: less light than this makes no difference; with more, it changed by a factor, as exposures do.
LEAST_LIGHT: Final = 0.5
EXPOSURE: Final = 10.0
_NO_COLOUR: Final = np.float32(128)
_DARK: Final = np.float32(8)


@dataclass(frozen=True)
class Change:
    """What one look told.

    Attributes:
        values: the plate's planes in the light of now.
        came: cells that show something else than the plate.
        came_to_stay: cells that did for long, and were quiet.
    """

    values: list[FloatArray]
    came: Mask
    came_to_stay: Mask


class Changes:
    """Compares frames with the plate, in order."""

    def __init__(self) -> None:
        """Has seen nothing."""
        self._last: FloatArray | None = None
        self._quiet: FloatArray = np.zeros((0, 0), np.float32)

    def look(self, scene: Scene, values: Sequence[FloatArray], comparable: Mask, elapsed: float) -> Change:
        """Compares a frame with the plate.

        Args:
            scene: the frame, uncovered.
            values: the plate's planes.
            comparable: on the coarse grid: what both show.
            elapsed: seconds since the last look.
        """
        steps = [plane.step for plane in scene.planes]
        now = [cells_of(plane.pixels, plane.step) for plane in scene.planes]
        where = whole_cells(comparable, scene.width, scene.height)
        lit = _exposed(values, now[0], where) if steps == [1, 2, 2] else list(values)
        another = np.zeros(where.shape, np.bool_)
        for place, (cells, step) in enumerate(zip(now, steps, strict=True)):
            apart = cells - cells_of(lit[place], step)
            field = light(apart, where)
            if float(np.abs(field).max()) > LEAST_LIGHT:
                size = lit[place].shape[::-1]
                lit[place] = lit[place] + cv2.resize(field, size, interpolation=cv2.INTER_LINEAR)
            bound = ANOTHER_COLOUR if step == 2 else ANOTHER_LUMA
            another |= where & (np.abs(apart - field) > bound)
        came_to_stay = another & self._has_been_quiet(now[0], where, elapsed)
        return Change(lit, another & ~came_to_stay, came_to_stay)

    def _has_been_quiet(self, luma: FloatArray, where: Mask, elapsed: float) -> Mask:
        last = luma if self._last is None else self._last
        if self._last is None:
            self._quiet = np.zeros_like(luma)
        is_quiet = where & (np.abs(luma - last) < QUIET)
        self._quiet = np.where(is_quiet, self._quiet + np.float32(elapsed), np.float32(0))
        self._last = luma
        return np.asarray(self._quiet >= STAYS_SECONDS, np.bool_)


def _exposed(values: Sequence[FloatArray], luma: FloatArray, where: Mask) -> list[FloatArray]:
    """Returns the planes as brighter or darker as the picture became, luma and colours alike."""
    planes = list(values)
    usual = cells_of(planes[0], 1)
    if not where.any() or abs(float(np.median(luma[where] - usual[where]))) < EXPOSURE:
        return planes
    factor = np.float32(np.median((luma[where] + _DARK) / (usual[where] + _DARK)))
    planes[0] = np.clip((planes[0] + _DARK) * factor - _DARK, 0, 255)
    return [planes[0], *((plane - _NO_COLOUR) * factor + _NO_COLOUR for plane in planes[1:])]
