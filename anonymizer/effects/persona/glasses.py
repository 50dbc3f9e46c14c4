"""What a persona wears in front of its face: drawn as lines in space, over the finished head."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from anonymizer.effects.persona.head import EYE_X, EYE_Y
from anonymizer.effects.persona.identity import Look
from anonymizer.effects.persona.meshes import Floats
from anonymizer.effects.persona.raster import Rgba, View

_AHEAD: Final = -0.30
_SHIFT: Final = 4
# Beyond this turn of the head (its cosine) the farther lens is behind the nose.
_FARTHER_HIDDEN: Final = 0.62


def draw_glasses(picture: Rgba, look: Look, view: View) -> None:
    """Draws glasses, where there are any, on a rendered head."""
    if look.glasses == "none":
        return
    facing = -view.turning[:, 2]
    for side in (-1, 1):
        farther = facing[0] * side > 0
        if farther and -facing[2] < _FARTHER_HIDDEN:
            continue
        rim = _rim(look, side)
        _line(picture, view.seen(rim), look, view, closed=True)
        if not farther and abs(facing[0]) > 0.12:
            hinge = rim[np.argmax(rim[:, 0] * side)]
            ear = np.array([side * 0.60 * look.face_width, EYE_Y + 0.01, 0.34])
            _line(picture, view.seen(np.stack([hinge, ear]).astype(np.float32)), look, view)
    across = np.linspace(-1, 1, 7)
    bridge = np.stack(
        [across * 0.072, EYE_Y - 0.03 - 0.030 * (1 - across**2), _AHEAD - 0.03 * (1 - across**2)], axis=1
    )
    _line(picture, view.seen(bridge.astype(np.float32)), look, view)


def _rim(look: Look, side: int) -> Floats:
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    power = 1.0 if look.glasses == "round" else 0.55
    wide, tall = (0.168, 0.160) if look.glasses == "round" else (0.172, 0.132)
    x = (
        side * (EYE_X * look.eye_apart + 0.006)
        + wide * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
    )
    y = EYE_Y + 0.015 + tall * np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** power
    # They are bent around the face.
    z = _AHEAD + 0.10 * (np.abs(x) / 0.4) ** 2
    return np.stack([x, y, z], axis=1).astype(np.float32)


def _line(picture: Rgba, seen: Floats, look: Look, view: View, *, closed: bool = False) -> None:
    points = [np.round(seen[:, :2] * (1 << _SHIFT)).astype(np.int32)]
    thick = max(1, round(view.unit * 0.022))
    red, green, blue = look.glasses_colour
    cv2.polylines(picture, points, closed, (red, green, blue, 255), thick, cv2.LINE_AA, _SHIFT)
