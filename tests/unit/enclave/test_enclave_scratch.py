"""The encrypted scratch file: a file to its user, noise to everybody else, and nothing can be slipped in."""

from __future__ import annotations

import errno
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.errors import WorkerError
from enclave.worker.scratch import BLOCK_BYTES, SEALED_BLOCK_BYTES, EncryptedScratch

MARKER = b"PLANTED-MARKER-0123456789abcdef!"
MEBIBYTE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path / "scratch", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    yield fd
    os.close(fd)


def whole_disk(fd: int) -> bytes:
    return os.pread(fd, os.fstat(fd).st_size, 0)


POSITIONS = st.one_of(
    st.integers(0, 5 * BLOCK_BYTES),
    st.sampled_from([0, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 4 * BLOCK_BYTES]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), POSITIONS, st.integers(1, 3 * BLOCK_BYTES)),
        st.tuples(st.just("read"), POSITIONS, st.integers(0, 3 * BLOCK_BYTES)),
        st.tuples(st.just("truncate"), POSITIONS, st.just(0)),
        st.tuples(st.just("flush"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


@given(steps=STEPS, cached_blocks=st.sampled_from([1, 2, 32]))
@settings(max_examples=60, deadline=None)
def test_random_access_is_that_of_a_plain_file(steps: list[tuple[str, int, int]], cached_blocks: int) -> None:
    fd = os.memfd_create("scratch")
    scratch, plain = EncryptedScratch(fd, 64 * MEBIBYTE, cached_blocks), io.BytesIO()
    try:
        for number, (step, position, length) in enumerate(steps):
            scratch.seek(position)
            plain.seek(position)
            if step == "write":
                data = random.Random(number).randbytes(length)
                assert scratch.write(data) == plain.write(data)
            elif step == "read":
                assert scratch.read(length) == plain.read(length)
            elif step == "truncate":
                scratch.truncate()
                plain.truncate()
                # A file grows with zeros; BytesIO does not.
                if len(plain.getvalue()) < position:
                    plain.write(bytes(position - plain.seek(0, os.SEEK_END)))
            else:
                scratch.flush()
        scratch.seek(0)
        assert scratch.read() == plain.getvalue()
        assert scratch.size == len(plain.getvalue()) == scratch.seek(0, os.SEEK_END)
    finally:
        scratch.close()
        os.close(fd)


def test_no_plaintext_reaches_the_disk(disk: int) -> None:
    with EncryptedScratch(disk, 4 * MEBIBYTE, cached_blocks=1) as scratch:
        scratch.write(MARKER * (MEBIBYTE // len(MARKER)))
        scratch.flush()
        content = whole_disk(disk)
        assert len(content) == 16 * SEALED_BLOCK_BYTES
        for start in range(len(MARKER) - 7):
            assert MARKER[start : start + 8] not in content


def test_the_same_bytes_never_look_the_same_twice(disk: int) -> None:
    with EncryptedScratch(disk, MEBIBYTE) as scratch:
        seen = set()
        for _ in range(5):
            scratch.seek(0)
            scratch.write(bytes(BLOCK_BYTES))
            scratch.flush()
            seen.add(whole_disk(disk))
        assert len(seen) == 5


def test_two_scratch_files_do_not_share_a_key(tmp_path: Path) -> None:
    contents = []
    for name in ("one", "two"):
        fd = os.open(tmp_path / name, os.O_RDWR | os.O_CREAT)
        with EncryptedScratch(fd, MEBIBYTE) as scratch:
            scratch.write(bytes(BLOCK_BYTES))
            scratch.flush()
        contents.append((tmp_path / name).read_bytes())
        os.close(fd)
    assert contents[0] != contents[1]


def flip(fd: int, offset: int) -> None:
    byte = os.pread(fd, 1, offset)[0]
    os.pwrite(fd, bytes([byte ^ 1]), offset)


TAMPERING = {
    "first byte flipped": lambda fd: flip(fd, 0),
    "last byte of a tag flipped": lambda fd: flip(fd, SEALED_BLOCK_BYTES - 1),
    "cut short": lambda fd: os.ftruncate(fd, SEALED_BLOCK_BYTES - 1),
    "emptied": lambda fd: os.ftruncate(fd, 0),
    "another block in its place": lambda fd: os.pwrite(
        fd, os.pread(fd, SEALED_BLOCK_BYTES, SEALED_BLOCK_BYTES), 0
    ),
}


@pytest.mark.parametrize("tamper", TAMPERING.values(), ids=TAMPERING.keys())
def test_a_changed_disk_is_noticed(disk: int, tamper: object) -> None:
    assert callable(tamper)
    with EncryptedScratch(disk, MEBIBYTE, cached_blocks=1) as scratch:
        scratch.write(random.Random(1).randbytes(4 * BLOCK_BYTES))
        scratch.flush()
        tamper(disk)
        scratch.seek(0)
        with pytest.raises(WorkerError) as caught:
            scratch.read(1)
        assert caught.value.code == "scratch_corrupt"


def test_an_older_version_of_a_block_is_noticed(disk: int) -> None:
    with EncryptedScratch(disk, MEBIBYTE, cached_blocks=1) as scratch:
        scratch.write(b"first" * 1000)
        scratch.flush()
        older = whole_disk(disk)
        scratch.seek(0)
        scratch.write(b"later" * 1000)
        scratch.seek(BLOCK_BYTES)
        scratch.write(b"pushes the first block out")
        scratch.flush()
        os.pwrite(disk, older, 0)
        scratch.seek(0)
        with pytest.raises(WorkerError) as caught:
            scratch.read(5)
        assert caught.value.code == "scratch_corrupt"


def test_a_block_that_was_cut_off_does_not_come_back(disk: int) -> None:
    with EncryptedScratch(disk, MEBIBYTE, cached_blocks=1) as scratch:
        scratch.write(MARKER * 8192)
        scratch.flush()
        scratch.truncate(0)
        scratch.truncate(2 * BLOCK_BYTES)
        scratch.seek(0)
        assert scratch.read() == bytes(2 * BLOCK_BYTES)


def test_it_stops_at_its_limit(disk: int) -> None:
    with EncryptedScratch(disk, 1000) as scratch:
        scratch.write(bytes(1000))
        with pytest.raises(WorkerError) as caught:
            scratch.write(b"x")
        assert caught.value.code == "result_too_large"
        with pytest.raises(WorkerError):
            scratch.truncate(1001)


def test_memory_does_not_grow_with_the_file(disk: int) -> None:
    with EncryptedScratch(disk, 64 * MEBIBYTE, cached_blocks=4) as scratch:
        for _ in range(200):
            scratch.write(bytes(BLOCK_BYTES))
        assert len(scratch._cache) <= 4
        assert len(scratch._unsaved) <= 4


def test_a_full_disk_is_said_to_be_full() -> None:
    fd = os.open("/dev/full", os.O_RDWR)
    with EncryptedScratch(fd, MEBIBYTE, cached_blocks=1) as scratch:
        with pytest.raises(OSError) as caught:
            scratch.write(bytes(3 * BLOCK_BYTES))
        assert caught.value.errno == errno.ENOSPC
    os.close(fd)
