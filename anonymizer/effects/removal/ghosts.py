"""Somebody whom the plate took for a part of the room.

Who stood still before anybody noticed them was learnt like a table. Once they are covered, the plate would
paint them over themselves. So before the plate is believed where somebody is covered, the networks that find
people look at the plate itself; where they see somebody, it knows nothing any more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane
from anonymizer.effects.removal.cutouts import cutout_around
from anonymizer.effects.removal.masks import coarse_size, margin_of, window_of
from anonymizer.effects.removal.plate import Plate
from anonymizer.people.bodies import BodyReader, Cutout, Figure, square_around

# The plate is looked at again after so long: people walk on, to where it was not looked at.
AGAIN_SECONDS: Final = 1.0
# Of the pixels that may be somebody's, those that are (measured: people .95 and more, limbs at the picture's
# edge .74, a table and a chair .70 to .85).
CLEAR_SHARE: Final = 0.88
# Nobody who was away for longer is known any more.
FORGOTTEN_SECONDS: Final = 10.0


class Ghosts:
    """Looks at the plate for each person that is covered. Takes frames in order."""

    def __init__(self, reader: BodyReader) -> None:
        """Takes what finds people."""
        self._reader = reader
        self._looked_at: dict[int, float] = {}

    def drive_out(self, plate: Plate, scene: Scene, covers: Sequence[Cover]) -> None:
        """Makes the plate forget whom it shows under the covers.

        Raises:
            AnonymizerError: detector_failed.
        """
        for track in [t for t, at in self._looked_at.items() if scene.time - at > FORGOTTEN_SECONDS]:
            del self._looked_at[track]
        for cover in covers:
            if scene.time - self._looked_at.get(cover.track, -math.inf) < AGAIN_SECONDS:
                continue
            self._looked_at[cover.track] = scene.time
            if self._is_haunted(plate, scene, cover):
                size = coarse_size(scene.width, scene.height)
                window = window_of(cover.region, *size, margin_of(size[0]))
                everywhere = np.ones(plate.knows(window).shape, np.bool_)
                plate.forget(window, everywhere)

    def _is_haunted(self, plate: Plate, scene: Scene, cover: Cover) -> bool:
        size = coarse_size(scene.width, scene.height)
        if not plate.knows(window_of(cover.region, *size)).any():
            return False
        left, top, right, bottom = square_around(cover.box, scene.width, scene.height)
        if right <= left or bottom <= top:
            return False
        window = (slice(top // 2, -(-bottom // 2)), slice(left // 2, -(-right // 2)))
        patches = plate.shown(window, scene.time)
        if patches is None:
            return False
        planes = [
            Plane(np.clip(patch, 0, 255).astype(np.uint8), plane.step, plane.neutral)
            for patch, plane in zip(patches, scene.planes, strict=True)
        ]
        part = cutout_around(planes, cover.box.moved(-left, -top), right - left, bottom - top)
        if part is None:
            return False
        return all(self._shows_somebody(each) for each in (part, _mirrored(part)))

    def _shows_somebody(self, part: Cutout) -> bool:
        body = self._reader.find(part)
        figure = None if body is None else self._reader.read(part, body)
        return figure is not None and is_clear(figure)


def _mirrored(part: Cutout) -> Cutout:
    """What is somebody is somebody in a mirror; a network that is deceived mostly is so from one side."""
    return replace(part, image=np.ascontiguousarray(part.image[:, ::-1]))


def is_clear(figure: Figure) -> bool:
    """Tells whether the network is sure which pixels are somebody's; of a table's legs it is not."""
    likely, perhaps = (float((figure.likely > bound).mean()) for bound in (0.5, 0.1))
    return likely > 0 and likely >= CLEAR_SHARE * perhaps
