"""The head as surfaces: skull and face, ears, neck. Hair is in hair.py.

The face is a stack of rings from the crown to the chin. Along each ring the place in the drawing is counted
in its own length, so that what is drawn flat keeps its size on the cheek.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymizer.effects.persona.identity import Look
from anonymizer.effects.persona.meshes import Colour, Floats, Surface, ball, smooth, tube

# Where things are on every persona, in units of the mean face.
EYE_Y: Final = -0.115
EYE_X: Final = 0.225
BROW_Y: Final = -0.335
NOSE_Y: Final = 0.115
MOUTH_Y: Final = 0.305
CHIN_Y: Final = 0.60
CROWN_Y: Final = -0.80

# The stack of rings: share of the way from crown to chin; half its width; where its front and its back lie.
_DOWN: Final = (0, 0.03, 0.08, 0.16, 0.28, 0.42, 0.55, 0.68, 0.80, 0.89, 0.955, 0.988, 1.0)
_WIDE: Final = (0, 0.205, 0.335, 0.455, 0.548, 0.572, 0.562, 0.525, 0.440, 0.335, 0.215, 0.110, 0)
_FRONT: Final = (
    0.42,
    0.20,
    0.065,
    -0.045,
    -0.110,
    -0.130,
    -0.125,
    -0.115,
    -0.105,
    -0.090,
    -0.050,
    0.02,
    0.16,
)
_BACK: Final = (0.42, 0.62, 0.75, 0.88, 0.99, 1.02, 0.98, 0.88, 0.72, 0.56, 0.40, 0.28, 0.16)
# A ring is squarer than an ellipse: this is its exponent (2 for an ellipse).
_SQUARE: Final = 2.35
_ROWS: Final = 46
_COLUMNS: Final = 49


@dataclass(frozen=True)
class Head:
    """The head of one persona at rest.

    Attributes:
        points: (R, C, 3).
        places: (R, C, 2): see Surface.
        jaw: (R, C): how far each point goes down with the jaw, 0 to 1.
    """

    points: Floats
    places: Floats
    jaw: Floats


def head_of(look: Look) -> Head:
    """Builds a head."""
    shares = _denser(_ROWS, at=0.68, by=1.3, wide=0.2)
    shares = np.sort(np.concatenate([shares, [0.008, 0.994]])).astype(np.float32)
    y = CROWN_Y + shares * (CHIN_Y * (1 + 0.05 * (look.chin - 1)) - CROWN_Y)
    # Counted by angle, so that crown and chin are round.
    down = np.arccos(1 - 2 * np.array(_DOWN))
    at = np.arccos(1 - 2 * shares)
    wide = smooth(down, _WIDE, at) * look.face_width
    lower = _step(shares, 0.62, 0.95)
    wide = wide * (1 + (look.jaw - 1) * lower * 0.9)
    front, back = smooth(down, _FRONT, at), smooth(down, _BACK, at)
    rows = [_ring(float(w), float(f), float(b)) for w, f, b in zip(wide, front, back, strict=True)]
    points = np.stack(
        [
            np.stack([ring[0], np.full(_COLUMNS, height), ring[1]], axis=1)
            for ring, height in zip(rows, y, strict=True)
        ]
    ).astype(np.float32)
    places = np.stack(
        [np.stack([ring[2], np.full(_COLUMNS, height)], axis=1) for ring, height in zip(rows, y, strict=True)]
    ).astype(np.float32)
    points = _sculpted(points, places, look)
    jaw = _step(places[:, :, 1], 0.27, 0.5) * _step(-points[:, :, 2], -0.45, 0.05)
    return Head(points, places, jaw.astype(np.float32))


def face_surface(head: Head, mouth_open: float) -> Surface:
    """Returns the face with its jaw dropped, 0 to 1; the drawing gives its colours."""
    points = head.points.copy()
    points[:, :, 1] += head.jaw * np.float32(0.085 * mouth_open)
    points[:, :, 2] += head.jaw * np.float32(0.03 * mouth_open)
    return Surface(points, np.full_like(points, 255), head.places, shine=0.2)


def ears(look: Look) -> list[Surface]:
    """Returns both ears."""
    made = []
    for side in (-1, 1):
        size = look.ears
        points = ball((0, 0, 0), (0.045, 0.135 * size, 0.085 * size), 10, 13)
        # The shell is hollow in front, and leans out.
        hollow = np.exp(-(((points[:, :, 1] + 0.01) / 0.07) ** 2 + ((points[:, :, 2] + 0.03) / 0.04) ** 2))
        points[:, :, 0] = (points[:, :, 0] - side * 0.03 * hollow) + side * 0.14 * np.maximum(
            0, points[:, :, 2] + 0.05
        )
        middle = np.array([side * 0.565 * look.face_width, -0.03, 0.46], np.float32)
        colours = _mixed(look.skin, (176, 70, 60), 0.18 + 0.25 * hollow)
        made.append(Surface((points + middle).astype(np.float32), colours, shine=0.1))
    return made


def neck(look: Look) -> list[Surface]:
    """Returns the neck; where it ends, persona.py lets it fade."""
    y = np.array([0.30, 0.50, 0.72, 0.95, 1.25], np.float32)
    path = np.stack([np.zeros(5), y, np.array([0.50, 0.52, 0.56, 0.62, 0.70])], axis=1).astype(np.float32)
    radii = np.array([0.30, 0.285, 0.29, 0.36, 0.60], np.float32) * look.face_width
    points = tube(path, radii, 17)
    # Under the chin it is dark.
    dark = 1 - 0.42 * np.exp(-(((points[:, :, 1:2] - 0.52) / 0.2) ** 2))
    skin = (np.array(look.skin, np.float32) * dark * np.array([1, 0.95, 0.93])).astype(np.float32)
    return [Surface(points, skin)]


def _ring(wide: float, front: float, back: float) -> tuple[Floats, Floats, Floats]:
    """Returns x, z and the length from the middle of the face, at the columns of one ring."""
    angle = np.linspace(0, np.pi, 181)
    middle = front + (back - front) * 0.52
    power = 2 / _SQUARE
    x = wide * np.abs(np.sin(angle)) ** power
    cosine = np.cos(angle)
    depth = np.where(cosine > 0, middle - front, back - middle)
    z = middle - depth * np.sign(cosine) * np.abs(cosine) ** power
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
    half = _COLUMNS // 2 + 1
    wanted = _denser(half, at=0.0, by=2.2, wide=0.3)
    at = wanted * length[-1]
    right_x, right_z = np.interp(at, length, x), np.interp(at, length, z)
    both = [
        np.concatenate([sign * each[:0:-1], each]) for sign, each in ((-1, right_x), (1, right_z), (-1, at))
    ]
    return both[0].astype(np.float32), both[1].astype(np.float32), both[2].astype(np.float32)


def _denser(count: int, *, at: float, by: float, wide: float) -> Floats:
    """Returns numbers from 0 to 1, closer to each other about one place."""
    steps = np.linspace(0, 1, 400)
    sums = np.cumsum(1 + by * np.exp(-(((steps - at) / wide) ** 2)))
    sums = (sums - sums[0]) / (sums[-1] - sums[0])
    return np.interp(np.linspace(0, 1, count), sums, steps).astype(np.float32)


def _step(values: Floats, low: float, high: float) -> Floats:
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _bump(places: Floats, x: float, y: float, wide: float, tall: float) -> Floats:
    return np.exp(-(((places[:, :, 0] - x) / wide) ** 2) - ((places[:, :, 1] - y) / tall) ** 2)


def _sculpted(points: Floats, places: Floats, look: Look) -> Floats:
    """Gives the front its nose, cheeks, sockets, lips and chin."""
    x, y = places[:, :, 0], places[:, :, 1]
    ahead = np.zeros(points.shape[:2], np.float32)
    eye_x = EYE_X * look.eye_apart
    for side in (-1, 1):
        ahead -= 0.045 * _bump(places, side * eye_x, EYE_Y - 0.01, 0.13, 0.10)
        # The eyeball.
        ahead += 0.035 * _bump(places, side * eye_x, EYE_Y, 0.10, 0.08)
        ahead += 0.030 * look.cheeks * _bump(places, side * 0.30, 0.13, 0.15, 0.13)
        ahead += 0.018 * _bump(places, side * 0.2, BROW_Y + 0.03, 0.16, 0.05)
        # Wings of the nose.
        ahead += 0.042 * _bump(places, side * 0.062 * look.nose_width, NOSE_Y + 0.005, 0.034, 0.042)
    ahead += 0.028 * _bump(places, 0, MOUTH_Y, 0.17, 0.085)
    ahead += 0.035 * look.chin * _bump(places, 0, 0.53, 0.13, 0.07)
    # The nose: a ridge that rises from between the eyes to its tip, and ends at once below it.
    tip = NOSE_Y - 0.03
    top = EYE_Y - 0.08
    along = np.clip((y - top) / (tip - top), 0, 1)
    ends = 1 - _step(y, tip + 0.015, tip + 0.085 * look.nose_length)
    ridge = np.exp(-((np.abs(x) / (0.045 + 0.03 * along * look.nose_width)) ** 2.2))
    ahead += 0.088 * look.nose_height * along**1.5 * ends * ridge
    ahead += 0.050 * _bump(places, 0, tip, 0.066 * look.nose_width, 0.058)
    made = points.copy()
    made[:, :, 2] -= ahead
    return made


def _mixed(one: Colour, other: Colour, share: Floats) -> Floats:
    first, second = (np.array(each, np.float32) for each in (one, other))
    return (first + (second - first) * share[:, :, None]).astype(np.float32)
