"""A face that was never anybody's: painted on the mean face by a seed, so that swap works without any file.

Everything is drawn in an atlas (meshes.py) with OpenCV: skin lit from the front, blush, lips, eyes, brows.
The seed chooses skin, eyes, hair, lips and marks; it says nothing of whoever is covered.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.meshes import ATLAS_SIDE, LOWER_LIP, UPPER_LIP, Pixels, atlas_points, triangles
from anonymizer.effects.swap.brushes import (
    Canvas,
    Colour,
    area,
    blob,
    hair,
    line,
    mix,
    polygon,
    times,
    tone,
    triangle,
)
from anonymizer.effects.swap.eyes import PaintedEye, paint_eye

# From light to dark; a seed takes any shade between two of them.
SKINS: Final[tuple[Colour, ...]] = (
    (233, 196, 172),
    (222, 180, 152),
    (203, 157, 127),
    (174, 126, 97),
    (139, 96, 72),
    (104, 71, 54),
)
# From dark to light: with dark skin only the first ones are drawn.
IRISES: Final[tuple[Colour, ...]] = (
    (92, 62, 40),
    (112, 84, 52),
    (88, 104, 76),
    (84, 112, 138),
    (110, 120, 124),
)
HAIRS: Final[tuple[Colour, ...]] = ((38, 28, 24), (62, 44, 32), (96, 68, 46), (128, 96, 64), (110, 104, 100))
_FEWEST_COLOURS: Final = 2

_OUTER_UPPER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
_OUTER_LOWER: Final = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
# Upper and lower edge, from the outer end to the nose.
_BROWS: Final = (
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((300, 293, 334, 296, 336), (276, 283, 282, 295, 285)),
)
_FOLDS: Final = ((129, 203, 206, 216), (358, 423, 426, 436))
_BRIDGE: Final = (168, 6, 197, 195, 5, 4)
_CHEEKS: Final = (50, 280)
_NOSTRILS: Final = ((60, 99, 20, 242), (290, 328, 250, 462))
_WINGS: Final = ((129, 64, 98), (358, 294, 327))
_TIP, _UNDER_NOSE, _LIP_BELOW = 4, 2, 17
_HAIRS_OF_A_BROW: Final = 420
_BLOOD: Final = (205.0, 104.0, 96.0)
_LIGHT: Final = (0.12, -0.45, -0.88)


@dataclass(frozen=True)
class Looks:
    """What a seed chooses: colours, how red the lips and how thick the brows are, and how many freckles."""

    skin: Colour
    iris: Colour
    hair: Colour
    lips: float
    brow: float
    freckles: int


@dataclass(frozen=True)
class Painted:
    """A painted face: its atlas, uint8 RGB, with eyes that have no iris yet, those eyes, and its hair."""

    atlas: Pixels
    hair: Colour
    eyes: tuple[PaintedEye, PaintedEye]


def looks_of(seed: bytes) -> Looks:
    """Draws the looks of a face from a seed of any length."""
    drawn = _generator(seed)
    shade = float(drawn.uniform(0, len(SKINS) - 1))
    place = min(int(shade), len(SKINS) - 2)
    low, high = (np.array(SKINS[place + step]) for step in (0, 1))
    red, green, blue = (float(value) for value in low + (high - low) * (shade - place))
    # Light hair and eyes on dark skin look put on.
    colours = max(_FEWEST_COLOURS, round((1 - shade / (len(SKINS) - 1)) * len(IRISES)))
    return Looks(
        skin=(red, green, blue),
        iris=IRISES[int(drawn.integers(colours))],
        hair=HAIRS[int(drawn.integers(colours))],
        lips=float(drawn.uniform(0.35, 0.75)),
        brow=float(drawn.uniform(0.6, 1.25)),
        freckles=int(drawn.integers(0, 90)) if shade < 1.5 else 0,
    )


def paint_face(seed: bytes) -> Painted:
    """Paints the face of a seed."""
    looks = looks_of(seed)
    drawn = _generator(seed + b"marks")
    canvas = np.empty((ATLAS_SIDE, ATLAS_SIDE, 3), np.float32)
    canvas[:] = looks.skin
    _light(canvas)
    _blush(canvas, drawn, looks)
    _nose(canvas)
    for fold in _FOLDS:
        tone(canvas, line(fold, width=5, blur=6), (0.86, 0.82, 0.8))
    _lips(canvas, looks)
    grain = cv2.GaussianBlur(drawn.normal(0, 1, canvas.shape[:2]).astype(np.float32), (0, 0), 1.1)
    canvas += (grain * 5.5)[:, :, None]
    for side in range(2):
        _brow(canvas, side, looks, drawn)
    near, far = (paint_eye(canvas, side, looks.iris, looks.skin, looks.hair) for side in range(2))
    return Painted(np.clip(canvas, 0, 255).astype(np.uint8), looks.hair, (near, far))


def paint_mouth(canvas: Canvas) -> None:
    """Paints the inside of an open mouth into an atlas, in place: dark, with the upper teeth."""
    inside = area((*UPPER_LIP, *LOWER_LIP[::-1]), blur=1.2)
    mix(canvas, inside, (58, 22, 24))
    upper, lower = atlas_points()[list(UPPER_LIP)], atlas_points()[list(LOWER_LIP)]
    tongue = np.concatenate([lower, (lower + 0.3 * (upper - lower))[::-1]])
    mix(canvas, polygon(tongue, blur=6.0) * inside * 0.7, (150, 70, 72))
    teeth = np.concatenate([upper, (upper + 0.42 * (lower - upper))[::-1]])
    mix(canvas, polygon(teeth, blur=2.0) * inside * 0.92, (226, 218, 206))
    # The lips cast a shadow on what is behind them.
    mix(canvas, 0.75 * inside * cv2.GaussianBlur(1 - inside, (0, 0), 7), (0, 0, 0))


def _light(canvas: Canvas) -> None:
    """Light from above and before, softened: by the mean face's own slopes."""
    face, corners = mean_face().astype(np.float64), triangles()
    slopes = np.cross(face[corners[:, 1]] - face[corners[:, 0]], face[corners[:, 2]] - face[corners[:, 0]])
    normals = np.zeros_like(face)
    for corner in range(3):
        np.add.at(normals, corners[:, corner], slopes)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    outwards = -np.sign(normals[_TIP, 2])
    bright = np.clip(normals @ np.array(_LIGHT) * outwards, 0, 1)[corners].mean(axis=1)
    shade = np.full((ATLAS_SIDE, ATLAS_SIDE), 0.9, np.float32)
    for place, value in zip(atlas_points()[corners], bright, strict=True):
        triangle(shade, place, 0.70 + 0.40 * float(value))
    shade = 0.5 * cv2.GaussianBlur(shade, (0, 0), 7) + 0.5 * cv2.GaussianBlur(shade, (0, 0), 22)
    # Shadows of skin are warmer than its lights.
    canvas *= np.stack([shade**0.85, shade, shade**1.08], axis=2)


def _blush(canvas: Canvas, drawn: np.random.Generator, looks: Looks) -> None:
    points = atlas_points()
    # Blood shows through dark skin as a darker, warmer tone, not as a lighter one.
    blood = times(_BLOOD, min(1.0, sum(looks.skin) / sum(SKINS[1])))
    for cheek in _CHEEKS:
        mix(canvas, blob(points[cheek], 42, 34) * 0.22, blood)
    mix(canvas, blob(points[_TIP], 26, 20) * 0.16, blood)
    patches = cv2.resize(drawn.normal(0, 1, (20, 20)).astype(np.float32), (ATLAS_SIDE, ATLAS_SIDE))
    canvas *= 1 + 0.018 * patches[:, :, None]
    for _ in range(looks.freckles):
        x = ATLAS_SIDE / 2 + float(drawn.choice((-1, 1))) * abs(float(drawn.normal(60, 34)))
        y = float(points[_BRIDGE[-2]][1]) + float(drawn.normal(0, 20))
        across, down, depth = (float(drawn.uniform(*span)) for span in ((0.9, 2), (0.9, 2), (0.15, 0.4)))
        mix(canvas, blob((x, y), across, down) * depth, (140, 88, 60))


def _nose(canvas: Canvas) -> None:
    points = atlas_points()
    tone(canvas, line(_BRIDGE, width=9, blur=8), (1.10, 1.09, 1.08))
    for wing, nostril in zip(_WINGS, _NOSTRILS, strict=True):
        tone(canvas, line(wing, width=4, blur=4), (0.72, 0.66, 0.64))
        mix(canvas, blob(points[list(nostril)].mean(axis=0), 7.5, 3.6) * 0.8, (62, 34, 30))
    mix(canvas, blob(points[_TIP], 9, 7) * 0.20, (255, 244, 236))
    x, y = points[_UNDER_NOSE]
    mix(canvas, blob((x, y + 4), 26, 7) * 0.22, (92, 56, 46))


def _lips(canvas: Canvas, looks: Looks) -> None:
    brightness = sum(looks.skin) / 3 / 180
    red, green, blue = (
        of_skin * (1 - looks.lips) + of_lips * looks.lips * brightness
        for of_skin, of_lips in zip(looks.skin, (172, 78, 80), strict=True)
    )
    paint_mouth(canvas)
    lower = area((*_OUTER_LOWER, *LOWER_LIP[::-1]), blur=1.8)
    mix(
        canvas,
        area((*_OUTER_UPPER, *UPPER_LIP[::-1]), blur=1.8) * 0.9,
        (red * 0.86, green * 0.82, blue * 0.82),
    )
    mix(canvas, lower * 0.9, (red, green, blue))
    x, y = atlas_points()[_LIP_BELOW]
    middle = (x, (y + atlas_points()[LOWER_LIP[5]][1]) / 2)
    mix(canvas, blob(middle, 34, 5) * lower * 0.35, (255, 232, 226))
    mix(canvas, blob((x, y + 9), 44, 6) * 0.3, times(looks.skin, 0.62))


def _brow(canvas: Canvas, side: int, looks: Looks, drawn: np.random.Generator) -> None:
    above, below = (atlas_points()[list(row)] for row in _BROWS[side])
    strokes = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    # Hair grows outwards and, near the nose, up.
    for _ in range(_HAIRS_OF_A_BROW):
        place = float(drawn.beta(1.3, 1.1))
        height = float(np.clip(drawn.normal(0.5, 0.24 * looks.brow), 0, 1))
        value = int(drawn.integers(110, 215))
        if abs(height - 0.5) <= 0.16 + 0.42 * place:
            root = _between(above, below, place, height)
            tip = _between(above, below, max(0.0, place - 0.09), height - 0.10 - 0.22 * place)
            hair(strokes, root, tip, value)
    soft, sharp = (cv2.GaussianBlur(strokes, (0, 0), blur).astype(np.float32) / 255 for blur in (3.2, 0.8))
    mix(canvas, np.clip(soft * 0.75 * looks.brow, 0, 0.75), looks.hair)
    mix(canvas, np.clip(sharp * 0.8, 0, 0.8), times(looks.hair, 0.8))


def _between(
    above: npt.NDArray[np.float32], below: npt.NDArray[np.float32], place: float, height: float
) -> npt.NDArray[np.float32]:
    """Returns a point of a brow: its place from the outer end, 0 to 1, and its height from the upper edge."""
    along = np.linspace(0, 1, len(above))
    upper, lower = (
        np.array([np.interp(place, along, row[:, i]) for i in range(2)]) for row in (above, below)
    )
    return np.asarray(upper * (1 - height) + lower * height, np.float32)


def _generator(seed: bytes) -> np.random.Generator:
    return np.random.default_rng(np.frombuffer(hashlib.sha256(seed).digest(), np.uint32))
