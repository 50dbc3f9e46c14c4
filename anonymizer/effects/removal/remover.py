"""The effects "remove" and "silhouette": the room is painted where somebody is.

Under every cover first the plate is painted; while the camera turns, or where nothing is known, grey. Nothing
of what was there goes into it. Then figures are drawn on that, within the covers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects import solid
from anonymizer.effects.operator import Cover, Paint, Scene
from anonymizer.effects.region import Mask, Region, apply
from anonymizer.effects.removal.figures import Figures, Shown
from anonymizer.effects.removal.foreground import extent_of, mask_of
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
from anonymizer.effects.removal.overlays import Overlay, Overlays, people_settings_of
from anonymizer.effects.removal.plate import Plate
from anonymizer.effects.removal.seams import blended, seam_width
from anonymizer.errors import AnonymizerError
from anonymizer.models import Models
from anonymizer.people.bodies import BodyReader

# After the picture has become another one within a shot, nothing is believed for so long.
BLIND_SECONDS: Final = 0.3


@dataclass(frozen=True)
class _Filling:
    """What is painted under one cover.

    Attributes:
        cover: which.
        region: where: all of the cover, or the part of it where the person is.
        window: on the coarse grid, around the region and a margin.
        patches: one for each plane, of the window's size; None for grey.
    """

    cover: Cover
    region: Region
    window: Window
    patches: Sequence[npt.NDArray[np.uint8]] | None


class Remover:
    """An Operator for people. It remembers the room of the shot, and how each of them stands."""

    def __init__(self, reader: BodyReader, *, silhouettes: bool) -> None:
        """Starts without a room.

        Args:
            reader: reads figures: of people, and of ghosts in the plate.
            silhouettes: whether outlines are drawn.
        """
        self._reader = reader
        self._silhouettes = silhouettes
        self._plate: Plate | None = None
        self._ghosts, self._figures = Ghosts(reader), Figures(reader)
        self._overlays = Overlays(silhouettes=silhouettes)
        self._blind_until = 0.0

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan."""
        rows, columns = coarse_size(scene.width, scene.height)
        hidden = drawn([*scene.hidden, *(cover.region for cover in covers)], rows, columns)
        plate = self._plate
        if plate is None or not plate.belongs_to(scene):
            plate = self._plate = Plate(scene)
            self._ghosts, self._figures = Ghosts(self._reader), Figures(self._reader)
            self._blind_until = scene.time
        if not plate.see(scene, grown(hidden, margin_of(rows))):
            self._blind_until = scene.time + BLIND_SECONDS
        believed = plate if scene.time >= self._blind_until else None
        if believed is not None:
            self._ghosts.drive_out(plate, scene, covers)
        wanted = [cover for cover in covers if self._is_read(cover)]
        figures = self._figures.read(scene, wanted) if wanted else {}
        fillings = self._fillings(believed, scene, covers, figures)
        overlays = [
            _overlay(believed, scene, cover, figures.get(cover.track))
            for cover in covers
            if self._is_drawn(cover)
        ]

        def paint() -> None:
            for filling in fillings:
                _fill(scene, filling)
            within = drawn([filling.region for filling in fillings], rows, columns)
            self._overlays.draw(scene, overlays, within)

        return paint

    def _is_drawn(self, cover: Cover) -> bool:
        return self._silhouettes or people_settings_of(cover).overlay == "skeleton"

    def _is_read(self, cover: Cover) -> bool:
        return self._is_drawn(cover) or people_settings_of(cover).outline == "mask"

    def _fillings(
        self, plate: Plate | None, scene: Scene, covers: Sequence[Cover], figures: Mapping[int, Shown]
    ) -> list[_Filling]:
        rows, columns = coarse_size(scene.width, scene.height)
        margin = seam_width(scene.height) // 2 + 1
        holes = [_hole_of(plate, scene, cover, figures.get(cover.track)) for cover in covers]
        own = {id(cover.region) for cover in covers}
        closed = drawn([*(r for r in scene.hidden if id(r) not in own), *holes], rows, columns)
        fillings = []
        for cover, hole in zip(covers, holes, strict=True):
            window = window_of(hole, rows, columns, margin)
            patches = None if plate is None else _patches(plate, scene, window, ~closed[window])
            fillings.append(_Filling(cover, hole, window, patches))
        return fillings


def _hole_of(plate: Plate | None, scene: Scene, cover: Cover, shown: Shown | None) -> Region:
    """Returns the part of a cover under which nothing may stay: all of it, where the rest is not sure."""
    region = cover.region
    if plate is None or people_settings_of(cover).outline == "box":
        return region
    rows, columns = coarse_size(scene.width, scene.height)
    window = window_of(region, rows, columns)
    patches = plate.shown(window, scene.time)
    mask = None if patches is None else mask_of(scene, window, patches, plate.knows(window), shown)
    if mask is None:
        return region
    high, wide = mask.shape
    return Region(region.left, region.top, region.coarse[:high, :wide] & mask, region.face_width)


def _overlay(plate: Plate | None, scene: Scene, cover: Cover, shown: Shown | None) -> Overlay:
    rows, columns = coarse_size(scene.width, scene.height)
    window = window_of(cover.region, rows, columns)
    box: Box | None = cover.box
    patches = None if plate is None or shown is not None else plate.shown(window, scene.time)
    if plate is not None and patches is not None:
        box = extent_of(scene, window, patches, plate.knows(window))
    return Overlay(cover, window, shown, box)


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


def _fill(scene: Scene, filling: _Filling) -> None:
    if filling.patches is None:
        apply(solid.cover, filling.region, scene.planes)
        return
    rows, columns = coarse_size(scene.width, scene.height)
    hole = drawn([filling.region], rows, columns)[filling.window]
    for plane, patch in zip(scene.planes, filling.patches, strict=True):
        view = plane.pixels[on_samples(filling.window, plane.step)]
        np.copyto(view, patch, where=on_plane(hole, plane.step, view.shape).view(np.bool_))


def open_remover(models: Models, *, silhouettes: bool) -> Remover:
    """Opens the effect for one job.

    Raises:
        AnonymizerError: model_missing. Without the networks for people nobody would notice somebody whom the
            plate took for a part of the room, and the effect would show them.
    """
    if models.pose is None:
        effect = "silhouette" if silhouettes else "remove"
        raise AnonymizerError("model_missing", f"The policy asks for {effect}, which needs OpenVINO.")
    return Remover(BodyReader(models.pose), silhouettes=silhouettes)
