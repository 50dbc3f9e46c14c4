"""A GIF's blocks: its size, its frames and its end, read without decoding anything."""

from __future__ import annotations

import struct
from typing import BinaryIO

from anonymizer.errors import AnonymizerError
from anonymizer.settings import Limits

EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B


def check_gif(source: BinaryIO, limits: Limits) -> None:
    """Walks all blocks, and leaves the stream at its start.

    Raises:
        AnonymizerError: media_truncated, media_corrupt, media_too_large, media_too_long, media_no_video.
    """
    source.seek(6)
    width, height, flags = struct.unpack("<HHBxx", _exactly(source, 7))
    _check_size(width, height, limits)
    _skip_palette(source, flags)
    frames = 0
    while (kind := _exactly(source, 1)[0]) != TRAILER:
        if kind == EXTENSION:
            _exactly(source, 1)
        elif kind == IMAGE:
            left, top, across, down, flags = struct.unpack("<HHHHB", _exactly(source, 9))
            _check_size(left + across, top + down, limits)
            _skip_palette(source, flags)
            _exactly(source, 1)
            frames += 1
            if frames > limits.max_frames:
                raise AnonymizerError("media_too_long")
        else:
            raise AnonymizerError("media_corrupt")
        while size := _exactly(source, 1)[0]:
            _exactly(source, size)
    if frames == 0:
        raise AnonymizerError("media_no_video")
    source.seek(0)


def _check_size(width: int, height: int, limits: Limits) -> None:
    if width == 0 or height == 0:
        raise AnonymizerError("media_corrupt")
    if width * height > limits.max_frame_pixels:
        raise AnonymizerError("media_too_large")


def _skip_palette(source: BinaryIO, flags: int) -> None:
    if flags & 0x80:
        _exactly(source, 3 * 2 ** ((flags & 7) + 1))


def _exactly(source: BinaryIO, size: int) -> bytes:
    read = source.read(size)
    if len(read) < size:
        raise AnonymizerError("media_truncated")
    return read
