"""The pictures of a video or of a still, as RGB, upright, by the anonymizer's own readers.

So an original's pictures come out as they went into the covering, frame by frame those of its result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, Final

import cv2
import numpy as np
from av.audio.frame import AudioFrame

from anonymizer import AnonymizerError, Limits
from anonymizer.intake.sniff import Format, sniff
from anonymizer.intake.still_size import still_header
from anonymizer.intake.wholeness import check_whole
from anonymizer.still import decode_still
from anonymizer.video.picture import Plain
from anonymizer.video.reading import Reader, time_of
from evaluation.comparison.changed import Pixels

THREADS: Final = 2
ON_TRANSPARENT: Final = 255


@dataclass(frozen=True)
class Shown:
    """One picture of a video.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        time: seconds from the first one.
        duration: seconds.
    """

    pixels: Pixels
    time: Fraction
    duration: Fraction


def kind_of(stream: BinaryIO) -> Format:
    """Tells what a file is, and checks that all of it is there.

    Raises:
        AnonymizerError: with one of the media codes.
    """
    kind = sniff(stream)
    check_whole(stream, kind, Limits())
    return kind


def still(stream: BinaryIO, kind: Format) -> Pixels:
    """Returns a still, transparency on white.

    Raises:
        AnonymizerError: with one of the media codes.
    """
    limits = Limits()
    content = stream.read(limits.max_still_bytes + 1)
    if len(content) > limits.max_still_bytes:
        raise AnonymizerError("media_too_large")
    still_header(content, kind, limits)
    image = decode_still(content, kind)
    if image.shape[2] == 4:
        share = image[:, :, 3:].astype(np.uint16)
        image = ((image[:, :, :3] * share + ON_TRANSPARENT * (255 - share)) // 255).astype(np.uint8)
    code = cv2.COLOR_GRAY2RGB if image.shape[2] == 1 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code), np.uint8)


class Film:
    """A video, open for reading once.

    Attributes:
        reader: the container.
    """

    def __init__(self, stream: BinaryIO, kind: Format) -> None:
        """Opens it.

        Raises:
            AnonymizerError: with one of the media codes.
        """
        self.reader = Reader(stream, kind, Limits(), THREADS)

    def pictures(self) -> Iterator[Shown]:
        """Decodes to the end.

        Raises:
            AnonymizerError: with one of the media codes.
        """
        plain, begins = Plain(), None
        for frame in self.reader.frames(with_sound=False):
            if isinstance(frame, AudioFrame):
                continue
            begins = time_of(frame) if begins is None else begins
            pixels = np.asarray(plain.frame_of(frame).to_ndarray(format="rgb24"), np.uint8)
            tick = frame.time_base or Fraction(0)
            yield Shown(pixels, time_of(frame) - begins, frame.duration * tick)

    def close(self) -> None:
        """Frees the decoders."""
        self.reader.close()
