"""What every effect is: an operator that sees each frame and what is to be covered in it, and then paints.

All operators look at a frame before any of them paints in it. So one may read what lies under its own covers
or another's (a pose, the background around a person). Which of them paints last, and so stays where covers
overlap, casting.py says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from anonymizer.boxes import Box
from anonymizer.effects.region import Plane, Region
from anonymizer.settings import CoverSettings, Kind

# Changes the planes of the scene that it was planned for, under its covers' regions and nowhere else.
Paint = Callable[[], None]


@dataclass(frozen=True)
class Cover:
    """One thing in one frame that must not be seen.

    Attributes:
        kind: what it is.
        track: the number of the thing that is followed; no other of the job has it.
        box: where it was found or is expected, before any scaling, in the picture's pixels.
        settings: how it is to be covered.
        region: the pixels that must not stay, and the only ones that may change.
    """

    kind: Kind
    track: int
    box: Box
    settings: CoverSettings
    region: Region


@dataclass(frozen=True)
class Scene:
    """One frame of a video, or a still.

    Attributes:
        planes: writable: luma and two colour planes of half the size (video), or blue, green and red, or
            grey alone (stills).
        width, height: in luma pixels.
        time: seconds; frames come in order.
        shot: counts the cuts before this frame; nothing goes on from one shot to the next.
        hidden: the regions of everything that is covered in this frame, by whatever operator: what lies under
            them must not be remembered and shown elsewhere.
    """

    planes: Sequence[Plane]
    width: int
    height: int
    time: float
    shot: int
    hidden: Sequence[Region] = ()


class Operator(Protocol):
    """One effect on one kind of things, for one job. It may remember what it saw; it sees frames in order."""

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """Looks at a frame in which nothing is covered yet, and says how to cover what is its own.

        Called for every frame, also where there is nothing to cover. Where the effect cannot do its work (no
        face is recognized, say), it paints what shows less, never what shows more.

        Args:
            scene: the frame.
            covers: those of this operator in it, in no order; perhaps none.

        Returns:
            What paints: called once, before the next frame is planned.

        Raises:
            AnonymizerError: detector_failed.
        """
        ...
