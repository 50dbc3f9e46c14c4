"""A stretch of an original written so that nothing of it is lost: FFV1 and PCM in Matroska, or a PNG.

The planes go into the file as they were decoded; what a player needs to show them rightly (colours, range,
the shape of a sample) is written beside them, and proven by nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from heapq import merge
from mmap import mmap
from pathlib import Path
from typing import Final, cast

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from evaluation.errors import EvaluationError
from evaluation.pieces.records import Frame, Looks

_PCM: Final = {
    (1, False): ("pcm_u8", "u8"),
    (2, False): ("pcm_s16le", "s16"),
    (4, False): ("pcm_s32le", "s32"),
    (4, True): ("pcm_f32le", "flt"),
    (8, True): ("pcm_f64le", "dbl"),
}
_CHROMA: Final = {
    (1, 1): "yuv444p",
    (2, 1): "yuv422p",
    (2, 2): "yuv420p",
    (1, 2): "yuv440p",
    (4, 1): "yuv411p",
}
AnyFrame = av.VideoFrame | av.AudioFrame

_US: Final = Fraction(1, 1_000_000)
_SAMPLES_AT_ONCE: Final = 4096
_LAYOUTS: Final = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


@dataclass(frozen=True)
class PartSound:
    """The sound of a part.

    Attributes:
        numbers: samples a second, channels, bytes a sample.
        is_float: whether samples are fractions.
        begins_us: from the part's first frame; below zero if it begins before that.
        samples: interleaved.
    """

    numbers: tuple[int, int, int]
    is_float: bool
    begins_us: int
    samples: bytes | mmap


def write_clip(
    target: Path, frames: Iterable[Frame], frame_count: int, looks: Looks | None, sound: PartSound | None
) -> None:
    """Writes a clip.

    Args:
        target: takes a Matroska file.
        frames: their times count from the first one of the original; none for sound alone.
        frame_count: how many; 0 for none.
        looks: how they are to be shown.
        sound: beside them, or alone.

    Raises:
        EvaluationError: `part_unwritable`: no lossless form of this room holds such pictures or sound.
    """
    pictures = iter(frames)
    first = next(pictures, None) if frame_count else None
    try:
        with av.open(str(target), "w", format="matroska", options={"fflags": "bitexact"}) as container:
            video = None if first is None else _video_stream(container, first, looks)
            audio = None if sound is None else _audio_stream(container, sound)
            # Who comes later waits: the file itself begins at zero.
            lead_us = 0 if sound is None else max(0, -sound.begins_us)
            shown: Iterator[AnyFrame] = _shown(first, pictures, looks, lead_us)
            heard: Iterator[AnyFrame] = iter(()) if sound is None else _sound_frames(sound)
            # Ordered by time, so that a player need not look for what belongs together.
            for frame in merge(shown, heard, key=_time):
                if isinstance(frame, av.AudioFrame):
                    container.mux(cast("AudioStream", audio).encode(frame))
                else:
                    container.mux(cast("VideoStream", video).encode(frame))
            for stream in (video, audio):
                if stream is not None:
                    container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError) as error:
        raise EvaluationError("part_unwritable") from error


def write_still(target: Path, frame: Frame) -> None:
    """Writes a picture of 8 bits as a PNG.

    Raises:
        EvaluationError: `part_unwritable`.
    """
    width, height, chroma_width, _, _ = frame.numbers
    planes = [np.frombuffer(plane, np.uint8).reshape(height, width) for plane in frame.planes]
    green_blue_red = planes if chroma_width else planes * 3
    pixels = planes[0] if not chroma_width else np.dstack([green_blue_red[at] for at in (1, 0, 2)])
    done, encoded = cv2.imencode(".png", pixels)
    if not done:
        raise EvaluationError("part_unwritable")
    target.write_bytes(bytes(encoded))


def _shown(
    first: Frame | None, rest: Iterator[Frame], looks: Looks | None, lead_us: int
) -> Iterator[av.VideoFrame]:
    if first is None:
        return
    yield _picture(first, looks, lead_us)
    for frame in rest:
        yield _picture(frame, looks, lead_us + frame.time_us - first.time_us)


def _time(frame: AnyFrame) -> Fraction:
    if frame.pts is None or frame.time_base is None:
        raise AssertionError("every frame here was given a time")
    return frame.pts * frame.time_base


def _video_stream(container: av.container.OutputContainer, first: Frame, looks: Looks | None) -> VideoStream:
    stream = container.add_stream("ffv1", rate=25, options={"level": "3", "g": "1", "slicecrc": "1"})
    form = _form_of(first.numbers, looks)
    stream.width, stream.height = first.numbers[:2]
    stream.pix_fmt = "bgr0" if form == "gbrp" else form
    stream.codec_context.time_base = _US
    stream.codec_context.thread_count = 1
    if looks is not None:
        stream.codec_context.color_range = looks.color_range
        if form != "gbrp":
            stream.codec_context.colorspace = looks.colorspace
        if all(looks.aspect):
            stream.codec_context.sample_aspect_ratio = Fraction(*looks.aspect)
    return stream


def _form_of(numbers: tuple[int, ...], looks: Looks | None) -> str:
    width, height, chroma_width, chroma_height, sample_bytes = numbers
    depth = "" if sample_bytes == 1 else f"{16 if looks is None else max(looks.bits, 9)}le"
    if not chroma_width:
        return f"gray{depth}"
    if looks is not None and looks.is_rgb:
        return f"gbrp{depth}"
    for (across, down), name in _CHROMA.items():
        if (-(-width // across), -(-height // down)) == (chroma_width, chroma_height):
            return f"{name}{depth}"
    raise EvaluationError("part_unwritable")


def _picture(frame: Frame, looks: Looks | None, at_us: int) -> av.VideoFrame:
    form = _form_of(frame.numbers, looks)
    width, height, *chroma, sample_bytes = frame.numbers
    if form == "gbrp":
        green, blue, red = (np.frombuffer(plane, np.uint8).reshape(height, width) for plane in frame.planes)
        made = av.VideoFrame.from_ndarray(np.dstack([red, green, blue]), format="rgb24").reformat(
            format="bgr0"
        )
    else:
        made = av.VideoFrame(width, height, form)
        sides = [(width, height), tuple(chroma), tuple(chroma)]
        for plane, (across, down), given in zip(made.planes, sides, frame.planes, strict=False):
            lines = np.frombuffer(memoryview(plane), np.uint8)[: plane.height * plane.line_size]
            target = lines.reshape(plane.height, plane.line_size)[:, : across * sample_bytes]
            target[:] = np.frombuffer(given, np.uint8).reshape(down, across * sample_bytes)
    made.pts, made.time_base = at_us, _US
    return made


def _audio_stream(container: av.container.OutputContainer, sound: PartSound) -> AudioStream:
    rate, channels, sample_bytes = sound.numbers
    named = _PCM.get((sample_bytes, sound.is_float))
    if named is None or channels not in _LAYOUTS:
        raise EvaluationError("part_unwritable")
    stream = cast("AudioStream", container.add_stream(named[0], rate=rate, layout=_LAYOUTS[channels]))
    stream.codec_context.time_base = Fraction(1, rate)
    return stream


def _sound_frames(sound: PartSound) -> Iterator[av.AudioFrame]:
    rate, channels, sample_bytes = sound.numbers
    _, form = _PCM[sample_bytes, sound.is_float]
    begins = max(0, sound.begins_us) * rate // 1_000_000
    kinds: dict[str, npt.DTypeLike] = {
        "u8": np.uint8,
        "s16": np.int16,
        "s32": np.int32,
        "flt": np.float32,
        "dbl": np.float64,
    }
    samples = np.frombuffer(sound.samples, kinds[form]).reshape(-1, channels)
    for at in range(0, len(samples), _SAMPLES_AT_ONCE):
        block = samples[at : at + _SAMPLES_AT_ONCE].reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format=form, layout=_LAYOUTS[channels])
        frame.sample_rate, frame.pts, frame.time_base = rate, begins + at, Fraction(1, rate)
        yield frame
