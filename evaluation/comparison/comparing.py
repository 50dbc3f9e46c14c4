"""The whole way of a comparison: an original and its result in, one video or picture out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import chain, zip_longest
from typing import BinaryIO, Final

import av
import cv2
from av.video.reformatter import ColorRange, Colorspace

from anonymizer import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.modes import MODES
from anonymizer.video.picture import PIXEL_FORMAT, Picture
from anonymizer.video.writing import Mp4Writer
from evaluation.comparison.changed import Pixels, changed
from evaluation.comparison.panels import cover, side_by_side, stacked
from evaluation.comparison.reading import THREADS, Film, Shown, kind_of, still
from evaluation.errors import EvaluationError

VIDEO_SUFFIXES: Final = frozenset({".mp4", ".m4v"})
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
MOMENTS: Final = 4
JPEG_QUALITY: Final = 88


@dataclass(frozen=True)
class Comparison:
    """What was compared.

    Attributes:
        frames: pictures of each side; 1 for stills.
        changed_frames: of them, how many were changed beyond what an encoder does.
        changed_share: how much of the picture was, on the mean over all frames, 0 to 1.
        is_open: whether the original is in it.
    """

    frames: int
    changed_frames: int
    changed_share: float
    is_open: bool


def compare(
    original: BinaryIO, result: BinaryIO, sink: BinaryIO, suffix: str, *, is_open: bool = False
) -> Comparison:
    """Puts an original and its result side by side.

    Args:
        original: what was handed in: readable, seekable.
        result: what came of it.
        sink: takes the comparison: writable, seekable, empty.
        suffix: of what is wanted: a video of videos, or a picture (of a video, four moments of it).
        is_open: whether the left side shows the original as it is. Otherwise no pixel of it is in the
            comparison (see the package).

    Raises:
        EvaluationError: comparison_mismatch, comparison_format, media_unreadable, or one of the
            anonymizer's codes about media.
    """
    try:
        kinds = kind_of(original), kind_of(result)
        if kinds[0].is_still != kinds[1].is_still:
            raise EvaluationError("comparison_mismatch")
        if suffix not in PICTURE_SUFFIXES and (suffix not in VIDEO_SUFFIXES or kinds[0].is_still):
            raise EvaluationError("comparison_format")
        tally = _Tally(is_open)
        if kinds[0].is_still:
            sheet = tally.sheet(still(original, kinds[0]), still(result, kinds[1]))
            sink.write(_picture(sheet, suffix))
        else:
            _films(original, result, kinds, sink, suffix, tally)
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    except av.FFmpegError:
        raise EvaluationError("media_unreadable") from None
    return tally.comparison()


class _Tally:
    """Makes sheets, and counts what they show."""

    def __init__(self, is_open: bool) -> None:
        self._so_far = Comparison(0, 0, 0.0, is_open)

    def sheet(self, original: Pixels, result: Pixels) -> Pixels:
        if original.shape != result.shape:
            raise EvaluationError("comparison_mismatch")
        mask, so_far = changed(original, result), self._so_far
        self._so_far = replace(
            so_far,
            frames=so_far.frames + 1,
            changed_frames=so_far.changed_frames + int(mask.any()),
            changed_share=so_far.changed_share + float(mask.mean()),
        )
        left = original if so_far.is_open else cover(result, mask)
        return side_by_side(left, result, is_open=so_far.is_open)

    def comparison(self) -> Comparison:
        return replace(self._so_far, changed_share=self._so_far.changed_share / max(1, self._so_far.frames))


def _films(
    original: BinaryIO,
    result: BinaryIO,
    kinds: tuple[Format, Format],
    sink: BinaryIO,
    suffix: str,
    tally: _Tally,
) -> None:
    with ExitStack() as stack:
        before = stack.enter_context(closing(Film(original, kinds[0])))
        after = stack.enter_context(closing(Film(result, kinds[1])))
        sheets = _sheets(before, after, tally)
        first = next(sheets, None)
        if first is None:
            raise EvaluationError("comparison_mismatch")
        if suffix in VIDEO_SUFFIXES:
            _write_film(chain([first], sheets), first.pixels, after, sink)
        else:
            frames = max(1, after.reader.frames_expected)
            wanted = {round((moment + 0.5) / MOMENTS * (frames - 1)) for moment in range(MOMENTS)}
            kept = [sheet.pixels for index, sheet in enumerate(chain([first], sheets)) if index in wanted]
            sink.write(_picture(stacked(kept), suffix))


def _sheets(before: Film, after: Film, tally: _Tally) -> Iterator[Shown]:
    for left, right in zip_longest(before.pictures(), after.pictures()):
        if left is None or right is None:
            raise EvaluationError("comparison_mismatch")
        yield replace(right, pixels=tally.sheet(left.pixels, right.pixels))


def _write_film(sheets: Iterator[Shown], first: Pixels, after: Film, sink: BinaryIO) -> None:
    """Encodes the sheets as any result is, without sound and without a word about where they came from."""
    writer = Mp4Writer(
        sink,
        _frame(first),
        MODES["quality"],
        source=after.reader.video,
        rate=after.reader.frame_rate,
        sound=None,
        threads=THREADS,
        transposed=False,
    )
    try:
        for sheet in sheets:
            pts, duration = (round(time / writer.time_base) for time in (sheet.time, sheet.duration))
            writer.write(Picture(_frame(sheet.pixels), pts, max(1, duration), float(sheet.time)))
    except BaseException:
        writer.abandon()
        raise
    writer.finish()


def _frame(pixels: Pixels) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
        format=PIXEL_FORMAT, dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG, threads=1
    )


def _picture(sheet: Pixels, suffix: str) -> bytes:
    options = [int(cv2.IMWRITE_JPEG_QUALITY), JPEG_QUALITY] if suffix in {".jpg", ".jpeg"} else []
    done, encoded = cv2.imencode(suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), options)
    if not done:
        raise EvaluationError("comparison_format")
    return bytes(encoded)
