"""Scenes with faces that are noise, and readings that say where they are: no network is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.effects.swap.driving import Moves, moved
from anonymizer.landmarks.expression import Pose, turning_of
from anonymizer.landmarks.points import EYES, OUTLINES
from anonymizer.landmarks.reading import FaceReading
from anonymizer.settings import FaceSettings

Kind = Literal["video", "colours", "grey"]
KINDS: tuple[Kind, ...] = ("video", "colours", "grey")
NEUTRAL = 126


class FixedReader:
    """Reads what it was told, whatever the picture shows."""

    def __init__(self, readings: Mapping[int, FaceReading]) -> None:
        self.readings = dict(readings)

    def read(self, scene: Scene, covers: Sequence[Cover]) -> Mapping[int, FaceReading]:
        return {cover.track: self.readings[cover.track] for cover in covers if cover.track in self.readings}


def reading_of(
    pose: Pose, moves: Moves | None = None, shape: npt.NDArray[np.float32] | None = None
) -> FaceReading:
    """What the networks would read of the mean face, or of another shape, in a pose."""
    face = moved(mean_face() if shape is None else shape, moves or Moves())
    turning = turning_of(pose.yaw, pose.pitch, pose.roll)
    mesh = (face @ turning.T * pose.size + np.array([pose.x, pose.y, 0])).astype(np.float32)
    outlines = np.stack([mesh[list(outline), :2] for outline in OUTLINES])
    middles = np.stack([mesh[list(corners), :2].mean(axis=0) for corners in EYES])
    rim = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], np.float32) * np.float32(0.03 * pose.size)
    return FaceReading(mesh, middles[:, None] + rim, outlines.astype(np.float32), 0.99)


def box_around(reading: FaceReading) -> Box:
    """The box that a detector would give."""
    low, high = reading.mesh[:, :2].min(axis=0), reading.mesh[:, :2].max(axis=0)
    return Box(*(float(v) for v in (*low, *high)))


def cover_around(reading: FaceReading, width: int, height: int, track: int = 0) -> Cover:
    """A cover of the usual size."""
    box, settings = box_around(reading), FaceSettings()
    region = region_of(box, settings.scale, settings.shape, width, height)
    assert region is not None
    return Cover("face", track, box, settings, region)


def scene_of(kind: Kind, width: int, height: int, time: float = 0.0, shot: int = 0, seed: int = 1) -> Scene:
    """A soft, warm background that differs from place to place."""
    drawn = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    luma = (90 + 50 * np.sin(columns / 23) + 30 * np.cos(rows / 17) + drawn.normal(0, 2, rows.shape)).astype(
        np.uint8
    )
    if kind == "grey":
        planes = [Plane(luma, 1, 128)]
    elif kind == "colours":
        planes = [Plane(np.clip(luma * share, 0, 255).astype(np.uint8), 1, 128) for share in (0.7, 0.85, 1.1)]
    else:
        half = (-(-height // 2), -(-width // 2))
        planes = [
            Plane(luma, 1, NEUTRAL),
            Plane(np.full(half, 116, np.uint8), 2, 128),
            Plane(np.full(half, 138, np.uint8), 2, 128),
        ]
    return Scene(planes, width, height, time, shot)


def masks_of(scene: Scene, covers: Sequence[Cover]) -> list[npt.NDArray[np.bool_]]:
    """Which samples of each plane lie under one of the covers."""
    masks = [np.zeros(plane.pixels.shape, np.bool_) for plane in scene.planes]
    for cover in covers:
        region = cover.region
        for plane, mask in zip(scene.planes, masks, strict=True):
            fine = 2 // plane.step
            part = region.coarse.repeat(fine, axis=0).repeat(fine, axis=1)
            view = mask[region.top * fine :, region.left * fine :][: part.shape[0], : part.shape[1]]
            view |= part[: view.shape[0], : view.shape[1]]
    return masks


def with_noise(scene: Scene, covers: Sequence[Cover], seed: int) -> Scene:
    """Puts noise under the covers: somebody else's face."""
    drawn = np.random.default_rng(seed)
    for plane, mask in zip(scene.planes, masks_of(scene, covers), strict=True):
        plane.pixels[mask] = drawn.integers(0, 256, int(mask.sum()), np.uint8)
    return scene


def pixels_of(scene: Scene) -> list[npt.NDArray[np.uint8]]:
    """A copy of every plane."""
    return [plane.pixels.copy() for plane in scene.planes]
