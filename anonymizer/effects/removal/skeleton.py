"""Limbs and joints, drawn where somebody was: motion stays readable.

A joint that is out of sight is not drawn, and no limb that ends at one. The head is a disc of the same size
for everybody, in measures of the body; of the face's points only their middle is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from anonymizer.effects.removal.cells import FloatArray
from anonymizer.effects.removal.figures import Shown
from anonymizer.effects.removal.masks import Window

# Numbers of the network's points, left and right.
_FACE: Final = tuple(range(11))
_SHOULDERS, _ELBOWS, _WRISTS, _KNUCKLES = (11, 12), (13, 14), (15, 16), (19, 20)
_HIPS, _KNEES, _ANKLES, _TOES = (23, 24), (25, 26), (27, 28), (31, 32)
JOINTS: Final = (*_SHOULDERS, *_ELBOWS, *_WRISTS, *_HIPS, *_KNEES, *_ANKLES)
_CHAINS: Final = (
    (_SHOULDERS, _HIPS),
    (_SHOULDERS, _ELBOWS),
    (_ELBOWS, _WRISTS),
    (_WRISTS, _KNUCKLES),
    (_HIPS, _KNEES),
    (_KNEES, _ANKLES),
    (_ANKLES, _TOES),
)
LIMBS: Final = (_SHOULDERS, _HIPS, *((a[side], b[side]) for a, b in _CHAINS for side in (0, 1)))
# A joint less sure than the first is out of sight; up to the second it fades in.
OUT_OF_SIGHT: Final = 0.4
IN_SIGHT: Final = 0.6
# In radii of the body, and luma pixels.
THICKNESS: Final = 0.03
HEAD: Final = 0.115
LEAST_THICKNESS: Final = 1.5
_JOINT: Final = 0.9
# Bits behind the point of a drawn coordinate.
_BITS: Final = 4


@dataclass(frozen=True)
class Skeleton:
    """Parts of a drawing, each (h, w) float32 for every luma pixel of a window, 0 to 1.

    Attributes:
        rim: all of it, a little wider: what sets it off from the room.
        limbs: limbs and head.
        joints: joints.
    """

    rim: FloatArray
    limbs: FloatArray
    joints: FloatArray


@dataclass(frozen=True)
class _Stroke:
    """A line with round ends, in luma pixels of the window; a disc where it begins and ends at one place."""

    begins: tuple[float, float]
    ends: tuple[float, float]
    width: float
    strength: float


def skeleton_of(shown: Shown, window: Window) -> Skeleton:
    """Draws a skeleton into a window of the coarse grid."""
    down, across = window
    shape = ((down.stop - down.start) * 2, (across.stop - across.start) * 2)
    # OpenCV's drawing counts from the middle of the first pixel.
    corner = np.array([across.start * 2 + 0.5, down.start * 2 + 0.5], np.float32)
    places = np.asarray(shown.joints - corner, np.float32)
    strengths = np.clip((shown.sure - OUT_OF_SIGHT) / (IN_SIGHT - OUT_OF_SIGHT), 0, 1)
    thickness = max(LEAST_THICKNESS, THICKNESS * shown.radius)
    limbs = _limbs(places, strengths, thickness, HEAD * shown.radius)
    # A joint to which no limb is drawn would hang in the air.
    held = {
        joint: max(limb.strength for limb, ends in zip(limbs, LIMBS, strict=False) if joint in ends)
        for joint in JOINTS
    }
    joints = [
        _Stroke(
            _place(places, (joint,)),
            _place(places, (joint,)),
            2 * _JOINT * thickness,
            held[joint],
        )
        for joint in JOINTS
    ]
    rim = max(1.0, thickness * 0.4)
    return Skeleton(
        _drawn([*limbs, *joints], shape, rim), _drawn(limbs, shape, 0.0), _drawn(joints, shape, -rim)
    )


def _limbs(places: FloatArray, strengths: FloatArray, thickness: float, head: float) -> list[_Stroke]:
    strokes = [
        _Stroke(_place(places, (a,)), _place(places, (b,)), thickness, float(min(strengths[a], strengths[b])))
        for a, b in LIMBS
    ]
    face, neck = _place(places, _FACE), _place(places, _SHOULDERS)
    in_sight = float(strengths[list(_FACE)].mean())
    strokes.append(_Stroke(face, face, 2 * head, in_sight))
    strokes.append(_Stroke(neck, face, thickness, min(in_sight, float(strengths[list(_SHOULDERS)].min()))))
    return strokes


def _place(places: FloatArray, joints: Sequence[int]) -> tuple[float, float]:
    x, y = places[list(joints)].mean(axis=0).tolist()
    return x, y


def _drawn(strokes: Sequence[_Stroke], shape: tuple[int, int], wider: float) -> FloatArray:
    canvas = np.zeros(shape, np.uint8)
    # The surest last: where two meet, it stays.
    for stroke in sorted(strokes, key=lambda stroke: stroke.strength):
        level = round(255 * stroke.strength)
        radius = max(0.5, stroke.width / 2 + wider)
        if level == 0:
            continue
        a, b = (_fixed(place) for place in (stroke.begins, stroke.ends))
        for place in {a, b}:
            cv2.circle(canvas, place, round(radius * 2**_BITS), level, cv2.FILLED, cv2.LINE_AA, _BITS)
        if a != b:
            cv2.fillConvexPoly(canvas, _ribbon(stroke, radius), level, cv2.LINE_AA, _BITS)
    return np.asarray(canvas / np.float32(255), np.float32)


def _ribbon(stroke: _Stroke, radius: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    a, b = np.array(stroke.begins), np.array(stroke.ends)
    along = (b - a) / max(1e-6, float(np.hypot(*(b - a))))
    aside = np.array([-along[1], along[0]]) * radius
    corners = np.stack([a + aside, b + aside, b - aside, a - aside])
    return np.asarray(np.round(np.clip(corners, *_REACH) * 2**_BITS), np.int32)


# OpenCV draws to coordinates of 16 bits and some beyond; nothing farther than this is in any picture.
_REACH: Final = (-16000.0, 16000.0)


def _fixed(place: tuple[float, float]) -> tuple[int, int]:
    x, y = (round(min(max(v, _REACH[0]), _REACH[1]) * 2**_BITS) for v in place)
    return x, y
