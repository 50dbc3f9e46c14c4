"""What is done to an envelope before it is spoken: the spectrum bent and coloured."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anonymizer.voice.mask import VoiceMask
from anonymizer.voice.spectra import BANDS, bend_weights


class Shape:
    """How one mask shapes every envelope."""

    def __init__(self, mask: VoiceMask) -> None:
        """Takes the mask."""
        self._weights = bend_weights(mask.bend).astype(np.float32)
        self._colour = mask.colour(BANDS)

    def __call__(self, envelope: NDArray[np.float32]) -> NDArray[np.float32]:
        """Shapes (n, BANDS) logarithms of power."""
        result: NDArray[np.float32] = envelope @ self._weights + self._colour
        return result
