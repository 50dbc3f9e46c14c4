"""Which feature of a face goes where: drawn from a seed, in units of the face, so that it holds in any pose.

A feature is moved and scaled as a whole. An eye takes its iris along, at the same place between its corners:
whoever looked at somebody still does.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import Mesh
from anonymizer.landmarks.expression import laid_on
from anonymizer.landmarks.points import BROWS, OUTLINES, RIGID

Points = npt.NDArray[np.float32]

_NOSE: Final = (168, 6, 197, 195, 5, 4, 1, 19, 94, 2, 98, 327, 129, 358, 64, 294, 48, 278)
_MOUTH: Final = (61, 40, 37, 0, 267, 270, 291, 405, 17, 181, 78, 13, 308, 14)
_JAW: Final = (323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93)
# How far, in widths of the face, and by which factor a feature may change; never by less than half of it.
_EYES_APART: Final = 0.035
_EYES_UP: Final = 0.025
_EYE_SIZE: Final = 0.22
_BROWS_UP: Final = 0.03
_NOSE_WIDE, _NOSE_LONG = 0.25, 0.12
_MOUTH_WIDE, _MOUTH_UP, _LIPS = 0.20, 0.03, 0.25
_JAW_WIDE, _CHIN = 0.10, 0.06


@dataclass(frozen=True)
class Alteration:
    """What changes, in units of the mean face or as a factor less one."""

    eyes_apart: float
    eyes_up: float
    eye_size: float
    brows_up: float
    nose_wide: float
    nose_long: float
    mouth_wide: float
    mouth_up: float
    lips: float
    jaw_wide: float
    chin: float


def alteration_of(seed: bytes) -> Alteration:
    """Draws an alteration from a seed."""
    drawn = np.random.default_rng(np.frombuffer(hashlib.sha256(seed).digest(), np.uint32))

    def one(most: float) -> float:
        # Half of the most or more, one way or the other: little would be nothing.
        return float(drawn.choice((-1, 1)) * drawn.uniform(0.5, 1) * most)

    bounds = (_EYES_APART, _EYES_UP, _EYE_SIZE, _BROWS_UP, _NOSE_WIDE, _NOSE_LONG)
    return Alteration(*(one(most) for most in (*bounds, _MOUTH_WIDE, _MOUTH_UP, _LIPS, _JAW_WIDE, _CHIN)))


def altered(mesh: Mesh, reference: Mesh, alteration: Alteration) -> tuple[Points, Points]:
    """Moves features.

    Args:
        mesh: (468, 3) in pixels.
        reference: the mean face, which the pose is told by.
        alteration: what changes.

    Returns:
        Where points of the features are, (N, 2), and where they come to lie.
    """
    turning, size, origin = laid_on(reference[list(RIGID)], mesh[list(RIGID)])
    straight = (mesh - origin) @ turning / size
    pairs: list[tuple[tuple[int, ...], npt.NDArray[np.float64]]] = []

    def move(numbers: tuple[int, ...], scale: tuple[float, float], shift: tuple[float, float]) -> None:
        points = straight[list(numbers)]
        middle = points.mean(axis=0)
        factors = np.array([1 + scale[0], 1 + scale[1], 1])
        pairs.append((numbers, middle + (points - middle) * factors + np.array([*shift, 0])))

    a = alteration
    for side, way in enumerate((-1, 1)):
        apart = way * a.eyes_apart
        move(OUTLINES[side], (a.eye_size, a.eye_size), (apart, -a.eyes_up))
        move(BROWS[side], (0, 0), (apart, -a.eyes_up - a.brows_up))
    move(_NOSE, (a.nose_wide, a.nose_long), (0, a.nose_long * 0.1))
    move(_MOUTH, (a.mouth_wide, a.lips), (0, -a.mouth_up))
    jaw = straight[list(_JAW)].copy()
    lower = np.clip((jaw[:, 1] + 0.05) / 0.6, 0, 1)
    jaw[:, 0] *= 1 + a.jaw_wide
    jaw[:, 1] += a.chin * lower
    pairs.append((_JAW, jaw))
    numbers = [number for chosen, _ in pairs for number in chosen]
    placed = np.concatenate([points for _, points in pairs]) * size @ turning.T + origin
    return mesh[numbers, :2].astype(np.float32), placed[:, :2].astype(np.float32)
