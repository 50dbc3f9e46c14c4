"""What a file tells without saying it: who wrote it, on which clock, in which order.

The same pictures and sounds, stored by other programs in other ways, give the same bytes; and a result has no
part but those that are named here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from tests.media_factory import face_picture, png_chunk
from tests.media_probe import ffmpeg
from tests.security.metadata.running import anonymized
from tests.security.metadata.stills import box, plain_still
from tests.security.metadata.videos import plain_video

# Who else might have written the same streams, and how: FFmpeg's options and the file's ending.
WRITERS = {
    "a phone's clock": (["-video_track_timescale", "600"], ".mov"),
    "a broadcaster's clock": (["-video_track_timescale", "90000"], ".mp4"),
    "an editor's clock": (["-video_track_timescale", "30000", "-movie_timescale", "30000"], ".mp4"),
    "the index first": (["-movflags", "+faststart"], ".mp4"),
    "QuickTime": ([], ".mov"),
    "a brand of its own": (["-brand", "avc1"], ".mp4"),
    "another order": (["-map", "0:a", "-map", "0:v"], ".mp4"),
}
# These do not say how much of the sound is the codec's run-up: the sound is another, and longer by it.
SILENT_WRITERS = {
    "in fragments": (["-movflags", "+frag_keyframe+empty_moov+default_base_moof"], ".mp4"),
    "Matroska": ([], ".mkv"),
}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """An original and its result."""
    original = plain_video(tmp_path_factory.mktemp("derived") / "in.mp4")
    return original, anonymized(original.read_bytes())


@pytest.mark.parametrize("writer", WRITERS)
def test_the_writer_of_a_video_cannot_be_told(video: tuple[Path, bytes], tmp_path: Path, writer: str) -> None:
    original, result = video
    again = rewritten(original, tmp_path, *WRITERS[writer])
    assert again.read_bytes() != original.read_bytes()
    assert anonymized(again.read_bytes()) == result


@pytest.mark.parametrize("writer", SILENT_WRITERS)
def test_the_writer_of_a_silent_video_cannot_be_told(
    video: tuple[Path, bytes], tmp_path: Path, writer: str
) -> None:
    silent = rewritten(video[0], tmp_path, ["-an"], ".mp4")
    again = rewritten(silent, tmp_path, *SILENT_WRITERS[writer])
    assert anonymized(again.read_bytes()) == anonymized(silent.read_bytes())


def rewritten(original: Path, folder: Path, options: list[str], suffix: str) -> Path:
    """The same streams by another writer."""
    again = folder / f"{original.stem}again{suffix}"
    ffmpeg("-i", str(original), "-c", "copy", *options, str(again))
    return again


def test_a_video_holds_the_boxes_that_it_needs(video: tuple[Path, bytes]) -> None:
    found = list(boxes(video[1]))
    assert {name for name, _ in found} <= NEEDED
    # An empty list of tags, as the muxer always writes it.
    assert dict(found)["udta"] == NO_TAGS
    content = dict(found)
    assert content["free"] == b""
    assert content["ftyp"] == b"isom\0\0\2\0isomiso2avc1mp41"
    assert {body[20:] for name, body in found if name == "hdlr"} <= {
        bytes(4) + b"VideoHandler\0",
        bytes(4) + b"SoundHandler\0",
    }
    clocks = [struct.unpack_from(">I", body, 12)[0] for name, body in found if name in {"mvhd", "mdhd"}]
    assert clocks == [720_000, 720_000, 48_000], "the same for every result, but for the sound's rate"


NEEDED = {
    "ftyp", "free", "mdat", "moov", "mvhd", "udta", "trak", "tkhd", "edts", "elst", "mdia", "mdhd",
    "hdlr", "minf", "vmhd", "smhd", "dinf", "dref", "url ", "stbl", "stsd", "stts", "stss", "stsc",
    "stsz", "stco", "ctts", "sgpd", "sbgp", "btrt", "avc1", "avcC", "mp4a", "esds", "pasp", "colr",
}  # fmt: skip
NO_TAGS = box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9)) + box(b"ilst", b""))
CONTAINERS = {"moov", "trak", "edts", "mdia", "minf", "dinf", "stbl"}
INSIDE = {"stsd": 8, "dref": 8, "avc1": 78, "mp4a": 28}


def boxes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Every box of an MP4, outside in, with its body."""
    at = 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        assert 8 <= size <= len(content) - at
        body, kind = content[at + 8 : at + size], name.decode("latin-1")
        yield kind, body
        if kind in CONTAINERS or kind in INSIDE:
            yield from boxes(body[INSIDE.get(kind, 0) :])
        at += size


STORED = {
    "progressive": [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "with its own code tables": [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
    "with restarts": [cv2.IMWRITE_JPEG_RST_INTERVAL, 3],
}


@pytest.mark.parametrize("way", STORED)
def test_how_a_jpeg_was_stored_cannot_be_told(way: str) -> None:
    """The same coefficients in another order, with other tables."""
    picture = face_picture((320, 320))[:, :, ::-1]
    quality = [cv2.IMWRITE_JPEG_QUALITY, 91]
    plain, other = (
        cv2.imencode(".jpg", picture, [*quality, *options])[1].tobytes() for options in ([], STORED[way])
    )
    assert plain != other
    assert anonymized(plain) == anonymized(other)


@pytest.mark.parametrize("quality", [50, 75, 98])
def test_a_jpeg_holds_the_segments_that_it_needs_and_tables_of_ours(quality: int) -> None:
    original = cv2.imencode(".jpg", face_picture((320, 320)), [cv2.IMWRITE_JPEG_QUALITY, quality])[
        1
    ].tobytes()
    result = anonymized(original)
    found = list(segments(result))
    assert [marker for marker, _ in found] == [0xE0, 0xDB, 0xDB, 0xC0, 0xC4, 0xC4, 0xC4, 0xC4, 0xDA]
    assert found[0][1] == b"JFIF\0\1\1\0\0\1\0\1\0\0"
    assert result.endswith(b"\xff\xd9")
    assert result.count(b"\xff\xd9") == 1
    # Quantization tables name the maker of a camera: the result's do not follow the original's.
    tables = [body for marker, body in found if marker == 0xDB]
    other = anonymized(
        cv2.imencode(".jpg", face_picture((320, 320)), [cv2.IMWRITE_JPEG_QUALITY, 30])[1].tobytes()
    )
    assert tables == [body for marker, body in segments(other) if marker == 0xDB]


def segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments of a JPEG up to its picture."""
    at = 2
    while True:
        marker, (length,) = content[at + 1], struct.unpack_from(">H", content, at + 2)
        yield marker, content[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return
        at += 2 + length


def test_how_a_png_was_stored_cannot_be_told(tmp_path: Path) -> None:
    plain = plain_still(tmp_path / "in.png")
    pixels = zlib.decompress(b"".join(body for name, body in chunks(plain) if name == b"IDAT"))
    again = zlib.compress(pixels, 1)
    parts = b"".join(png_chunk(b"IDAT", again[at : at + 999]) for at in range(0, len(again), 999))
    other = plain[:33] + parts + png_chunk(b"IEND", b"")
    assert anonymized(plain) == anonymized(other)
    assert {name for name, _ in chunks(anonymized(other))} == {b"IHDR", b"IDAT", b"IEND"}


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG, to its last byte."""
    at = 8
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        yield name, content[at + 8 : at + 8 + length]
        at += 12 + length


@pytest.mark.parametrize("quality", [80, 101])
def test_a_webp_holds_its_picture_alone(quality: int) -> None:
    encoded = cv2.imencode(".webp", face_picture((320, 320)), [cv2.IMWRITE_WEBP_QUALITY, quality])[
        1
    ].tobytes()
    result = anonymized(encoded)
    (size,) = struct.unpack_from("<I", result, 16)
    assert result[12:16] == (b"VP8 " if quality <= 100 else b"VP8L")
    assert len(result) == 20 + size + size % 2
