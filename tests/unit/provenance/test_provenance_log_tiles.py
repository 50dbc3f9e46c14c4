"""The static files, read by a second implementation from the words of c2sp.org/tlog-tiles, and attacked.

The reader below shares no code with ours: it knows only a folder, SHA-256 and the specification.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from pathlib import Path

import pytest

from provenance.errors import FormatError, LogError
from provenance.log import TransparencyLog
from provenance.merkle import verify_consistency, verify_inclusion
from provenance.tiles.layout import Tile, bundle, tiles_of
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys, seed

KEYS = TestLogKeys()


def open_log(folder: Path) -> TransparencyLog:
    return TransparencyLog(folder / "log.sqlite", ORIGIN, KEYS.sign_checkpoint)


def grow(log: TransparencyLog, first: int, last: int) -> None:
    log.append_all(("job", seed(str(number))) for number in range(first, last))


class Reader:
    """Reads a tiled log by the letter of the specification."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        lines = (prefix / "checkpoint").read_text().split("\n")
        assert lines[0] == ORIGIN
        self.size, self.root = int(lines[1]), base64.b64decode(lines[2])

    def fetch(self, level: str, position: int, count: int) -> bytes:
        tile = position // 256
        parts = []
        digits = f"{tile:03d}" if tile < 1000 else f"{tile:06d}"
        for at in range(0, len(digits), 3):
            parts.append(("x" if at < len(digits) - 3 else "") + digits[at : at + 3])
        name = "/".join(parts)
        width = min(256, count - tile * 256)
        if width < 256:
            name += f".p/{width}"
        return (self.prefix / "tile" / level / name).read_bytes()

    def entry(self, index: int) -> bytes:
        content = self.fetch("entries", index, self.size)
        entries, at = [], 0
        while at < len(content):
            length = int.from_bytes(content[at : at + 2], "big")
            entries.append(content[at + 2 : at + 2 + length])
            at += 2 + length
        assert at == len(content)
        return entries[index % 256]

    def mth(self, low: int, high: int) -> bytes:
        """MTH(D[low:high]) from tiles; takes the highest level that has the hash."""
        width = high - low
        if width & (width - 1) == 0:
            level = (width.bit_length() - 1) // 8
            span = 256**level
            if width == span:
                content = self.fetch(str(level), low // span, self.size // span)
                at = low // span % 256
                return content[at * 32 : at * 32 + 32]
        middle = 1
        while middle * 2 < width:
            middle *= 2
        return hashlib.sha256(b"\x01" + self.mth(low, low + middle) + self.mth(low + middle, high)).digest()


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 512, 700])
def test_a_second_implementation_reads_the_files(tmp_path: Path, size: int) -> None:
    with open_log(tmp_path) as log:
        grow(log, 0, size)
        reader = Reader(tmp_path / "log")
        assert reader.size == size
        assert reader.mth(0, size) == reader.root
        for index in {0, size // 2, size - 1}:
            entry = reader.entry(index)
            assert json.loads(entry)["sha256"] == seed(str(index)).hex()
            leaf = hashlib.sha256(b"\x00" + entry).digest()
            assert reader.mth(index, index + 1) == leaf
            hashes = [
                base64.b64decode(line)
                for line in log.proof_for(index).decode().split("\n\n")[0].split("\n")
                if len(line) == 44
            ]
            verify_inclusion(leaf, index, size, hashes, reader.root)
        report = log.check(KEYS.verifier_keys)
        assert report.static is not None
        assert report.static.entries == size


def test_somebody_elses_levels_stand_above_256_full_tiles(tmp_path: Path) -> None:
    """A tree of 65,537 leaves: a full tile of level 1 and one hash of level 2."""
    paths = {tile.path for tile in tiles_of(65_537)}
    assert {"tile/2/000.p/1", "tile/1/000", "tile/0/256.p/1", "tile/entries/256.p/1"} <= paths
    assert "tile/1/001.p/1" not in paths
    assert len(paths) == 2 * 257 + 2


def test_the_specifications_own_example() -> None:
    """ "A tree of size 70,000 will be represented by 273 full level 0 tiles, ..."."""
    tiles = [tile for tile in tiles_of(70_000) if tile.level is not None]
    full = [tile.level for tile in tiles if tile.width == 256]
    partial = {tile.level: tile.width for tile in tiles if tile.width < 256}
    assert (full.count(0), full.count(1), len(full)) == (273, 1, 274)
    assert partial == {0: 112, 1: 17, 2: 1}
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert {tile.path for tile in tiles_of(256) if tile.level is not None} == {"tile/0/000", "tile/1/000.p/1"}


@pytest.mark.parametrize("old", [0, 1, 255, 256, 300, 65_535, 65_536, 70_000])
@pytest.mark.parametrize("more", [0, 1, 255, 256, 70_000])
def test_what_a_growing_log_writes_adds_up(old: int, more: int) -> None:
    before, after = set(tiles_of(old)), set(tiles_of(old + more))
    assert before | set(tiles_of(old + more, old)) >= after
    assert before.isdisjoint(tiles_of(old + more, old))


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/1",
        "tile/0/0001",
        "tile/00/001",
        "tile/64/001",
        "tile/-1/001",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001",
        "tile/0/001.p/0",
        "tile/0/001.p/01",
        "tile/0/001.p/256",
        "tile/0/001.p/",
        "tile/0/001/",
        "tile/0/../../log.sqlite",
        "tile/entry/001",
        "tile/0/٠٠١",
        "/tile/0/001",
        "tile/0/001\n",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "checkpoint",
        "",
    ],
)
def test_a_path_has_one_spelling(path: str) -> None:
    with pytest.raises(FormatError):
        Tile.parse(path)


@pytest.mark.parametrize("tile", [*tiles_of(70_000, 69_000), Tile(0, 1_234_067), Tile(None, 999, 3)])
def test_a_path_reads_back(tile: Tile) -> None:
    assert Tile.parse(tile.path) == tile


def test_an_entry_too_long_for_its_length_is_refused() -> None:
    assert bundle([b"", b"ab"]) == b"\x00\x00\x00\x02ab"
    with pytest.raises(FormatError):
        bundle([bytes(65_536)])


def test_partial_tiles_stay_until_they_are_full(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        for size in (1, 2, 255):
            grow(log, 0, size)
        level0 = tmp_path / "log" / "tile" / "0"
        assert {path.name for path in (level0 / "000.p").iterdir()} == {"1", "2", "255"}
        sound = log.check().static
        grow(log, 0, 257)
        assert sorted(path.name for path in level0.iterdir()) == ["000", "001.p"]
        assert sound is not None
        assert log.check().static != sound
        grow(log, 0, 257)  # Nothing new: nothing is published again.
        assert Reader(tmp_path / "log").size == 257


def test_growth_is_consistent_for_a_reader_with_an_older_checkpoint(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        grow(log, 0, 300)
        old = Reader(tmp_path / "log")
        grow(log, 300, 600)
        new = Reader(tmp_path / "log")
        assert new.mth(0, 256) == old.mth(0, 256)
        verify_consistency(300, 600, log.consistency_proof(300, 600), old.root, new.root)


def test_a_log_from_before_static_files_gets_them_at_its_next_start(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        grow(log, 0, 300)
        kept = Reader(tmp_path / "log").root
    (tmp_path / "log").rename(tmp_path / "elsewhere")
    with open_log(tmp_path) as log:
        assert Reader(tmp_path / "log").mth(0, 300) == kept
        assert log.check(KEYS.verifier_keys).entries == 300


def test_an_index_from_a_backup_does_not_fork_what_readers_have_seen(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        grow(log, 0, 3)
    backup = (tmp_path / "log.sqlite").read_bytes()
    with open_log(tmp_path) as log:
        grow(log, 3, 5)
    (tmp_path / "log.sqlite").write_bytes(backup)
    with pytest.raises(LogError) as caught:
        open_log(tmp_path)
    assert caught.value.code == "log_damaged"


def test_an_index_that_was_swapped_is_found(tmp_path: Path) -> None:
    """The same size, other entries: the published checkpoint is none that this index knows."""
    for name, other in (("one", 0), ("two", 10)):
        (tmp_path / name).mkdir()
        with open_log(tmp_path / name) as log:
            grow(log, other, other + 3)
    (tmp_path / "one" / "log.sqlite").write_bytes((tmp_path / "two" / "log.sqlite").read_bytes())
    with sqlite3.connect(tmp_path / "one" / "log.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    (tmp_path / "one" / "log").rename(tmp_path / "kept")
    with open_log(tmp_path / "one") as log:
        (tmp_path / "one" / "log").rename(tmp_path / "moved")
        (tmp_path / "kept").rename(tmp_path / "one" / "log")
        with pytest.raises(LogError, match=r"does not follow|none that"):
            log.check(KEYS.verifier_keys)


@pytest.mark.parametrize(
    ("path", "content", "named"),
    [
        ("tile/0/000", None, "`tile/0/000` is missing"),
        ("tile/0/000", bytes(8192), "`tile/0/000` does not follow"),
        ("tile/0/001.p/44", bytes(44 * 32), "`tile/0/001.p/44` does not follow"),
        ("tile/1/000.p/1", bytes(32), "`tile/1/000.p/1` does not follow"),
        ("tile/1/000.p/1", None, "`tile/1/000.p/1` is missing"),
        ("tile/entries/000", b"\x00\x02{}", "`tile/entries/000` does not follow"),
        ("tile/entries/001.p/44", None, "`tile/entries/001.p/44` is missing"),
        ("tile/0/001.p/45", bytes(45 * 32), "`tile/0/001.p/45` goes beyond"),
        ("tile/0/readme", b"hello", "none of the log's"),
        ("checkpoint", b"hello", "no checkpoint"),
        ("checkpoint", b"stale", "none that the log's index knows"),
    ],
)
def test_the_check_names_the_file_that_is_wrong(
    tmp_path: Path, path: str, content: bytes | None, named: str
) -> None:
    with open_log(tmp_path) as log:
        grow(log, 0, 300)
        place = tmp_path / "log" / path
        if content is None:
            place.unlink()
        elif content == b"stale":
            place.write_bytes(
                KEYS.sign_checkpoint(b"bauta.test/log\n7\n" + base64.b64encode(bytes(32)) + b"\n")
            )
        else:
            place.write_bytes(content)
        with pytest.raises(LogError, match=named) as caught:
            log.check(KEYS.verifier_keys)
        assert caught.value.code == "log_damaged"
