"""Scenes, covers and a reader of bodies that says what it is told, for the effects that remove people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from people_factory import Pixels

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Operator, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.people.bodies import BodyReader, Cutout, Figure
from anonymizer.people.pose_decoding import BODY_SIDE, Body
from anonymizer.settings import PeopleSettings

REMOVE = PeopleSettings(effect="remove", scale=1.0)


def planes_of(picture: Pixels) -> list[Plane]:
    """Returns a picture (RGB, even size) as a video's planes."""
    height, width = picture.shape[:2]
    coded = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
    chroma = coded[height:].reshape(2, height // 2, width // 2)
    return [Plane(coded[:height].copy(), 1, 126), *(Plane(one.copy(), 2, 128) for one in chroma)]


def scene_of(picture: Pixels, time: float = 0.0, shot: int = 0) -> Scene:
    """Returns a picture as a frame of a video."""
    return Scene(planes_of(picture), picture.shape[1], picture.shape[0], time, shot)


def still_of(picture: Pixels) -> Scene:
    """Returns a picture of any size as a still: blue, green and red."""
    planes = [Plane(np.ascontiguousarray(picture[:, :, i]), 1, 128) for i in (2, 1, 0)]
    return Scene(planes, picture.shape[1], picture.shape[0], 0.0, 0)


def cover_of(scene: Scene, box: Box, track: int = 0, settings: PeopleSettings = REMOVE) -> Cover:
    """Returns a person's cover in a scene."""
    region = region_of(box, settings.scale, settings.shape, scene.width, scene.height)
    assert region is not None
    return Cover("person", track, box, settings, region)


def covered(operator: Operator, scene: Scene, covers: Sequence[Cover]) -> list[Pixels]:
    """Covers a scene; returns copies of its planes as they were before."""
    before = [plane.pixels.copy() for plane in scene.planes]
    scene = replace(scene, hidden=[cover.region for cover in covers] + list(scene.hidden))
    operator.plan(scene, covers)()
    return before


def under(scene: Scene, covers: Iterable[Cover]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """Returns for each plane where the covers' regions lie."""
    masks = []
    for plane in scene.planes:
        mask = np.zeros(plane.pixels.shape, np.bool_)
        fine = 2 // plane.step
        for cover in covers:
            region = cover.region
            fill = region.coarse.repeat(fine, axis=0).repeat(fine, axis=1)
            part = mask[region.top * fine :, region.left * fine :][: fill.shape[0], : fill.shape[1]]
            part |= fill[: part.shape[0], : part.shape[1]]
        masks.append(mask)
    return masks


@dataclass
class Told(BodyReader):
    """Says that somebody stands where a test says, or nobody does.

    Attributes:
        figure: what is read, wherever it looks; None for nobody.
        ghosts: whether somebody is seen by who asks without a box: in the plate.
        asked: how often it read.
    """

    figure: Figure | None = None
    ghosts: bool = False
    asked: int = field(default=0)

    def find(self, part: Cutout, box: Box | None = None) -> Body | None:
        """See BodyReader."""
        if box is None:
            return Body(0, 0, 40, 0, 1) if self.ghosts else None
        return None if self.figure is None else self.figure.body

    def read(self, part: Cutout, body: Body) -> Figure | None:
        """See BodyReader."""
        self.asked += 1
        if body.score == 1 and self.ghosts:
            return a_figure(100, 100, 40)
        return self.figure


def a_figure(x: float, y: float, radius: float, lift: float = 0.0) -> Figure:
    """Returns somebody who stands upright.

    Args:
        x, y: the middle of the hips.
        radius: half the side of the square around them.
        lift: how far the hands are raised, in radii.
    """
    joints = np.zeros((33, 2), np.float32)
    joints[:11] = (0, -0.68)
    rows = {
        11: (0.16, -0.5),
        13: (0.2, -0.25),
        15: (0.22, -0.02),
        23: (0.1, 0),
        25: (0.1, 0.35),
        27: (0.1, 0.7),
    }
    for left, (across, down) in rows.items():
        joints[left], joints[left + 1] = (across, down), (-across, down)
    joints[[15, 16], 1] -= lift
    joints[[17, 19, 21]], joints[[18, 20, 22]] = joints[15], joints[16]
    joints[[29, 31]], joints[[30, 32]] = joints[27] + (0, 0.05), joints[28] + (0, 0.05)
    likely = np.zeros((BODY_SIDE, BODY_SIDE), np.float32)
    half = BODY_SIDE // 2
    cv2.ellipse(likely, (half, half), (24, 92), 0, 0, 360, 1.0, cv2.FILLED)
    body = Body(x, y, radius, 0.0, 0.9)
    placed = np.asarray(joints * radius + (x, y), np.float32)
    return Figure(body, body, 1.0, placed, np.ones(33, np.float32), likely)
