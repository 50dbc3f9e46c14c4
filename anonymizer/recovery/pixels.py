"""Regions of one track as bytes, without loss: what an entry of kind "pixels" holds (docs/recovery.md).

    coding          1 byte: 1
    DEFLATE (zlib)  heads, then the pixels of all planes of all regions, in order

A head is, big-endian: frame, 4 bytes; microseconds, 8; left, top, rows and columns of the coarse grid, 2
each; number of planes, 1; number of tracks that share some of it, 2; height and width of each plane, 2 each;
the outline as bits, row by row; and for each sharing track its number, 4, and its bits. Before them stands
how many regions there are, 2 bytes. A pixel is stored as its difference from the one above it, modulo 256.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from anonymizer.effects.region import Mask
from anonymizer.errors import AnonymizerError
from anonymizer.recovery.beneath import Beneath, Pixels, Shared

CODING: Final = 1
MOST_BYTES: Final = 32 << 20
"""Of an entry before it is packed; the writer stays far below."""
BAND_BYTES: Final = 4 << 20
"""A region with more pixels than this is divided into bands."""

_COUNT = struct.Struct(">H")
_HEAD = struct.Struct(">IQHHHHBH")
_SIZE = struct.Struct(">HH")
_TRACK = struct.Struct(">I")
# Differences repeat nothing but themselves: looking for longer matches costs time and gains no byte.
_LEVEL, _STRATEGY = 1, zlib.Z_RLE


def write_pixels(regions: Sequence[Beneath]) -> bytes:
    """Packs regions of one track, in the order of frames."""
    packer = zlib.compressobj(_LEVEL, strategy=_STRATEGY)
    packed = [bytes([CODING]), packer.compress(_COUNT.pack(len(regions)))]
    packed += [packer.compress(_head(region)) for region in regions]
    for region in regions:
        for plane in region.planes:
            differences = plane.copy()
            differences[1:] -= plane[:-1]
            packed.append(packer.compress(differences.tobytes()))
    packed.append(packer.flush())
    return b"".join(packed)


def read_pixels(untrusted: bytes) -> Iterator[Beneath]:
    """Reads what `write_pixels` gave.

    Raises:
        AnonymizerError: record_refused.
    """
    if not untrusted or untrusted[0] != CODING:
        raise AnonymizerError("record_refused")
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(untrusted[1:], MOST_BYTES)
    except zlib.error:
        raise AnonymizerError("record_refused") from None
    if not unpacker.eof or unpacker.unused_data:
        raise AnonymizerError("record_refused")
    reader = _Reader(plain)
    (count,) = reader.take(_COUNT)
    heads = [_read_head(reader) for _ in range(count)]
    for region, sizes in heads:
        planes = tuple(reader.pixels(*size) for size in sizes)
        yield replace(region, planes=planes)
    if not reader.is_at_end:
        raise AnonymizerError("record_refused")


def bands_of(region: Beneath) -> Iterable[Beneath]:
    """Divides what is too large for one entry."""
    count = -(-region.size // BAND_BYTES)
    if count <= 1:
        return [region]
    rows = region.outline.shape[0]
    every = max(1, -(-rows // count))
    return [_band(region, first, min(first + every, rows)) for first in range(0, rows, every)]


def _band(region: Beneath, first: int, end: int) -> Beneath:
    rows = region.outline.shape[0]
    planes = []
    for plane in region.planes:
        fine = -(-plane.shape[0] // rows)
        planes.append(plane[first * fine : end * fine])
    return replace(
        region,
        top=region.top + first,
        outline=region.outline[first:end],
        shared=tuple(Shared(other.track, other.mask[first:end]) for other in region.shared),
        planes=tuple(planes),
    )


def _head(region: Beneath) -> bytes:
    rows, columns = region.outline.shape
    head = _HEAD.pack(
        region.frame,
        region.microseconds,
        region.left,
        region.top,
        rows,
        columns,
        len(region.planes),
        len(region.shared),
    )
    sizes = b"".join(_SIZE.pack(*plane.shape) for plane in region.planes)
    shared = b"".join(_TRACK.pack(other.track) + _bits(other.mask) for other in region.shared)
    return head + sizes + _bits(region.outline) + shared


def _bits(mask: Mask) -> bytes:
    return np.packbits(mask).tobytes()


class _Reader:
    def __init__(self, plain: bytes) -> None:
        self._plain = plain
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._plain)

    def take(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self._next(form.size))

    def bits(self, rows: int, columns: int) -> Mask:
        packed = np.frombuffer(self._next(-(-rows * columns // 8)), np.uint8)
        return np.unpackbits(packed, count=rows * columns).reshape(rows, columns).astype(np.bool_)

    def pixels(self, height: int, width: int) -> Pixels:
        differences = np.frombuffer(self._next(height * width), np.uint8).reshape(height, width)
        return np.cumsum(differences, axis=0, dtype=np.uint8)

    def _next(self, size: int) -> bytes:
        part = self._plain[self._at : self._at + size]
        if len(part) != size:
            raise AnonymizerError("record_refused")
        self._at += size
        return part


def _read_head(reader: _Reader) -> tuple[Beneath, list[tuple[int, int]]]:
    frame, microseconds, left, top, rows, columns, planes, shares = reader.take(_HEAD)
    if not rows or not columns or planes not in (1, 3):
        raise AnonymizerError("record_refused")
    sizes = []
    for _ in range(planes):
        height, width = reader.take(_SIZE)
        sizes.append((height, width))
    outline = reader.bits(rows, columns)
    shared = []
    for _ in range(shares):
        (track,) = reader.take(_TRACK)
        shared.append(Shared(track, reader.bits(rows, columns)))
    return Beneath(frame, microseconds, left, top, outline, tuple(shared), ()), sizes
