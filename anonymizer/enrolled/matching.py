"""When a face that is followed counts as somebody's: the whole rule, over cosines and times alone.

Nobody is anybody until several sightings in a row say so: enough of them over enough time, their median over
the threshold, none under the lower bound, the same person the best in each, and ahead of everybody else by
the margin. From then on every single frame is asked again, and the first doubt ends it: a sighting under the
lower bound, one in which somebody else is as near, or one that nobody could make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.enrolled.manifest import Bounds

Cosines = npt.NDArray[np.float32]

# So many sightings, over so much time, and none older than this.
SIGHTINGS: Final = 5
LEAST_SECONDS: Final = 0.3
MOST_SECONDS: Final = 3.0
# Two sightings of an unknown face lie so far apart: the next frame says little that is new. Whoever was not
# recognized time and again is looked at more and more rarely.
APART_SECONDS: Final = 0.07
RARELY_SECONDS: Final = 1.0
_ROUNDING: Final = 1e-6


@dataclass
class Candidate:
    """What is known of one face that is followed.

    Attributes:
        who: the number of the person that it is; None until that is sure.
        due_at: seconds, before which no sighting is wanted.
    """

    who: int | None = None
    due_at: float = 0.0
    _sightings: list[tuple[float, Cosines]] = field(default_factory=list)
    _in_vain: int = 0

    @property
    def leaning(self) -> int | None:
        """Whose face it is, or by its last sighting seems to be."""
        return int(np.argmax(self._sightings[-1][1])) if self.who is None and self._sightings else self.who

    def is_due(self, time: float) -> bool:
        """Tells whether it is to be looked at: somebody who is recognized in every frame."""
        return self.who is not None or time >= self.due_at - _ROUNDING

    def take(self, time: float, cosines: Cosines | None, bounds: Bounds) -> None:
        """Takes a sighting.

        Args:
            time: seconds.
            cosines: (people,), how much the face is like each of them; None where it could not be seen well.
            bounds: the network's.
        """
        best = None if cosines is None else sure(cosines, bounds.least, bounds.margin)
        if self.who is not None:
            if best != self.who:
                self.doubt(time)
            return
        if cosines is None or best is None:
            self.doubt(time)
            return
        self._sightings = [each for each in self._sightings if time - each[0] <= MOST_SECONDS]
        if self._sightings and best != int(np.argmax(self._sightings[-1][1])):
            self._sightings.clear()
        self._sightings.append((time, cosines))
        self.due_at = time + APART_SECONDS
        if len(self._sightings) < SIGHTINGS or time - self._sightings[0][0] < LEAST_SECONDS - _ROUNDING:
            return
        median = np.median([each for _, each in self._sightings], axis=0)
        if sure(median, bounds.threshold, bounds.margin) == best:
            self.who, self._in_vain = best, 0
        else:
            # Like somebody, and not enough. Whoever tries without end would get through by chance.
            self.doubt(time)

    def doubt(self, time: float) -> None:
        """Takes back what spoke for anybody, and waits longer each time that this happens."""
        self._in_vain += 1
        self.start_over(time, min(RARELY_SECONDS, APART_SECONDS * 2 ** min(self._in_vain, 8)))

    def start_over(self, time: float, seconds: float) -> None:
        """Forgets what spoke for anybody: it has to be earned anew, and not before so many seconds."""
        self.who = None
        self._sightings.clear()
        self.due_at = time + seconds


def sure(cosines: Cosines, least: float, margin: float) -> int | None:
    """Returns who it is: the best, where that reaches a bound and leads the next by a margin; else None."""
    order = np.argsort(cosines)
    best = int(order[-1])
    if not np.isfinite(cosines).all() or cosines[best] < least:
        return None
    if len(order) > 1 and cosines[best] - cosines[int(order[-2])] < margin:
        return None
    return best
