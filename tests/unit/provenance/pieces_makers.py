"""A small film in pieces: a container of many blocks, frames with odd edges, sound, and their trees."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from provenance.pieces.committing import PieceTree, TileTree, frame_piece
from provenance.pieces.cutting import PictureShape, blocks_of
from provenance.pieces.description import Commitment
from provenance.pieces.untouched import TimedFrame, untouched_end, untouched_head, untouched_record

SECRET = hashlib.sha256(b"the secret of the film").digest()
# Three by two luma tiles, two by one of either chroma plane; none of the last ones is whole.
SHAPE = PictureShape(130, 70, 65, 35)
BLOCK = 100
FRAMES = 11
FRAME_US = 40_000


def noise(name: str, length: int) -> bytes:
    """Bytes that follow from a name."""
    return hashlib.shake_256(name.encode()).digest(length)


def film() -> list[TimedFrame]:
    """The original's frames."""
    return [
        (at * FRAME_US, tuple(noise(f"{at}/{plane}", w * h) for plane, (w, h) in enumerate(SHAPE.planes)))
        for at in range(FRAMES)
    ]


def pieces() -> dict[str, list[bytes]]:
    """The original's pieces by kind."""
    return {
        "bytes": list(blocks_of([noise("head", 333), noise("body", 1234)], BLOCK)),
        "frames": [frame_piece(time_us, planes) for time_us, planes in film()],
        "audio": list(blocks_of([noise("sound", 4 * 480 * 7 + 12)], 4 * 480)),
    }


@dataclass(frozen=True)
class Committed:
    """All trees of the film."""

    trees: dict[str, PieceTree]
    tiles: TileTree
    commitment: Commitment

    @property
    def root(self) -> bytes:
        """What is signed."""
        return self.commitment.root


@cache
def committed(secret: bytes = SECRET) -> Committed:
    """Commits to the film."""
    shapes = {"bytes": (BLOCK,), "frames": SHAPE.numbers, "audio": (480, 48_000, 2, 2)}
    trees = {kind: PieceTree(secret, kind, shape) for kind, shape in shapes.items()}
    for kind, all_of_it in pieces().items():
        for piece in all_of_it:
            trees[kind].add(piece)
    tiles = TileTree(secret, SHAPE)
    for time_us, planes in film():
        tiles.add(time_us, planes)
    descriptions = {kind: tree.describe() for kind, tree in trees.items()} | {"tiles": tiles.describe()}
    return Committed(trees, tiles, Commitment(secret, descriptions))


def untouched_package(touched: Iterable[Iterable[int]]) -> bytes:
    """The package of a copy in which these tiles, frame by frame, are covered."""
    made = committed()
    records = [
        untouched_record(time_us, made.tiles.open_frame(at, planes, hidden))
        for at, ((time_us, planes), hidden) in enumerate(zip(film(), touched, strict=True))
    ]
    return b"".join((untouched_head(SHAPE), *records, untouched_end(made.commitment)))
