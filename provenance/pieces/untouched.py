"""The package that shows which tiles of a lossless copy are the original's, and its check, frame by frame.

It has every frame's record in order: its time, the tiles shown, and an opening of the frame's tree. What a
cover touched stays hidden behind hashes. Nobody has to be believed about what was touched: a tile counts if
it is the original's, and for no other reason.

The tree's root is known when the last frame has passed, so it stands at the end: a package is written while
its frames stream by, and read in the same way.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from provenance.pieces.committing import frame_of_tiles_hash
from provenance.pieces.cutting import PictureShape, tiles_of
from provenance.pieces.description import (
    KINDS,
    SHAPES,
    Commitment,
    TreeDescription,
    check_descriptions,
    top_stretches,
)
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import HASH_BYTES, Spine, piece_hash
from provenance.pieces.head import MAX_HEAD_BYTES, head_bytes, head_fields
from provenance.pieces.opening import Opening, row_lengths

MAGIC = b"bauta.untouched/v1\n"
MAX_NAMED = 64
# Two frames' times count as one if they are this near: containers count in other units.
TIME_SLACK_US = 1000

# In the place of a frame's time, and no time.
_END = b"\xff" * 8
_RECORD = struct.Struct(">QI")
_STRETCH = struct.Struct(">II")

TimedFrame = tuple[int, Sequence[bytes]]
"""(microseconds since the first frame, planes as in `cutting`)."""


@dataclass(frozen=True)
class Difference:
    """A tile that is not the original's: its frame, its plane, and its corner in that plane's samples."""

    frame: int
    plane: int
    left: int
    top: int


@dataclass(frozen=True)
class UntouchedReport:
    """What of a copy is proven to be the original's.

    Attributes:
        frames: of both.
        tiles: of all frames and planes.
        tiles_proven: those that are the original's.
        tiles_hidden: those that the package does not show: covered.
        samples: of all frames and planes.
        samples_proven: in the proven tiles.
        frames_retimed: shown over a millisecond earlier or later than in the original.
        differences: tiles that the package shows and that differ; the first 64.
        tiles_differing: how many there are.
    """

    frames: int
    tiles: int
    tiles_proven: int
    tiles_hidden: int
    samples: int
    samples_proven: int
    frames_retimed: int
    differences: tuple[Difference, ...]

    @property
    def tiles_differing(self) -> int:
        """Tiles that the package shows and that are not the original's."""
        return self.tiles - self.tiles_proven - self.tiles_hidden

    @property
    def proven_permille(self) -> int:
        """The share of the picture that is proven original, by samples, rounded down."""
        return self.samples_proven * 1000 // self.samples if self.samples else 0

    def require_sound(self) -> None:
        """Accepts a copy in which every shown tile is the original's, at the original's time.

        Raises:
            PiecesError: `pieces_differ`, with the place of the first one.
        """
        if self.differences:
            at = self.differences[0]
            raise PiecesError(
                f"{self.tiles_differing} tiles are not the original's, the first one in frame {at.frame}, "
                f"plane {at.plane}, {at.left} from the left and {at.top} from the top",
                "pieces_differ",
            )
        if self.frames_retimed:
            raise PiecesError(f"{self.frames_retimed} frames are shown at another time", "pieces_differ")


def untouched_head(shape: PictureShape) -> bytes:
    """Gives the package's beginning; one `untouched_record` a frame follows, then `untouched_end`."""
    return head_bytes(MAGIC, {"shape": dict(zip(SHAPES["tiles"], shape.numbers, strict=True))})


def untouched_record(time_us: int, opening: Opening) -> bytes:
    """Gives one frame's record: its time in the original, and `TileTree.open_frame`."""
    head = _RECORD.pack(time_us, len(opening.stretches))
    return b"".join((head, *(_STRETCH.pack(*stretch) for stretch in opening.stretches), opening.to_bytes()))


def untouched_end(commitment: Commitment) -> bytes:
    """Gives the package's end: what the records lead to, and that it was committed to.

    Raises:
        PiecesError: the original has no frames.
    """
    tree = commitment.descriptions["tiles"]
    if tree.size == 0:
        raise PiecesError("the original has no tree of tiles", "pieces_no_such_part")
    top = commitment.open(frozenset({"tiles"}))
    return head_bytes(_END, {"tree": tree.to_object()}) + top.to_bytes()


def verify_untouched(
    untrusted_package: BinaryIO, root: bytes, untrusted_frames: Iterable[TimedFrame]
) -> UntouchedReport:
    """Finds out which tiles of a copy are the original's. Holds one frame at a time.

    Args:
        untrusted_package: open at its beginning; read to its end.
        root: of the commitment, from a statement or a recording whose signature holds.
        untrusted_frames: of the copy, all of them, in order.

    Returns:
        The report. It comes only after the whole package was found to lead to the root.

    Raises:
        PiecesError: `pieces_not_committed`: the package is about something else. `pieces_missing`: the copy
            has fewer
            or more frames than the original. Or the package or a frame is malformed.
    """
    shape = _read_head(untrusted_package)
    spine, frames = Spine(), iter(untrusted_frames)
    count = proven = hidden = samples_proven = retimed = 0
    differences: list[Difference] = []
    while (record := _read_record(untrusted_package, shape.tiles)) is not None:
        time_us, opening = record
        spine.append(frame_of_tiles_hash(time_us, opening.root()))
        frame = next(frames, None)
        if frame is None:
            raise PiecesError("the copy has fewer frames than the original", "pieces_missing")
        retimed += abs(frame[0] - time_us) > TIME_SLACK_US
        for at, same, size in _compared(opening, shape, frame[1]):
            if same:
                proven, samples_proven = proven + 1, samples_proven + size // shape.sample_bytes
            elif len(differences) < MAX_NAMED:
                differences.append(Difference(count, *shape.tile_at(at)))
        hidden += shape.tiles - len(opening.shown)
        count += 1
    if next(frames, None) is not None:
        raise PiecesError("the copy has more frames than the original", "pieces_missing")
    tree = _read_end(untrusted_package, root)
    if (tree.size, tree.root, tree.shape) != (count, spine.root(), shape.numbers):
        raise PiecesError("the package is not about what was committed to", "pieces_not_committed")
    return UntouchedReport(
        frames=count,
        tiles=count * shape.tiles,
        tiles_proven=proven,
        tiles_hidden=hidden,
        samples=count * shape.samples,
        samples_proven=samples_proven,
        frames_retimed=retimed,
        differences=tuple(differences),
    )


def _compared(
    opening: Opening, shape: PictureShape, untrusted_planes: Sequence[bytes]
) -> Iterator[tuple[int, bool, int]]:
    """Each shown tile's index, whether it is the original's, and its length in bytes."""
    shown = zip(opening.positions(), opening.salts(), opening.shown, strict=True)
    awaited = next(shown, None)
    for at, tile in enumerate(tiles_of(shape, untrusted_planes)):
        if awaited is not None and awaited[0] == at:
            yield at, piece_hash("tiles", awaited[1], tile) == awaited[2], len(tile)
            awaited = next(shown, None)


def _read_head(untrusted_package: BinaryIO) -> PictureShape:
    numbers = _read_line(untrusted_package, MAGIC, "shape")
    if not isinstance(numbers, dict) or numbers.keys() != set(SHAPES["tiles"]):
        raise PiecesError("the package is not about tiles")
    if any(type(number) is not int for number in numbers.values()):
        raise PiecesError("the shape of a picture is not made of numbers")
    return PictureShape(*(numbers[name] for name in SHAPES["tiles"]))


def _read_end(untrusted_package: BinaryIO, root: bytes) -> TreeDescription:
    tree = TreeDescription.from_object(_read_line(untrusted_package, b"", "tree"))
    if tree.kind != "tiles" or tree.size == 0:
        raise PiecesError("the package is not about tiles")
    places = top_stretches(frozenset({"tiles"}))
    rows = _read(untrusted_package, sum(row_lengths(len(KINDS), places)) * HASH_BYTES)
    check_descriptions(Opening.from_bytes(len(KINDS), places, rows), {"tiles": tree}, root)
    if untrusted_package.read(1):
        raise PiecesError("the package goes on after its end")
    return tree


def _read_line(untrusted_package: BinaryIO, magic: bytes, name: str) -> object:
    if _read(untrusted_package, len(magic)) != magic:
        raise PiecesError("the bytes are not a package of this format")
    line = untrusted_package.readline(MAX_HEAD_BYTES + 1)
    if not line.endswith(b"\n"):
        raise PiecesError("the bytes are not a package of this format")
    return head_fields(line[:-1], frozenset({name}))[name]


def _read_record(untrusted_package: BinaryIO, tiles: int) -> tuple[int, Opening] | None:
    """Gives the next frame's time and opening; None at the end of the records."""
    begins = _read(untrusted_package, len(_END))
    if begins == _END:
        return None
    time_us, count = _RECORD.unpack(begins + _read(untrusted_package, _RECORD.size - len(_END)))
    # Two stretches do not touch, so there is room for one every two tiles.
    if count > (tiles + 1) // 2 or time_us >= 1 << 63:
        raise PiecesError("a frame's record has a number out of its range")
    stretches = tuple(_STRETCH.iter_unpack(_read(untrusted_package, count * _STRETCH.size)))
    rows = _read(untrusted_package, sum(row_lengths(tiles, stretches)) * HASH_BYTES)
    return time_us, Opening.from_bytes(tiles, stretches, rows)


def _read(untrusted_package: BinaryIO, length: int) -> bytes:
    read = untrusted_package.read(length)
    if len(read) != length:
        raise PiecesError("the package ends too early")
    return read
