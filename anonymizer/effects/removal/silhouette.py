"""Outlines, drawn where somebody was: that somebody is there, where, and roughly what they do.

An outline shows build, clothes and hair. So it is a low pass of what was seen, in space and in time, and a
little wider; without an outline it is a rounded box, which says no more than the cover does.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.removal.cells import FloatArray
from anonymizer.effects.removal.figures import OUTLINE_REACH, OUTLINE_SIDE, Shown
from anonymizer.effects.removal.foreground import outline_in
from anonymizer.effects.removal.masks import Window

# The smoothed likelihood from which something is inside: under a half, so that it is wider than what was
# seen.
INSIDE: Final = 0.35
# Luma pixels over which the edge fades.
EDGE: Final = 1.5
# A rounded box, as shares of the detected one and of its shorter side.
BOX_SHARE: Final = 0.9
ROUND_SHARE: Final = 0.45


def silhouette_of(shown: Shown, smooth: float, window: Window) -> FloatArray:
    """Draws an outline.

    Args:
        shown: whose.
        smooth: by which share of the body's size it is smoothed.
        window: on the coarse grid.

    Returns:
        (h, w) float32 for every luma pixel of the window, 0 to 1.
    """
    # The square of the outline is OUTLINE_REACH bodies high and wide.
    sigma = smooth * OUTLINE_SIDE / OUTLINE_REACH
    likely = cv2.GaussianBlur(shown.outline, (0, 0), sigma) if sigma > 0 else shown.outline
    smooth_outline = replace(shown, outline=np.asarray(likely, np.float32))
    each = 2 * OUTLINE_REACH * shown.radius / OUTLINE_SIDE
    # A step smoothed by sigma rises by so much from one luma pixel to the next.
    rise = 1 / (math.sqrt(2 * math.pi) * max(sigma, 1.0) * max(each, 1.0))
    share = (outline_in(smooth_outline, window, scale=1.0) - INSIDE) / (EDGE * rise) + 0.5
    return np.asarray(np.clip(share, 0, 1), np.float32)


def rounded_box(box: Box, window: Window) -> FloatArray:
    """Draws a rounded box where a person's box is, likewise."""
    down, across = window
    shape = ((down.stop - down.start) * 2, (across.stop - across.start) * 2)
    inner = box.scaled(BOX_SHARE)
    radius = ROUND_SHARE * min(inner.width, inner.height)
    (x, y) = inner.centre
    columns = np.abs(np.arange(shape[1]) + 0.5 + across.start * 2 - x) - (inner.width / 2 - radius)
    rows = np.abs(np.arange(shape[0]) + 0.5 + down.start * 2 - y) - (inner.height / 2 - radius)
    outside = np.hypot(np.maximum(columns, 0)[None, :], np.maximum(rows, 0)[:, None])
    return np.asarray(np.clip(radius - outside + 0.5, 0, 1), np.float32)
