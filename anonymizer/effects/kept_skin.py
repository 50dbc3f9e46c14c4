"""Regions that stay as they are, to the last bit, though a person is covered there: marked skin, a limb.

Whoever looks at a rash needs its colour, whoever looks at a tremor its motion. So what is under the mark is
taken before anything is painted and put back when all is: nothing there is blurred, shifted or drawn anew.
It gives way to everything that is no cover of a whole person. A face is covered wherever it is, and so are
text and plates; a mark can never uncover one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Mask, Plane, Region, region_of
from anonymizer.settings import KeptRegion

# The only kind of cover that a mark is stronger than.
_GIVES_WAY = "person"


class KeptSkin:
    """The marks of one job."""

    def __init__(self, marks: Sequence[KeptRegion]) -> None:
        """Takes the marks, in shares of the picture."""
        self._marks = tuple(marks)

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Callable[[], None]:
        """Takes what lies under the marks of a frame in which nothing is covered yet.

        Returns:
            What puts it back, once everything is painted.
        """
        stronger = [cover.region for cover in covers if cover.kind != _GIVES_WAY]
        taken = []
        for mark in self._marks:
            box = Box(
                mark.left * scene.width,
                mark.top * scene.height,
                mark.right * scene.width,
                mark.bottom * scene.height,
            )
            region = region_of(box, 1.0, "box", scene.width, scene.height)
            if region is None:
                continue
            mask = _without(region, stronger)
            for plane in scene.planes:
                window, fine = _window(region, plane), _fine(mask, plane)
                view = plane.pixels[window]
                taken.append((view, view.copy(), fine[: view.shape[0], : view.shape[1]]))

        def put_back() -> None:
            for view, kept, mask in taken:
                np.copyto(view, kept, where=mask)

        return put_back


def _without(region: Region, stronger: Sequence[Region]) -> Mask:
    """Returns the part of a region's mask that lies under none of the others."""
    mask = region.coarse.copy()
    rows, columns = mask.shape
    for other in stronger:
        top, left = max(region.top, other.top), max(region.left, other.left)
        bottom = min(region.top + rows, other.top + other.coarse.shape[0])
        right = min(region.left + columns, other.left + other.coarse.shape[1])
        if top < bottom and left < right:
            hidden = other.coarse[
                top - other.top : bottom - other.top, left - other.left : right - other.left
            ]
            mask[top - region.top : bottom - region.top, left - region.left : right - region.left] &= ~hidden
    return mask


def _window(region: Region, plane: Plane) -> tuple[slice, slice]:
    fine = 2 // plane.step
    rows, columns = region.coarse.shape
    top, left = region.top * fine, region.left * fine
    return slice(top, top + rows * fine), slice(left, left + columns * fine)


def _fine(mask: Mask, plane: Plane) -> Mask:
    return mask if plane.step == 2 else mask.repeat(2, axis=0).repeat(2, axis=1)
