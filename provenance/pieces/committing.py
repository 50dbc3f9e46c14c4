"""Who has the original streams it through here. Leaf hashes stay, content does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provenance.merkle import leaf_hash
from provenance.pieces.cutting import PictureShape, tiles_of
from provenance.pieces.description import SHAPES, TIME_BYTES, TreeDescription
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import LeafHashes, piece_hash
from provenance.pieces.opening import Opening, Stretch, open_stretches
from provenance.pieces.seeds import TILE_LEVELS, TREE_LEVELS, leaf_seeds, salt_of, seed_at, tree_seed

_FRAME_OF_TILES = b"bauta.pieces/v1 frame of tiles\x00"


def frame_piece(time_us: int, untrusted_planes: Sequence[bytes]) -> bytes:
    """Gives the piece of one decoded frame: when it is seen, and its planes.

    Args:
        time_us: microseconds since the first frame.
        untrusted_planes: as in `cutting`.

    Raises:
        PiecesError: the time is out of range.
    """
    return b"".join((time_bytes(time_us), *untrusted_planes))


def time_bytes(time_us: int) -> bytes:
    """Gives 8 bytes, big-endian.

    Raises:
        PiecesError: the time is out of range.
    """
    if not 0 <= time_us < 1 << 63:
        raise PiecesError("a frame's time is out of range")
    return time_us.to_bytes(TIME_BYTES, "big")


def frame_of_tiles_hash(time_us: int, tile_root: bytes) -> bytes:
    """Gives a frame's leaf hash in the tree of tiles. The tiles below it are salted, so it needs no salt."""
    return leaf_hash(_FRAME_OF_TILES + time_bytes(time_us) + tile_root)


class PieceTree:
    """A tree over pieces that come one by one: 32 bytes stay of each."""

    def __init__(self, secret: bytes, kind: str, shape: tuple[int, ...]) -> None:
        """Begins a tree.

        Args:
            secret: 32 random bytes, the same for all trees of an original and for no other original.
            kind: "bytes", "frames" or "audio".
            shape: the numbers that `SHAPES` lists for the kind.
        """
        if kind not in SHAPES or kind == "tiles":
            raise PiecesError("a tree of pieces is of no known kind")
        self._kind, self._shape = kind, shape
        self._top = tree_seed(secret, kind)
        self._seeds = leaf_seeds(self._top, TREE_LEVELS)
        self.leaves = LeafHashes()

    def add(self, piece: bytes) -> None:
        """Adds the next piece."""
        self.leaves.append(piece_hash(self._kind, salt_of(next(self._seeds)), piece))

    def describe(self) -> TreeDescription:
        """Describes the tree as it is now."""
        shape = self._shape if len(self.leaves) else (0,) * len(self._shape)
        return TreeDescription(self._kind, len(self.leaves), self.leaves.root(), shape)

    def open(self, stretches: Sequence[Stretch]) -> Opening:
        """Shows stretches of pieces.

        Raises:
            PiecesError: there are no such pieces.
        """
        return open_stretches(self._top, TREE_LEVELS, self.leaves, stretches)


class TileTree:
    """A tree over frames, each of which is a tree over its tiles: 32 bytes stay of each frame."""

    def __init__(self, secret: bytes, shape: PictureShape) -> None:
        """Begins a tree; the secret is that of the original's other trees."""
        self._shape = shape
        self._top = tree_seed(secret, "tiles")
        self._seeds = leaf_seeds(self._top, TREE_LEVELS)
        self.leaves = LeafHashes()

    def add(self, time_us: int, planes: Sequence[bytes]) -> None:
        """Adds the next frame.

        Raises:
            PiecesError: its planes are not of the tree's shape.
        """
        root = self._tiles(next(self._seeds), planes).root()
        self.leaves.append(frame_of_tiles_hash(time_us, root))

    def describe(self) -> TreeDescription:
        """Describes the tree as it is now."""
        numbers = self._shape.numbers if len(self.leaves) else (0,) * len(self._shape.numbers)
        return TreeDescription("tiles", len(self.leaves), self.leaves.root(), numbers)

    def add_opened(self, time_us: int, planes: Sequence[bytes], touched: Iterable[int]) -> Opening:
        """Adds the next frame and shows its tiles that nothing touched, in one go.

        Args:
            time_us: microseconds since the first frame.
            planes: of the original.
            touched: tiles that stay hidden: all that a cover has a sample in.

        Raises:
            PiecesError: its planes are not of the tree's shape.
        """
        seed = next(self._seeds)
        leaves = self._tiles(seed, planes)
        shown = stretches_without(self._shape.tiles, touched)
        opening = open_stretches(seed, TILE_LEVELS, leaves, shown)
        self.leaves.append(frame_of_tiles_hash(time_us, leaves.root()))
        return opening

    def open_frame(self, index: int, planes: Sequence[bytes], touched: Iterable[int]) -> Opening:
        """Shows the tiles of one frame that nothing touched.

        Args:
            index: of the frame.
            planes: of the original.
            touched: tiles that stay hidden: all that a cover has a sample in.

        Raises:
            PiecesError: the original has no such frame, or it has other planes.
        """
        if not 0 <= index < len(self.leaves):
            raise PiecesError("the original has no such part", "pieces_no_such_part")
        seed = seed_at(self._top, TREE_LEVELS, 0, index)
        return open_stretches(
            seed, TILE_LEVELS, self._tiles(seed, planes), stretches_without(self._shape.tiles, touched)
        )

    def _tiles(self, seed: bytes, planes: Sequence[bytes]) -> LeafHashes:
        tiles = tiles_of(self._shape, planes)
        pairs = zip(tiles, leaf_seeds(seed, TILE_LEVELS), strict=False)
        return LeafHashes([piece_hash("tiles", salt_of(leaf), tile) for tile, leaf in pairs])


def stretches_without(size: int, left_out: Iterable[int]) -> tuple[Stretch, ...]:
    """Gives all of [0, size) but some leaves."""
    stretches: list[Stretch] = []
    first = 0
    for at in sorted({at for at in left_out if 0 <= at < size} | {size}):
        if first < at:
            stretches.append((first, at))
        first = at + 1
    return tuple(stretches)
