"""Sees every frame on its way, and keeps what the attack on the finished result needs, in bounded memory.

Of the frames, those that are risky and some at equal distances: what was covered in them, and where nothing
was to be. It takes no part in covering, and changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Region
from anonymizer.leaks.checked import Checked, Looks
from anonymizer.leaks.covered import DRAWN, ORIGINAL_SCALE, ORIGINAL_SIDE, Covered
from anonymizer.leaks.every import Every
from anonymizer.leaks.risk import APPEARS, GAP, Before, look_at, risk_of
from anonymizer.leaks.samples import Sample, Samples
from anonymizer.review.deciding import Decided

_Luma = npt.NDArray[np.uint8]

# Points from which on a frame is worth keeping for its risk alone.
RISKY: Final = 3.0
# A cover that was away for longer than so many frames has ended, and begun again.
LONGEST_GAP_FRAMES: Final = 24
# Of a crowd, the largest faces are kept as pictures.
MOST_ORIGINALS: Final = 24


@dataclass
class _Seen:
    """A frame that was seen; its sample knows when it is shown once it has left."""

    time: float
    now: Before
    looked: Sequence[bool]
    sample: Sample


class Gatherer:
    """One passage. Each frame is seen before it is covered, and then it leaves.

    Attributes:
        frames: that have left.
    """

    def __init__(self, looks: Looks, checked: Checked, *, keeps_all: bool) -> None:
        """Takes who knows which frames were looked at, and who counts them.

        With keeps_all every frame is kept, packed (every.py).
        """
        self.frames = 0
        self._looks = looks
        self._checked = checked
        self._samples = Samples()
        self._every = Every() if keeps_all else None
        self._seen: _Seen | None = None
        self._recent: deque[_Seen] = deque(maxlen=LONGEST_GAP_FRAMES)

    @property
    def samples(self) -> list[Sample]:
        """What is kept, in order; all frames where all are to be attacked."""
        kept = {sample.index: sample for sample in self._samples}
        if self._every is None:
            return list(kept.values())
        return [kept.get(sample.index, sample) for sample in self._every]

    @property
    def frames_unchecked(self) -> int:
        """Frames that nobody looked at, once all have left."""
        self._checked.finish()
        return self._checked.frames_unchecked

    def see(self, scene: Scene, decided: Decided) -> None:
        """Takes the next frame, in which nothing is covered yet, and what becomes of it."""
        looked = self._looks.at(self.frames, scene.time)
        luma = _luma_of(scene)
        bare = covered_in(decided)
        now = look_at(scene.shot, luma, bare)
        before = self._recent[-1].now if self._recent else None
        risk = risk_of(now, before, looked)
        is_kept = risk >= RISKY or self._samples.is_due(self.frames)
        covered = with_originals(bare, luma) if is_kept else bare
        sample = Sample(self.frames, 0, risk, covered)
        self._seen = _Seen(scene.time, now, [score is not None for score in looked], sample)

    def left(self, time: float, pts: int) -> None:
        """Takes the frame again as it leaves, or one that was never seen.

        Args:
            time: seconds.
            pts: when it is shown, in ticks of the result.
        """
        seen, self._seen = self._seen, None
        index, self.frames = self.frames, self.frames + 1
        if seen is None or seen.time != time:
            looked = [score is not None for score in self._looks.at(index, time)]
            self._checked.left(index, time, None, looked)
            self._take(Sample(index, pts, GAP, ()))
            return
        self._checked.left(index, time, seen.now.shot, seen.looked)
        seen.sample.pts = pts
        self._look_back(seen.now)
        self._recent.append(seen)
        self._take(seen.sample)

    def _take(self, sample: Sample) -> None:
        self._samples.take(sample, is_risky=sample.risk >= RISKY)
        if self._every is not None:
            self._every.put(sample.pts, sample.covered)

    def _look_back(self, now: Before) -> None:
        """Finds that earlier frames were riskier than they seemed: nobody knew yet what would come."""
        if not self._recent or self._recent[-1].now.shot != now.shot:
            return
        new = now.bounds.keys() - self._recent[-1].now.bounds.keys()
        if not new:
            return
        for sample in _gap_before(new, self._recent):
            self._samples.raise_risk(sample, GAP)
        last = self._recent[-1].sample
        self._samples.raise_risk(last, last.risk + APPEARS)


def _gap_before(tracks: Collection[int], recent: Sequence[_Seen]) -> Iterator[Sample]:
    """Yields the frames since any of these things was covered last, where that is not long ago."""
    shot = recent[-1].now.shot
    for place in range(len(recent) - 1, -1, -1):
        if recent[place].now.shot != shot:
            return
        if not recent[place].now.bounds.keys().isdisjoint(tracks):
            yield from (seen.sample for seen in list(recent)[place + 1 :])
            return


def covered_in(decided: Decided) -> tuple[Covered, ...]:
    """Returns what becomes of a frame, as it is kept, without pictures of the original."""
    covers = [
        Covered(each.kind, each.track, each.settings.effect, each.box, bounds_of(each.region), None)
        for each in decided.covers
    ]
    kept = [Covered(each.kind, each.track, "keep", each.box, each.box, None) for each in decided.kept]
    drawn = [
        Covered("person", DRAWN, "solid", bounds, bounds, None) for bounds in map(bounds_of, decided.blanked)
    ]
    return (*covers, *kept, *drawn)


def bounds_of(region: Region) -> Box:
    """Returns the box around the pixels that may have changed."""
    rows, columns = region.coarse.shape
    left, top = 2 * region.left, 2 * region.top
    return Box(left, top, left + 2 * columns, top + 2 * rows)


def with_originals(covered: Sequence[Covered], luma: _Luma) -> tuple[Covered, ...]:
    """Adds small pictures of the faces that are covered.

    Args:
        covered: of one frame.
        luma: (H, W) uint8 of it, with nothing covered.
    """
    faces = [each for each in covered if each.kind == "face" and each.effect != "keep"]
    largest = {id(each) for each in sorted(faces, key=lambda face: -face.box.width)[:MOST_ORIGINALS]}
    return tuple(
        Covered(each.kind, each.track, each.effect, each.box, each.bounds, _original(each.box, luma))
        if id(each) in largest
        else each
        for each in covered
    )


def _original(box: Box, luma: _Luma) -> _Luma | None:
    around = box.scaled(ORIGINAL_SCALE)
    height, width = luma.shape
    left, top = max(0, round(around.x1)), max(0, round(around.y1))
    part = luma[top : max(0, min(height, round(around.y2))), left : max(0, min(width, round(around.x2)))]
    if not part.size:
        return None
    side = (ORIGINAL_SIDE, ORIGINAL_SIDE)
    return np.asarray(cv2.resize(part, side, interpolation=cv2.INTER_AREA), np.uint8)


def _luma_of(scene: Scene) -> _Luma:
    """Returns (H, W) uint8: a video's first plane, or what a still's colours are without colour."""
    planes = [plane.pixels for plane in scene.planes]
    if len(planes) == 1 or scene.planes[1].step == 2:
        return planes[0]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(np.dstack(planes)), cv2.COLOR_BGR2GRAY), np.uint8)
