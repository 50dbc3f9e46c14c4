"""A face laid over what is around its cover: in its light, with a soft edge, and nowhere beyond the cover."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import Rgb
from anonymizer.effects.mean_face import Mesh
from anonymizer.effects.meshes import ATLAS_SIDE, Pixels, atlas_points, lay
from anonymizer.effects.region import Mask
from anonymizer.effects.tones import Colour
from anonymizer.landmarks.points import CHIN, FOREHEAD

Gain = npt.NDArray[np.float32]

# How wide the edge of the face is, as a share of its size.
FEATHER: Final = 0.06
# What skin can look like in some light, as a factor on another one's.
LEAST_GAIN, MOST_GAIN = 0.5, 1.6
# Its colour changes less than its lightness does: what is beside a face is a hint.
_LEAST_TINT, _MOST_TINT = 0.86, 1.16
# Where no skin is seen, the light alone is followed: this is that of a well-lit room.
_USUAL_LIGHT: Final = 170.0
_BY_LIGHT: Final = (0.85, 1.10)
# An edge needs no more pixels than these.
_FINEST_EDGE: Final = 192


def gain_for(source: Colour, wanted: Colour | None, light: float) -> Gain:
    """Returns by how much each colour of a face is to be brighter (von Kries), (3,).

    Args:
        source: the face's own skin.
        wanted: how skin looks beside the cover; None where none is seen.
        light: how bright it is beside the cover, 0 to 255.
    """
    if wanted is None:
        return np.full(3, np.clip(light / _USUAL_LIGHT, *_BY_LIGHT), np.float32)
    ratio = np.array(wanted, np.float32) / np.maximum(np.array(source, np.float32), 1)
    lightness = float(np.clip(sum(wanted) / max(1.0, sum(source)), LEAST_GAIN, MOST_GAIN))
    tint = np.clip(ratio / (sum(wanted) / max(1.0, sum(source))), _LEAST_TINT, _MOST_TINT)
    return np.asarray(lightness * tint, np.float32)


def lit(colour: Colour, gain: Gain) -> Colour:
    """Returns a colour in that light."""
    red, green, blue = (float(min(255, value * share)) for value, share in zip(colour, gain, strict=True))
    return red, green, blue


def blended(fill: Rgb, open_cells: Mask, atlas: Pixels, mesh: Mesh, gain: Gain) -> Rgb:
    """Lays a face over a fill.

    Args:
        fill: (h, w, 3) for the cover's rectangle.
        open_cells: (h / 2, w / 2) or so: where the cover is, on the coarse grid.
        atlas, mesh: the face; the mesh in pixels of the rectangle.
        gain: see gain_for.
    """
    height, width = fill.shape[:2]
    lit_atlas = np.asarray(cv2.transform(_fitting(atlas, mesh), np.diag(gain)), np.uint8)
    laid = lay(lit_atlas, mesh, width, height)
    size = float(np.linalg.norm(mesh[FOREHEAD] - mesh[CHIN]))
    alpha = _edge(laid.inside, open_cells, FEATHER * size)
    return np.asarray(cv2.blendLinear(laid.pixels, fill, alpha, 1 - alpha), np.uint8)


def _fitting(atlas: Pixels, mesh: Mesh) -> Pixels:
    """Halves an atlas until it is not much finer than the mesh that it goes on."""
    wanted = float(np.linalg.norm(mesh[FOREHEAD] - mesh[CHIN]))
    own = float(np.linalg.norm(atlas_points()[FOREHEAD] - atlas_points()[CHIN])) * len(atlas) / ATLAS_SIDE
    while own > 2 * wanted and len(atlas) > 16:
        side = len(atlas) // 2
        atlas = np.asarray(cv2.resize(atlas, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        own /= 2
    return atlas


def cover_edge(open_cells: Mask, width: int, height: int, feather: float) -> npt.NDArray[np.float32]:
    """Returns (height, width): 0 at a cover's edge, 1 from so many pixels inwards."""
    whole = np.full((height, width), 255, np.uint8)
    return _edge(whole, open_cells, feather)


def _edge(inside: Pixels, open_cells: Mask, feather: float) -> npt.NDArray[np.float32]:
    """Returns how much of the face shows in each pixel: none at its edge or that of the cover."""
    height, width = inside.shape
    share = min(1.0, _FINEST_EDGE / max(width, height))
    across, down = (max(2, round(side * share)) for side in (width, height))
    face = cv2.resize(inside, (across, down), interpolation=cv2.INTER_AREA)
    cover = cv2.resize(open_cells.astype(np.uint8), (across, down), interpolation=cv2.INTER_NEAREST)
    both = ((face > 127) & (cover > 0)).astype(np.uint8)
    # What lies beyond the rectangle is not the face either.
    framed = cv2.copyMakeBorder(both, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    away = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    soft = np.clip((away - 0.5) / max(1.0, feather * share), 0, 1).astype(np.float32)
    soft = soft * soft * (3 - 2 * soft)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
