"""What is around a face that is put on: hair above and beside it, the neck below it.

The face mesh ends at the hairline, the ears and the chin, and a cover is larger than that. Bare background
there would look like a hood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import Rgb
from anonymizer.effects.tones import Colour
from anonymizer.landmarks.expression import Pose, turning_of

_Layer = npt.NDArray[np.floating]

# In units of the mean face: where the middle of the skull is, and how far it reaches across and up.
_SKULL: Final = (0.0, -0.12, 0.38)
_SKULL_REACH: Final = (0.60, 0.74)
# Where real hair is seen beyond the cover, made hair goes on up to it.
_JOINING: Final = 1.35
# Hair ends about here, at the ears.
_EARS: Final = 0.02
_EARS_SOFT: Final = 0.22
# Long hair, about here.
_CHIN: Final = 0.55
_SKULL_SOFT: Final = 0.06
# The neck under the chin.
_NECK: Final = (0.0, 0.48, 0.30)
_NECK_HALF: Final = 0.30
_NECK_SOFT: Final = 0.10
_STRANDS: Final = 720
_FINEST: Final = 256


@dataclass(frozen=True)
class Hair:
    """Hair around a face.

    Attributes:
        colour: in the light that is there, RGB.
        joining: 0 to 1: whether hair of that colour goes on beyond the cover.
        length: 0 to 1: whether it hangs down beside the face.
        strands: see strands_of.
    """

    colour: Colour
    joining: float
    length: float
    strands: _Layer


def with_head(fill: Rgb, pose: Pose, hair: Hair, skin: Colour) -> Rgb:
    """Paints hair and neck over a fill.

    Args:
        fill: (h, w, 3) for a cover's rectangle.
        pose: in pixels of that rectangle.
        hair: what is painted around the face.
        skin: its colour in the light that is there.
    """
    height, width = fill.shape[:2]
    share = min(1.0, _FINEST / max(width, height))
    across, down = (max(2, round(side * share)) for side in (width, height))
    made = cv2.resize(fill, (across, down), interpolation=cv2.INTER_AREA).astype(np.float32)
    x, y = np.meshgrid(
        (np.arange(across, dtype=np.float32) + 0.5) / share, (np.arange(down, dtype=np.float32) + 0.5) / share
    )
    turning = turning_of(pose.yaw, pose.pitch, pose.roll)
    neck_x, neck_y = _upright(x, y, pose, turning, _NECK)
    # The chin throws its shadow on the neck.
    shade = 0.62 + 0.25 * np.clip(neck_y / 0.5, 0, 1)
    neck = _soft(_NECK_HALF - np.abs(neck_x), _NECK_SOFT) * _soft(neck_y + 0.2, 0.15)
    made += neck[:, :, None] * (np.array(skin, np.float32) * shade[:, :, None] - made)
    skull_x, skull_y = _upright(x, y, pose, turning, _SKULL)
    reach_x, reach_y = _SKULL_REACH
    away = np.sqrt((skull_x / reach_x) ** 2 + (skull_y / reach_y) ** 2)
    # Hair that hangs down ends beside the chin, and does not grow over the face: that is laid over it.
    ends = _EARS + (_CHIN - _EARS) * hair.length - _SKULL[1]
    grown = _soft(1 + (_JOINING - 1) * hair.joining - away, _SKULL_SOFT) * _soft(ends - skull_y, _EARS_SOFT)
    angle = np.arctan2(skull_x, -skull_y)
    places = ((angle + np.pi) / (2 * np.pi) * (_STRANDS - 1)).astype(np.float32)
    strand = cv2.remap(hair.strands[None], places, np.zeros_like(places), cv2.INTER_LINEAR)
    # Hair shines where it turns towards the light above, and is dark where it lies close to the face.
    bright = (0.80 + 0.45 * np.exp(-(((away - 0.86) / 0.13) ** 2)) * np.clip(-skull_y + 0.3, 0, 1)) * strand
    made += grown[:, :, None] * (np.array(hair.colour, np.float32) * bright[:, :, None] - made)
    done = np.clip(made, 0, 255).astype(np.uint8)
    if (across, down) == (width, height):
        return done
    return np.asarray(cv2.resize(done, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def strands_of(seed: bytes) -> _Layer:
    """Returns (N,) how bright hair is, by its direction around the skull."""
    noise = np.random.default_rng(np.frombuffer(seed, np.uint8)).normal(0, 1, _STRANDS).astype(np.float32)
    fine, coarse = (
        cv2.GaussianBlur(noise[None], (0, 0), blur, borderType=cv2.BORDER_REFLECT)[0] * blur**0.5
        for blur in (1.0, 6.0)
    )
    return np.asarray(1 + 0.05 * fine + 0.06 * coarse, np.float32)


def _upright(
    x: _Layer, y: _Layer, pose: Pose, turning: npt.NDArray[np.float64], point: Colour
) -> tuple[_Layer, _Layer]:
    """Returns where pixels are, seen from a point of the head, in units of the mean face, unrolled."""
    place = turning @ np.array(point) * pose.size
    dx, dy = (x - pose.x - place[0]) / pose.size, (y - pose.y - place[1]) / pose.size
    cosine, sine = np.cos(pose.roll), np.sin(pose.roll)
    return (dx * cosine + dy * sine).astype(np.float32), (dy * cosine - dx * sine).astype(np.float32)


def _soft(distance: _Layer, width: float) -> _Layer:
    share = np.clip(distance / width + 0.5, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
