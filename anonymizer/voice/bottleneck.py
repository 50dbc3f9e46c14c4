"""All that passes from one voice to the other: which phone, in a few coarse levels.

How sure the encoder is, and what else the sound resembled a little, tells who speaks. Both are taken away:
the distribution is sharpened, all but the likeliest are dropped, and what is left comes in steps.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

SHARPNESS: Final = 2.0
KEPT: Final = 3
LEVELS: Final = 4


def coarse(phones: NDArray[np.float32]) -> NDArray[np.float32]:
    """Coarsens distributions over classes.

    Args:
        phones: (n, CLASSES) float32 of unnormalized logarithms.

    Returns:
        (n, CLASSES) float32: at most KEPT of each row are not 0, in steps of 1 / LEVELS, and sum to 1.
    """
    sharp: NDArray[np.float32] = np.exp(SHARPNESS * (phones - phones.max(axis=1, keepdims=True)))
    likeliest = np.argpartition(sharp, -KEPT, axis=1)[:, -KEPT:]
    kept = np.take_along_axis(sharp, likeliest, axis=1)
    kept /= kept.sum(axis=1, keepdims=True)
    levels = np.round(kept * LEVELS)
    # Where none reaches a level, the likeliest stands alone.
    first = kept == kept.max(axis=1, keepdims=True)
    levels = np.where(levels.sum(axis=1, keepdims=True) > 0, levels, first)
    levels /= levels.sum(axis=1, keepdims=True)
    result = np.zeros_like(sharp)
    np.put_along_axis(result, likeliest, levels, axis=1)
    return result
