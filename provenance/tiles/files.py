"""Where the static files lie: a contract that an object store can keep as well, and a folder that keeps it.

The folder's promise is the usual one of a file system that may lose power: a file is written under another
name, synced, renamed and its folder synced, so that under its own name it is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Protocol

from provenance.errors import LogError

# The largest file of a log: 256 entries of 65,535 bytes behind their lengths.
MAX_FILE_BYTES = 256 * (2 + 0xFFFF)
# One name a folder: what a crash leaves behind, the next write into that folder takes over.
_UNFINISHED = ".new"


class StaticFiles(Protocol):
    """Keeps files by their path under the log's prefix. Every error is a `LogError`."""

    def write(self, files: Mapping[str, bytes]) -> None:
        """Puts files there, each whole or not at all; all of them are durable once this returns."""

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is none."""

    def paths(self) -> Iterator[str]:
        """Every file, in no order."""

    def remove_folder(self, path: str) -> None:
        """Removes a folder and what is in it, if it is there; need not be durable."""


class FolderFiles:
    """Files in a folder of one's own; keeps the `StaticFiles` contract.

    Args:
        root: made when the first file is written.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, files: Mapping[str, bytes]) -> None:
        """Puts files there, each whole or not at all; all of them are durable once this returns.

        Raises:
            LogError: `log_full`, `log_unavailable`.
        """
        with _translated():
            folders = set()
            for path, content in files.items():
                place = self._root / path
                self._make_folder(place.parent)
                _write_durably(place.parent / _UNFINISHED, content)
                os.rename(place.parent / _UNFINISHED, place)  # noqa: PTH104 - the fault tests stand in for `os`
                folders.add(place.parent)
            for folder in folders:
                _sync(folder)

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is none.

        Raises:
            LogError: `log_unavailable`; `log_damaged`, larger than any file of a log.
        """
        with _translated():
            try:
                with (self._root / path).open("rb") as file:
                    content = file.read(MAX_FILE_BYTES + 1)
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None
        if len(content) > MAX_FILE_BYTES:
            raise LogError("a published file is larger than any file of a log", "log_damaged")
        return content

    def paths(self) -> Iterator[str]:
        """Every file that is finished, in no order."""
        for folder, _, names in os.walk(self._root):
            for name in names:
                if name != _UNFINISHED:
                    yield str(PurePosixPath((Path(folder) / name).relative_to(self._root)))

    def remove_folder(self, path: str) -> None:
        """Removes a folder and what is in it, if it is there; need not be durable."""
        shutil.rmtree(self._root / path, ignore_errors=True)

    def _make_folder(self, folder: Path) -> None:
        """Makes a folder and those above it, and syncs the name of each new one into the one above."""
        if folder.is_dir():
            return
        if folder != self._root:
            self._make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)  # noqa: PTH102 - the fault tests stand in for `os`
        _sync(folder.parent)


def _write_durably(place: Path, content: bytes) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]  # A disk that fills up takes less than it was given.
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Lets no system error out; its message holds a path."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LogError("the disk that holds the log is full", "log_full") from None
        raise LogError("the log's published files cannot be used", "log_unavailable") from None
