"""A face that was never anybody's: painted on the mean face by a seed, so that swap works without any file.

Everything is drawn in an atlas (meshes.py) with OpenCV: skin lit from the front, blush, lips, eyes, brows. The
seed chooses skin, eyes, hair, lips and marks; it says nothing of whoever is covered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.meshes import ATLAS_SIDE, Pixels, atlas_points, triangles
from anonymizer.landmarks.points import OUTLINES

_Canvas = npt.NDArray[np.float32]
_Colour = tuple[float, float, float]

SKINS: Final[tuple[_Colour, ...]] = (
    (233, 196, 172),
    (222, 180, 152),
    (203, 157, 127),
    (174, 126, 97),
    (139, 96, 72),
    (104, 71, 54),
)
IRISES: Final[tuple[_Colour, ...]] = ((92, 62, 40), (112, 84, 52), (88, 104, 76), (84, 112, 138), (110, 120, 124))
HAIRS: Final[tuple[_Colour, ...]] = ((38, 28, 24), (62, 44, 32), (96, 68, 46), (128, 96, 64), (110, 104, 100))

OUTER_UPPER: Final = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LOWER: Final = (291, 375, 321, 405, 314, 17, 84, 181, 91, 146, 61)
INNER_UPPER: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER: Final = (308, 324, 318, 402, 317, 14, 87, 178, 88, 95, 78)
_BROWS: Final = (
    ((70, 63, 105, 66, 107), (46, 53, 52, 65, 55)),
    ((300, 293, 334, 296, 336), (276, 283, 282, 295, 285)),
)
_UPPER_LIDS: Final = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
_LOWER_LIDS: Final = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
_CREASES: Final = ((130, 247, 30, 29, 27, 28, 56, 190), (359, 467, 260, 259, 257, 258, 286, 414))
_FOLDS: Final = ((129, 203, 206, 216), (358, 423, 426, 436))
_BRIDGE: Final = (168, 6, 197, 195, 5, 4)
_CHEEKS: Final = (50, 280)
_NOSTRILS: Final = ((60, 99, 20, 242), (290, 328, 250, 462))
_WINGS: Final = ((129, 64, 98), (358, 294, 327))
_SHIFT: Final = 4
# A smaller share than this changes no colour.
_UNSEEN: Final = 0.002


@dataclass(frozen=True)
class Looks:
    """What a seed chooses."""

    skin: _Colour
    iris: _Colour
    hair: _Colour
    lips: float
    brow: float
    freckles: int


def looks_of(seed: bytes) -> Looks:
    """Draws the looks of a face from a seed of any length."""
    drawn = _generator(seed)
    shade = float(drawn.uniform(0, len(SKINS) - 1))
    place = min(int(shade), len(SKINS) - 2)
    low, high = (np.array(SKINS[place + step]) for step in (0, 1))
    skin = low + (high - low) * (shade - place)
    # Dark skin goes with dark hair and eyes: the others would look put on.
    lightness = max(2, round((1 - shade / (len(SKINS) - 1)) * 5))
    return Looks(
        skin=(float(skin[0]), float(skin[1]), float(skin[2])),
        iris=IRISES[int(drawn.integers(min(lightness, len(IRISES))))],
        hair=HAIRS[int(drawn.integers(min(lightness, len(HAIRS))))],
        lips=float(drawn.uniform(0.35, 0.75)),
        brow=float(drawn.uniform(0.6, 1.25)),
        freckles=int(drawn.integers(0, 90)) if shade < 1.5 else 0,
    )


def paint_face(seed: bytes) -> Pixels:
    """Returns an atlas, (ATLAS_SIDE, ATLAS_SIDE, 3) uint8 RGB."""
    looks = looks_of(seed)
    drawn = _generator(seed + b"marks")
    canvas = np.empty((ATLAS_SIDE, ATLAS_SIDE, 3), np.float32)
    canvas[:] = looks.skin
    _light(canvas)
    _blush(canvas, drawn, looks)
    _nose(canvas)
    for fold in _FOLDS:
        _stroke(canvas, fold, (0.86, 0.82, 0.8), width=5, blur=6)
    _lips(canvas, looks)
    for side in range(2):
        _eye(canvas, side, looks)
        _brow(canvas, side, looks, drawn)
    grain = cv2.GaussianBlur(drawn.normal(0, 1, canvas.shape[:2]).astype(np.float32), (0, 0), 1.1)
    canvas += (grain * 5.5)[:, :, None]
    return np.clip(canvas, 0, 255).astype(np.uint8)


def paint_mouth(canvas: _Canvas) -> None:
    """Paints the inside of an open mouth into an atlas, in place: dark, with the upper teeth."""
    inside = _filled((*INNER_UPPER, *INNER_LOWER), blur=1.2)
    _mix(canvas, inside, (58, 22, 24))
    points = atlas_points()
    upper, lower = points[list(INNER_UPPER)], points[list(INNER_LOWER)][::-1]
    teeth = np.concatenate([upper, (upper + 0.42 * (lower - upper))[::-1]])
    mask = _polygon(teeth, blur=2.0) * inside
    _mix(canvas, mask * 0.92, (226, 218, 206))
    tongue = np.concatenate([lower, (lower + 0.3 * (upper - lower))[::-1]])
    _mix(canvas, _polygon(tongue, blur=6.0) * inside * 0.7, (150, 70, 72))
    # The lips cast a shadow on what is behind them.
    shade = cv2.GaussianBlur(1 - inside, (0, 0), 7) * inside
    canvas *= 1 - 0.75 * np.clip(shade, 0, 1)[:, :, None]


def _light(canvas: _Canvas) -> None:
    """Light from above and before, softened: by the mean face's own slopes."""
    face = mean_face().astype(np.float64)
    corners = triangles()
    normals = np.cross(face[corners[:, 1]] - face[corners[:, 0]], face[corners[:, 2]] - face[corners[:, 0]])
    at_points = np.zeros_like(face)
    for corner in range(3):
        np.add.at(at_points, corners[:, corner], normals)
    at_points /= np.maximum(np.linalg.norm(at_points, axis=1, keepdims=True), 1e-9)
    facing = np.sign(at_points[4, 2]) * -1
    light = np.array([0.12, -0.45, -0.88]) * facing
    bright = np.clip(at_points @ (light / np.linalg.norm(light)), 0, 1)
    shade = np.full((ATLAS_SIDE, ATLAS_SIDE), 0.9, np.float32)
    outlines = _fixed(atlas_points()[corners])
    for outline, value in zip(outlines, bright[corners].mean(axis=1), strict=True):
        cv2.fillConvexPoly(shade, outline, 0.70 + 0.40 * float(value), cv2.LINE_8, _SHIFT)
    shade = 0.5 * cv2.GaussianBlur(shade, (0, 0), 7) + 0.5 * cv2.GaussianBlur(shade, (0, 0), 22)
    # Shadows of skin are warmer than its lights.
    canvas *= np.stack([shade**0.85, shade, shade**1.08], axis=2)


def _blush(canvas: _Canvas, drawn: np.random.Generator, looks: Looks) -> None:
    points = atlas_points()
    for cheek in _CHEEKS:
        _mix(canvas, _blob(points[cheek], 42, 34) * 0.22, (205, 104, 96))
    _mix(canvas, _blob(points[4], 26, 20) * 0.16, (205, 104, 96))
    patches = cv2.resize(drawn.normal(0, 1, (20, 20)).astype(np.float32), (ATLAS_SIDE,) * 2)
    canvas *= 1 + 0.018 * patches[:, :, None]
    for _ in range(looks.freckles):
        side, x, y = drawn.choice((-1, 1)), abs(drawn.normal(60, 34)), drawn.normal(0, 20)
        place = (ATLAS_SIDE / 2 + side * x, points[5][1] + y)
        _mix(canvas, _blob(place, *drawn.uniform(0.9, 2.0, 2)) * float(drawn.uniform(0.15, 0.4)), (140, 88, 60))


def _nose(canvas: _Canvas) -> None:
    _stroke(canvas, _BRIDGE, (1.10, 1.09, 1.08), width=9, blur=8)
    for wing, nostril in zip(_WINGS, _NOSTRILS, strict=True):
        _stroke(canvas, wing, (0.72, 0.66, 0.64), width=4, blur=4)
        middle = atlas_points()[list(nostril)].mean(axis=0)
        _mix(canvas, _blob(middle, 7.5, 3.6) * 0.8, (62, 34, 30))
    _mix(canvas, _blob(atlas_points()[4], 9, 7) * 0.20, (255, 244, 236))
    _mix(canvas, _blob(atlas_points()[2] + (0, 4), 26, 7) * 0.22, (92, 56, 46))


def _lips(canvas: _Canvas, looks: Looks) -> None:
    skin = np.array(looks.skin)
    red = tuple(float(v) for v in skin * (1 - looks.lips) + np.array([172, 78, 80]) * looks.lips * (skin.mean() / 180))
    paint_mouth(canvas)
    upper = _filled((*OUTER_UPPER, *INNER_UPPER[::-1]), blur=1.8)
    lower = _filled((*OUTER_LOWER, *INNER_LOWER[::-1]), blur=1.8)
    _mix(canvas, upper * 0.9, (red[0] * 0.86, red[1] * 0.82, red[2] * 0.82))
    _mix(canvas, lower * 0.9, red)
    middle = atlas_points()[[14, 17]].mean(axis=0)
    _mix(canvas, _blob(middle, 34, 5) * lower * 0.35, (255, 232, 226))
    _mix(canvas, _blob(atlas_points()[17] + (0, 9), 44, 6) * 0.3, tuple(float(v) for v in skin * 0.62))


def _eye(canvas: _Canvas, side: int, looks: Looks) -> None:
    points = atlas_points()
    outline = (*_UPPER_LIDS[side], *_LOWER_LIDS[side][-2:0:-1])
    ring = points[list(OUTLINES[side])]
    low, high = ring.min(axis=0), ring.max(axis=0)
    middle, wide = (low + high) / 2, float(high[0] - low[0])
    # The hollow around the eye, then the eye, then the lids over it.
    _mix(canvas, _blob(middle - (0, wide * 0.1), wide * 0.62, wide * 0.36) * 0.26, tuple(v * 0.52 for v in looks.skin))
    inside = _filled(outline, blur=1.0)
    _mix(canvas, inside, (228, 222, 216))
    radius = wide * 0.235
    iris = (float(middle[0]), float(middle[1] - wide * 0.02))
    across = radius * 1.06
    _mix(canvas, _disc(iris, across, radius * 1.0) * inside, tuple(v * 0.42 for v in looks.iris))
    _mix(canvas, _disc(iris, across * 0.84, radius * 0.84) * inside, looks.iris)
    _mix(canvas, _blob((iris[0], iris[1] + radius * 0.4), across * 0.5, radius * 0.36) * inside * 0.5, tuple(min(255.0, v * 1.5) for v in looks.iris))
    _mix(canvas, _disc(iris, across * 0.42, radius * 0.42) * inside, (14, 11, 10))
    _mix(canvas, _disc((iris[0] + radius * 0.3, iris[1] - radius * 0.32), radius * 0.17, radius * 0.17) * inside, (250, 250, 250))
    # The upper lid throws a shadow on the eye.
    shifted = cv2.warpAffine(inside, np.array([[1, 0, 0], [0, 1, wide * 0.085]]), inside.shape[::-1])
    canvas *= 1 - 0.5 * (inside * (1 - cv2.GaussianBlur(shifted, (0, 0), 2.5)))[:, :, None]
    _mix(canvas, _disc((points[(133, 362)[side]][0], points[(133, 362)[side]][1]), 5, 4) * inside * 0.6, (196, 128, 120))
    dark = tuple(v * 0.35 for v in looks.hair)
    _mix(canvas, _line(_UPPER_LIDS[side], 4, 1.2) * 0.85, dark)
    _mix(canvas, _line(_LOWER_LIDS[side], 2, 1.4) * 0.35, tuple(v * 0.5 for v in looks.skin))
    _mix(canvas, _line(_CREASES[side], 3, 2.0) * 0.45, tuple(v * 0.55 for v in looks.skin))


def _brow(canvas: _Canvas, side: int, looks: Looks, drawn: np.random.Generator) -> None:
    above, below = (atlas_points()[list(row)] for row in _BROWS[side])
    hairs = np.zeros(canvas.shape[:2], np.uint8)
    along = np.linspace(0, 1, len(above))
    # From the outer end, where the points begin, to the nose; hair grows outwards and, near the nose, up.
    for _ in range(420):
        place, height = float(drawn.beta(1.3, 1.1)), float(np.clip(drawn.normal(0.5, 0.24 * looks.brow), 0, 1))
        if abs(height - 0.5) > 0.16 + 0.42 * place:
            continue
        root = _between(above, below, along, place, height)
        tip = _between(above, below, along, max(0.0, place - 0.09), height - 0.10 - 0.22 * place)
        cv2.line(hairs, *(_pair(point) for point in (root, tip)), int(drawn.integers(110, 215)), 1, cv2.LINE_AA, _SHIFT)
    soft = cv2.GaussianBlur(hairs, (0, 0), 3.2).astype(np.float32) / 255
    sharp = cv2.GaussianBlur(hairs, (0, 0), 0.8).astype(np.float32) / 255
    _mix(canvas, np.clip(soft * 0.75 * looks.brow, 0, 0.75), looks.hair)
    _mix(canvas, np.clip(sharp * 0.8, 0, 0.8), tuple(v * 0.8 for v in looks.hair))


def _between(above: Pixels, below: Pixels, along: Pixels, place: float, height: float) -> Pixels:
    return np.array(
        [np.interp(place, along, above[:, i]) * (1 - height) + np.interp(place, along, below[:, i]) * height for i in range(2)]
    )


def _generator(seed: bytes) -> np.random.Generator:
    return np.random.default_rng(np.frombuffer(hashlib.sha256(seed).digest(), np.uint32))


def _mix(canvas: _Canvas, share: _Canvas, colour: Sequence[float]) -> None:
    left, top, across, down = cv2.boundingRect((share > _UNSEEN).astype(np.uint8))
    part = canvas[top : top + down, left : left + across]
    part += share[top : top + down, left : left + across, None] * (np.array(colour, np.float32) - part)


def _blob(middle: Sequence[float], across: float, down: float) -> _Canvas:
    share = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.float32)
    (left, right), (top, bottom) = (
        (max(0, int(v - 2.5 * reach)), max(0, int(v + 2.5 * reach) + 2))
        for v, reach in ((middle[0], across), (middle[1], down))
    )
    part = share[top:bottom, left:right]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    part[:] = np.exp(-(((columns - middle[0]) / across) ** 2 + ((rows - middle[1]) / down) ** 2))
    return share


def _disc(middle: Sequence[float], across: float, down: float) -> _Canvas:
    rows, columns = np.ogrid[:ATLAS_SIDE, :ATLAS_SIDE]
    distance = np.sqrt(((columns - middle[0]) / across) ** 2 + ((rows - middle[1]) / down) ** 2)
    return np.clip((1 - distance) * min(across, down) / 1.6 + 0.5, 0, 1).astype(np.float32)


def _filled(numbers: Sequence[int], blur: float) -> _Canvas:
    return _polygon(atlas_points()[list(numbers)], blur)


def _polygon(points: Pixels, blur: float) -> _Canvas:
    mask = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    cv2.fillPoly(mask, [_fixed(points)], 255, cv2.LINE_AA, _SHIFT)
    return cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) / 255


def _line(numbers: Sequence[int], width: int, blur: float) -> _Canvas:
    mask = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    cv2.polylines(mask, [_fixed(atlas_points()[list(numbers)])], False, 255, width, cv2.LINE_AA, _SHIFT)
    return cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) / 255


def _stroke(canvas: _Canvas, numbers: Sequence[int], factor: _Colour, width: int, blur: float) -> None:
    share = _line(numbers, width, blur)[:, :, None]
    canvas *= 1 + share * (np.array(factor, np.float32) - 1)


def _fixed(points: Pixels) -> npt.NDArray[np.int32]:
    return np.round(np.asarray(points) * (1 << _SHIFT)).astype(np.int32)


def _pair(point: Pixels) -> tuple[int, int]:
    x, y = _fixed(point)
    return int(x), int(y)
