"""Nothing but picture and sound comes out: what is planted in an original is in no byte of the result."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.media_factory import KINDS, MARKER, face_clip, face_image
from tests.media_probe import describe, ffmpeg, pictures

# What muxers and encoders like to leave behind.
SIGNATURES = [MARKER, b"x264", b"Lavf", b"Lavc", b"libx264", b"options:", b"2021"]


@pytest.mark.parametrize("suffix", [suffix for suffix in KINDS if suffix != ".gif"])
@pytest.mark.parametrize("audio", ["keep", "remove"])
def test_no_planted_byte_survives_in_a_video(process, tmp_path: Path, suffix: str, audio: str) -> None:
    original = face_clip(tmp_path / f"in{suffix}", 0.5, 10, (160, 90), planted=True)
    assert MARKER in original.read_bytes(), "the test plants nothing"
    result = tmp_path / "out.mp4"
    process(original, result, audio=audio)
    written = result.read_bytes()
    for signature in SIGNATURES:
        assert signature not in written
    assert "Chapter" not in describe(result)


def test_creation_times_are_zero(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 0.5, 10, (160, 90), planted=True)
    process(original, tmp_path / "out.mp4")
    written = (tmp_path / "out.mp4").read_bytes()
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        at = written.index(box) + 8
        assert written[at : at + 8] == bytes(8), box


def test_no_supplemental_message_is_left_in_the_video(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 1, 25, (160, 90), audio=False)
    process(original, tmp_path / "out.mp4", mode="quality")
    kinds = set()
    with av.open(str(tmp_path / "out.mp4")) as container:
        for packet in container.demux(video=0):
            body, at = bytes(packet), 0
            while at + 4 < len(body):
                kinds.add(body[at + 4] & 0x1F)
                at += 4 + int.from_bytes(body[at : at + 4], "big")
    assert kinds <= {1, 5, 7, 8, 9}
    assert 5 in kinds


def test_captions_and_other_streams_stay_behind(process, tmp_path: Path) -> None:
    plain = face_clip(tmp_path / "plain.mp4", 1, 10, (160, 90))
    subtitles = tmp_path / "talk.srt"
    subtitles.write_bytes(b"1\n00:00:00,000 --> 00:00:01,000\n" + MARKER + b"\n")
    cover = face_image(tmp_path / "cover.png", (64, 64))
    original = tmp_path / "in.mkv"
    attach = ["-attach", str(subtitles), "-metadata:s:t", "mimetype=text/plain"]
    inputs = ["-i", str(plain), "-i", str(subtitles), "-i", str(cover), "-i", str(plain)]
    ffmpeg(
        *inputs, *attach, "-map", "0", "-map", "1", "-map", "2", "-map", "3:v", "-c", "copy", "-c:s", "srt",
        "-disposition:v:1", "attached_pic", str(original),
    )  # fmt: skip
    assert MARKER in original.read_bytes()
    process(original, tmp_path / "out.mp4")
    shown = describe(tmp_path / "out.mp4")
    assert shown.count("Stream #") == 2
    assert MARKER not in (tmp_path / "out.mp4").read_bytes()


def test_the_picture_is_chosen_before_the_cover_art(process, tmp_path: Path) -> None:
    plain = face_clip(tmp_path / "plain.mp4", 1, 10, (160, 90))
    cover = face_image(tmp_path / "cover.png", (64, 64))
    original = tmp_path / "in.mp4"
    ffmpeg(
        "-i", str(cover), "-i", str(plain), "-map", "0", "-map", "1:v", "-c", "copy",
        "-disposition:v:0", "attached_pic", str(original),
    )  # fmt: skip
    report = process(original, tmp_path / "out.mp4")
    assert (report.width, report.height, report.frames) == (160, 90, 10)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_no_planted_byte_survives_in_a_still(process, tmp_path: Path, suffix: str) -> None:
    original = face_image(tmp_path / f"in{suffix}", planted=True, orientation=6)
    assert MARKER in original.read_bytes(), "the test plants nothing"
    result = tmp_path / f"out{suffix}"
    process(original, result)
    written = result.read_bytes()
    for signature in [MARKER, b"Exif", b"EXIF", b"eXIf", b"tEXt", b"XMP", b"http"]:
        assert signature not in written


def test_the_same_original_gives_the_same_bytes(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 0.5, 10, (160, 90))
    for name in ("one.mp4", "two.mp4"):
        process(original, tmp_path / name, threads=1)
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert len(pictures(tmp_path / "one.mp4")) == 5
