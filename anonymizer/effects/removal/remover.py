"""The effects "remove" and "silhouette": the room is painted where somebody is.

Under every cover first the plate is painted; while the camera turns, or where nothing is known, grey. Nothing
of what was there goes into it. Then figures are drawn on that, within the covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Paint, Scene
from anonymizer.effects.region import Region
from anonymizer.effects.removal.figures import Figures, Shown
from anonymizer.effects.removal.filling import fillings_of
from anonymizer.effects.removal.foreground import extent_of, mask_of
from anonymizer.effects.removal.ghosts import Ghosts
from anonymizer.effects.removal.masks import (
    coarse_size,
    drawn,
    grown,
    margin_of,
    window_of,
)
from anonymizer.effects.removal.overlays import Overlay, Overlays, people_settings_of
from anonymizer.effects.removal.plate import Plate
from anonymizer.errors import AnonymizerError
from anonymizer.models import Models
from anonymizer.people.bodies import BodyReader

# After the picture has become another one within a shot, nothing is believed for so long.
BLIND_SECONDS: Final = 0.3


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
        holes = [_hole_of(believed, scene, cover, figures.get(cover.track)) for cover in covers]
        hole = drawn(holes, rows, columns)
        own = {id(cover.region) for cover in covers}
        others = drawn([region for region in scene.hidden if id(region) not in own], rows, columns)
        fillings = fillings_of(believed, scene, holes, hole, hole | others)
        overlays = [
            _overlay(believed, scene, cover, figures.get(cover.track))
            for cover in covers
            if self._is_drawn(cover)
        ]

        def paint() -> None:
            for filling in fillings:
                filling.paint(scene)
            self._overlays.draw(scene, overlays, hole)

        return paint

    def _is_drawn(self, cover: Cover) -> bool:
        return self._silhouettes or people_settings_of(cover).overlay == "skeleton"

    def _is_read(self, cover: Cover) -> bool:
        return self._is_drawn(cover) or people_settings_of(cover).outline == "mask"


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
