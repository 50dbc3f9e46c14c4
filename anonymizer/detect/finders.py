"""What is sought in a job, and how: one finder for each network, each with the kinds of things it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anonymizer.boxes import Boxes
from anonymizer.detect.contract import Detector
from anonymizer.detect.looking import CopyAt, Looker
from anonymizer.settings import MODES, MOST_PASSES, STILL_SCALES, CoverSettings, Kind, Settings

# Looks at a frame: its width, its height and its copies to boxes in its pixels, for every kind sought.
Look = Callable[[int, int, CopyAt], Mapping[Kind, Boxes]]


@dataclass(frozen=True)
class Sought:
    """One kind of things.

    Attributes:
        kind: which.
        settings: how they are covered.
        believes_all: a single faint sighting is as good as a clear one.
    """

    kind: Kind
    settings: CoverSettings
    believes_all: bool = False


@dataclass(frozen=True)
class Finder:
    """One way of looking at frames.

    Attributes:
        sought: the kinds that it finds, each once.
        look: finds them in one frame.
        stride: frames from one look to the next, at most.
        still_seconds: as long as the picture stays the same, looks may be this far apart instead.
    """

    sought: tuple[Sought, ...]
    look: Look
    stride: int = 1
    still_seconds: float = 0.0


def finders_of(settings: Settings, detector: Detector, *, is_still: bool) -> tuple[Finder, ...]:
    """Gives the finders of a job: those of a video's mode, or those of a still, which is looked at once."""
    mode, faces = MODES[settings.mode], settings.faces
    looker = Looker(detector, STILL_SCALES if is_still else mode.scales, faces.threshold, faces.passes)

    def look_for_faces(width: int, height: int, copy_at: CopyAt) -> Mapping[Kind, Boxes]:
        return {"face": looker.look(width, height, copy_at)}

    found = Sought("face", faces, believes_all=faces.passes == MOST_PASSES)
    return (Finder((found,), look_for_faces, mode.stride),)
