"""Who is told what is about to be covered, so that it can be had back (`anonymizer.recovery`).

The anonymizer keeps nothing itself and knows no key: whoever wants something kept brings a keeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.effects.operator import Cover, Scene

Samples = npt.NDArray[np.float32]


class Keeper(Protocol):
    """Takes what is covered in one job, as it comes.

    Of a video that is encoded twice it hears the first time alone: the second one covers the same. Sound
    comes from another thread than pictures.
    """

    def again(self) -> None:
        """Hears that all is covered once more, and otherwise: what it has heard so far counts for nothing."""

    def covered(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Hears of every frame, in order, before anything is painted in it.

        Args:
            scene: the frame as it was; `hidden` names what is covered besides, of which nothing is kept.
            covers: what will be covered, perhaps nothing.
        """

    def shown(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Hears of the same frame once it is as it will be encoded."""

    def heard(self, speaker: int, first: int, rate: int, samples: Samples) -> None:
        """Hears what was said and will be heard no more.

        Args:
            speaker: whose voice it is taken for.
            first: number of the first sample, from the time that is zero in the result.
            rate: samples a second.
            samples: (channels, n), a second at most; of one speaker in the order of time.
        """
