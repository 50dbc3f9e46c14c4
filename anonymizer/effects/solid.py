"""Neutral grey: nothing of the face is left."""

from __future__ import annotations

import numpy as np

from anonymizer.effects.patch import Patch


def cover(patch: Patch) -> None:
    """Fills the mask with grey; the result does not depend on the pixels that were there."""
    np.copyto(patch.pixels, patch.neutral, where=patch.mask)
