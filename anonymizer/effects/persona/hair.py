"""Hair: where its edge runs on the head, how thick it lies there, and what hangs or stands off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymizer.effects.persona.head import Head
from anonymizer.effects.persona.identity import Look
from anonymizer.effects.persona.meshes import Colour, Floats, Surface, ball, bumped, plain, smooth

CLOTH_ON_HEAD: Final = frozenset({"beanie"})
COVERS_EARS: Final = frozenset({"bob", "long"})


@dataclass(frozen=True)
class Hairdo:
    """What grows or lies on a head.

    Attributes:
        colour: of it.
        edge: how low it reaches, for places from the middle of the face to behind the ear (EDGE_AT).
        edge_y: how low in the middle of the forehead.
        thick: how far it stands off the head.
        uneven: how much lower its edge is on one side of the parting than on the other.
    """

    colour: Colour
    edge: tuple[float, ...]
    edge_y: float
    thick: float
    uneven: float


EDGE_AT: Final = (0.0, 0.15, 0.30, 0.44, 0.55, 0.62, 0.68, 0.73, 0.78, 0.84, 0.89, 0.94)
_CROP: Final = (-0.50, -0.505, -0.49, -0.42, -0.28, -0.14, 0.00, 0.05, 0.00, -0.14, -0.10, 0.30)
_FRINGE: Final = (-0.36, -0.365, -0.38, -0.36, -0.26, -0.10, 0.06, 0.14, 0.14, 0.10, 0.16, 0.36)
_PARTED: Final = (-0.52, -0.48, -0.42, -0.36, -0.26, -0.12, 0.02, 0.08, 0.02, -0.12, -0.08, 0.30)
_OPEN: Final = (-0.55, -0.54, -0.51, -0.44, -0.32, -0.20, -0.10, -0.06, -0.08, -0.16, -0.12, 0.24)
_BEANIE: Final = (-0.40, -0.40, -0.39, -0.38, -0.37, -0.35, -0.33, -0.31, -0.29, -0.27, -0.25, -0.20)
_STYLES: Final[dict[str, tuple[tuple[float, ...], float, float]]] = {
    "crop": (_CROP, 0.045, 0.1),
    "parted": (_PARTED, 0.075, 1.0),
    "quiff": (_OPEN, 0.06, 0.3),
    "curls": (_OPEN, 0.13, 0.2),
    "bob": (_FRINGE, 0.06, 0.25),
    "long": (_PARTED, 0.065, 0.9),
    "bun": (_OPEN, 0.035, 0.1),
    "tails": (_FRINGE, 0.05, 0.3),
    "beanie": (_BEANIE, 0.075, 0.0),
}


def hairdo_of(look: Look) -> Hairdo | None:
    """Returns what is on a persona's head; None where nothing is."""
    if look.hair not in _STYLES:
        return None
    edge, thick, uneven = _STYLES[look.hair]
    colour = look.cloth if look.hair in CLOTH_ON_HEAD else look.hair_colour
    return Hairdo(colour, edge, edge[0], thick, uneven * 0.10 * look.parting)


def depth_of(hairdo: Hairdo, x: Floats, y: Floats) -> Floats:
    """Returns how far within the hair places of the sheet lie, in units; less than 0 outside."""
    line = smooth(EDGE_AT, hairdo.edge, np.minimum(np.abs(x), EDGE_AT[-1]))
    line = line + hairdo.uneven * np.clip(x / 0.35, -1, 1) * np.clip(1.4 - np.abs(x) / 0.4, 0, 1)
    return np.asarray(line - y, np.float32)


def with_hair(head: Head, look: Look) -> Head:
    """Returns the head with its hair on: the same grid, farther out where hair is."""
    hairdo = hairdo_of(look)
    if hairdo is None:
        return head
    x, y = head.places[:, :, 0], head.places[:, :, 1]
    depth = depth_of(hairdo, x, y)
    # Beside the ears it lies close.
    aside = np.clip((np.abs(x) - 0.5) / 0.25, 0, 1) * (look.hair not in CLOTH_ON_HEAD)
    share = np.clip(depth / (0.09 + 0.05 * aside) + 0.12 - 0.2 * aside, 0, 1)
    thick = hairdo.thick * share * share * (3 - 2 * share)
    if look.hair == "curls":
        thick = thick * (
            1 + 0.28 * np.sin(x * 17 + 2.5 * np.sin(y * 8)) * np.sin(y * 16 + 2.5 * np.sin(x * 7))
        )
    if look.hair == "quiff":
        high = np.exp(-(((x - 0.10 * look.parting) / 0.34) ** 2) - ((y + 0.64) / 0.15) ** 2)
        thick = thick + 0.13 * high * share
    if look.hair == "parted":
        over = np.exp(-(((x - 0.30 * np.sign(look.parting)) / 0.3) ** 2) - ((y + 0.55) / 0.2) ** 2)
        thick = thick + 0.05 * over * share
    if look.hair in CLOTH_ON_HEAD:
        thick = thick + 0.03 * share * (depth < 0.17)
    return Head(bumped(head.points, np.asarray(thick, np.float32)), head.places, head.jaw)


def hanging(look: Look) -> list[Surface]:
    """Returns what hangs beside the head or stands off it."""
    colour = look.hair_colour
    wide = look.face_width
    if look.hair == "bob":
        return [_curtain(look, -0.55, 0.42, 0.60 * wide, 0.64 * wide, opening=0.95, inward=0.16)]
    if look.hair == "long":
        return [_curtain(look, -0.55, 1.15, 0.59 * wide, 0.70 * wide, opening=0.92, inward=-0.02)]
    if look.hair == "bun":
        return [_striped(ball((0, -0.86, 0.42), (0.25, 0.21, 0.25), 14, 21), colour, 7)]
    if look.hair == "tails":
        return [
            _striped(ball((side * 0.70 * wide, -0.16, 0.52), (0.20, 0.27, 0.22), 14, 19), colour, 6)
            for side in (-1, 1)
        ] + [
            plain(ball((side * 0.575 * wide, -0.30, 0.50), (0.07, 0.08, 0.09)), look.cloth)
            for side in (-1, 1)
        ]
    return []


def _striped(points: Floats, colour: Colour, stripes: int) -> Surface:
    around = np.linspace(0, 2 * np.pi * stripes, points.shape[1])[None, :, None]
    light = 1 + 0.13 * np.sin(around) + 0.05 * np.sin(around * 2.7 + 1)
    colours = np.clip(np.array(colour, np.float32) * light, 0, 255) * np.ones((points.shape[0], 1, 1))
    return Surface(points, colours.astype(np.float32), shine=0.35)


def _curtain(
    look: Look, top: float, bottom: float, upper: float, lower: float, *, opening: float, inward: float
) -> Surface:
    """Returns hair that hangs around the back of the head, open before the face (radians to each side)."""
    down = np.linspace(0, 1, 16).astype(np.float32)[:, None]
    around = np.linspace(opening, 2 * np.pi - opening, 45).astype(np.float32)[None]
    radius = upper + (lower - upper) * down - inward * np.clip((down - 0.72) / 0.28, 0, 1) ** 2
    radius = radius * (1 - 0.5 * (1 - np.clip(down / 0.16, 0, 1)) ** 2)
    wave = 1 + 0.018 * np.sin(around * 19) + 0.012 * np.sin(around * 31 + down * 5)
    x = radius * wave * np.sin(around)
    z = 0.44 - radius * wave * np.cos(around) * 1.02
    # The strands before the ears end a little higher than those behind.
    y = top + (bottom - top) * down * (1 - 0.05 * np.cos(around)) + 0.012 * np.sin(around * 25) * down
    light = (
        1
        + 0.13 * np.sin(around * 27)
        + 0.08 * np.sin(around * 44 + 1)
        + 0.10 * np.exp(-(((down - 0.3) / 0.14) ** 2))
    )
    points = np.stack(np.broadcast_arrays(x, y, z), axis=2).astype(np.float32)
    colours = np.clip(np.array(look.hair_colour, np.float32) * light[:, :, None] * 0.94, 0, 255)
    return Surface(points, colours.astype(np.float32), both_sides=True, shine=0.3)
