"""Who is shown every frame before and after it was covered, so that what stayed untouched can be proven.

Only under `Settings.evidence`, where what is covered is the decoder's own picture: 4:2:0, 8 bits, neither
turned nor padded nor made of one field.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from fractions import Fraction
from typing import Protocol

import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Region
from anonymizer.native.pictures import time_us_of
from anonymizer.review.deciding import Decided
from anonymizer.video.reading import time_of

PlaneArray = npt.NDArray[np.uint8]
Edges = tuple[int, int, int, int]
"""(left, top, right, bottom) in luma samples, without the right column and the bottom row."""


class UntouchedKeeper(Protocol):
    """Takes every frame of one job, in order."""

    def again(self) -> None:
        """Hears that all is covered once more, and otherwise: what it has seen so far counts for nothing."""

    def passed(
        self,
        time_us: int,
        before: Sequence[PlaneArray],
        after: Sequence[PlaneArray],
        covered: Sequence[Edges],
    ) -> None:
        """Sees a frame.

        Args:
            time_us: microseconds since the first one, in the original.
            before: its planes as they were, (h, w) each, without padding; the keeper's own.
            after: as they will be encoded; to be read at once.
            covered: what encloses each cover.
        """


class Passing:
    """Shows the frames of one passage to a keeper."""

    def __init__(self, keeper: UntouchedKeeper) -> None:
        """Takes who is shown them."""
        self._keeper = keeper
        self._begins: Fraction | None = None
        self._times: deque[int] = deque()
        self._before: list[PlaneArray] = []

    def decoded(self, frame: VideoFrame) -> None:
        """Hears of a frame that will leave some frames later.

        Raises:
            AnonymizerError: media_corrupt: its time is before that of the first frame.
        """
        if self._begins is None:
            self._begins = time_of(frame)
        self._times.append(time_us_of(frame, self._begins))

    def decided(self, scene: Scene) -> None:
        """Sees the oldest of these before anything is painted in it."""
        self._before = [plane.pixels.copy() for plane in scene.planes]

    def painted(self, scene: Scene, decided: Decided) -> None:
        """Sees it as it will leave."""
        regions = (*(cover.region for cover in decided.covers), *decided.blanked)
        after = [plane.pixels for plane in scene.planes]
        self._keeper.passed(
            self._times.popleft(), self._before, after, [_edges(region) for region in regions]
        )


def _edges(region: Region) -> Edges:
    rows, columns = region.coarse.shape
    return 2 * region.left, 2 * region.top, 2 * (region.left + columns), 2 * (region.top + rows)
