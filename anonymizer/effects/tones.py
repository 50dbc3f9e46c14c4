"""What skin, hair and light look like, judged from pixels beside a cover."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import Rgb
from anonymizer.effects.region import Mask

Colour = tuple[float, float, float]

# Where skin lies in YCrCb: Chai & Ngan, "Face segmentation using skin-color map in videophone applications"
# (1999), whatever its lightness; narrowed against red cloth and yellow wood.
SKIN_Y: Final = (65, 245)
SKIN_CR: Final = (133, 170)
SKIN_CB: Final = (80, 125)
RED_BY_GREEN: Final = (1.04, 1.75)
GREEN_BY_BLUE: Final = (1.02, 1.50)
# Red by blue, at these lightnesses: bright skin is paler than dark skin ever is.
LIGHTNESSES: Final = (60.0, 160.0, 220.0)
LEAST_RED_BY_BLUE: Final = (1.35, 1.28, 1.12)
# Fewer pixels than this say nothing.
LEAST: Final = 12
# What is taken for hair: dark, or blond, by lightness and by how much more red than blue it holds.
DARK: Final = 105
BLOND: Final = (195, 1.2)
LEAST_HAIR_SHARE: Final = 0.25
DARKEST: Final = 12
_SHADED_PERCENT: Final = 60
# The share of pixels that are darker than what counts as the light.
_BRIGHT_PERCENT: Final = 85
# A picture whose colours differ by less than this, of 255, is black and white.
_GREY_SPAN: Final = 4.0
_GREY: Final = 128


def skin_in(seen: Rgb, where: Mask) -> Colour | None:
    """Returns the middle colour of what looks like skin; None where too little does."""
    coded = cv2.cvtColor(seen, cv2.COLOR_RGB2YCrCb)
    alike = where.copy()
    for channel, (low, high) in enumerate((SKIN_Y, SKIN_CR, SKIN_CB)):
        alike &= (coded[:, :, channel] >= low) & (coded[:, :, channel] <= high)
    red, green, blue = np.moveaxis(np.maximum(seen, 1).astype(np.float32), 2, 0)
    least_red = np.interp(coded[:, :, 0].astype(np.float32), LIGHTNESSES, LEAST_RED_BY_BLUE)
    alike &= red >= least_red * blue
    for ratio, (least, most) in ((red / green, RED_BY_GREEN), (green / blue, GREEN_BY_BLUE)):
        alike &= (ratio >= least) & (ratio <= most)
    if np.count_nonzero(alike) < LEAST:
        return None
    # Pixels at a collar's edge, and those in the chin's shadow, are darker than a face is.
    bright = alike & (coded[:, :, 0] >= np.percentile(coded[alike, 0], _SHADED_PERCENT))
    return _middle(seen[bright])


def hair_in(seen: Rgb, where: Mask) -> Colour | None:
    """Returns the middle colour of what looks like hair; None where too little does."""
    alike = where & _like_hair(seen)
    if np.count_nonzero(alike) < max(LEAST, LEAST_HAIR_SHARE * np.count_nonzero(where)):
        return None
    return _middle(np.maximum(seen[alike], DARKEST))


def hair_share(seen: Rgb, where: Mask) -> float:
    """Returns how much of a place looks like hair, 0 to 1."""
    return float(_like_hair(seen)[where].mean()) if where.any() else 0.0


def light_in(seen: Rgb, where: Mask) -> float:
    """Returns how bright it is where it is bright, 0 to 255."""
    if not where.any():
        return float(_GREY)
    return float(np.percentile(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)[where], _BRIGHT_PERCENT))


def is_grey(seen: Rgb, where: Mask) -> bool:
    """Tells whether there is no colour at all."""
    if not where.any():
        return False
    return float(np.ptp(seen[where].astype(np.float32), axis=1).mean()) < _GREY_SPAN


def _like_hair(seen: Rgb) -> Mask:
    lightness = cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    lightest, redder = BLOND
    blond = (lightness < lightest) & (seen[:, :, 0] > redder * seen[:, :, 2].astype(np.float32))
    return np.asarray((lightness < DARK) | blond, np.bool_)


def _middle(colours: npt.NDArray[np.uint8]) -> Colour:
    red, green, blue = np.median(colours, axis=0)
    return float(red), float(green), float(blue)
