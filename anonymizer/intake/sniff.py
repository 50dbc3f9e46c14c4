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

    @property
    def is_still(self) -> bool:
        """Whether it holds one picture."""
        return self in {Format.JPEG, Format.PNG, Format.WEBP}


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
    raise AnonymizerError("media_unknown_format")
