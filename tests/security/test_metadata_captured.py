"""The one thing that a policy may keep: the month of capture, and neither day nor hour of it."""

from __future__ import annotations

import io
import shutil
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer.intake.captured import month_of_still, month_of_video
from anonymizer.intake.sniff import Format
from provenance.credentials.reading import read_manifest
from tests.media_factory import face_picture, png_chunk, riff_chunk
from tests.security.metadata.finding import exiftool, needles_in
from tests.security.metadata.needles import CAPTURED, iso, xmp
from tests.security.metadata.running import anonymized
from tests.security.metadata.stills import PLANTED_STILLS, SIZE, jpeg_segment, plain_still
from tests.security.metadata.tiff import exif
from tests.security.metadata.videos import VIDEOS, plain_video, planted_video
from tests.unit.provenance.credential_makers import LOG_ORIGIN, SUFFIXES, Signer, signed

MONTH = b"2019-08"
FIRST_DAY, LAST_DAY = "2019:08:01 00:00:00", "2019:08:31 23:59:59"


def with_exif(plain: bytes, suffix: str, block: bytes) -> bytes:
    """A still with an EXIF block and nothing else."""
    if suffix == ".jpg":
        return plain[:2] + jpeg_segment(0xE1, b"Exif\0\0" + block) + plain[2:]
    if suffix == ".png":
        return plain[:33] + png_chunk(b"eXIf", block) + plain[33:]
    body = plain[12:] + riff_chunk(b"EXIF", block)
    extended = riff_chunk(b"VP8X", b"\x08\0\0\0" + (SIZE - 1).to_bytes(3, "little") * 2)
    whole = b"WEBP" + extended + body
    return b"RIFF" + len(whole).to_bytes(4, "little") + whole


@pytest.mark.parametrize("suffix", list(PLANTED_STILLS))
def test_a_still_keeps_the_month_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    plain = plain_still(tmp_path / f"in{suffix}")
    planted = PLANTED_STILLS[suffix](plain)
    result, undated = anonymized(planted, captured="month"), anonymized(planted)
    assert MONTH in result
    assert MONTH not in undated
    assert needles_in(result) == set()
    for told in (b"2019-08-", b"2019:", b"14:23", b"Serial", b"GPS"):
        assert told not in result
    # The packet is all that was added: without it, the result is the one that says nothing.
    assert 0 < len(result) - len(undated) < 450
    assert np.array_equal(pixels(result), pixels(undated))


@pytest.mark.parametrize("suffix", list(PLANTED_STILLS))
def test_two_days_of_one_month_cannot_be_told_apart(tmp_path: Path, suffix: str) -> None:
    plain = plain_still(tmp_path / f"in{suffix}")
    first, last = (with_exif(plain, suffix, exif("day", day)) for day in (FIRST_DAY, LAST_DAY))
    assert first != last
    assert anonymized(first, captured="month") == anonymized(last, captured="month")
    assert MONTH in anonymized(first, captured="month")


@pytest.mark.parametrize("suffix", VIDEOS)
def test_a_video_keeps_the_month_and_nothing_else(tmp_path: Path, suffix: str) -> None:
    plain = plain_video(tmp_path / f"plain{suffix}")
    results = []
    for captured in (CAPTURED, FIRST_DAY, LAST_DAY):
        original = planted_video(plain, tmp_path / f"in{suffix}", tmp_path, captured)
        assert iso(captured)[:10].encode() in original.read_bytes() or suffix == ".mp4", "no day is planted"
        results.append(anonymized(original.read_bytes(), captured="month"))
    assert len(set(results)) == 1
    assert results[0].count(MONTH) == 1
    assert needles_in(results[0]) == set()
    undated = anonymized(plain.read_bytes())
    assert 0 < len(results[0]) - len(undated) < 150


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not installed")
@pytest.mark.parametrize("suffix", [*PLANTED_STILLS, ".mp4"])
def test_exiftool_reads_the_month_and_no_day(tmp_path: Path, suffix: str) -> None:
    result = tmp_path / f"out{suffix}"
    if suffix == ".mp4":
        original = planted_video(plain_video(tmp_path / "plain.mp4"), tmp_path / "in.mp4", tmp_path)
        content = original.read_bytes()
    else:
        content = PLANTED_STILLS[suffix](plain_still(tmp_path / f"in{suffix}"))
    result.write_bytes(anonymized(content, captured="month"))
    dates = {
        (tag, value)
        for group, tag, value in exiftool(result)
        if "Date" in tag and group not in {"ExifTool", "System", "File"} and not value.startswith("0000")
    }
    assert dates == {("ContentCreateDate" if suffix == ".mp4" else "DateCreated", "2019:08")}


def test_a_still_with_transparency_and_without_loss_stays_so(tmp_path: Path) -> None:
    image = np.dstack([face_picture((200, 150)), np.full((150, 200), 90, np.uint8)])
    for suffix, options in ((".png", []), (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101])):
        encoded = cv2.imencode(suffix, image, options)[1].tobytes()
        if suffix == ".png":
            dated = with_exif(encoded, suffix, exif("alpha"))
        else:
            at = encoded.index(b"VP8L")
            whole = b"WEBP" + riff_chunk(b"VP8X", b"\x18\0\0\0\xc7\0\0\x95\0\0") + encoded[at:]
            whole += riff_chunk(b"EXIF", exif("alpha"))
            dated = b"RIFF" + len(whole).to_bytes(4, "little") + whole
        result = anonymized(dated, captured="month")
        assert MONTH in result
        assert pixels(result).shape[2] == 4
        assert np.array_equal(pixels(result), pixels(anonymized(dated)))


@pytest.mark.parametrize("suffix", [*PLANTED_STILLS, ".mp4"])
def test_content_credentials_stand_beside_the_month(tmp_path: Path, suffix: str) -> None:
    if suffix == ".mp4":
        content = planted_video(
            plain_video(tmp_path / "plain.mp4"), tmp_path / "in.mp4", tmp_path
        ).read_bytes()
    else:
        content = PLANTED_STILLS[suffix](plain_still(tmp_path / f"in{suffix}"))
    media_type = {".mp4": "video/mp4"}.get(suffix) or {kind: name for name, kind in SUFFIXES.items()}[suffix]
    signer = Signer()
    carried = signed(media_type, signer, content=anonymized(content, captured="month"))
    assert MONTH in carried
    assert read_manifest(io.BytesIO(carried), media_type, (signer.root,)).log_origin == LOG_ORIGIN


def pixels(encoded: bytes) -> np.ndarray:
    """Decodes a still."""
    return cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_UNCHANGED)


SAID = {
    "by EXIF": (exif("a", "2019:08:17 14:23:51"), b"", "2019-08"),
    "by XMP alone": (b"", xmp("a", "2019-08-17T14:23:51"), "2019-08"),
    "by both, the camera first": (
        exif("a", "2019:08:17 14:23:51"),
        xmp("a", "2021-01-01T00:00:00"),
        "2019-08",
    ),
    "by nobody": (b"", b"", None),
    "a clock that was never set": (exif("a", "0000:00:00 00:00:00"), b"", None),
    "1904": (exif("a", "1904:01:01 00:00:00"), b"", None),
    "1970": (exif("a", "1970:01:01 00:00:00"), b"", None),
    "the thirteenth month": (exif("a", "2019:13:01 00:00:00"), b"", None),
    "a month of three digits": (exif("a", "2019:081:1 00:00:00"), b"", None),
    "words": (exif("a", "last week, at noon!"), b"", None),
    "a year from beyond": (exif("a", "9999:08:17 14:23:51"), b"", None),
    "EXIF that ends too early": (exif("a", "2019:08:17 14:23:51")[:60], b"", None),
}


@pytest.mark.parametrize("case", SAID)
@pytest.mark.parametrize("form", ["jpeg", "png", "deflated png", "webp"])
def test_who_is_believed(case: str, form: str) -> None:
    block, packet, month = SAID[case]
    if form == "jpeg":
        segments = [
            (b"Exif\0\0" + block) if block else b"",
            packet and b"http://ns.adobe.com/xap/1.0/\0" + packet,
        ]
        content = b"\xff\xd8" + b"".join(jpeg_segment(0xE1, each) for each in segments if each) + b"\xff\xd9"
        kind = Format.JPEG
    elif form.endswith("png"):
        deflated = form.startswith("deflated")
        text = zlib.compress(packet) if deflated else packet
        head = b"XML:com.adobe.xmp\0" + (b"\1\0" if deflated else b"\0\0") + b"\0\0"
        chunks = [png_chunk(b"eXIf", block)] if block else []
        content = b"\x89PNG\r\n\x1a\n" + b"".join([*chunks, png_chunk(b"iTXt", head + text)])
        kind = Format.PNG
    else:
        chunks = [riff_chunk(b"EXIF", block)] if block else []
        content = b"RIFF\0\0\0\0WEBP" + b"".join([*chunks, riff_chunk(b"XMP ", packet)])
        kind = Format.WEBP
    assert month_of_still(content, kind) == month


@pytest.mark.parametrize(
    ("tags", "month"),
    [
        ({"creation_time": "2019-08-17T14:23:51.000000Z"}, "2019-08"),
        # The phone's own clock stands for the place; UTC was a month further.
        ({"creation_time": "2019-09-01T04:30:00Z",
          "com.apple.quicktime.creationdate": "2019-08-31T23:30:00-0500"}, "2019-08"),
        ({"date": "2019"}, None),
        ({"date": "2019-08-17"}, "2019-08"),
        ({"creation_time": "1970-01-01T00:00:00Z", "date": "2019-08"}, "2019-08"),
        ({"title": "2019-08-17"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_what_a_container_says(tags: dict[str, str], month: str | None) -> None:
    assert month_of_video(tags) == month


def test_a_bomb_in_a_text_chunk_is_not_unpacked() -> None:
    bomb = zlib.compress(b" " * (64 << 20) + b'exif:DateTimeOriginal="2019-08-17"', 9)
    content = b"\x89PNG\r\n\x1a\n" + png_chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)
    assert month_of_still(content, Format.PNG) is None
