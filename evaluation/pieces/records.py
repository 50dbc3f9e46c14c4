"""What goes through the pipe from the process that decodes: frames, sound, and how it ended.

A record is one letter and what belongs to it; numbers are big-endian. The reader believes nothing: every
length follows from numbers that were checked before anything of that length is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, Final

from evaluation.errors import EvaluationError
from provenance.pieces.cutting import PictureShape
from provenance.pieces.errors import PiecesError

MOST_SAMPLES_BYTES: Final = 1 << 24
MOST_CODE_BYTES: Final = 64
DONE: Final = "done"
# What the other side may say went wrong; a decoder that was taken over says nothing else to a person.
CODES: Final = frozenset(
    {
        "media_corrupt",
        "media_empty",
        "media_no_video",
        "media_size_changed",
        "media_too_large",
        "media_too_long",
        "media_truncated",
        "media_unknown_format",
        "media_unsupported",
        "wall_failed",
        "wall_floor_missing",
    }
)

_FRAME = struct.Struct(">q5I")
_SOUND = struct.Struct(">3II")
_BEGINS = struct.Struct(">q?")
_LOOKS = struct.Struct(">?3B2I")


@dataclass(frozen=True)
class Frame:
    """A decoded frame: microseconds since the first one, the numbers of its planes, and these."""

    time_us: int
    numbers: tuple[int, ...]
    planes: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True)
class Sound:
    """Decoded samples: (samples a second, channels, bytes a sample), and these, interleaved."""

    numbers: tuple[int, int, int]
    samples: bytes = field(repr=False)


@dataclass(frozen=True)
class SoundBegins:
    """When the sound begins, in microseconds from the first frame, which may be later; whether its samples
    are fractions and not whole numbers."""

    time_us: int
    is_float: bool


@dataclass(frozen=True)
class Looks:
    """How pictures are to be shown; no commitment is over this.

    Attributes:
        is_rgb: the planes are green, blue and red.
        bits: of a sample that count.
        color_range: FFmpeg's number: 1 for limited, 2 for full.
        colorspace: FFmpeg's number.
        aspect: of a sample, as a fraction.
    """

    is_rgb: bool
    bits: int
    color_range: int
    colorspace: int
    aspect: tuple[int, int]


@dataclass(frozen=True)
class Taken:
    """The frames, or the sound, that were told count for nothing: they are not of one form to their end."""

    kind: str


Record = Frame | Sound | SoundBegins | Looks | Taken


class RecordWriter:
    """Writes records; a committer, as those who tell what a file is made of take one."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink

    def frame(self, time_us: int, numbers: tuple[int, ...], planes: Sequence[bytes]) -> None:
        """Writes a frame."""
        self._sink.write(b"F" + _FRAME.pack(time_us, *numbers))
        for plane in planes:
            self._sink.write(plane)

    def sound(self, form: tuple[int, int, int], samples: bytes) -> None:
        """Writes samples."""
        self._sink.write(b"S" + _SOUND.pack(*form, len(samples)) + samples)

    def sound_begins(self, time_us: int, *, is_float: bool) -> None:
        """Writes when the sound begins."""
        self._sink.write(b"B" + _BEGINS.pack(time_us, is_float))

    def looks(self, looks: Looks) -> None:
        """Writes how pictures are to be shown."""
        numbers = (looks.color_range, looks.colorspace, *looks.aspect)
        self._sink.write(b"L" + _LOOKS.pack(looks.is_rgb, looks.bits, *numbers))

    def no_frames(self) -> None:
        """Takes the frames back."""
        self._sink.write(b"f")

    def no_sound(self) -> None:
        """Takes the sound back."""
        self._sink.write(b"s")

    def end(self, code: str) -> None:
        """Writes how it ended: `DONE`, or the code of what went wrong."""
        word = code.encode("ascii")[:MOST_CODE_BYTES]
        self._sink.write(b"E" + bytes([len(word)]) + word)
        self._sink.flush()


def read_records(untrusted_stream: BinaryIO) -> Iterator[Record]:
    """Reads records to the end.

    Args:
        untrusted_stream: the pipe; holds one frame at a time.

    Raises:
        EvaluationError: the code that the other side gives, or `decoder_failed`: it broke off, or what came
            is no record.
    """
    while True:
        letter = untrusted_stream.read(1)
        if letter == b"E":
            _end(untrusted_stream)
            return
        yield _record(letter, untrusted_stream)


def _record(letter: bytes, untrusted_stream: BinaryIO) -> Record:
    if letter == b"F":
        time_us, *numbers = _FRAME.unpack(_exactly(untrusted_stream, _FRAME.size))
        try:
            shape = PictureShape(*numbers)
        except PiecesError:
            raise EvaluationError("decoder_failed") from None
        lengths = [width * height * shape.sample_bytes for width, height in shape.planes]
        return Frame(time_us, shape.numbers, tuple(_exactly(untrusted_stream, length) for length in lengths))
    if letter == b"S":
        rate, channels, sample_bytes, length = _SOUND.unpack(_exactly(untrusted_stream, _SOUND.size))
        if length > MOST_SAMPLES_BYTES:
            raise EvaluationError("decoder_failed")
        return Sound((rate, channels, sample_bytes), _exactly(untrusted_stream, length))
    if letter == b"B":
        return SoundBegins(*_BEGINS.unpack(_exactly(untrusted_stream, _BEGINS.size)))
    if letter == b"L":
        is_rgb, bits, color_range, colorspace, *aspect = _LOOKS.unpack(
            _exactly(untrusted_stream, _LOOKS.size)
        )
        return Looks(is_rgb, bits, color_range, colorspace, (aspect[0], aspect[1]))
    if letter in {b"f", b"s"}:
        return Taken("frames" if letter == b"f" else "audio")
    raise EvaluationError("decoder_failed")


def _end(untrusted_stream: BinaryIO) -> None:
    length = _exactly(untrusted_stream, 1)[0]
    word = _exactly(untrusted_stream, min(length, MOST_CODE_BYTES))
    if word == DONE.encode():
        return
    code = next((known for known in CODES if known.encode() == word), None)
    if code is None:
        raise EvaluationError("decoder_failed")
    raise EvaluationError(code, f"The file cannot be decoded ({code}).")


def _exactly(untrusted_stream: BinaryIO, length: int) -> bytes:
    read = untrusted_stream.read(length)
    if len(read) != length:
        raise EvaluationError("decoder_failed")
    return read
