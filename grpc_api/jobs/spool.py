"""The spool: ciphertext files, one folder a job. Nothing here was ever plaintext."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grpc_api.durable import sync_folder
from grpc_api.errors import ServiceError, exhausted

READ_BYTES = 256 * 1024
_DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


class Spool:
    """Uploads and results by job id, under one folder of mode 0700."""

    def __init__(self, folder: Path, min_free_bytes: int) -> None:
        self._folder = folder
        self._min_free_bytes = min_free_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def upload_path(self, job_id: str) -> Path:
        """Where the sealed upload lies."""
        return self._folder / job_id / "upload.age"

    def result_path(self, job_id: str) -> Path:
        """Where the sealed result lies once the job is done."""
        return self._folder / job_id / "result.age"

    def review_path(self, job_id: str) -> Path:
        """Where the sealed review package lies once the job is done, if it was asked for one."""
        return self._folder / job_id / "review.age"

    def untouched_path(self, job_id: str) -> Path:
        """Where the sealed untouched package lies once the job is done, if its policy asks for one."""
        return self._folder / job_id / "untouched.age"

    def scores_path(self, job_id: str) -> Path:
        """Where the sealed scores lie once the job is done, if somebody was compared with templates."""
        return self._folder / job_id / "scores.age"

    @contextmanager
    def appending(self, job_id: str, committed_bytes: int) -> Iterator[UploadFile]:
        """Opens an upload for appending; bytes past the last durable one are cut off first."""
        with _storage_errors():
            self.upload_path(job_id).parent.mkdir(mode=0o700, exist_ok=True)
            fd = os.open(self.upload_path(job_id), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with _storage_errors():
                os.ftruncate(fd, committed_bytes)
                os.lseek(fd, committed_bytes, os.SEEK_SET)
            yield UploadFile(fd, committed_bytes, self.upload_path(job_id).parent)
        finally:
            os.close(fd)

    def require_room(self, wanted_bytes: int) -> None:
        """Raises `storage_full` when these bytes would leave too little free."""
        if shutil.disk_usage(self._folder).free - wanted_bytes < self._min_free_bytes:
            raise _storage_full()

    def open_upload(self, job_id: str) -> int:
        """A read-only descriptor of the sealed upload."""
        return os.open(self.upload_path(job_id), os.O_RDONLY | os.O_CLOEXEC)

    def create_result(self, job_id: str) -> int:
        """A write-only descriptor of an empty partial result; a worker gets it."""
        return _create_empty(_partial(self.result_path(job_id)))

    def create_review(self, job_id: str) -> int:
        """A write-only descriptor of an empty partial review package; a worker gets it."""
        return _create_empty(_partial(self.review_path(job_id)))

    def create_untouched(self, job_id: str) -> int:
        """A write-only descriptor of an empty partial untouched package; a worker gets it."""
        return _create_empty(_partial(self.untouched_path(job_id)))

    def create_scores(self, job_id: str) -> int:
        """A write-only descriptor of an empty partial file of scores; a worker gets it."""
        return _create_empty(_partial(self.scores_path(job_id)))

    def create_scratch(self) -> int:
        """A descriptor of a nameless file; a worker keeps ciphertext of its own in it, for its life."""
        with _storage_errors():
            return os.open(self._folder, os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o600)

    def commit_result(self, job_id: str) -> tuple[int, str]:
        """Makes the partial result durable and final; its size in bytes and its SHA-256."""
        return _commit(self.result_path(job_id))

    def commit_review(self, job_id: str) -> tuple[int, str]:
        """Makes the partial review package durable and final; its size in bytes and its SHA-256."""
        return _commit(self.review_path(job_id))

    def commit_untouched(self, job_id: str, untouched_bytes: int) -> tuple[int, str]:
        """Makes the partial untouched package durable and final; its size in bytes and its SHA-256.

        A worker that began anew could not shorten it: what lies behind these bytes is cut off.
        """
        partial = _partial(self.untouched_path(job_id))
        with _storage_errors():
            if partial.stat().st_size > untouched_bytes:
                os.truncate(partial, untouched_bytes)
        return _commit(self.untouched_path(job_id))

    def commit_scores(self, job_id: str) -> tuple[int, str]:
        """Makes the partial file of scores durable and final; its size in bytes and its SHA-256."""
        return _commit(self.scores_path(job_id))

    def read_result(self, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed result from an offset, in small pieces."""
        return _pieces(self.result_path(job_id), offset)

    def read_review(self, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed review package from an offset, in small pieces."""
        return _pieces(self.review_path(job_id), offset)

    def read_untouched(self, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed untouched package from an offset, in small pieces."""
        return _pieces(self.untouched_path(job_id), offset)

    def read_scores(self, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed scores from an offset, in small pieces."""
        return _pieces(self.scores_path(job_id), offset)

    def drop_inputs(self, job_id: str) -> None:
        """Removes the upload and whatever is partial of a job that has ended."""
        self.upload_path(job_id).unlink(missing_ok=True)
        finals = (self.result_path, self.review_path, self.untouched_path, self.scores_path)
        for path in (final(job_id) for final in finals):
            _partial(path).unlink(missing_ok=True)

    def drop(self, job_id: str) -> None:
        """Removes everything of a job."""
        shutil.rmtree(self._folder / job_id, ignore_errors=True)

    def job_ids(self) -> set[str]:
        """Jobs that have a folder."""
        return {entry.name for entry in self._folder.iterdir() if entry.is_dir()}


class UploadFile:
    """An upload that grows at its end."""

    def __init__(self, fd: int, size: int, folder: Path) -> None:
        self._fd = fd
        self._folder = folder
        self.size = size

    def append(self, chunk: bytes) -> None:
        """Writes a chunk; it is durable after `sync`."""
        with _storage_errors():
            view = memoryview(chunk)
            while view:
                view = view[os.write(self._fd, view) :]
        self.size += len(chunk)

    def sync(self) -> None:
        """Makes all bytes so far, and the file's name, durable."""
        with _storage_errors():
            os.fsync(self._fd)
            sync_folder(self._folder)

    def head(self, size: int) -> bytes:
        """The first bytes, at most this many."""
        return os.pread(self._fd, size, 0)

    def sha256(self) -> str:
        """Digest of the whole file, read back from where it lies."""
        digest = hashlib.sha256()
        offset = 0
        while block := os.pread(self._fd, 1 << 20, offset):
            digest.update(block)
            offset += len(block)
        return digest.hexdigest()


def _partial(path: Path) -> Path:
    return path.with_suffix(".partial")


def _create_empty(path: Path) -> int:
    with _storage_errors():
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)


def _commit(path: Path) -> tuple[int, str]:
    partial = _partial(path)
    with _storage_errors():
        digest, size = hashlib.sha256(), 0
        with partial.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
            os.fsync(file.fileno())
        partial.rename(path)
        sync_folder(path.parent)
    return size, digest.hexdigest()


def _pieces(path: Path, offset: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(READ_BYTES):
            yield chunk


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_ERRNOS:
            raise _storage_full() from None
        raise


def _storage_full() -> ServiceError:
    return exhausted("storage_full", "The disk of the service is full; go on once there is room.")
