"""Tells somebody what an original is made of, so that it can be committed to; they keep no pixel of it.

The anonymizer knows no hash and no key: whoever wants a commitment brings a committer
(`provenance.pieces.original` has the one that all use).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import BinaryIO, Protocol

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.native.pictures import PictureReader, native_still, time_us_of
from anonymizer.native.sound import exact_sound
from anonymizer.settings import Limits
from anonymizer.video.reading import time_of


class Committer(Protocol):
    """Takes an original, piece by piece, in order."""

    def frame(self, time_us: int, numbers: tuple[int, ...], planes: Sequence[bytes]) -> None:
        """Takes a decoded frame (`native.pictures`): its time, what describes its planes, and these."""

    def no_frames(self) -> None:
        """Hears that the frames cannot be told as planes: those that were count for nothing."""

    def sound(self, form: tuple[int, int, int], samples: bytes) -> None:
        """Takes decoded samples (`native.samples`)."""

    def no_sound(self) -> None:
        """Hears that the sound cannot be decoded exactly to its end: what was told counts for nothing."""


class FrameTeller:
    """Tells the frames of one video as they are decoded."""

    def __init__(self, committer: Committer) -> None:
        """Has told nothing."""
        self._committer = committer
        self._reader = PictureReader()
        self._begins: Fraction | None = None
        self._failed = False

    def tell(self, decoded: VideoFrame) -> None:
        """Tells the next frame. One that has no planes, or runs back in time, is no reason to fail a job."""
        if self._failed:
            return
        try:
            if self._begins is None:
                self._begins = time_of(decoded)
            picture = self._reader.picture_of(decoded)
            time_us = time_us_of(decoded, self._begins)
        except (AnonymizerError, av.FFmpegError, ValueError):
            self._failed = True
            self._committer.no_frames()
            return
        self._committer.frame(time_us, picture.numbers, picture.planes)


def tell_still(image: npt.NDArray[np.uint8], committer: Committer) -> None:
    """Tells a still, as `decode_still` gives it: one frame at time 0."""
    picture = native_still(image)
    committer.frame(0, picture.numbers, picture.planes)


def tell_sound(source: BinaryIO, kind: Format, limits: Limits, committer: Committer) -> None:
    """Tells the sound of a video or of a file of sound alone; leaves the stream at its start.

    Raises:
        Exception: whatever the stream itself raises.
    """
    source.seek(0)
    try:
        for samples in exact_sound(source, kind, limits):
            committer.sound(samples.numbers, samples.samples)
    except AnonymizerError:
        committer.no_sound()
    source.seek(0)
