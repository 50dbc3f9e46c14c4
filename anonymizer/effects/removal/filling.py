"""What is painted under covers: the plate with its edge drawn towards the picture, or grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Mask, Region
from anonymizer.effects.removal.masks import Window, on_plane, on_samples, window_of
from anonymizer.effects.removal.plate import Plate
from anonymizer.effects.removal.seams import blended, seam_width

# Windows become one where that is no more than this share of the two larger: one person is often followed by
# two searches.
_MOST_MORE: Final = 1.1


@dataclass(frozen=True)
class Filling:
    """What is painted in one part of a picture.

    Attributes:
        window: on the coarse grid.
        hole: of the window's size: where it is painted.
        patches: one for each plane, of the window's size; None for grey.
    """

    window: Window
    hole: Mask
    patches: Sequence[npt.NDArray[np.uint8]] | None

    def paint(self, scene: Scene) -> None:
        """Paints, in place, where the hole is and nowhere else."""
        for place, plane in enumerate(scene.planes):
            view = plane.pixels[on_samples(self.window, plane.step)]
            mask = on_plane(self.hole, plane.step, view.shape).view(np.bool_)
            np.copyto(view, plane.neutral if self.patches is None else self.patches[place], where=mask)


def fillings_of(
    plate: Plate | None, scene: Scene, holes: Sequence[Region], hole: Mask, closed: Mask
) -> list[Filling]:
    """Returns what to paint.

    Args:
        plate: None where it is not to be believed: then it is grey.
        scene: the frame, uncovered.
        holes: where to paint.
        hole: the same on the coarse grid of the picture.
        closed: likewise, what must not be looked at: the holes, and whatever other operators cover.
    """
    rows, columns = hole.shape
    margin = seam_width(scene.height) // 2 + 1
    windows = _joined([window_of(each, rows, columns, margin) for each in holes])
    return [
        Filling(
            window, hole[window], None if plate is None else _patches(plate, scene, window, ~closed[window])
        )
        for window in windows
    ]


def _patches(plate: Plate, scene: Scene, window: Window, visible: Mask) -> list[npt.NDArray[np.uint8]] | None:
    patches = plate.shown(window, scene.time)
    if patches is None:
        return None
    done = []
    for plane, patch in zip(scene.planes, patches, strict=True):
        outside = plane.pixels[on_samples(window, plane.step)]
        seen = on_plane(visible, plane.step, patch.shape)
        reach = max(2, seam_width(scene.height) // plane.step)
        done.append(np.clip(blended(patch, outside, seen, reach) + 0.5, 0, 255).astype(np.uint8))
    return done


def _joined(windows: Sequence[Window]) -> list[Window]:
    left, done = list(windows), []
    while left:
        window = left.pop()
        for other in left:
            both = _around(window, other)
            if _area(both) <= _MOST_MORE * max(_area(window), _area(other)):
                left[left.index(other)] = both
                break
        else:
            done.append(window)
    return done


def _around(window: Window, other: Window) -> Window:
    (a, b), (c, d) = window, other
    return (
        slice(min(a.start, c.start), max(a.stop, c.stop)),
        slice(min(b.start, d.start), max(b.stop, d.stop)),
    )


def _area(window: Window) -> int:
    down, across = window
    high: int = down.stop - down.start
    wide: int = across.stop - across.start
    return high * wide
