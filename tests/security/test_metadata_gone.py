"""Whatever a file tells about itself is gone: planted in every place that a format has, found in none.

The strongest test needs no search: an original and its twin, which differs from it by all that is planted,
must give the same bytes. Then the needles are looked for all the same, and exiftool is asked.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.security.metadata.finding import exiftool, needles_in
from tests.security.metadata.needles import CAPTURED, STEM
from tests.security.metadata.running import anonymized
from tests.security.metadata.stills import PLANTED_STILLS, plain_still
from tests.security.metadata.videos import VIDEOS, plain_video, planted_video

NEEDS_EXIFTOOL = pytest.mark.skipif(
    shutil.which("exiftool") is None, reason="exiftool is not installed (Debian: libimage-exiftool-perl)"
)
EXIF: Final = (
    "make model software artist title body_serial lens_serial maker_note comment image_id gps_method "
    "thumbnail"
)


def words(text: str, before: str = "") -> set[str]:
    """The needles of some places, as the search tells them."""
    return {(before + word).upper().replace("_", "") for word in text.split()}


# What must be found in the planted file, lest the search or the planting be blind.
STILL_PLACES: Final = {
    ".jpg": words(EXIF, "jpeg_exif_")
    | words(
        "jfif_thumbnail jfxx jpeg_xmp long_xmp icc mpf flashpix kodak app4 app8 c2pa ducky iptc_caption "
        "app15 comment wide_comment motion_photo trailer"
    ),
    ".png": words(EXIF, "png_exif_")
    | words(
        "iccp_name iccp splt_name text hex_profile ztxt png_xmp itxt private c2pa late_text late trailer"
    ),
    ".webp": words(EXIF, "webp_exif_") | words("iccp private webp_xmp c2pa late_private trailer"),
}
STREAMS: Final = words(
    "aac_data_element sei_user_data sei_registered subtitle chapter stream_v0 stream_a0 stream_a1 tag_title "
    "tag_artist tag_comment tag_copyright tag_description tag_synopsis"
)
HANDLERS: Final = words("stream_v0_handler stream_a0_handler stream_a1_handler stream_s0_handler")
BOXES: Final = words(
    "box_xmp canon free_box skip_box wide_box meta_box unused_sample_data private_box c2pa_box "
    "udta_gpmf udta_came udta_snum udta_mak udta_mod udta_xyz udta_sdln udta_thmb"
)
VIDEO_PLACES: Final = {
    ".mp4": STREAMS | HANDLERS | BOXES | STILL_PLACES[".jpg"],
    ".mov": STREAMS | HANDLERS | BOXES | words("apple_make apple_live_photo tag_make tag_model"),
    ".mkv": STREAMS | words("attachment attachment_name void_element tag_make apple_make apple_live_photo"),
}


@dataclass(frozen=True)
class Twins:
    """An original, the same with all that is planted in it, and what came of both."""

    plain: Path
    planted: Path
    plain_result: bytes
    result: bytes


@pytest.fixture(scope="module", params=[*STILL_PLACES, *VIDEO_PLACES])
def twins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """One pair for each format."""
    suffix, folder = request.param, tmp_path_factory.mktemp("planted")
    plain, planted = folder / f"plain{suffix}", folder / f"planted{suffix}"
    if suffix in VIDEOS:
        planted_video(plain_video(plain), planted, folder)
    else:
        planted.write_bytes(PLANTED_STILLS[suffix](plain_still(plain)))
    return Twins(plain, planted, anonymized(plain.read_bytes()), anonymized(planted.read_bytes()))


def test_all_of_it_is_planted(twins: Twins) -> None:
    """The control: the search finds each place in the original."""
    expected = (STILL_PLACES | VIDEO_PLACES)[twins.planted.suffix]
    assert expected - needles_in(twins.planted.read_bytes()) == set()


def test_the_twins_give_the_same_bytes(twins: Twins) -> None:
    assert twins.planted.read_bytes() != twins.plain.read_bytes()
    assert twins.result == twins.plain_result


def test_no_needle_is_left(twins: Twins) -> None:
    assert needles_in(twins.result) == set()
    for form in (STEM, STEM[::-1], STEM.lower(), "2019", "14:23:51", "47.37", "13:57:24"):
        assert form.encode() not in twins.result
        assert form.encode("utf-16-le") not in twins.result


# What no tag of a result may be called. What is left is about sizes, times and codecs.
TELLING: Final = re.compile(
    "GPS|Serial|Make|Model|Software|Artist|Author|Comment|Title|Owner|Copyright|Lens|Thumb|Preview(Image|PICT)"
    "|Location|Encoder|Writer|Creator|XMP|XP[A-Z]|Chapter|Time_?Code|StartTimecode|Profile|Caption|Note|UniqueID"
    "|Identifier|Font|Attach|JUMD|Unknown_(?!edts|esds|btrt)|Warning",
    re.IGNORECASE,
)


@NEEDS_EXIFTOOL
def test_exiftool_finds_it_in_the_original_and_nothing_in_the_result(twins: Twins, tmp_path: Path) -> None:
    told = exiftool(twins.planted)
    values = " ".join(value for _, _, value in told)
    assert STEM in values
    assert {"2019", "47.37"} <= {text for text in ("2019", "47.37") if text in values}, (
        "exiftool sees neither a time nor a place in the original"
    )
    result = tmp_path / f"result{'.mp4' if twins.planted.suffix in VIDEOS else twins.planted.suffix}"
    result.write_bytes(twins.result)
    left = [row for row in exiftool(result) if row[0] not in {"ExifTool", "System", "File"}]
    assert left, "exiftool cannot read the result"
    for group, tag, value in left:
        assert STEM not in value, (group, tag)
        assert not TELLING.search(tag), (group, tag, value)
        if "Date" in tag:
            assert value.startswith("0000:00:00"), (group, tag, value)


@NEEDS_EXIFTOOL
def test_what_exiftool_writes_into_a_picture_is_gone(tmp_path: Path) -> None:
    """Written by another hand than ours: all tags that exiftool can put into a JPEG by their plain names."""
    original = tmp_path / "in.jpg"
    plain = plain_still(original)
    tags = ("Make", "Model", "SerialNumber", "LensSerialNumber", "OwnerName", "Artist", "ImageDescription",
            "UserComment", "XMP:CreatorTool", "XMP:City", "IPTC:Caption-Abstract", "IPTC:By-line",
            "XMP:InstanceID", "Photoshop:URL", "Comment")  # fmt: skip
    written = [f"-{tag}={STEM}{index:02}z" for index, tag in enumerate(tags)]
    place = ["-GPSLatitude=47.37", "-GPSLatitudeRef=N", "-GPSLongitude=8.54", f"-AllDates={CAPTURED}"]
    thumbnail = tmp_path / "small.jpg"
    thumbnail.write_bytes(plain)
    exiftool(original, "-overwrite_original", *written, *place, f"-ThumbnailImage<={thumbnail}")
    assert len(needles_in(original.read_bytes())) == len(tags)
    assert anonymized(original.read_bytes()) == anonymized(plain)
