"""Some regions put back into an anonymized video or still, for some stretches of it; nothing else comes out.

What comes out is coded without loss, so that a restored pixel is the original's, to the bit. Of a video it is
the stretches alone, one after the other: the rest of the result is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO, Final

import cv2
from av.video.frame import VideoFrame

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.modes import MODES
from anonymizer.recovery.beneath import Beneath, put_back
from anonymizer.settings import Limits
from anonymizer.still import decode_still, planes_of
from anonymizer.video.picture import Picture, Plain
from anonymizer.video.reading import Reader, time_of
from anonymizer.video.writing import TICKS_PER_SECOND, Mp4Writer

Stretch = tuple[int, int]
"""First millisecond and end, from the first frame."""

_STILLS: Final = {"image/jpeg": Format.JPEG, "image/png": Format.PNG, "image/webp": Format.WEBP}
_VIDEO: Final = "video/mp4"
_MODE: Final = MODES["original"].lossless()
_MILLISECONDS: Final = 1000


@dataclass(frozen=True)
class Restored:
    """What came out.

    Attributes:
        media_type: of it.
        frames: how many.
        frames_restored: in how many of them something was put back.
    """

    media_type: str
    frames: int
    frames_restored: int


def restore(
    result: BinaryIO,
    media_type: str,
    sink: BinaryIO,
    released: Mapping[int, Iterator[Beneath]],
    stretches: Sequence[Stretch],
    limits: Limits,
    threads: int = 1,
) -> Restored:
    """Takes the covers of some things off, for a while.

    Args:
        result: the anonymized file, seekable.
        media_type: of it.
        sink: writable and seekable; gets an MP4 or a PNG.
        released: for each track what lay beneath its covers, in the order of frames; more than the stretches
            need is passed over.
        stretches: rising, none touching the next. A still is at 0.
        limits: what it may cost.
        threads: of decoder and encoder.

    Raises:
        AnonymizerError: record_refused, where a region does not fit; media_empty, where no frame lies in the
            stretches; media_unsupported; those of the decoder.
    """
    if media_type in _STILLS:
        return _restore_still(result, _STILLS[media_type], sink, released, stretches, limits)
    if media_type != _VIDEO:
        raise AnonymizerError("media_unsupported")
    reader = Reader(result, Format.MP4, limits, threads)
    try:
        return _restore_video(reader, sink, _ByFrame(released), stretches, limits, threads)
    finally:
        reader.close()


class _ByFrame:
    """What several tracks have for one frame after the other."""

    def __init__(self, released: Mapping[int, Iterator[Beneath]]) -> None:
        self._coming = dict(released)
        self._next: dict[int, Beneath] = {}

    def at(self, frame: int) -> list[tuple[int, Beneath]]:
        """Everything for a frame; numbers of frames rise from call to call."""
        found = []
        for track in list(self._coming):
            while (region := self._peek(track)) is not None and region.frame <= frame:
                del self._next[track]
                if region.frame == frame:
                    found.append((track, region))
        return found

    def _peek(self, track: int) -> Beneath | None:
        if track not in self._next:
            region = next(self._coming[track], None)
            if region is None:
                return None
            self._next[track] = region
        return self._next[track]


def _restore_video(
    reader: Reader,
    sink: BinaryIO,
    regions: _ByFrame,
    stretches: Sequence[Stretch],
    limits: Limits,
    threads: int,
) -> Restored:
    plain, writer = Plain(), None
    frames = restored = 0
    starts_at = None
    try:
        for number, decoded in enumerate(reader.frames(with_sound=False)):
            if not isinstance(decoded, VideoFrame):
                continue
            if number >= limits.max_frames:
                raise AnonymizerError("media_too_long")
            starts_at = time_of(decoded) if starts_at is None else starts_at
            since = (time_of(decoded) - starts_at) * _MILLISECONDS
            if since >= stretches[-1][1]:
                break
            cut_to = _after_cut(since, stretches)
            if cut_to is None:
                continue
            frame = plain.frame_of(decoded)
            pts = round(cut_to * TICKS_PER_SECOND / _MILLISECONDS)
            duration = round(decoded.duration * (decoded.time_base or 0) * TICKS_PER_SECOND)
            picture = Picture(frame, pts, max(1, duration), float(since / _MILLISECONDS))
            found = regions.at(number)
            put_back(picture.planes, found)
            if writer is None:
                writer = Mp4Writer(
                    sink,
                    frame,
                    _MODE,
                    source=reader.video,
                    rate=reader.frame_rate,
                    sound=None,
                    threads=threads,
                    transposed=False,
                )
            writer.write(picture)
            frames += 1
            restored += bool(found)
    except BaseException:
        if writer is not None:
            writer.abandon()
        raise
    if writer is None:
        raise AnonymizerError("media_empty")
    writer.finish()
    return Restored(_VIDEO, frames, restored)


def _restore_still(
    result: BinaryIO,
    kind: Format,
    sink: BinaryIO,
    released: Mapping[int, Iterator[Beneath]],
    stretches: Sequence[Stretch],
    limits: Limits,
) -> Restored:
    if _after_cut(Fraction(0), stretches) is None:
        raise AnonymizerError("media_empty")
    content = result.read(limits.max_still_bytes + 1)
    if len(content) > limits.max_still_bytes:
        raise AnonymizerError("media_too_large")
    image = decode_still(content, kind)
    found = _ByFrame(released).at(0)
    put_back(planes_of(image), found)
    done, encoded = cv2.imencode(".png", image)
    if not done:
        raise AnonymizerError("media_unsupported")
    sink.write(bytes(encoded))
    return Restored("image/png", 1, int(bool(found)))


def _after_cut(since: Fraction, stretches: Sequence[Stretch]) -> Fraction | None:
    """Where a moment lies once everything outside the stretches is gone; None where it is gone itself."""
    kept = 0
    for first, end in stretches:
        if first <= since < end:
            return since - first + kept
        kept += end - first
    return None
