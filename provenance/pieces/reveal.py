"""The package that shows stretches of an original: which ones, their salts, and that they were committed to.

It holds no content but the times of the frames shown, which a clip's container would round. Whoever receives
it has the pieces themselves beside it (a range of the container, or a lossless clip that decodes to the
frames and sound) and finds out here whether they are the original's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from provenance.pieces.committing import time_bytes
from provenance.pieces.description import (
    KINDS,
    TIME_BYTES,
    Commitment,
    TreeDescription,
    check_descriptions,
    top_stretches,
)
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import HASH_BYTES, piece_hash
from provenance.pieces.head import MAX_HEAD_BYTES, head_bytes, head_fields
from provenance.pieces.opening import Opening, Stretch, row_lengths

MAGIC = b"bauta.reveal/v1\n"
MAX_REVEAL_BYTES = 16 << 20
MAX_STRETCHES = 256

# Tiles hang below frames and have a package of their own.
REVEALABLE = frozenset(KINDS) - {"tiles"}


@dataclass(frozen=True)
class RevealPackage:
    """What is shown of some trees; well formed, not yet compared with a commitment.

    Attributes:
        top: the opening of the top tree at the trees described.
        trees: (description, opening), in the order of `KINDS`.
        times: of the frames shown, microseconds since the first frame of the original.

    Raises:
        PiecesError: nothing is shown, too much, or in another order; or times are not those of its frames.
    """

    top: Opening
    trees: tuple[tuple[TreeDescription, Opening], ...]
    times: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        kinds = [tree.kind for tree, _ in self.trees]
        if not kinds or kinds != [kind for kind in KINDS if kind in REVEALABLE.intersection(kinds)]:
            raise PiecesError("a package shows no tree, or trees out of their order")
        for tree, opening in self.trees:
            if not 0 < len(opening.stretches) <= MAX_STRETCHES or opening.size != tree.size:
                raise PiecesError("a package shows no stretch of a tree, or too many")
        if len(self.times) != _frames_in(self.trees):
            raise PiecesError("a package does not say when its frames are seen")

    def to_bytes(self) -> bytes:
        """Gives the package.

        Raises:
            PiecesError: `pieces_too_large`.
        """
        trees = [
            {"shown": [list(stretch) for stretch in opening.stretches], "tree": tree.to_object()}
            for tree, opening in self.trees
        ]
        rows = b"".join(opening.to_bytes() for opening in (self.top, *(opening for _, opening in self.trees)))
        times = b"".join(time_bytes(time_us) for time_us in self.times)
        package = head_bytes(MAGIC, {"trees": trees}) + rows + times
        if len(package) > MAX_REVEAL_BYTES:
            raise PiecesError("a package shows more pieces than fit into one", "pieces_too_large")
        return package

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> RevealPackage:
        """Reads what `to_bytes` wrote.

        Raises:
            PiecesError: anything else.
        """
        if len(untrusted) > MAX_REVEAL_BYTES:
            raise PiecesError("the package is too large", "pieces_too_large")
        end = untrusted.find(b"\n", len(MAGIC), len(MAGIC) + MAX_HEAD_BYTES + 1)
        if not untrusted.startswith(MAGIC) or end < 0:
            raise PiecesError("the bytes are not a package of this format")
        fields = head_fields(untrusted[len(MAGIC) : end], frozenset({"trees"}))
        if not isinstance(fields["trees"], list) or not 0 < len(fields["trees"]) <= len(KINDS):
            raise PiecesError("a package shows no tree, or too many")
        shown = [_shown_of(tree) for tree in fields["trees"]]
        kinds = frozenset(tree.kind for tree, _ in shown)
        wanted = [(len(KINDS), top_stretches(kinds)), *((tree.size, stretches) for tree, stretches in shown)]
        openings, at = [], end + 1
        for size, stretches in wanted:
            length = sum(row_lengths(size, stretches)) * HASH_BYTES
            openings.append(Opening.from_bytes(size, stretches, untrusted[at : at + length]))
            at += length
        pairs = tuple(zip((tree for tree, _ in shown), openings[1:], strict=True))
        if len(untrusted) - at != TIME_BYTES * _frames_in(pairs):
            raise PiecesError("the package ends too early, or goes on after its end")
        starts = range(at, len(untrusted), TIME_BYTES)
        return cls(openings[0], pairs, tuple(_time_of(untrusted[at : at + TIME_BYTES]) for at in starts))

    def require_root(self, root: bytes) -> None:
        """Checks that the package is about a commitment; of the pieces themselves it says nothing.

        Raises:
            PiecesError: `pieces_not_committed`.
        """
        check_descriptions(self.top, {tree.kind: tree for tree, _ in self.trees}, root)
        for tree, opening in self.trees:
            if opening.root() != tree.root:
                raise PiecesError("the package is not about what was committed to", "pieces_not_committed")


def make_reveal(
    commitment: Commitment,
    trees: Iterable[tuple[TreeDescription, Opening]],
    times: Iterable[int] = (),
) -> RevealPackage:
    """Makes a package.

    Args:
        commitment: to all trees of the original.
        trees: those that are shown (`PieceTree.describe`, `PieceTree.open`), in the order of `KINDS`.
        times: of the frames shown, as their pieces have them.

    Raises:
        PiecesError: one of them is not the commitment's, or shows nothing.
    """
    shown = tuple(trees)
    if any(commitment.descriptions[tree.kind] != tree for tree, _ in shown):
        raise PiecesError("a tree is not the commitment's", "pieces_not_committed")
    return RevealPackage(commitment.open(frozenset(tree.kind for tree, _ in shown)), shown, tuple(times))


def verify_reveal(
    untrusted_package: bytes, root: bytes, untrusted_pieces: Mapping[str, Iterable[bytes]]
) -> RevealPackage:
    """Checks that pieces are those of the original, where the package says they stand.

    Args:
        untrusted_package: the bytes of a package.
        root: of the commitment, from a statement or a recording whose signature holds.
        untrusted_pieces: for each tree that the package shows, its shown pieces in order. They are taken one
            at a
            time, so a generator that decodes will do.

    Returns:
        What was shown.

    Raises:
        PiecesError: `pieces_not_committed`: the package is about something else. `pieces_missing`: there are
            fewer or
            more pieces than it shows, or trees. `pieces_differ`: one is not the original's. Or it is
            malformed.
    """
    package = RevealPackage.from_bytes(untrusted_package)
    # Every hash before any piece: from here on a difference is the piece's, and can be named.
    package.require_root(root)
    if untrusted_pieces.keys() != {tree.kind for tree, _ in package.trees}:
        raise PiecesError("the pieces are not of the trees that the package shows", "pieces_missing")
    for tree, opening in package.trees:
        pieces = untrusted_pieces[tree.kind]
        _check_pieces(tree, opening, _at_times(package.times, pieces) if tree.kind == "frames" else pieces)
    return package


def _at_times(times: tuple[int, ...], untrusted_frames: Iterable[bytes]) -> Iterator[bytes]:
    """Passes frames on, each of which has to be seen when the package says."""
    for number, piece in enumerate(untrusted_frames):
        if number < len(times) and not piece.startswith(time_bytes(times[number])):
            raise PiecesError("a frame is seen at another time than the package says", "pieces_differ")
        yield piece


def _check_pieces(tree: TreeDescription, opening: Opening, untrusted_pieces: Iterable[bytes]) -> None:
    pieces = iter(untrusted_pieces)
    for at, salt, leaf in zip(opening.positions(), opening.salts(), opening.shown, strict=True):
        piece = next(pieces, None)
        if piece is None:
            raise PiecesError("there are fewer pieces than the package shows", "pieces_missing")
        if piece_hash(tree.kind, salt, piece) != leaf:
            raise PiecesError(f"piece {at} of the tree of {tree.kind} is not the original's", "pieces_differ")
        # A place in an original is an index times a length: a committer who cut otherwise could move it.
        shorter = tree.kind != "frames" and at == tree.size - 1 and 0 < len(piece) < tree.piece_bytes
        if len(piece) != tree.piece_bytes and not shorter:
            raise PiecesError(f"piece {at} of the tree of {tree.kind} was cut to another length")
    if next(pieces, None) is not None:
        raise PiecesError("there are more pieces than the package shows", "pieces_missing")


def _frames_in(trees: Iterable[tuple[TreeDescription, Opening]]) -> int:
    return sum(len(opening.shown) for tree, opening in trees if tree.kind == "frames")


def _time_of(untrusted: bytes) -> int:
    time_us = int.from_bytes(untrusted, "big")
    if time_us >= 1 << 63:
        raise PiecesError("a frame's time is out of range")
    return time_us


def _shown_of(untrusted: object) -> tuple[TreeDescription, tuple[Stretch, ...]]:
    if not isinstance(untrusted, dict) or untrusted.keys() != {"shown", "tree"}:
        raise PiecesError("a package describes a tree in another form")
    stretches = untrusted["shown"]
    if not isinstance(stretches, list) or not 0 < len(stretches) <= MAX_STRETCHES:
        raise PiecesError("a package shows no stretch of a tree, or too many")
    for stretch in stretches:
        if not isinstance(stretch, list) or len(stretch) != 2 or any(type(at) is not int for at in stretch):
            raise PiecesError("a stretch is not two numbers")
    return TreeDescription.from_object(untrusted["tree"]), tuple((first, end) for first, end in stretches)
