"""A blur whose reach grows with the face: sigma is 0.4 of its width, or more.

Weaker ones do not protect: at 0.1 of the width an attacker who blurs his gallery alike still matches 29 in
100 faces, at 0.4 it is 19 (measured); a Gaussian of that size costs 50 ms, so the work is done on a grid of
a few cells and scaled up again.
"""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.effects.patch import Patch

SIGMA_SHARE_OF_FACE = 0.4
# A cell's mean needs no more of its pixels than these squared.
SAMPLES_ACROSS_A_CELL = 16


def cover(patch: Patch) -> None:
    """Replaces the pixels under the mask by their blurred neighbourhood within the patch."""
    height, width = patch.pixels.shape
    cell = max(1, patch.block)
    grid_size = (-(-width // cell), -(-height // cell))
    every = max(1, cell // SAMPLES_ACROSS_A_CELL)
    sampled = np.ascontiguousarray(patch.pixels[::every, ::every])
    grid = cv2.resize(sampled, grid_size, interpolation=cv2.INTER_AREA)
    sigma = max(1.0, SIGMA_SHARE_OF_FACE * patch.face_width / cell)
    smooth = cv2.GaussianBlur(grid, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    blurred = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    np.copyto(patch.pixels, blurred.astype(np.uint8, copy=False), where=patch.mask)
