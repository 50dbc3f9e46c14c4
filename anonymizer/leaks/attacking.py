"""Lets attackers look at frames of the finished file, within a budget.

What is looked at comes out of the file as it will be delivered, decoded as a player decodes it. A policy
either bounds the time, and then the riskiest frames come first, or wants every frame looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import BinaryIO, Final, Protocol

import av
import numpy as np
from av.video.frame import VideoFrame

from anonymizer.detect.contract import Image
from anonymizer.errors import AnonymizerError
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.eyes import FrameFindings
from anonymizer.leaks.planning import Costs, Group, planned
from anonymizer.leaks.samples import Sample
from anonymizer.leaks.tally import Tally
from anonymizer.quality.readback import Contents, decoded
from anonymizer.settings import KeptRegion
from anonymizer.video.copies import Copies
from anonymizer.video.picture import Picture

# Looks take at most this share of the time that the job took so far,
SHARE_OF_THE_JOB: Final = 0.1
# and of a short one so many frames, whatever they take.
LEAST_FRAMES: Final = 4
# Until it was measured.
FIRST_LOOK_SECONDS: Final = 0.05


class Eyes(Protocol):
    """Who looks (eyes.Attackers)."""

    def look(self, rgb: Image, covered: Sequence[Covered], keep: Sequence[KeptRegion]) -> FrameFindings:
        """Attacks one frame of the result."""
        ...


@dataclass(frozen=True)
class Budget:
    """What looking may cost.

    Attributes:
        seconds: of looks and of decoding for them; None for every frame, whatever that takes.
        decode_seconds: what a frame takes to be decoded, about.
    """

    seconds: float | None
    decode_seconds: float


def attack_video(
    result: BinaryIO,
    contents: Contents,
    samples: Sequence[Sample],
    eyes: Eyes,
    keep: Sequence[KeptRegion],
    budget: Budget,
    threads: int,
) -> Tally:
    """Attacks frames of a finished MP4.

    Args:
        result: readable and seekable.
        contents: what its packets tell.
        samples: the frames that may be looked at.
        eyes: who looks.
        keep: where text may stay.
        budget: what it may cost.
        threads: the decoder's.

    Raises:
        AnonymizerError: result_unreadable, or detector_failed.
        Exception: whatever the stream itself raises.
    """
    look = _Look(contents, samples, eyes, keep)
    if budget.seconds is None:
        look.at(result, threads, look.all_groups(), deadline=None)
    else:
        deadline = perf_counter() + budget.seconds
        costs = Costs(budget.decode_seconds, FIRST_LOOK_SECONDS)
        look.at(result, threads, look.planned(costs, 0.0, LEAST_FRAMES), deadline=None)
        left = deadline - perf_counter()
        look.at(result, threads, look.planned(look.costs, left, 0), deadline=deadline)
    if not look.tally.frames_attacked:
        raise AnonymizerError("result_unreadable")
    return look.tally


def attack_still(
    views: Sequence[Image], covered: Sequence[Covered], eyes: Eyes, keep: Sequence[KeptRegion]
) -> Tally:
    """Attacks a still, once for each way in which it may be shown; what any of them shows counts.

    Args:
        views: (H, W, 3) uint8 RGB each, out of the finished file.
        covered: what it was to hide, and to keep.
        eyes: who looks.
        keep: where text may stay.

    Raises:
        AnonymizerError: detector_failed.
    """
    found = [eyes.look(view, covered, keep) for view in views]
    return Tally().plus(max(found, key=_worse))


def _worse(found: FrameFindings) -> tuple[int, ...]:
    figures = (found.faces_open, found.identities_matched, found.texts_open, found.faces_under)
    return tuple(figure or 0 for figure in figures)


class _Look:
    """One attack on one file; counts, and measures what it takes."""

    def __init__(
        self, contents: Contents, samples: Sequence[Sample], eyes: Eyes, keep: Sequence[KeptRegion]
    ) -> None:
        self.tally = Tally()
        self._eyes = eyes
        self._keep = keep
        self._times = np.sort(np.asarray(contents.times, np.int64))
        self._begins = sorted(contents.times[place] for place in contents.keys)
        self._firsts = np.searchsorted(self._times, self._begins).tolist()
        self._samples: Mapping[int, Sample] = dict(self._found(samples))
        self._copies = Copies()
        self._seen: list[int] = []
        self._decoded = 0
        self._seconds_decoding = self._seconds_looking = 0.0

    def _found(self, samples: Sequence[Sample]) -> Iterator[tuple[int, Sample]]:
        """Yields samples by the number of their frame in the file; one that is not there, quality tells."""
        for sample in samples:
            frame = int(np.searchsorted(self._times, sample.pts))
            if frame < len(self._times) and self._times[frame] == sample.pts:
                yield frame, sample

    @property
    def costs(self) -> Costs:
        """As measured."""
        looks = max(1, len(self._seen))
        return Costs(self._seconds_decoding / max(1, self._decoded), self._seconds_looking / looks)

    def planned(self, costs: Costs, seconds: float, least: int) -> list[Group]:
        """Returns what to look at next."""
        frames = list(self._samples)
        risks = [self._samples[frame].risk for frame in frames]
        return planned(frames, risks, self._firsts, costs, seconds, least, self._seen)

    def all_groups(self) -> list[Group]:
        """Returns all frames, in order."""
        ends = [*self._firsts[1:], len(self._times)]
        frames = sorted(self._samples)
        parts = [
            (first, tuple(frames[bisect_left(frames, first) : bisect_left(frames, end)]))
            for first, end in zip(self._firsts, ends, strict=True)
        ]
        return [Group(first, wanted) for first, wanted in parts if wanted]

    def at(self, result: BinaryIO, threads: int, groups: Sequence[Group], deadline: float | None) -> None:
        """Looks at frames until all are seen, or it is late."""
        if not groups:
            return
        result.seek(0)
        try:
            with av.open(result, "r", format="mp4") as container:
                container.streams.video[0].codec_context.thread_count = threads
                container.streams.video[0].thread_type = "AUTO"
                for group in groups:
                    if deadline is not None and perf_counter() >= deadline:
                        return
                    begins = self._begins[bisect_left(self._firsts, group.first)]
                    self._at(decoded(container, self._times, [(begins, group.frames[-1])]), group, deadline)
        except (av.FFmpegError, IndexError):
            raise AnonymizerError("result_unreadable") from None

    def _at(self, frames: Iterator[tuple[int, VideoFrame]], group: Group, deadline: float | None) -> None:
        began = perf_counter()
        for frame, picture in frames:
            decoded_at = perf_counter()
            self._decoded += 1
            self._seconds_decoding += decoded_at - began
            if frame in group.frames and frame in self._samples:
                self._look(frame, picture)
                self._seconds_looking += perf_counter() - decoded_at
            if deadline is not None and perf_counter() >= deadline:
                return
            began = perf_counter()

    def _look(self, frame: int, picture: VideoFrame) -> None:
        whole = self._copies.of(Picture(picture, 0, 0, 0.0), picture.width, picture.height)
        found = self._eyes.look(whole, self._samples[frame].covered, self._keep)
        self.tally = self.tally.plus(found)
        self._seen.append(frame)
