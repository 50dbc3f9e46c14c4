"""A few large blocks, each the mean of what it hides.

Eight blocks across still let 9 to 14 in 100 faces be matched by an attacker who treats his gallery alike
(measured), sixteen 60: the block's width is an eighth of the cover at the very least.
"""

from __future__ import annotations

import numpy as np

from anonymizer.effects.patch import Patch


def cover(patch: Patch) -> None:
    """Gives every block under the mask its mean."""
    height, width = patch.pixels.shape
    block = patch.block
    rows, columns = -(-height // block), -(-width // block)
    padded = np.pad(patch.pixels, ((0, rows * block - height), (0, columns * block - width)), mode="edge")
    means = padded.reshape(rows, block, columns, block).mean(axis=(1, 3), dtype=np.float32)
    blocks = means.astype(np.uint8).repeat(block, axis=0).repeat(block, axis=1)[:height, :width]
    np.copyto(patch.pixels, blocks, where=patch.mask)
