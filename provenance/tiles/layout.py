"""Names and contents of the log's static files (c2sp.org/tlog-tiles, "Merkle Tree" and "Log entries").

A tile holds up to 256 consecutive hashes of one level, where levels are eight steps of the tree apart: a
hash in a tile of level 1 is the root over one full tile of level 0. An entry bundle holds the entries whose
hashes stand in the tile of level 0 with the same index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from provenance.errors import FormatError

CHECKPOINT = "checkpoint"
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
MAX_ENTRY_BYTES = 0xFFFF

# Beyond this no tree of 2^63 leaves has a tile.
_MAX_INDEX = 1 << 55
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class Tile:
    """One file of hashes or of entries.

    Attributes:
        level: 0 to 63; None for an entry bundle.
        index: of the tile within its level.
        width: hashes or entries in it, 1 to 256.

    Raises:
        FormatError: a value out of range.
    """

    level: int | None
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not (
            0 <= (self.level or 0) <= MAX_LEVEL
            and 0 <= self.index < _MAX_INDEX
            and 1 <= self.width <= TILE_WIDTH
        ):
            raise FormatError("there is no such tile")

    @property
    def first(self) -> int:
        """Position, within its level, of its first hash or entry."""
        return self.index * TILE_WIDTH

    @property
    def node_level(self) -> int:
        """The level of its hashes as the tree counts them, where leaves are 0."""
        return (self.level or 0) * TILE_HEIGHT

    @property
    def full_path(self) -> str:
        """The path of the full tile at this place."""
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{_index_path(self.index)}"

    @property
    def partial_folder(self) -> str:
        """The folder of all partial tiles at this place."""
        return f"{self.full_path}.p"

    @property
    def path(self) -> str:
        """Its path under the log's prefix."""
        return self.full_path if self.width == TILE_WIDTH else f"{self.partial_folder}/{self.width}"

    @classmethod
    def parse(cls, untrusted: str) -> Tile:
        """Reads a path in its only valid spelling.

        Raises:
            FormatError: anything else.
        """
        found = _PATH.fullmatch(untrusted)
        if found is None:
            raise FormatError("not the path of a tile")
        tile = cls(
            level=None if found["level"] == "entries" else int(found["level"]),
            index=int(found["index"].replace("x", "").replace("/", "")),
            width=int(found["width"] or TILE_WIDTH),
        )
        # An index with a leading x000 or a partial tile of width 256 has another, true spelling.
        if tile.path != untrusted:
            raise FormatError("not the path of a tile")
        return tile


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Gives the tiles that a tree of `size` has and a tree of `since` leaves has not, bundles first.

    Args:
        size: leaves.
        since: leaves of an older tree whose tiles are already there.
    """
    for level in (None, *range(MAX_LEVEL + 1)):
        shift = (level or 0) * TILE_HEIGHT
        hashes, known = size >> shift, since >> shift
        if not hashes:
            return
        if hashes == known:
            continue
        for index in range(known // TILE_WIDTH, hashes // TILE_WIDTH):
            yield Tile(level, index)
        if hashes % TILE_WIDTH:
            yield Tile(level, hashes // TILE_WIDTH, hashes % TILE_WIDTH)


def bundle(entries: Sequence[bytes]) -> bytes:
    """Gives entries as a bundle: each behind its length, a big-endian uint16.

    Raises:
        FormatError: an entry is too long.
    """
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise FormatError("an entry is too long for a bundle", "too_large")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def _index_path(index: int) -> str:
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
