"""What differs from the plate: which pixels of a cover are the person's, where that is sure.

A mask tighter than the cover uncovers whatever it misses. So it is the union of two that err in different
ways, what differs from the plate and what the network marks, with a margin around both. What was never seen
empty belongs to it; and where nobody was read in this very frame the cover stays whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Mask
from anonymizer.effects.removal.cells import FloatArray
from anonymizer.effects.removal.figures import OUTLINE_REACH, OUTLINE_SIDE, Shown
from anonymizer.effects.removal.masks import Window, grown, on_samples

# Of 255: luma and colours. A good camera's noise stays under 3 and 2.
LEAST_LUMA: Final = 10.0
LEAST_COLOUR: Final = 5.0
# A pixel this likely is the person: the whole outline is wanted, not its core (as people/pose.py has it).
LEAST_LIKELY: Final = 0.25
# Of the body's radius: around both masks, and gaps in them that are closed.
MARGIN: Final = 0.06
GAP: Final = 0.08
# Under this share of the window the two masks say nothing that one could rely on.
LEAST_AREA: Final = 0.02


def mask_of(
    scene: Scene, window: Window, patches: Sequence[FloatArray], known: Mask, shown: Shown | None
) -> Mask | None:
    """Returns which samples of a window of the coarse grid are somebody's, with a margin.

    Args:
        scene: the frame, uncovered.
        window: on the coarse grid.
        patches: what the plate shows in it.
        known: what of it the plate knows.
        shown: how the person stands.

    Returns:
        None where it is not sure.
    """
    if shown is None or not shown.is_new:
        return None
    mask = ~known | _differs(scene, window, patches) | _marked(shown, window)
    gap = max(1, round(shown.radius * GAP / 2))
    closing = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * gap + 1, 2 * gap + 1))
    closed = cv2.morphologyEx(np.pad(mask, gap).view(np.uint8), cv2.MORPH_CLOSE, closing)[gap:-gap, gap:-gap]
    whole = np.zeros(closed.shape, np.uint8)
    contours, _ = cv2.findContours(np.ascontiguousarray(closed), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(whole, contours, -1, 1, cv2.FILLED)
    if float(whole.mean()) < LEAST_AREA:
        return None
    return grown(whole.astype(np.bool_), max(2, round(shown.radius * MARGIN / 2)))


def extent_of(scene: Scene, window: Window, patches: Sequence[FloatArray], known: Mask) -> Box | None:
    """Returns the box around what differs from the plate in a window; None where next to nothing does."""
    differs = _differs(scene, window, patches) | ~known
    if float(differs.mean()) < LEAST_AREA:
        return None
    (top, bottom), (left, right) = (np.percentile(places, (2, 98)).tolist() for places in np.nonzero(differs))
    down, across = window
    return Box(
        2 * (across.start + left),
        2 * (down.start + top),
        2 * (across.start + right),
        2 * (down.start + bottom),
    )


def _differs(scene: Scene, window: Window, patches: Sequence[FloatArray]) -> Mask:
    rows, columns = window[0].stop - window[0].start, window[1].stop - window[1].start
    differs = np.zeros((rows, columns), np.bool_)
    for place, (plane, patch) in enumerate(zip(scene.planes, patches, strict=True)):
        apart = np.abs(plane.pixels[on_samples(window, plane.step)] - patch)
        if plane.step == 1:
            apart = cv2.resize(apart, (columns, rows), interpolation=cv2.INTER_AREA)
        bound = LEAST_COLOUR if plane.step == 2 and place else LEAST_LUMA
        differs |= np.asarray(apart > bound, np.bool_)
    return np.asarray(cv2.medianBlur(differs.view(np.uint8), 3), np.bool_)


def _marked(shown: Shown, window: Window) -> Mask:
    return np.asarray(outline_in(shown, window) > LEAST_LIKELY, np.bool_)


def outline_in(shown: Shown, window: Window, scale: float = 0.5) -> FloatArray:
    """Lays somebody's outline over a window of the coarse grid.

    Args:
        shown: whose.
        window: on the coarse grid.
        scale: samples of the result in one luma pixel: 0.5 for the coarse grid, 1 for luma.

    Returns:
        (rows, columns) float32, 0 to 1.
    """
    down, across = window
    fine = round(2 * scale)
    size = ((across.stop - across.start) * fine, (down.stop - down.start) * fine)
    each = OUTLINE_SIDE / (2 * OUTLINE_REACH * shown.radius)
    left, top = (v - OUTLINE_REACH * shown.radius for v in (shown.x, shown.y))
    # From the middle of a sample of the result to the square of the outline.
    half = 0.5 / scale
    matrix = np.array(
        [
            [each / scale, 0, (across.start * 2 + half - left) * each - 0.5],
            [0, each / scale, (down.start * 2 + half - top) * each - 0.5],
        ],
        np.float64,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(shown.outline, matrix, size, flags=flags), np.float32)
