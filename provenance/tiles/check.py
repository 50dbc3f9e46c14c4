"""The static files' half of the fsck: compares each of them with what the index says it must hold.

The index itself is computed again from its entries by `log_check`; only both together are the whole check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from provenance.errors import FormatError, LogError
from provenance.tiles.files import StaticFiles
from provenance.tiles.layout import CHECKPOINT, Tile, tiles_of
from provenance.tiles.publisher import TileIndex, published_checkpoint, tile_content


class CheckedIndex(TileIndex, Protocol):
    """An index that also remembers every checkpoint."""

    def checkpoints(self, first: int, count: int) -> dict[int, tuple[bytes, bytes]]:
        """Root and note by size, of every checkpoint of a size from `first` to before `first + count`."""


@dataclass(frozen=True)
class StaticReport:
    """What sound static files hold.

    Attributes:
        entries: under the checkpoint that readers see; fewer than the index has after a crash, until the
            next start. None if nothing was published yet.
        files: tiles and bundles.
    """

    entries: int | None
    files: int


def check_files(files: StaticFiles, index: CheckedIndex) -> StaticReport:
    """Checks that every file needed is there, that each one holds what it must, and that there is no other.

    Raises:
        LogError: `log_damaged`, and which file is wrong.
    """
    found = sorted(path for path in files.paths() if path != CHECKPOINT)
    for path in found:
        _check_tile(files, index, path)
    published = published_checkpoint(files)
    if published is None:
        return StaticReport(entries=None, files=len(found))
    text, note = published
    if index.checkpoints(text.size, 1).get(text.size) != (text.root, note):
        raise _damaged("the published file `checkpoint` is none that the log's index knows")
    there = set(found)
    for tile in tiles_of(text.size):
        if tile.path not in there:
            raise _damaged(f"the published file `{tile.path}` is missing")
    return StaticReport(entries=text.size, files=len(found))


def _check_tile(files: StaticFiles, index: TileIndex, path: str) -> None:
    try:
        tile = Tile.parse(path)
    except FormatError:
        raise _damaged("a file that is none of the log's lies among the published ones") from None
    try:
        expected = tile_content(tile, index)
    except LogError:
        raise _damaged(f"the published file `{path}` goes beyond the log's index") from None
    if files.read(path) != expected:
        raise _damaged(f"the published file `{path}` does not follow from the entries")


def _damaged(message: str) -> LogError:
    return LogError(message, "log_damaged")
