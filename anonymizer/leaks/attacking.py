"""Lets attackers look at frames of the finished file, within a budget.

What is looked at comes out of the file as it will be delivered, decoded as a player decodes it. A policy
either bounds the time, and then the riskiest frames come first, or wants every frame looked at.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import BinaryIO, Final, Protocol

import av
import numpy as np
from av.container.input import InputContainer
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
class File:
    """A finished MP4.

    Attributes:
        stream: readable and seekable.
        contents: what its packets tell.
        threads: the decoder's.
    """

    stream: BinaryIO
    contents: Contents
    threads: int


@dataclass(frozen=True)
class Budget:
    """What looking may cost.

    Attributes:
        seconds: of looks and of decoding for them.
        decode_seconds: what a frame takes to be decoded, about.
    """

    seconds: float
    decode_seconds: float


def attack_some(
    file: File, samples: Sequence[Sample], eyes: Eyes, keep: Sequence[KeptRegion], budget: Budget
) -> Tally:
    """Attacks frames of a finished video, the riskiest first.

    Args:
        file: the video.
        samples: the frames that may be looked at.
        eyes: who looks.
        keep: where text may stay.
        budget: what it may cost.

    Raises:
        AnonymizerError: result_unreadable, or detector_failed.
        Exception: whatever the stream itself raises.
    """
    look = _Look(file, samples, eyes, keep)
    deadline = perf_counter() + budget.seconds
    groups = look.planned(look.costs(budget.decode_seconds), 0.0, LEAST_FRAMES)
    look.at(groups, deadline=None)
    # What it takes is known better each time, and what is left is spent by that.
    while groups and (left := deadline - perf_counter()) > 0:
        groups = look.planned(look.costs(budget.decode_seconds), left, 0)
        look.at(groups, deadline=deadline)
    return _of_some_frames(look.tally)


def attack_every(file: File, samples: Iterable[Sample], eyes: Eyes, keep: Sequence[KeptRegion]) -> Tally:
    """Attacks every frame of a finished video, whatever that takes.

    Args:
        file: the video.
        samples: all its frames, in order; gone through once.
        eyes: who looks.
        keep: where text may stay.

    Raises:
        AnonymizerError: result_unreadable, or detector_failed.
        Exception: whatever the stream itself raises.
    """
    times = np.sort(np.asarray(file.contents.times, np.int64))
    tally, copies, left = Tally(), Copies(), iter(samples)
    sample = next(left, None)
    with _opened(file) as container:
        for frame, picture in decoded(container, times, [(int(times[0]), len(times) - 1)]):
            while sample is not None and sample.pts < times[frame]:
                sample = next(left, None)
            if sample is not None and sample.pts == times[frame]:
                tally = tally.plus(eyes.look(_whole(copies, picture), sample.covered, keep))
    return _of_some_frames(tally)


def _of_some_frames(tally: Tally) -> Tally:
    """Refuses an attack that has seen nothing.

    Raises:
        AnonymizerError: result_unreadable.
    """
    if not tally.frames_attacked:
        raise AnonymizerError("result_unreadable")
    return tally


@contextmanager
def _opened(file: File) -> Iterator[InputContainer]:
    file.stream.seek(0)
    try:
        with av.open(file.stream, "r", format="mp4") as container:
            container.streams.video[0].codec_context.thread_count = file.threads
            container.streams.video[0].thread_type = "AUTO"
            yield container
    except (av.FFmpegError, IndexError):
        raise AnonymizerError("result_unreadable") from None


def _whole(copies: Copies, picture: VideoFrame) -> Image:
    return copies.of(Picture(picture, 0, 0, 0.0), picture.width, picture.height)


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

    def __init__(self, file: File, samples: Sequence[Sample], eyes: Eyes, keep: Sequence[KeptRegion]) -> None:
        self.tally = Tally()
        self._file = file
        self._eyes = eyes
        self._keep = keep
        self._times = np.sort(np.asarray(file.contents.times, np.int64))
        self._begins = sorted(file.contents.times[place] for place in file.contents.keys)
        self._firsts = np.searchsorted(self._times, self._begins).tolist()
        self._samples: Mapping[int, Sample] = dict(self._found(samples))
        self._copies = Copies()
        self._seen: list[int] = []
        self._seeking, self._decoding, self._looking = _Mean(), _Mean(), _Mean()

    def _found(self, samples: Sequence[Sample]) -> Iterator[tuple[int, Sample]]:
        """Yields samples by the number of their frame in the file; one that is not there, quality tells."""
        for sample in samples:
            frame = int(np.searchsorted(self._times, sample.pts))
            if frame < len(self._times) and self._times[frame] == sample.pts:
                yield frame, sample

    def costs(self, decode_seconds: float) -> Costs:
        """Returns what things take, as measured; before that, by what a frame takes to be decoded, about."""
        return Costs(
            seek=self._seeking.of(2 * decode_seconds),
            decode=self._decoding.of(decode_seconds),
            look=self._looking.of(FIRST_LOOK_SECONDS),
        )

    def planned(self, costs: Costs, seconds: float, least: int) -> list[Group]:
        """Returns what to look at next."""
        frames = list(self._samples)
        risks = [self._samples[frame].risk for frame in frames]
        return planned(frames, risks, self._firsts, costs, seconds, least, self._seen)

    def at(self, groups: Sequence[Group], deadline: float | None) -> None:
        """Looks at frames until all are seen, or it is late."""
        if not groups:
            return
        with _opened(self._file) as container:
            for group in groups:
                if deadline is not None and perf_counter() >= deadline:
                    return
                begins = self._begins[bisect_left(self._firsts, group.first)]
                self._at(decoded(container, self._times, [(begins, group.frames[-1])]), group, deadline)

    def _at(self, frames: Iterator[tuple[int, VideoFrame]], group: Group, deadline: float | None) -> None:
        began, cost = perf_counter(), self._seeking
        for frame, picture in frames:
            decoded_at = perf_counter()
            cost.add(decoded_at - began)
            if frame in group.frames and frame in self._samples:
                self._look(frame, picture)
                self._looking.add(perf_counter() - decoded_at)
            if deadline is not None and perf_counter() >= deadline:
                return
            began, cost = perf_counter(), self._decoding

    def _look(self, frame: int, picture: VideoFrame) -> None:
        found = self._eyes.look(_whole(self._copies, picture), self._samples[frame].covered, self._keep)
        self.tally = self.tally.plus(found)
        self._seen.append(frame)


class _Mean:
    """Seconds that something takes."""

    def __init__(self) -> None:
        self._seconds, self._times = 0.0, 0

    def add(self, seconds: float) -> None:
        self._seconds, self._times = self._seconds + seconds, self._times + 1

    def of(self, before: float) -> float:
        """Returns the mean, or what was believed before anything was measured."""
        return self._seconds / self._times if self._times else before
