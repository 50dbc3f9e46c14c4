"""Where pieces begin and end: blocks of a stream, and the tiles of a picture's planes.

A picture is planar: luma, then both chroma planes or none, each row after row without padding, a sample in
one byte or two (little-endian). Every plane has its own tiles of 64 by 64 samples, cut off at its right and
lower edge; they count from the left, row by row, through the planes in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from provenance.pieces.errors import PiecesError
from provenance.pieces.seeds import TILE_LEVELS

TILE = 64
BLOCK_BYTES = 64 << 10
MAX_SIDE = 1 << 14

Box = tuple[int, int, int, int]
"""(left, top, right, bottom) in luma samples, without the right column and the bottom row."""


@dataclass(frozen=True)
class PictureShape:
    """The planes of a video's pictures.

    Attributes:
        width: of luma, in samples, as are all sides.
        height: of luma.
        chroma_width: 0 if there is luma alone.
        chroma_height: likewise.
        sample_bytes: 1, or 2 for more than 8 bits.

    Raises:
        PiecesError: no such pictures, or more tiles than a frame's tree has room for.
    """

    width: int
    height: int
    chroma_width: int
    chroma_height: int
    sample_bytes: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.width <= MAX_SIDE or not 0 < self.height <= MAX_SIDE:
            raise PiecesError("a picture has no sides, or they are too long")
        if not 0 <= self.chroma_width <= self.width or not 0 <= self.chroma_height <= self.height:
            raise PiecesError("a chroma plane is larger than the luma plane")
        if (self.chroma_width == 0) != (self.chroma_height == 0) or self.sample_bytes not in {1, 2}:
            raise PiecesError("a picture's planes are of no known form")
        if self.tiles > 1 << TILE_LEVELS:
            raise PiecesError("a picture has too many tiles", "pieces_too_large")

    @property
    def numbers(self) -> tuple[int, ...]:
        """As a tree's description has them."""
        return (self.width, self.height, self.chroma_width, self.chroma_height, self.sample_bytes)

    @property
    def planes(self) -> tuple[tuple[int, int], ...]:
        """(width, height) of each plane."""
        chroma = (self.chroma_width, self.chroma_height)
        return (
            ((self.width, self.height), chroma, chroma) if self.chroma_width else ((self.width, self.height),)
        )

    @property
    def samples(self) -> int:
        """How many a frame has, over all planes."""
        return sum(width * height for width, height in self.planes)

    @property
    def samples_of_tiles(self) -> tuple[int, ...]:
        """How many each tile has, in order."""
        return tuple(
            min(TILE, width - column * TILE) * min(TILE, height - row * TILE)
            for (width, height), (across, down) in zip(self.planes, self.grids, strict=True)
            for row in range(down)
            for column in range(across)
        )

    @property
    def grids(self) -> tuple[tuple[int, int], ...]:
        """(tiles across, tiles down) of each plane."""
        return tuple((-(-width // TILE), -(-height // TILE)) for width, height in self.planes)

    @property
    def tiles(self) -> int:
        """How many a frame has, over all planes."""
        return sum(across * down for across, down in self.grids)

    def fits(self, numbers: tuple[int, ...], planes: Sequence[bytes]) -> bool:
        """Whether a picture that is described by these numbers, with these planes, has this shape."""
        lengths = [width * height * self.sample_bytes for width, height in self.planes]
        return numbers == self.numbers and [len(plane) for plane in planes] == lengths

    def tile_at(self, index: int) -> tuple[int, int, int]:
        """Gives a tile's (plane, left, top), in samples of its plane."""
        for plane, (across, down) in enumerate(self.grids):
            if index < across * down:
                return plane, index % across * TILE, index // across * TILE
            index -= across * down
        raise PiecesError("the picture has no such tile", "pieces_no_such_part")

    def tiles_under(self, boxes: Iterable[Box]) -> frozenset[int]:
        """Gives all tiles, of all planes, with a sample under one of these boxes; chroma rounded outwards."""
        under: set[int] = set()
        for box in boxes:
            left, right = max(box[0], 0), min(box[2], self.width)
            top, bottom = max(box[1], 0), min(box[3], self.height)
            if left >= right or top >= bottom:
                continue
            start = 0
            for (width, height), (across, down) in zip(self.planes, self.grids, strict=True):
                columns = range(left * width // self.width // TILE, _up(right * width, self.width * TILE))
                rows = range(top * height // self.height // TILE, _up(bottom * height, self.height * TILE))
                under.update(start + row * across + column for row in rows for column in columns)
                start += across * down
        return frozenset(under)


def tiles_of(shape: PictureShape, untrusted_planes: Sequence[bytes]) -> Iterator[bytes]:
    """Cuts a picture into tiles, in order.

    Args:
        shape: of the picture.
        untrusted_planes: one byte string a plane.

    Raises:
        PiecesError: the planes are not of that shape.
    """
    step = shape.sample_bytes
    if [len(plane) for plane in untrusted_planes] != [
        width * height * step for width, height in shape.planes
    ]:
        raise PiecesError("a picture has other planes than the original's")
    for plane, (width, height) in zip(untrusted_planes, shape.planes, strict=True):
        row_bytes, view = width * step, memoryview(plane)
        for top in range(0, height, TILE):
            starts = range(top * row_bytes, min(top + TILE, height) * row_bytes, row_bytes)
            for left in range(0, row_bytes, TILE * step):
                end = min(left + TILE * step, row_bytes)
                yield b"".join([view[row + left : row + end] for row in starts])


def blocks_of(untrusted_chunks: Iterable[bytes], block_bytes: int) -> Iterator[bytes]:
    """Cuts a stream into blocks; the last one may be shorter. Holds one block and one chunk at a time."""
    waiting = bytearray()
    for chunk in untrusted_chunks:
        waiting += chunk
        whole = len(waiting) // block_bytes * block_bytes
        for at in range(0, whole, block_bytes):
            yield bytes(waiting[at : at + block_bytes])
        del waiting[:whole]
    if waiting:
        yield bytes(waiting)


def _up(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)
