"""Makes faces for tests: meshes of people who do not exist, posed and moved as a test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import mean_face, mirror_images
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.landmarks.expression import Pose, turning_of
from anonymizer.landmarks.points import BROWS, EYES, INNER_LIPS, LOWER_LID, MOUTH_CORNERS, OUTLINES, UPPER_LID
from anonymizer.landmarks.reading import FaceReading
from anonymizer.settings import CoverSettings, FaceSettings

Mesh = npt.NDArray[np.float32]
_WAVES = 6


@dataclass(frozen=True)
class Does:
    """What a made face does, in units of the mean face."""

    opened: float = 0.32
    gaze: tuple[float, float] = (0.0, -0.07)
    mouth: float = 0.0
    corners_up: float = 0.0
    brows_up: float = 0.0


AT_EASE = Does()


def somebody(seed: int, strength: float = 0.03) -> Mesh:
    """Returns the mean face with proportions of its own: smooth waves through it, left and right alike."""
    drawn = np.random.default_rng(seed)
    face = mean_face().copy()
    half = np.abs(face) * np.array([1, 0, 0]) + face * np.array([0, 1, 1])
    moved = np.zeros_like(face)
    for _ in range(_WAVES):
        along = drawn.normal(size=3) * 5
        moved += np.sin(half @ along + drawn.uniform(0, 6))[:, None] * drawn.normal(size=3)
    moved[:, 0] *= np.sign(face[:, 0])
    shifted = face + strength * moved / np.sqrt(_WAVES)
    assert np.allclose(shifted[mirror_images(), 1], shifted[:, 1], atol=0.05)
    return shifted.astype(np.float32)


def reading_of(
    pose: Pose, face: Mesh | None = None, does: Does = AT_EASE, presence: float = 0.99
) -> FaceReading:
    """Returns what would be read off a face in a pose."""
    points = (mean_face() if face is None else face).astype(np.float64)
    # The mean of many photographs smiles, its lips apart; at ease they meet, in a line.
    points[INNER_LIPS[1]] = points[INNER_LIPS[0]] + (0, 0.005 + does.mouth, 0)
    points[list(MOUTH_CORNERS), 1] += 0.027 - does.corners_up
    for brow in BROWS:
        points[list(brow), 1] -= does.brows_up
    turning = turning_of(pose.yaw, pose.pitch, pose.roll)
    mesh = points @ turning.T * pose.size + np.array([pose.x, pose.y, 0])
    irises, outlines = [], []
    for side, (outer, inner) in enumerate(EYES):
        outline = mesh[list(OUTLINES[side]), :2]
        along = mesh[inner, :2] - mesh[outer, :2]
        if side:
            along = -along
        width = float(np.hypot(*along))
        along = along / width
        across = np.array([-along[1], along[0]])
        middle = (mesh[inner, :2] + mesh[outer, :2]) / 2
        # The lids lie as far apart as the face has its eyes open; where along the eye they lie stays.
        for lid, sign in ((LOWER_LID, 0.5), (UPPER_LID, -0.5)):
            place = (outline[lid] - middle) @ along
            outline[lid] = middle + place[:, None] * along + sign * does.opened * width * across
        outline[0], outline[8] = mesh[outer, :2], mesh[inner, :2]
        iris = middle + width * (does.gaze[0] * along + does.gaze[1] * across)
        irises.append(iris + 0.1 * width * np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]))
        outlines.append(outline)
    return FaceReading(
        mesh.astype(np.float32),
        np.stack(irises).astype(np.float32),
        np.stack(outlines).astype(np.float32),
        presence,
    )


class Told:
    """Reads what a test says, by track."""

    def __init__(self, readings: Mapping[int, FaceReading]) -> None:
        self.readings = dict(readings)

    def read(self, scene: Scene, covers: Sequence[Cover]) -> Mapping[int, FaceReading]:
        return {c.track: self.readings[c.track] for c in covers if c.track in self.readings}


def cover_around(
    pose: Pose, width: int, height: int, track: int = 0, settings: CoverSettings | None = None
) -> Cover:
    """Returns the cover that a detector's box around such a face would get."""
    from anonymizer.boxes import sized

    chosen = settings or FaceSettings(effect="persona", scale=1.5)
    box = sized((pose.x, pose.y), pose.size * 1.02, pose.size * 1.3)
    region = region_of(box, chosen.scale, chosen.shape, width, height)
    assert region is not None
    return Cover("face", track, box, chosen, region)


def scene_with(
    kind: str, width: int, height: int, seed: int = 0, *, time: float = 0.0, shot: int = 0
) -> Scene:
    """Returns a scene full of noise: a video's planes, a colour still's, or a grey still's."""
    drawn = np.random.default_rng(seed)

    def noise(*shape: int) -> Any:
        return drawn.integers(0, 256, shape, np.uint8)

    if kind == "video":
        luma, half = noise(height, width), (height // 2, width // 2)
        planes = [Plane(luma, 1, 126), Plane(noise(*half), 2, 128), Plane(noise(*half), 2, 128)]
    else:
        count = {"colour still": 3, "grey still": 1}[kind]
        planes = [Plane(noise(height, width), 1, 128) for _ in range(count)]
    return Scene(planes, width, height, time, shot)


def inside(cover: Cover, plane: Plane) -> npt.NDArray[np.bool_]:
    """Returns which pixels of a plane a cover's region has."""
    fine = 2 // plane.step
    mask = np.zeros(plane.pixels.shape, np.bool_)
    region = cover.region
    whole = region.coarse.repeat(fine, axis=0).repeat(fine, axis=1)
    target = mask[region.top * fine :, region.left * fine :]
    rows, columns = (min(a, b) for a, b in zip(target.shape, whole.shape, strict=True))
    target[:rows, :columns] = whole[:rows, :columns]
    return mask
