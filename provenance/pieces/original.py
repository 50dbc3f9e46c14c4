"""An original on its way past: what makes its commitment, the same for a worker, a device and a reader.

Nothing here fails because of what an original is like. What cannot be cut into pieces of one form (pictures
that change their size midway, sound that changes its rate) is not committed to at all: its tree is absent,
and whoever recomputes the commitment finds that too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provenance.pieces.committing import PieceTree, TileTree, frame_piece
from provenance.pieces.cutting import BLOCK_BYTES, PictureShape
from provenance.pieces.description import MAX_NUMBER, Commitment, TreeDescription
from provenance.pieces.errors import PiecesError

# Samples of each channel in a block of sound.
BLOCK_SAMPLES = 4096

SoundForm = tuple[int, int, int]
"""(samples a second, channels, bytes a sample)."""


class OriginalTrees:
    """The trees of one original, which streams by: 32 bytes stay of a piece, and an unfinished block.

    The three kinds may come in any order, and from different threads; the pieces of one kind come in theirs.
    """

    def __init__(self, secret: bytes, *, tiles: bool) -> None:
        """Begins.

        Args:
            secret: 32 random bytes, for this original and no other.
            tiles: whether every frame is cut into tiles as well.

        Raises:
            PiecesError: the secret has another length.
        """
        self._secret = secret
        self._container = _Blocks(PieceTree(secret, "bytes", (BLOCK_BYTES,)), BLOCK_BYTES)
        self._shape: PictureShape | None = None
        self._frames: PieceTree | None = None
        self._tiles: TileTree | None = None
        self._wants_tiles = tiles
        self._no_frames = False
        self._form: SoundForm | None = None
        self._sound: _Blocks | None = None
        self._no_sound = False

    def container(self, chunk: bytes) -> None:
        """Takes the next bytes of the file, as many as there are."""
        self._container.add(chunk)

    def frame(self, time_us: int, numbers: tuple[int, ...], planes: Sequence[bytes]) -> None:
        """Takes the next decoded frame.

        Args:
            time_us: microseconds since the first one.
            numbers: what describes its planes (`PictureShape.numbers`).
            planes: row after row without padding.
        """
        if self._no_frames:
            return
        if self._frames is None:
            self._begin_frames(numbers)
        if self._shape is None or not self._shape.fits(numbers, planes) or not 0 <= time_us < 1 << 63:
            self.no_frames()
            return
        if self._frames is not None:
            self._frames.add(frame_piece(time_us, planes))
        if self._tiles is not None:
            self._tiles.add(time_us, planes)

    def no_frames(self) -> None:
        """Takes back all frames: they are not of one form."""
        self._no_frames, self._frames, self._tiles = True, None, None

    def sound(self, form: SoundForm, samples: bytes) -> None:
        """Takes the next decoded samples, interleaved, as many as there are."""
        if self._no_sound:
            return
        if self._sound is None:
            self._begin_sound(form)
        if self._sound is None or form != self._form:
            self.no_sound()
            return
        self._sound.add(samples)

    def no_sound(self) -> None:
        """Takes back all of the sound: it is not of one form, or could not be decoded to its end."""
        self._no_sound, self._sound = True, None

    def finish(self) -> None:
        """Ends the last blocks; nothing may follow."""
        self._container.end()
        if self._sound is not None:
            self._sound.end()

    @property
    def bytes_tree(self) -> PieceTree:
        """Over the container."""
        return self._container.tree

    @property
    def frames_tree(self) -> PieceTree | None:
        """Over the frames; None where there are none of one form."""
        return self._frames

    @property
    def tile_tree(self) -> TileTree | None:
        """Over the frames' tiles; None where nobody asked for it, or there are no frames of one form."""
        return self._tiles

    @property
    def audio_tree(self) -> PieceTree | None:
        """Over the sound; None where there is none of one form."""
        return self._sound.tree if self._sound is not None else None

    def commitment(self, tiles: TileTree | None = None) -> Commitment:
        """Puts all trees together, once all was taken and `finish` was called.

        Args:
            tiles: a tree of tiles of the same frames that somebody else made, under the same secret.
        """
        trees = (self.bytes_tree, self.frames_tree, self.audio_tree, tiles or self.tile_tree)
        return Commitment(self._secret, {tree.kind: tree for tree in _described(trees)})

    def _begin_frames(self, numbers: tuple[int, ...]) -> None:
        try:
            self._shape = PictureShape(*numbers)
        except (PiecesError, TypeError):
            return
        self._frames = PieceTree(self._secret, "frames", self._shape.numbers)
        if self._wants_tiles:
            self._tiles = TileTree(self._secret, self._shape)

    def _begin_sound(self, form: SoundForm) -> None:
        rate, channels, sample_bytes = form
        block_bytes = BLOCK_SAMPLES * channels * sample_bytes
        if 0 < rate <= MAX_NUMBER and 0 < block_bytes <= MAX_NUMBER:
            tree = PieceTree(self._secret, "audio", (BLOCK_SAMPLES, rate, channels, sample_bytes))
            self._form, self._sound = form, _Blocks(tree, block_bytes)


class _Blocks:
    """Cuts what comes in any pieces into blocks, the last one shorter, and adds them to a tree."""

    def __init__(self, tree: PieceTree, block_bytes: int) -> None:
        self.tree = tree
        self._block_bytes = block_bytes
        self._waiting = bytearray()

    def add(self, chunk: bytes) -> None:
        self._waiting += chunk
        whole = len(self._waiting) // self._block_bytes * self._block_bytes
        for at in range(0, whole, self._block_bytes):
            self.tree.add(bytes(self._waiting[at : at + self._block_bytes]))
        del self._waiting[:whole]

    def end(self) -> None:
        if self._waiting:
            self.tree.add(bytes(self._waiting))
            self._waiting.clear()


def _described(trees: Sequence[PieceTree | TileTree | None]) -> Iterator[TreeDescription]:
    for tree in trees:
        if tree is not None:
            yield tree.describe()
