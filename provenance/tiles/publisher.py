"""Brings the static files up to a checkpoint: bundles and tiles first, the checkpoint last.

A reader who has a checkpoint therefore finds every file that it needs. All files but the checkpoint follow
from the index alone, so that to write one again after a crash writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from provenance.checkpoint import CheckpointText
from provenance.entry import Entry
from provenance.errors import FormatError, LogError
from provenance.note import parse_note
from provenance.tiles.files import StaticFiles
from provenance.tiles.layout import CHECKPOINT, TILE_HEIGHT, TILE_WIDTH, Tile, bundle, tiles_of

# Bounds the memory that a first publication of a long log takes.
_FILES_AT_ONCE = 64
# Of eight steps each: no tree of fewer than 2^63 leaves has more.
_LEVELS = 8


class TileIndex(Protocol):
    """The part of the log's index that tiles are made from."""

    def nodes(self, level: int, first: int, count: int) -> list[bytes]:
        """Roots of consecutive complete subtrees."""

    def entries(self, first: int, count: int) -> list[Entry]:
        """Consecutive entries."""


def tile_content(tile: Tile, index: TileIndex) -> bytes:
    """Gives what the file must hold.

    Raises:
        LogError: `log_damaged`, the index does not reach that far.
    """
    if tile.level is None:
        return bundle([entry.to_bytes() for entry in index.entries(tile.first, tile.width)])
    return b"".join(index.nodes(tile.node_level, tile.first, tile.width))


def published_checkpoint(files: StaticFiles) -> tuple[CheckpointText, bytes] | None:
    """The checkpoint that readers see, its signatures not checked; None before the first one.

    Raises:
        LogError: `log_damaged`, the file is no checkpoint.
    """
    note = files.read(CHECKPOINT)
    if note is None:
        return None
    try:
        return CheckpointText.parse(parse_note(note).text.encode()), note
    except FormatError:
        raise LogError("the published file `checkpoint` is no checkpoint", "log_damaged") from None


class TilePublisher:
    """The only writer of a log's static files. Not thread-safe: the log has one sequencer.

    Raises:
        LogError: `log_damaged`, the published checkpoint is no checkpoint.
    """

    def __init__(self, files: StaticFiles, index: TileIndex) -> None:
        self._files = files
        self._index = index
        published = published_checkpoint(files)
        self._checkpoint = None if published is None else published[1]
        self._size = 0 if published is None else published[0].size
        # Up to here the tiles are durable; a retry after a failed checkpoint need not write them again.
        self._tiled = self._size

    @property
    def size(self) -> int:
        """Leaves under the checkpoint that readers see."""
        return self._size

    def is_published(self, note: bytes) -> bool:
        """Whether this is the checkpoint that readers see."""
        return note == self._checkpoint

    def write_tiles(self, size: int) -> None:
        """Makes everything durable that a tree of `size` needs. The checkpoint stays as it is.

        Raises:
            LogError: `log_full`, `log_unavailable`, `log_damaged`; to try again is safe.
        """
        tiles = tiles_of(size, self._tiled)
        while batch := list(islice(tiles, _FILES_AT_ONCE)):
            self._files.write({tile.path: tile_content(tile, self._index) for tile in batch})
        self._tiled = size

    def write_checkpoint(self, size: int, note: bytes) -> None:
        """Shows readers the checkpoint, then removes partial tiles that have become full.

        Raises:
            LogError: `log_full`, `log_unavailable`; to try again is safe.
        """
        self._files.write({CHECKPOINT: note})
        for folder in _outgrown(self._size, size):
            self._files.remove_folder(folder)
        self._size, self._checkpoint = size, note


def _outgrown(old_size: int, new_size: int) -> Iterator[str]:
    """Folders of partial tiles of the old tree whose full tile the new tree has."""
    for level in (None, *range(_LEVELS)):
        shift = (level or 0) * TILE_HEIGHT
        index, width = divmod(old_size >> shift, TILE_WIDTH)
        if width and (new_size >> shift) // TILE_WIDTH > index:
            yield Tile(level, index, width).partial_folder
