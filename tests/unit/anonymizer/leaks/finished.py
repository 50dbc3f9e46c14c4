"""Finished files of every kind, and how to put one more thing into a still."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import Final, Literal

from anonymizer import Limits, Models, Settings, anonymize
from anonymizer.leaks.metadata import metadata_left
from tests.media_factory import png_chunk, riff_chunk
from tests.security.metadata.stills import jpeg_segment
from tests.security.metadata.tiff import exif

Put = Callable[[bytes], bytes]
Made = dict[str, bytes]

TYPES: Final = {
    ".mp4": "video/mp4",
    ".m4a": "audio/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}


def left(content: bytes, suffix: str, month: str | None = None) -> int:
    """What is counted in a file."""
    return metadata_left(io.BytesIO(content), TYPES[suffix], month=month)


def result_of(models: Models, original: bytes, captured: Literal["remove", "month"] = "remove") -> bytes:
    """What the anonymizer makes of a file, with its sound."""
    sink = io.BytesIO()
    settings = Settings(mode="fast", audio="keep", threads=1, captured=captured)
    anonymize(io.BytesIO(original), sink, settings=settings, models=models, limits=Limits())
    return sink.getvalue()


def in_jpeg(marker: int, body: bytes) -> Put:
    """Adds a segment after the first one."""
    return lambda plain: plain[:20] + jpeg_segment(marker, body) + plain[20:]


def in_png(kind: bytes, body: bytes) -> Put:
    """Adds a chunk after the header."""
    return lambda plain: plain[:33] + png_chunk(kind, body) + plain[33:]


def in_webp(kind: bytes, body: bytes) -> Put:
    """Adds a chunk at the end."""

    def put(plain: bytes) -> bytes:
        inside = plain[8:] + riff_chunk(kind, body)
        return b"RIFF" + struct.pack("<I", len(inside)) + inside

    return put


PLANT_EXIF: Final[dict[str, Put]] = {
    ".jpg": in_jpeg(0xE1, b"Exif\0\0" + exif("x")),
    ".png": in_png(b"eXIf", exif("x")),
    ".webp": in_webp(b"EXIF", exif("x")),
}
