"""The picture comes out upright, whole, in its shape and its colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.media_factory import face_clip
from tests.media_probe import describe, ffmpeg, pictures, size_of

COLOURS = ((220, 40, 40), (40, 200, 60), (40, 60, 220), (230, 220, 60))


def four_corners(width: int = 160, height: int = 96) -> np.ndarray:
    """Red, green / blue, yellow quarters: every turn and mirroring looks different."""
    image = np.zeros((height, width, 3), np.uint8)
    for index, colour in enumerate(COLOURS):
        top, left = index // 2 * height // 2, index % 2 * width // 2
        image[top : top + height // 2, left : left + width // 2] = colour
    return image


def corner_colours(picture: np.ndarray) -> list[int]:
    """Returns, for each corner, which of COLOURS it shows."""
    height, width = picture.shape[:2]
    points = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    points += [(3 * height // 4, width // 4), (3 * height // 4, 3 * width // 4)]
    seen = [picture[y - 2 : y + 3, x - 2 : x + 3].reshape(-1, 3).mean(axis=0) for y, x in points]
    return [int(np.abs(np.array(COLOURS) - colour).sum(axis=1).argmin()) for colour in seen]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("hflip", [False, True])
def test_a_display_matrix_is_applied_and_dropped(process, tmp_path: Path, rotation: int, hflip: bool) -> None:
    original = face_clip(
        tmp_path / "in.mp4", audio=False, fps=5, frames=[four_corners()] * 5, rotation=rotation, hflip=hflip
    )
    result = tmp_path / "out.mp4"
    report = process(original, result)
    shown = pictures(original)[0]
    assert (report.width, report.height) == (shown.shape[1], shown.shape[0])
    assert corner_colours(pictures(result)[0]) == corner_colours(shown)
    assert "displaymatrix" not in describe(result)


@pytest.mark.parametrize("size", [(161, 91), (160, 91), (161, 90), (33, 17)])
@pytest.mark.parametrize("rotation", [0, 90])
def test_an_odd_size_loses_nothing(process, tmp_path: Path, size: tuple[int, int], rotation: int) -> None:
    ramp = np.indices((size[1], size[0])).sum(axis=0)[:, :, None].repeat(3, axis=2).astype(np.uint8)
    original = face_clip(
        tmp_path / "in.mp4", audio=False, fps=5, frames=[ramp] * 3, video_codec="mpeg4", rotation=rotation
    )
    result = tmp_path / "out.mp4"
    process(original, result, mode="original")
    before, after = pictures(original)[0], pictures(result)[0]
    height, width = before.shape[:2]
    assert after.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(after[:height, :width].astype(int) - before).mean() < 4


@pytest.mark.parametrize(("rotation", "expected"), [(0, "SAR 4:3"), (90, "SAR 3:4")])
def test_pixels_that_are_not_square_stay_so(process, tmp_path: Path, rotation: int, expected: str) -> None:
    original = face_clip(
        tmp_path / "in.mp4", 0.5, 10, (160, 120), sample_aspect_ratio=Fraction(4, 3), rotation=rotation
    )
    process(original, tmp_path / "out.mp4")
    assert expected in describe(tmp_path / "out.mp4")


@pytest.mark.parametrize(
    ("suffix", "codec", "pixel_format"),
    [
        (".mkv", "libx264", "yuv420p10le"),
        (".mkv", "libx264", "yuv422p"),
        (".mkv", "libx264", "yuv444p"),
        (".mkv", "ffv1", "gray"),
        (".mkv", "ffv1", "bgr0"),
        (".mkv", "ffv1", "yuv420p16le"),
        (".avi", "mjpeg", "yuvj420p"),
        (".avi", "mjpeg", "yuvj422p"),
        (".avi", "mjpeg", "yuvj444p"),
        (".mov", "prores_ks", "yuv422p10le"),
        (".gif", "gif", "rgb8"),
    ],
)
def test_colours_survive_any_pixel_format(
    process, tmp_path: Path, suffix: str, codec: str, pixel_format: str
) -> None:
    original = face_clip(
        tmp_path / f"in{suffix}", audio=False, fps=5, frames=[four_corners()] * 3,
        video_codec=codec, pixel_format=pixel_format,
    )  # fmt: skip
    result = tmp_path / "out.mp4"
    process(original, result, mode="original")
    before, after = pictures(original)[1].astype(int), pictures(result)[1].astype(int)
    quarters = [(slice(10, 38), slice(10, 70)), (slice(58, 86), slice(90, 150))]
    for rows, columns in quarters:
        assert (
            np.abs(after[rows, columns].mean(axis=(0, 1)) - before[rows, columns].mean(axis=(0, 1))).max() < 8
        )
    assert "yuv420p" in describe(result) or "yuvj420p" in describe(result)


@pytest.mark.parametrize(("trc", "primaries"), [("smpte2084", "bt2020"), ("arib-std-b67", "bt2020")])
def test_high_dynamic_range_becomes_ordinary(process, tmp_path: Path, trc: str, primaries: str) -> None:
    plain = face_clip(tmp_path / "plain.mp4", audio=False, fps=5, frames=[four_corners()] * 3)
    original = tmp_path / "hdr.mkv"
    ffmpeg(
        "-i", str(plain), "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none",
        "-color_trc", trc, "-color_primaries", primaries, "-colorspace", "bt2020nc", str(original),
    )  # fmt: skip
    report = process(original, tmp_path / "out.mp4")
    assert report.frames == 3
    shown = describe(tmp_path / "out.mp4")
    assert "smpte2084" not in shown
    assert "arib" not in shown
    assert corner_colours(pictures(tmp_path / "out.mp4")[0]) == [0, 1, 2, 3]


def test_interlaced_fields_are_not_combed(process, tmp_path: Path) -> None:
    def bar(left: int) -> np.ndarray:
        image = np.full((96, 160, 3), 40, np.uint8)
        image[:, left : left + 40] = 220
        return image

    woven = []
    for moment in range(0, 40, 4):
        frame = bar(20 + moment * 2)
        frame[1::2] = bar(20 + moment * 2 + 4)[1::2]
        woven.append(frame)
    original = face_clip(
        tmp_path / "in.mkv",
        audio=False,
        fps=25,
        frames=woven,
        options={"x264-params": "tff=1", "flags": "+ildct"},
    )
    with av.open(str(original)) as container:
        assert next(container.decode(video=0)).interlaced_frame, "the test clip is not interlaced"
    process(original, tmp_path / "out.mp4", mode="original")
    after = pictures(tmp_path / "out.mp4")[5].astype(int)
    assert np.abs(after[31:60:2] - after[30:59:2]).mean() < 3
    assert "progressive" in describe(tmp_path / "out.mp4")


def test_the_face_stays_where_it_was_and_the_rest_is_unchanged(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 1, 10, (320, 180))
    process(original, tmp_path / "out.mp4", mode="original")
    before, after = pictures(original), pictures(tmp_path / "out.mp4")
    assert size_of(original) == size_of(tmp_path / "out.mp4")
    for one, other in zip(before, after, strict=True):
        corner = np.s_[-60:, -60:]
        assert cv2.PSNR(np.ascontiguousarray(one[corner]), np.ascontiguousarray(other[corner])) > 32


def test_a_size_that_changes_midway_is_refused(process, tmp_path: Path, refused) -> None:
    parts = b""
    for size in ((160, 96), (96, 160)):
        face_clip(tmp_path / "part.mp4", 0.4, 10, size, audio=False)
        parts += ffmpeg("-i", str(tmp_path / "part.mp4"), "-c", "copy", "-f", "h264", "-")
    original = tmp_path / "in.mkv"
    ffmpeg("-f", "h264", "-r", "10", "-i", "-", "-c", "copy", str(original), stdin=parts)
    refused("media_size_changed", original)
