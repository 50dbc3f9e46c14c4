"""What a frame was to hide, as it is kept until the finished result is attacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.settings import Effect, Kind

# Pixels across and down of the small original, and how much of the face's surroundings it shows.
ORIGINAL_SIDE: Final = 32
ORIGINAL_SCALE: Final = 1.3
# What a person drew: it is no thing that was followed, and hides whatever lies under it.
DRAWN: Final = -1


@dataclass(frozen=True)
class Covered:
    """One thing in one frame, as the gatherer keeps it.

    Attributes:
        kind: what it is; person for what a person drew.
        track: the number of the thing that is followed; DRAWN for what a person drew.
        effect: what covers it; keep where it stays visible by decision, role or enrolment.
        box: where it was found, unscaled, in pixels of the result.
        bounds: of the region that may have changed; of what is kept the box.
        original: (32, 32) uint8 luma of the original under `box` scaled by 1.3; None for kinds other than
            face, and for what is kept.
    """

    kind: Kind
    track: int
    effect: Effect | Literal["keep"]
    box: Box
    bounds: Box
    original: npt.NDArray[np.uint8] | None
