"""The effect: the features of each covered face moved, alike for as long as it is followed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.effects.acting import Reader, open_reader
from anonymizer.effects.colours import Rgb, rectangle_of, rgb_of
from anonymizer.effects.identities import Identities
from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.operator import Cover, Operator, Paint, Scene
from anonymizer.effects.painting import painting
from anonymizer.effects.warp.altering import Alteration, alteration_of, altered
from anonymizer.effects.warp.bending import bent
from anonymizer.landmarks.reading import FaceReading
from anonymizer.models import Models
from anonymizer.settings import Kind, Settings


class Warp:
    """An Operator. What is shown is original pixels, moved: a face that cannot be read gets neutral grey."""

    def __init__(self, reader: Reader, identities: Identities) -> None:
        """Takes what reads the faces, and who they are."""
        self._reader = reader
        self._identities = identities

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan."""
        readings = self._reader.read(scene, covers)
        self._identities.meet([cover for cover in covers if cover.track in readings])
        made = []
        for cover in sorted(covers, key=lambda each: each.box.height):
            reading = readings.get(cover.track)
            made.append((cover, None if reading is None else self._made(scene, cover, reading)))
        # What shows nothing comes last: where covers overlap, it stays.
        return painting(scene, sorted(made, key=lambda each: each[1] is None))

    def _made(self, scene: Scene, cover: Cover, reading: FaceReading) -> Rgb:
        left, top, right, bottom = rectangle_of(cover.region)
        picture = rgb_of(scene.planes, left, top, right, bottom)
        of, onto = altered(reading.mesh, mean_face(), self._alteration(cover.track))
        corner = np.array([left, top], np.float32)
        return bent(picture, cover.region.coarse, of - corner, onto - corner, reading.size)

    def _alteration(self, track: int) -> Alteration:
        return alteration_of(self._identities.seed_of(track))


def open_warp(models: Models, settings: Settings, kind: Kind) -> Operator:
    """Opens the effect.

    Raises:
        AnonymizerError: model_missing, where faces cannot be read.
    """
    return Warp(open_reader(models, "warp"), Identities(settings, "warp"))
