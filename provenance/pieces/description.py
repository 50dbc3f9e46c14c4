"""What a tree is over, and the one root over the four trees of an original.

A statement names 32 bytes, `Commitment.root`: sizes and roots of the trees stand below it, each behind a salt
of its own. So a reader of the statement cannot look up a leaked file by its length, and who is shown some
frames does not learn how long the container was, or whether there was sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import EMPTY_ROOT, HASH_BYTES, LeafHashes, piece_hash
from provenance.pieces.opening import Opening, Stretch, open_stretches
from provenance.pieces.seeds import TREE_LEVELS, leaf_seeds, salt_of, tree_seed

_PICTURE = ("width", "height", "chroma_width", "chroma_height", "sample_bytes")
# Each kind of tree and the numbers that say how its pieces were cut; in the order of the top tree's leaves.
SHAPES: Mapping[str, tuple[str, ...]] = {
    "bytes": ("block_bytes",),
    "frames": _PICTURE,
    "audio": ("block_samples", "samples_per_second", "channels", "sample_bytes"),
    "tiles": _PICTURE,
}
KINDS = tuple(SHAPES)
MAX_NUMBER = 1 << 24
# A frame's piece begins with its time.
TIME_BYTES = 8
_TOP = "top"


@dataclass(frozen=True)
class TreeDescription:
    """One tree of an original.

    Attributes:
        kind: one of `KINDS`.
        size: how many pieces; 0 if the original has nothing of that kind.
        root: 32 bytes.
        shape: the numbers that `SHAPES` lists for the kind, in that order; all 0 if there are no pieces.

    Raises:
        PiecesError: it is none of these.
    """

    kind: str
    size: int
    root: bytes
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.kind not in SHAPES or len(self.shape) != len(SHAPES[self.kind]):
            raise PiecesError("a tree's description is of no known kind")
        if len(self.root) != HASH_BYTES or not 0 <= self.size <= 1 << TREE_LEVELS:
            raise PiecesError("a tree's description has no root and size")
        if any(not 0 <= number <= MAX_NUMBER for number in self.shape):
            raise PiecesError("a tree's description has a number out of its range")
        if self.size == 0 and (self.root != EMPTY_ROOT or any(self.shape)):
            raise PiecesError("a tree without pieces is described as one with some")

    @property
    def piece_bytes(self) -> int:
        """How long a piece is by the shape; the last block of container or sound may be shorter.

        Raises:
            PiecesError: the tree is over tiles, whose pieces are frames of their own.
        """
        if self.kind == "bytes":
            return self.shape[0]
        if self.kind == "audio":
            samples, _, channels, sample_bytes = self.shape
            return samples * channels * sample_bytes
        if self.kind == "frames":
            width, height, chroma_width, chroma_height, sample_bytes = self.shape
            return TIME_BYTES + (width * height + 2 * chroma_width * chroma_height) * sample_bytes
        raise PiecesError("a tree over tiles has no pieces of one length")

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        numbers = dict(zip(SHAPES[self.kind], self.shape, strict=True))
        return {"kind": self.kind, "root": self.root.hex(), "size": self.size, **numbers}

    def to_bytes(self) -> bytes:
        """Gives the canonical JSON, which is what the top tree's leaf is over."""
        return canonical.dumps(self.to_object())

    @classmethod
    def from_object(cls, untrusted: object) -> TreeDescription:
        """Reads what `to_object` gave.

        Raises:
            PiecesError: anything else.
        """
        if not isinstance(untrusted, dict):
            raise PiecesError("a tree's description is not an object")
        kind, root = untrusted.get("kind"), untrusted.get("root")
        if not isinstance(kind, str) or kind not in SHAPES:
            raise PiecesError("a tree's description is of no known kind")
        if untrusted.keys() != {"kind", "root", "size", *SHAPES[kind]}:
            raise PiecesError("a tree's description has other fields than its kind")
        numbers = [untrusted[name] for name in ("size", *SHAPES[kind])]
        if any(type(number) is not int for number in numbers):
            raise PiecesError("a tree's description has a number that is none")
        return cls(kind, numbers[0], digest_of(root), tuple(numbers[1:]))


def absent(kind: str) -> TreeDescription:
    """Describes what an original does not have, such as the sound of a silent film."""
    return TreeDescription(kind, 0, EMPTY_ROOT, (0,) * len(SHAPES[kind]))


class Commitment:
    """The four trees of one original under one root."""

    def __init__(self, secret: bytes, descriptions: Mapping[str, TreeDescription]) -> None:
        """Puts the trees together.

        Args:
            secret: 32 random bytes, the ones that the trees were salted with.
            descriptions: by kind; a kind that is not there is described as absent.
        """
        self.descriptions = {kind: descriptions.get(kind) or absent(kind) for kind in KINDS}
        self._top = tree_seed(secret, _TOP)
        seeds = leaf_seeds(self._top, TREE_LEVELS)
        self._leaves = LeafHashes(
            [piece_hash(_TOP, salt_of(next(seeds)), self.descriptions[kind].to_bytes()) for kind in KINDS]
        )

    @property
    def root(self) -> bytes:
        """What a statement or a recording names, 32 bytes."""
        return self._leaves.root()

    def open(self, kinds: frozenset[str]) -> Opening:
        """Shows the descriptions of some trees."""
        return open_stretches(self._top, TREE_LEVELS, self._leaves, top_stretches(kinds))


def top_stretches(kinds: frozenset[str]) -> tuple[Stretch, ...]:
    """Gives where these kinds stand in the top tree."""
    places = [at for at, kind in enumerate(KINDS) if kind in kinds]
    stretches: list[Stretch] = []
    for at in places:
        if stretches and stretches[-1][1] == at:
            stretches[-1] = (stretches[-1][0], at + 1)
        else:
            stretches.append((at, at + 1))
    return tuple(stretches)


def check_descriptions(top: Opening, descriptions: Mapping[str, TreeDescription], root: bytes) -> None:
    """Checks that these descriptions stand in a commitment.

    Args:
        top: the opening of the top tree at exactly these kinds.
        descriptions: by kind.
        root: of the commitment, from a statement or a recording whose signature holds.

    Raises:
        PiecesError: `pieces_not_committed`, they do not.
    """
    in_order = [descriptions[kind] for kind in KINDS if kind in descriptions]
    if top.size != len(KINDS) or top.stretches != top_stretches(frozenset(descriptions)):
        raise PiecesError("a package opens other trees than it describes")
    hashes = tuple(
        piece_hash(_TOP, salt, description.to_bytes())
        for salt, description in zip(top.salts(), in_order, strict=True)
    )
    if hashes != top.shown or top.root() != root:
        raise PiecesError("the package is not about what was committed to", "pieces_not_committed")


def digest_of(untrusted: object) -> bytes:
    """Reads 32 bytes in lower-case hex.

    Raises:
        PiecesError: anything else.
    """
    if not isinstance(untrusted, str) or len(untrusted) != 2 * HASH_BYTES:
        raise PiecesError("a digest is not 64 hex digits")
    try:
        digest = bytes.fromhex(untrusted)
    except ValueError:
        raise PiecesError("a digest is not 64 hex digits") from None
    if digest.hex() != untrusted:
        raise PiecesError("a digest is not in lower-case hex")
    return digest
