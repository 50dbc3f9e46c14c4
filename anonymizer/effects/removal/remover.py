"""The effects "remove" and "silhouette": the room is painted where somebody is.

Under every cover first the plate is painted, whole; where the camera moves or nothing is known, grey. Nothing
of what was there goes into it. Then figures are drawn on that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects import solid
from anonymizer.effects.operator import Cover, Paint, Scene
from anonymizer.effects.region import Mask, apply
from anonymizer.effects.removal.ghosts import Ghosts
from anonymizer.effects.removal.masks import (
    Window,
    coarse_size,
    drawn,
    grown,
    margin_of,
    on_plane,
    on_samples,
    window_of,
)
from anonymizer.effects.removal.plate import Plate
from anonymizer.effects.removal.seams import blended, seam_width
from anonymizer.people.bodies import BodyReader

# After the picture has become another one within a shot, nothing is believed for so long.
BLIND_SECONDS: Final = 0.3


@dataclass(frozen=True)
class Filling:
    """What is painted under one cover.

    Attributes:
        window: on the coarse grid, around the cover and its margin.
        hole: of the window's size: where it is painted.
        patches: one for each plane, of the window's size.
    """

    window: Window
    hole: Mask
    patches: Sequence[npt.NDArray[np.uint8]]


class Remover:
    """An Operator. Remembers the room of the shot."""

    def __init__(self, reader: BodyReader) -> None:
        self._reader = reader
        self._plate: Plate | None = None
        self._ghosts = Ghosts(reader)
        self._blind_until = -1.0

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan."""
        size = coarse_size(scene.width, scene.height)
        hidden = drawn([*scene.hidden, *(cover.region for cover in covers)], *size)
        if self._plate is None or not self._plate.belongs_to(scene):
            self._plate, self._ghosts = Plate(scene), Ghosts(self._reader)
        plate = self._plate
        if not plate.see(scene, grown(hidden, margin_of(size[0]))):
            self._blind_until = scene.time + BLIND_SECONDS
        if scene.time < self._blind_until:
            return lambda: _grey(scene, covers)
        self._ghosts.drive_out(plate, scene, covers)
        fillings = [self._filling(plate, scene, cover, hidden) for cover in covers]

        def paint() -> None:
            for filling, cover in zip(fillings, covers, strict=True):
                if filling is None:
                    _grey(scene, [cover])
                else:
                    _fill(scene, filling)

        return paint

    def _filling(self, plate: Plate, scene: Scene, cover: Cover, hidden: Mask) -> Filling | None:
        rows, columns = hidden.shape
        reach = seam_width(scene.height)
        window = window_of(cover.region, rows, columns, margin=reach // 2 + 1)
        patches = plate.shown(window, scene.time)
        if patches is None:
            return None
        hole = drawn([cover.region], rows, columns)[window]
        visible = ~hidden[window]
        done = []
        for plane, patch in zip(scene.planes, patches, strict=True):
            outside = plane.pixels[on_samples(window, plane.step)]
            seen = on_plane(visible, plane.step, patch.shape)
            smooth = blended(patch, outside, seen, max(2, reach // plane.step))
            done.append(np.clip(smooth + 0.5, 0, 255).astype(np.uint8))
        return Filling(window, hole, done)


def _fill(scene: Scene, filling: Filling) -> None:
    for plane, patch in zip(scene.planes, filling.patches, strict=True):
        view = plane.pixels[on_samples(filling.window, plane.step)]
        np.copyto(view, patch, where=on_plane(filling.hole, plane.step, view.shape).view(np.bool_))


def _grey(scene: Scene, covers: Sequence[Cover]) -> None:
    for cover in covers:
        apply(solid.cover, cover.region, scene.planes)
