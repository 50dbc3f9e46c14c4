"""What whoever keeps the log's static files must hold to; a folder today, an object store by the same class.

A new keeper subclasses `StaticFilesContract`, gives `keeper`, and passes as it stands.
"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from contract.memory_log import MemoryFiles

from provenance.errors import LogError
from provenance.tiles.files import MAX_FILE_BYTES, FolderFiles, StaticFiles


class StaticFilesContract:
    """The contract, against any keeper."""

    @pytest.fixture
    def keeper(self, tmp_path: Path) -> StaticFiles:
        """An empty keeper."""
        raise NotImplementedError

    @pytest.fixture
    def same(self, keeper: StaticFiles) -> StaticFiles:
        """Another one over the same files, as after a new start."""
        raise NotImplementedError

    def test_an_empty_keeper_has_nothing(self, keeper: StaticFiles) -> None:
        assert keeper.read("checkpoint") is None
        assert keeper.read("tile/0/000") is None
        assert list(keeper.paths()) == []
        keeper.remove_folder("tile/0/000.p")

    def test_what_is_written_is_there_after_a_new_start(self, keeper: StaticFiles, same: StaticFiles) -> None:
        files = {"checkpoint": b"c", "tile/0/x001/234": bytes(8192), "tile/0/x001/235.p/7": b"\x00\xff" * 112}
        keeper.write(files)
        assert {path: same.read(path) for path in same.paths()} == files

    def test_a_file_is_replaced_whole(self, keeper: StaticFiles) -> None:
        keeper.write({"checkpoint": b"a longer one"})
        keeper.write({"checkpoint": b"short"})
        keeper.write({})
        assert keeper.read("checkpoint") == b"short"

    def test_a_tile_and_its_partial_tiles_stand_side_by_side(self, keeper: StaticFiles) -> None:
        keeper.write({"tile/0/000.p/1": b"1", "tile/0/000.p/255": b"2"})
        keeper.write({"tile/0/000": b"full"})
        assert len(list(keeper.paths())) == 3
        keeper.remove_folder("tile/0/000.p")
        assert list(keeper.paths()) == ["tile/0/000"]
        assert keeper.read("tile/0/000.p/1") is None

    def test_a_folder_is_no_file(self, keeper: StaticFiles) -> None:
        keeper.write({"tile/0/000": b"x"})
        assert keeper.read("tile/0") is None
        assert keeper.read("tile/0/000/000") is None

    def test_a_file_larger_than_any_of_a_log_is_not_read(self, keeper: StaticFiles) -> None:
        keeper.write({"tile/entries/000": bytes(MAX_FILE_BYTES + 1)})
        with pytest.raises(LogError) as caught:
            keeper.read("tile/entries/000")
        assert caught.value.code == "log_damaged"


class TestFolderFiles(StaticFilesContract):
    """A folder on a disk."""

    @pytest.fixture
    def keeper(self, tmp_path: Path) -> StaticFiles:
        """An empty folder."""
        return FolderFiles(tmp_path / "log")

    @pytest.fixture
    def same(self, tmp_path: Path) -> StaticFiles:
        """The same folder."""
        return FolderFiles(tmp_path / "log")

    def test_only_its_owner_may_read_it_as_long_as_it_is_ours(self, tmp_path: Path) -> None:
        FolderFiles(tmp_path / "log").write({"tile/0/000": b"x"})
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "log").rglob("*")}
        assert modes == {0o700, 0o600}

    def test_what_a_crash_left_unfinished_is_no_file_and_is_taken_over(self, tmp_path: Path) -> None:
        files = FolderFiles(tmp_path / "log")
        files.write({"tile/0/000": b"x"})
        unfinished = tmp_path / "log" / "tile" / "0" / ".new"
        unfinished.write_bytes(b"half of a tile, and longer than the next one")
        assert list(files.paths()) == ["tile/0/000"]
        files.write({"tile/0/001": b"y"})
        assert files.read("tile/0/001") == b"y"
        assert not unfinished.exists()

    def test_a_link_planted_under_the_unfinished_name_is_not_followed(self, tmp_path: Path) -> None:
        files = FolderFiles(tmp_path / "log")
        files.write({"tile/0/000": b"x"})
        (tmp_path / "victim").write_bytes(b"precious")
        (tmp_path / "log" / "tile" / "0" / ".new").symlink_to(tmp_path / "victim")
        with pytest.raises(LogError) as caught:
            files.write({"tile/0/001": b"y"})
        assert caught.value.code == "log_unavailable"
        assert (tmp_path / "victim").read_bytes() == b"precious"


class TestMemoryFiles(StaticFilesContract):
    """Flat names in memory, as an object store has them."""

    @pytest.fixture
    def objects(self) -> dict[str, bytes]:
        """The bucket."""
        return {}

    @pytest.fixture
    def keeper(self, objects: dict[str, bytes]) -> StaticFiles:
        """An empty bucket."""
        return MemoryFiles(objects)

    @pytest.fixture
    def same(self, objects: dict[str, bytes]) -> StaticFiles:
        """The same bucket."""
        return MemoryFiles(objects)
