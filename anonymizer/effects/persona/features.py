"""Eyes, brows and mouth: drawn anew for every frame, as the expression says."""

from __future__ import annotations

from typing import Final

import numpy as np

from anonymizer.effects.persona.head import BROW_Y, EYE_X, EYE_Y, MOUTH_Y
from anonymizer.effects.persona.identity import Look
from anonymizer.effects.persona.meshes import Colour, Floats
from anonymizer.effects.persona.sheet import Sheet, oval
from anonymizer.landmarks.expression import Expression

_ACROSS: Final = np.linspace(-1, 1, 25).astype(np.float32)
_LASH: Final[Colour] = (46, 30, 30)
_WHITE: Final[Colour] = (247, 242, 235)
_INSIDE: Final[Colour] = (92, 28, 34)
_TEETH: Final[Colour] = (252, 248, 240)
_TONGUE: Final[Colour] = (206, 98, 98)
# Half an eye's width, and how far its lids reach up and down.
_EYE_WIDE: Final = 0.128
_EYE_UP: Final = 0.087
_EYE_DOWN: Final = 0.064
_IRIS: Final = 0.083
_LOOKS_ASIDE: Final = 0.052
_LOOKS_DOWN: Final = 0.036
_MOUTH_WIDE: Final = 0.175
_MOUTH_OPEN: Final = 0.19


def draw_features(sheet: Sheet, look: Look, expression: Expression) -> None:
    """Draws a face's features on a sheet that holds its skin."""
    _mouth(sheet, look, expression)
    for side, opened, brow in (
        (-1, expression.open_near, expression.brow_near),
        (1, expression.open_far, expression.brow_far),
    ):
        _eye(sheet, look, expression, side, opened)
        _brow(sheet, look, side, brow)


def darker(colour: Colour, share: float, warm: float = 0.0) -> Colour:
    """Returns a colour with this share of its light; warm keeps some of its red."""
    red, green, blue = colour
    return red * (share + warm), green * share, blue * share


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """Returns a colour between two."""
    first, second, third = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return first, second, third


def _eye(sheet: Sheet, look: Look, expression: Expression, side: int, opened: float) -> None:
    size = look.eye_size
    x, y = side * EYE_X * look.eye_apart, EYE_Y
    # From the inner corner (-1) to the outer one.
    across = x + side * _ACROSS * _EYE_WIDE * size
    tilt = -look.eye_tilt * 0.35 * (_ACROSS + 1) * _EYE_WIDE
    reach = np.clip(1 - np.abs(_ACROSS) ** 2.3, 0, 1)
    low = y + tilt + _EYE_DOWN * size * reach**0.75 * (1 + 0.12 * _ACROSS)
    open_top = y + tilt - _EYE_UP * size * reach**0.62 * (1 + 0.06 * _ACROSS)
    amount = min(1.18, max(0.0, opened))
    # Shut lids meet low, and rest on the lower one.
    shut = low - 0.012 * reach
    top = shut + (open_top - shut) * amount
    lid = darker(look.skin, 0.84, 0.04)
    usual = np.concatenate(
        [np.stack([across, np.minimum(open_top, top) - 0.012 * reach], 1), np.stack([across, low], 1)[::-1]]
    )
    sheet.fill(usual, lid, shine=70)
    opening = np.concatenate([np.stack([across, top], 1), np.stack([across, low], 1)[::-1]])
    if amount > 0.06:
        sheet.fill(opening, _WHITE, shine=150)
        _iris(sheet, look, expression, (x, y), opening)
        # The upper lid throws a shadow on the eye.
        shade = np.concatenate(
            [np.stack([across, top], 1), np.stack([across, top + 0.030 * amount], 1)[::-1]]
        )
        sheet.fill(shade, (120, 96, 104), 0.34, within=opening)
        pink = (x - side * _EYE_WIDE * size * 0.94, y + 0.018)
        sheet.fill(oval(pink, 0.022, 0.016), (232, 160, 150), 0.8, within=opening)
    widths = 0.010 + 0.020 * np.clip((_ACROSS + 1.1) / 2, 0, 1) ** 0.8
    widths[-1] = 0.008
    lashes = np.stack([across, top - 0.004], 1)
    # They end in a small wing.
    lashes[-1] += np.array([side * 0.020, -0.012])
    sheet.stroke(lashes, widths, _LASH)
    sheet.stroke(
        np.stack([across, low + 0.002], 1)[3:-1], np.full(21, 0.008), darker(look.skin, 0.5, 0.1), 0.55
    )
    crease = np.stack([across, np.minimum(open_top, top) - 0.030 * reach**0.4], 1)[4:-3]
    sheet.stroke(
        crease, 0.011 * np.sin(np.linspace(0.2, np.pi - 0.2, 18)), darker(look.skin, 0.62, 0.08), 0.6
    )


def _iris(
    sheet: Sheet, look: Look, expression: Expression, eye: tuple[float, float], opening: Floats
) -> None:
    x = eye[0] + _LOOKS_ASIDE * expression.gaze_x
    y = eye[1] - 0.014 + _LOOKS_DOWN * expression.gaze_y
    radius = _IRIS * look.eye_size
    sheet.disc((x, y), radius, darker(look.iris, 0.42), within=opening)
    sheet.disc((x, y), radius * 0.90, darker(look.iris, 0.92), within=opening)
    lower = oval((x, y + radius * 0.30), radius * 0.70, radius * 0.52)
    sheet.fill(lower, mixed(look.iris, (255, 246, 214), 0.42), 0.75, within=opening)
    sheet.disc((x, y), radius * 0.50, (24, 16, 20), within=opening)
    sheet.disc((x - radius * 0.34, y - radius * 0.40), radius * 0.25, (255, 255, 255), 0.96, opening)
    sheet.disc((x + radius * 0.38, y + radius * 0.40), radius * 0.13, (255, 255, 255), 0.55, opening)


def brow_colour(look: Look) -> Colour:
    """Returns the colour of brows and beard: the hair's, a little darker, the darker the skin the more so."""
    return darker(look.hair_colour, 0.70)


def _brow(sheet: Sheet, look: Look, side: int, raised: float) -> None:
    along = np.linspace(0, 1, 15).astype(np.float32)
    x = side * (0.105 + 0.265 * along) * look.eye_apart
    arch = -0.042 * look.brow_arch * np.sin(np.clip(along * 1.25, 0, 1) * np.pi * 0.8) + 0.030 * along**2
    # Drawn together they sink at the nose; raised they bend up.
    lift = -0.058 * raised * (0.75 + 0.25 * np.sin(along * np.pi))
    if raised < 0:
        lift = -0.045 * raised * (1.35 - along)
    y = BROW_Y + 0.018 + arch + lift
    widths = 0.046 * look.brow_weight * (1 - 0.78 * along**1.6) * np.clip(along * 7 + 0.62, 0, 1)
    path = np.stack([x, y], 1).astype(np.float32)
    sheet.stroke(path, widths, brow_colour(look), 0.94)


def _mouth(sheet: Sheet, look: Look, expression: Expression) -> None:
    wider = expression.mouth_width * (0.24 if expression.mouth_width > 0 else 0.40)
    half = _MOUTH_WIDE * look.mouth_size * (1 + wider)
    gap = _MOUTH_OPEN * expression.mouth_open
    x = _ACROSS * half
    round_ = np.clip(1 - _ACROSS**2, 0, 1)
    # A mouth at rest is a little friendly.
    corners = -(0.026 + 0.050 * expression.smile) * np.abs(_ACROSS) ** 1.8
    line = MOUTH_Y + corners + 0.010 * np.maximum(0, expression.smile)
    top, bottom = line - gap * 0.26 * round_**0.7, line + gap * 0.74 * round_**0.62
    full = look.lip_fullness * (1 - 0.25 * max(0.0, expression.mouth_width))
    bow = 1 - 0.26 * np.exp(-((_ACROSS / 0.16) ** 2))
    above = top - 0.034 * full * round_**0.62 * bow
    below = bottom + 0.046 * full * round_**0.72
    lips = mixed(darker(look.skin, 0.78, 0.06), (196, 72, 80), 0.30 + 0.45 * look.lip_red)
    inside = np.concatenate([np.stack([x, top], 1), np.stack([x, bottom], 1)[::-1]])
    sheet.fill(
        np.concatenate([np.stack([x, above], 1), np.stack([x, top], 1)[::-1]]), darker(lips, 0.90), shine=90
    )
    sheet.fill(np.concatenate([np.stack([x, bottom], 1), np.stack([x, below], 1)[::-1]]), lips, shine=130)
    gleam = oval((0, float(bottom[12] + 0.020 * full)), half * 0.34, 0.008 * full)
    sheet.fill(gleam, mixed(lips, (255, 236, 228), 0.6), 0.5)
    if gap > 0.012:
        sheet.fill(inside, _INSIDE, shine=20)
        tongue = oval((0, MOUTH_Y + gap * 0.66), half * 0.58, gap * 0.30)
        sheet.fill(tongue, _TONGUE, 0.95, within=inside)
        # Teeth hang from the upper lip; a mouth that opens shows more of them, up to their length.
        length = min(0.050, gap * 0.42)
        inner = slice(3, -3)
        teeth = np.concatenate(
            [
                np.stack([x, top - 0.01], 1)[inner],
                np.stack([x * 0.96, top + length * round_**0.3], 1)[inner][::-1],
            ]
        )
        sheet.fill(teeth, _TEETH, shine=120, within=inside)
        sheet.stroke(np.stack([x, top], 1), 0.008 * round_**0.5 + 0.003, darker(lips, 0.55), 0.7)
    else:
        seam = np.stack([x * 1.04, line], 1)
        sheet.stroke(seam, 0.011 * round_**0.35 + 0.004, darker(lips, 0.46, 0.06), 0.9)
    for end in (0, -1):
        corner = (float(x[end] * 1.03), float(line[end]))
        sheet.disc(corner, 0.010, darker(look.skin, 0.55, 0.06), 0.55)
    shade = oval((0, float(below[12]) + 0.022), half * 0.42, 0.012)
    sheet.fill(shade, darker(look.skin, 0.72, 0.06), 0.35)
