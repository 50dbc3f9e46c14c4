"""The untouched package of a job: which tiles of its result are the original's, written while frames pass.

A tile is opened if no cover has a sample in it and it leaves as it came. The second half alone would tell of
a black tile that it was black under its cover; the first alone would trust effects to keep to their covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.native.passing import Edges, PlaneArray
from enclave.errors import WorkerError
from enclave.worker.handed_over import DescriptorSink
from keyvault.age import SealWriter, parse_recipient
from provenance.pieces.committing import TileTree
from provenance.pieces.cutting import TILE, PictureShape
from provenance.pieces.description import Commitment
from provenance.pieces.errors import PiecesError
from provenance.pieces.original import OriginalTrees
from provenance.pieces.untouched import untouched_end, untouched_head, untouched_record


@dataclass(frozen=True)
class SealedUntouched:
    """A package on its descriptor.

    Attributes:
        commitment: to the original, its tiles among it.
        sealed_bytes: size of the sealed package.
        sealed_sha256: its digest, 32 bytes.
        figures: what the statement says of it.
    """

    commitment: Commitment
    sealed_bytes: int
    sealed_sha256: bytes
    figures: dict[str, int]


class UntouchedPackage:
    """Seals a package as it grows (`anonymizer.native.passing.UntouchedKeeper`).

    Args:
        secret: of the commitment, 32 bytes.
        sink: takes the sealed package.
        recipients: those of the result.
    """

    def __init__(self, secret: bytes, sink: DescriptorSink, recipients: tuple[str, ...]) -> None:
        self._secret = secret
        self._sink = sink
        self._recipients = [parse_recipient(recipient) for recipient in recipients]
        self._film: _Film | None = None

    def again(self) -> None:
        """Begins anew, under a new file key."""
        self._sink.again()
        self._film = None

    def passed(
        self,
        time_us: int,
        before: Sequence[PlaneArray],
        after: Sequence[PlaneArray],
        covered: Sequence[Edges],
    ) -> None:
        """Takes a frame.

        Raises:
            WorkerError: `evidence_impossible`, it has more tiles than a tree has room for;
                `untouched_too_large`.
            OSError: the disk is full.
        """
        if self._film is None:
            shape = _shape_of(before)
            self._film = _Film(shape, TileTree(self._secret, shape), SealWriter(self._sink, self._recipients))
        self._film.add(time_us, before, after, covered)

    def close(self, trees: OriginalTrees) -> SealedUntouched:
        """Ends the package.

        Args:
            trees: all else of the commitment.

        Raises:
            WorkerError: `untouched_too_large`; `evidence_impossible`, there was no frame.
            OSError: the disk is full.
        """
        if self._film is None:
            raise WorkerError("there was nothing to open", "evidence_impossible")
        commitment = trees.commitment(self._film.tree)
        figures = self._film.end(untouched_end(commitment))
        return SealedUntouched(commitment, self._sink.size, self._sink.digest, figures)


class _Film:
    """One passage of all frames."""

    def __init__(self, shape: PictureShape, tree: TileTree, writer: SealWriter) -> None:
        self.tree = tree
        self._shape = shape
        self._writer = writer
        self._samples_of_tiles = np.array(shape.samples_of_tiles)
        self._frames = self._tiles_open = self._samples_open = 0
        writer.write(untouched_head(shape))

    def add(
        self,
        time_us: int,
        before: Sequence[PlaneArray],
        after: Sequence[PlaneArray],
        covered: Sequence[Edges],
    ) -> None:
        touched = self._shape.tiles_under(covered) | frozenset(_differing(before, after))
        opening = self.tree.add_opened(time_us, [plane.tobytes() for plane in before], touched)
        self._writer.write(untouched_record(time_us, opening))
        self._frames += 1
        self._tiles_open += len(opening.shown)
        self._samples_open += int(self._samples_of_tiles[list(opening.positions())].sum())

    def end(self, last: bytes) -> dict[str, int]:
        self._writer.write(last)
        self._writer.close()
        return {
            "frames": self._frames,
            "open_permille": self._samples_open * 1000 // (self._frames * self._shape.samples),
            "tiles": self._frames * self._shape.tiles,
            "tiles_open": self._tiles_open,
        }


def _shape_of(planes: Sequence[PlaneArray]) -> PictureShape:
    (height, width), (chroma_height, chroma_width), _ = (plane.shape for plane in planes)
    try:
        return PictureShape(width, height, chroma_width, chroma_height)
    except PiecesError:
        raise WorkerError("a picture is too large to be cut into tiles", "evidence_impossible") from None


def _differing(before: Sequence[PlaneArray], after: Sequence[PlaneArray]) -> Iterator[int]:
    """Gives the tiles that do not leave as they came."""
    start = 0
    for was, is_now in zip(before, after, strict=True):
        rows, columns = (np.arange(0, side, TILE) for side in was.shape)
        changed = np.logical_or.reduceat(np.logical_or.reduceat(was != is_now, rows, axis=0), columns, axis=1)
        yield from (start + np.flatnonzero(changed)).tolist()
        start += changed.size
