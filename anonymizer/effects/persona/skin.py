"""What stays the same on a persona's face: skin, blush, freckles, nostrils, beard, and the hair's edge."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

# NumPy loads this module at first use, and a walled child loads none.
from numpy.random import PCG64, Generator

from anonymizer.effects.persona.features import brow_colour, darker, mixed
from anonymizer.effects.persona.hair import CLOTH_ON_HEAD, Hairdo, depth_of, hairdo_of
from anonymizer.effects.persona.head import EYE_X, EYE_Y, MOUTH_Y, NOSE_Y
from anonymizer.effects.persona.identity import Look
from anonymizer.effects.persona.meshes import Colour, Floats
from anonymizer.effects.persona.sheet import LEFT, TALL, TOP, WIDE, Sheet, oval, ribbon

_RED: Final[Colour] = (226, 92, 84)
# Skins darker than this blush less.
_DARK: Final = 130
_SKIN_SHINE: Final = 46
_HAIR_SHINE: Final = 84


def draw_skin(look: Look, per_unit: float) -> Sheet:
    """Returns a sheet with everything on it that does not move."""
    sheet = Sheet(per_unit)
    sheet.pixels[:, :, :3] = np.array(look.skin, np.uint8)
    sheet.pixels[:, :, 3] = _SKIN_SHINE
    dim = [darker(look.skin, 0.62, 0.1), darker(look.skin, 0.62, 0.06), darker(look.skin, 0.36, 0.08)]
    red = mixed(look.skin, _RED, 0.55 if sum(look.skin) / 3 < _DARK else 0.75)
    for side in (-1, 1):
        sheet.spot((side * 0.31, 0.13), 0.13, 0.09, red, 0.34 * look.blush)
        sheet.spot((side * EYE_X, EYE_Y - 0.05), 0.17, 0.13, dim[0], 0.20)
        sheet.spot((side * 0.10, EYE_Y - 0.02), 0.05, 0.12, dim[1], 0.30)
        # Nostrils, seen from the front as soft dark dots.
        sheet.spot((side * 0.042 * look.nose_width, NOSE_Y + 0.040), 0.022, 0.013, dim[2], 0.75)
        sheet.spot((side * 0.62, 0.30), 0.2, 0.3, dim[1], 0.16)
    sheet.spot((0, NOSE_Y - 0.02), 0.08, 0.06, red, 0.22 * look.blush)
    sheet.spot((0, NOSE_Y + 0.075), 0.08, 0.03, dim[1], 0.22)
    sheet.spot((0, -0.40), 0.30, 0.12, mixed(look.skin, (255, 244, 226), 0.5), 0.16)
    _freckles(sheet, look)
    _beard(sheet, look)
    _scalp(sheet, look)
    return sheet


def _within(depth: Floats, soft: float) -> Floats:
    """Returns 1 within a shape and 0 outside, by how deep within it places lie."""
    return np.asarray(1 / (1 + np.exp(-np.clip(depth / soft, -30, 30))), np.float32)


def _freckles(sheet: Sheet, look: Look) -> None:
    if look.freckles <= 0:
        return
    drawn = Generator(PCG64(look.strands))
    for _ in range(int(46 * look.freckles)):
        side = -1 if drawn.random() < 0.5 else 1
        x = side * (0.06 + 0.36 * drawn.random())
        y = 0.02 + 0.14 * drawn.random() - 0.1 * abs(x)
        sheet.disc((x, y), 0.006 + 0.006 * drawn.random(), darker(look.skin, 0.62, 0.1), 0.5)


def _beard(sheet: Sheet, look: Look) -> None:
    """Draws a beard as a soft mask: jaw and chin, and over the lip."""
    if look.beard == "none":
        return
    x, y = sheet.at()
    jaw = _within(y - (0.34 - 0.62 * np.clip(np.abs(x) - 0.10, 0, 0.62) ** 1.2), 0.012)
    jaw = jaw * np.clip((0.80 - np.abs(x)) / 0.06, 0, 1)
    lip = _within(1 - ((x / 0.20) ** 2 + ((y - MOUTH_Y + 0.055) / 0.050) ** 2), 0.2)
    goatee = _within(1 - ((x / 0.155) ** 2 + ((y - 0.47) / 0.15) ** 2), 0.12)
    mouth = _within(1 - ((x / 0.19) ** 2 + ((y - MOUTH_Y - 0.005) / 0.060) ** 2), 0.1)
    mask = {
        "stubble": np.maximum(jaw, lip) * 0.34,
        "moustache": lip * 0.96,
        "goatee": np.maximum(goatee, lip) * 0.94,
        "full": np.maximum(jaw, lip) * 0.96,
    }[look.beard]
    mask = mask * (1 - mouth * (y > MOUTH_Y - 0.035))
    drawn = Generator(PCG64(look.strands + 1))
    grains = drawn.random((round(TALL * 64), round(WIDE * 90)), dtype=np.float32)
    size = sheet.pixels.shape[1::-1]
    noise = np.asarray(cv2.resize(grains, size, interpolation=cv2.INTER_CUBIC), np.float32)
    sheet.tint((mask * (0.86 + 0.24 * noise)).clip(0, 1).astype(np.float32), brow_colour(look))


def _scalp(sheet: Sheet, look: Look) -> None:
    """Draws hair, or what is worn instead of it, with a shadow under its edge."""
    hairdo = hairdo_of(look)
    if hairdo is None:
        return
    x, y = sheet.at()
    depth = depth_of(hairdo, x, y)
    shadow = np.clip(1 + (depth - 0.004) / 0.055, 0, 1) * (depth < 0.02)
    sheet.tint((0.42 * shadow**1.6).astype(np.float32), darker(look.skin, 0.48, 0.08))
    mask = np.clip(depth * sheet.per_unit * 0.8 + 0.5, 0, 1).astype(np.float32)
    top = sheet.copy()
    top.pixels[:, :, :3] = np.array(hairdo.colour, np.uint8)
    (_knitted if look.hair in CLOTH_ON_HEAD else _strands)(top, look, hairdo)
    below = sheet.pixels.astype(np.float32)
    top.pixels[:, :, 3] = 14 if look.hair in CLOTH_ON_HEAD else _HAIR_SHINE
    sheet.pixels[:] = below + (top.pixels.astype(np.float32) - below) * mask[:, :, None]


def _strands(sheet: Sheet, look: Look, hairdo: Hairdo) -> None:
    drawn = Generator(PCG64(look.strands + 2))
    light: list[Floats] = []
    dark: list[Floats] = []
    curled = look.hair == "curls"
    # As many as can be told apart, and the first of them always the same ones.
    for _ in range(int(sheet.per_unit * (0.9 if curled else 0.6))):
        outline = _curl(drawn) if curled else _strand(drawn, look.parting)
        (light if drawn.random() < 0.45 else dark).append(outline)
    sheet.tint(sheet.mask_of(dark) * np.float32(0.46), darker(hairdo.colour, 0.70))
    sheet.tint(sheet.mask_of(light) * np.float32(0.44), mixed(hairdo.colour, (255, 240, 220), 0.26))


def _curl(drawn: Generator) -> Floats:
    """Returns an open ring somewhere on the sheet."""
    middle = (LEFT + WIDE * drawn.random(), TOP + 1.2 * drawn.random())
    size = 0.03 + 0.03 * drawn.random()
    ring = np.roll(oval(middle, size, size * 0.9, 16), int(drawn.random() * 16), axis=0)
    return ribbon(ring[:11], 0.012 * np.sin(np.linspace(0.3, 2.8, 11)))


def _strand(drawn: Generator, parting: float) -> Floats:
    """Returns a strand that runs from the parting outwards and down."""
    root = np.array([0.26 * parting, TOP - 0.12], np.float32)
    along = np.linspace(0, 1, 12).astype(np.float32)[:, None]
    angle = np.pi * (drawn.random() * 1.10 - 0.05)
    reach = 0.75 + 0.7 * drawn.random()
    end = root + np.array([np.cos(angle) * reach * 1.35, np.sin(angle) * reach], np.float32)
    bend = np.array([np.sign(end[0] - root[0]) * 0.12, -0.05], np.float32) * np.sin(along * np.pi)
    path = root + (end - root) * along + bend
    widths = (0.016 * drawn.random() + 0.006) * np.sin(np.linspace(0.2, 3.0, 12))
    # What lies at the edges of the sheet goes on around the head: no strand may reach them.
    inside = np.clip((0.90 - np.abs(path[:, 0])) / 0.08, 0, 1)
    first = max(3, int(np.count_nonzero(inside)))
    return ribbon(path[:first], (widths * inside)[:first])


def _knitted(sheet: Sheet, look: Look, hairdo: Hairdo) -> None:
    x, y = sheet.at()
    ribs = 0.5 + 0.5 * np.cos(x / 0.045 * 2 * np.pi)
    fold = (y > hairdo.edge_y - 0.16).astype(np.float32)
    share = np.broadcast_to(ribs**2 * 0.30, sheet.pixels.shape[:2]) * (0.35 + 0.65 * fold)
    sheet.tint(share.astype(np.float32), darker(hairdo.colour, 0.6))
    seam = np.exp(-(((y - (hairdo.edge_y - 0.165)) / 0.012) ** 2)) * np.ones_like(x)
    sheet.tint((0.6 * seam).astype(np.float32), darker(hairdo.colour, 0.5))
