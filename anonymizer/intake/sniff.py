"""The format of a file, from its first bytes. Names and declared types are not believed."""

from __future__ import annotations

from enum import Enum
from typing import BinaryIO

from anonymizer.errors import AnonymizerError

HEAD_BYTES = 64
ISO_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"moof", b"styp")
ISO_STILL_BRANDS = (b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"hevx")


class Format(Enum):
    """A format that is taken; the value is FFmpeg's name of its demuxer, empty for stills."""

    MP4 = "mov"
    MATROSKA = "matroska"
    AVI = "avi"
    GIF = "gif"
    JPEG = ".jpg"
    PNG = ".png"
    WEBP = ".webp"
    WAV = "wav"
    FLAC = "flac"
    OGG = "ogg"
    MP3 = "mp3"
    AAC = "aac"

    @property
    def is_still(self) -> bool:
        """Whether it holds one picture."""
        return self in {Format.JPEG, Format.PNG, Format.WEBP}

    @property
    def may_be_sound(self) -> bool:
        """Whether it may hold sound and no picture."""
        return self in {Format.MP4, Format.MATROSKA, *SOUND_FORMATS}


# Those that hold sound; Ogg can hold pictures as well.
SOUND_FORMATS = (Format.WAV, Format.FLAC, Format.OGG, Format.MP3, Format.AAC)


def sniff(source: BinaryIO) -> Format:
    """Tells the format and leaves the stream at its start.

    Raises:
        AnonymizerError: media_empty, media_unknown_format, or media_unsupported for HEIC and AVIF.
    """
    source.seek(0)
    head = source.read(HEAD_BYTES)
    source.seek(0)
    if not head:
        raise AnonymizerError("media_empty")
    if head[4:8] in ISO_BOXES:
        if head[4:8] == b"ftyp" and head[8:12] in ISO_STILL_BRANDS:
            raise AnonymizerError("media_unsupported", "HEIC and AVIF stills are not taken.")
        return Format.MP4
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return Format.MATROSKA
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return Format.AVI
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return Format.WEBP
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Format.GIF
    if head.startswith(b"\xff\xd8\xff"):
        return Format.JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return Format.PNG
    return _sniff_sound(head)


def _sniff_sound(head: bytes) -> Format:
    if head.startswith((b"RIFF", b"RF64")) and head[8:12] == b"WAVE":
        return Format.WAV
    if head.startswith(b"fLaC"):
        return Format.FLAC
    if head.startswith(b"OggS"):
        return Format.OGG
    # An MPEG frame begins with eleven ones; layer 0 stands for AAC (ISO/IEC 13818-7, ADTS).
    if len(head) >= 4 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Format.AAC
    if head.startswith(b"ID3") or (len(head) >= 4 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0):
        return Format.MP3
    raise AnonymizerError("media_unknown_format")
