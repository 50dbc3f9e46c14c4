"""Formats of sound by their first bytes, and an Ogg file page by page."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from anonymizer import AnonymizerError
from anonymizer.intake.ogg import check_ogg
from anonymizer.intake.sniff import Format, sniff
from tests.sound_factory import SPEECH_RATE, as_file, talk

HEADS = {
    "WAV": (b"RIFF\x24\0\0\0WAVEfmt ", Format.WAV),
    "a large WAV": (b"RF64\xff\xff\xff\xffWAVEds64", Format.WAV),
    "FLAC": (b"fLaC\0\0\0\x22", Format.FLAC),
    "Ogg": (b"OggS\0\x02", Format.OGG),
    "MP3 with a tag": (b"ID3\x04\0\0\0\0\0\0", Format.MP3),
    "MP3 without": (b"\xff\xfb\x90\x00", Format.MP3),
    "MP2": (b"\xff\xfd\x90\x00", Format.MP3),
    "AAC": (b"\xff\xf1\x50\x80", Format.AAC),
    "AAC with checksums": (b"\xff\xf0\x50\x80", Format.AAC),
    "a JPEG is none": (b"\xff\xd8\xff\xe0", Format.JPEG),
    "a WebP is none": (b"RIFF\x24\0\0\0WEBPVP8 ", Format.WEBP),
}


@pytest.mark.parametrize(("head", "kind"), HEADS.values(), ids=HEADS)
def test_what_a_file_begins_with(head: bytes, kind: Format) -> None:
    assert sniff(io.BytesIO(head + bytes(60))) is kind
    assert kind.may_be_sound == (kind not in {Format.JPEG, Format.WEBP})


@pytest.fixture(scope="module")
def ogg(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder: Path = tmp_path_factory.mktemp("ogg")
    return as_file(folder / "in.opus", np.tile(talk(), 3)[: 8 * SPEECH_RATE]).read_bytes()


def test_a_whole_ogg_passes(ogg: bytes) -> None:
    check_ogg(io.BytesIO(ogg))
    assert ogg.count(b"OggS") >= 5


def pages(ogg: bytes) -> list[bytes]:
    return [b"OggS" + page for page in ogg.split(b"OggS")[1:]]


DAMAGES = {
    "a page is gone": (lambda ogg: b"".join(pages(ogg)[:3] + pages(ogg)[4:]), "media_corrupt"),
    "two pages have changed places": (
        lambda ogg: b"".join([*pages(ogg)[:2], pages(ogg)[3], pages(ogg)[2], *pages(ogg)[4:]]),
        "media_corrupt",
    ),
    "the last page is gone": (lambda ogg: b"".join(pages(ogg)[:-1]), "media_truncated"),
    "the last byte is gone": (lambda ogg: ogg[:-1], "media_truncated"),
    "one bit is another": (lambda ogg: ogg[:900] + bytes([ogg[900] ^ 1]) + ogg[901:], "media_corrupt"),
    "something follows": (lambda ogg: ogg + bytes(40), "media_corrupt"),
    "a header alone": (lambda ogg: ogg[:20], "media_truncated"),
}


@pytest.mark.parametrize(("damage", "code"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_page_is_not_skipped(ogg: bytes, damage, code: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        check_ogg(io.BytesIO(damage(ogg)))
    assert caught.value.code == code
