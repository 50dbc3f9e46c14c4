"""Whole files: what the writer promises when things go well, and when they do not."""

from __future__ import annotations

import gc
import io
import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyvault.age import (
    AgeError,
    AgePayloadTruncatedError,
    HybridIdentity,
    PayloadReader,
    SealWriter,
    X25519Identity,
    open_sealed,
    read_header,
    seal,
    unwrap_file_key,
)
from keyvault.age.chunks import CHUNK_BYTES, SEALED_CHUNK_BYTES

IDENTITY = HybridIdentity.generate()
SIZES = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 200_000]
ARMOR = pytest.mark.parametrize("armor", [False, True], ids=["binary", "armored"])


def opened(sealed: bytes) -> bytes:
    sink = io.BytesIO()
    open_sealed(io.BytesIO(sealed), sink, [IDENTITY])
    return sink.getvalue()


@ARMOR
@pytest.mark.parametrize("size", SIZES)
def test_there_and_back(size: int, armor: bool) -> None:
    plaintext = os.urandom(size)
    sealed = io.BytesIO()
    seal(io.BytesIO(plaintext), sealed, [IDENTITY.recipient], armor)
    assert opened(sealed.getvalue()) == plaintext
    if not armor:
        stream = io.BytesIO(sealed.getvalue())
        header = read_header(stream)
        chunks = max(1, -(-size // CHUNK_BYTES))
        assert len(sealed.getvalue()) == len(header.raw) + 16 + size + 16 * chunks


@given(
    st.lists(st.one_of(st.integers(0, 100), st.integers(CHUNK_BYTES - 2, 2 * CHUNK_BYTES + 2)), max_size=6)
)
@settings(max_examples=40, deadline=None)
def test_how_the_writes_are_cut_makes_no_difference(sizes: list[int]) -> None:
    identity = X25519Identity.generate()
    parts = [os.urandom(size) for size in sizes]
    sealed, sink = io.BytesIO(), io.BytesIO()
    with SealWriter(sealed, [identity.recipient]) as writer:
        for part in parts:
            assert writer.write(memoryview(part)) == len(part)
    open_sealed(io.BytesIO(sealed.getvalue()), sink, [identity])
    assert sink.getvalue() == b"".join(parts)


def test_a_buffer_may_be_reused_after_a_write() -> None:
    sealed, buffer = io.BytesIO(), bytearray(b"first")
    with SealWriter(sealed, [IDENTITY.recipient]) as writer:
        writer.write(buffer)
        buffer[:] = b"other"
        writer.write(buffer)
    assert opened(sealed.getvalue()) == b"firstother"


@ARMOR
@pytest.mark.parametrize("size", SIZES)
def test_an_exception_in_the_block_leaves_a_file_that_nobody_takes(size: int, armor: bool) -> None:
    sealed = io.BytesIO()

    def write_and_fail() -> None:
        with SealWriter(sealed, [IDENTITY.recipient], armor) as writer:
            writer.write(os.urandom(size))
            raise RuntimeError("the encoder gave up")

    with pytest.raises(RuntimeError, match="gave up"):
        write_and_fail()
    with pytest.raises(AgeError):
        opened(sealed.getvalue())


@ARMOR
def test_a_writer_that_is_dropped_never_ends_the_file(armor: bool) -> None:
    sealed = io.BytesIO()
    writer = SealWriter(sealed, [IDENTITY.recipient], armor)
    writer.write(os.urandom(2 * CHUNK_BYTES))
    del writer
    gc.collect()
    with pytest.raises(AgeError):
        opened(sealed.getvalue())


class FullDisk(io.BytesIO):
    """Fails one write, and would take every later one."""

    def __init__(self, good_writes: int) -> None:
        super().__init__()
        self.good_writes = good_writes

    def write(self, data: bytes) -> int:
        self.good_writes -= 1
        if self.good_writes == -1:
            super().write(data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("good_writes", [1, 2, 3])
def test_after_a_failed_write_no_close_makes_the_file_whole(good_writes: int) -> None:
    sink = FullDisk(good_writes)
    writer = SealWriter(sink, [IDENTITY.recipient])
    with pytest.raises(OSError, match="No space"):
        writer.write(os.urandom(5 * CHUNK_BYTES))
    size = len(sink.getvalue())
    writer.close()
    with pytest.raises(ValueError, match="given up"):
        writer.write(b"more")
    assert len(sink.getvalue()) == size
    with pytest.raises(AgeError):
        opened(sink.getvalue())


@pytest.mark.parametrize("finish", [SealWriter.close, SealWriter.abort])
def test_a_finished_writer_takes_nothing_more(finish: type[SealWriter]) -> None:
    sealed = io.BytesIO()
    writer = SealWriter(sealed, [IDENTITY.recipient])
    finish(writer)
    size = len(sealed.getvalue())
    writer.close()
    with pytest.raises(ValueError, match="closed or given up"):
        writer.write(b"more")
    assert len(sealed.getvalue()) == size


def test_an_abort_of_an_empty_file_is_no_empty_file() -> None:
    sealed = io.BytesIO()
    SealWriter(sealed, [IDENTITY.recipient]).abort()
    with pytest.raises(AgePayloadTruncatedError):
        opened(sealed.getvalue())


@ARMOR
def test_a_sink_that_takes_little_at_a_time(armor: bool) -> None:
    class Narrow:
        def __init__(self) -> None:
            self.taken = bytearray()

        def write(self, data: bytes) -> int:
            self.taken += data[:1000]
            return min(len(data), 1000)

    plaintext, sink = os.urandom(150_000), Narrow()
    seal(io.BytesIO(plaintext), sink, [IDENTITY.recipient], armor)
    assert opened(bytes(sink.taken)) == plaintext


def test_nothing_comes_out_of_a_file_for_someone_else_or_with_a_changed_header() -> None:
    sealed, sink = io.BytesIO(), io.BytesIO()
    seal(io.BytesIO(b"secret"), sealed, [IDENTITY.recipient])
    with pytest.raises(AgeError):
        open_sealed(io.BytesIO(sealed.getvalue()), sink, [HybridIdentity.generate()])
    grease = b"-> grease\n\n"
    position = sealed.getvalue().index(b"---")
    changed = sealed.getvalue()[:position] + grease + sealed.getvalue()[position:]
    with pytest.raises(AgeError):
        open_sealed(io.BytesIO(changed), sink, [IDENTITY])
    assert sink.getvalue() == b""


def test_a_header_does_not_open_another_files_payload() -> None:
    files = []
    for _ in range(2):
        sealed = io.BytesIO()
        seal(io.BytesIO(b"secret"), sealed, [IDENTITY.recipient])
        files.append(sealed.getvalue())
    cut = [len(read_header(io.BytesIO(each)).raw) for each in files]
    with pytest.raises(AgeError):
        opened(files[0][: cut[0]] + files[1][cut[1] :])


def test_two_seals_of_one_plaintext_have_nothing_in_common() -> None:
    files = []
    for _ in range(2):
        sealed = io.BytesIO()
        seal(io.BytesIO(bytes(1000)), sealed, [IDENTITY.recipient])
        files.append(sealed.getvalue())
    cut = [len(read_header(io.BytesIO(each)).raw) for each in files]
    payloads = [each[at:] for each, at in zip(files, cut, strict=True)]
    assert all(payloads[0][at : at + 16] not in payloads[1] for at in range(0, 1000, 16))


class Zeros(io.RawIOBase):
    """A long source that takes no memory."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.left = size

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


class Counter:
    """A sink that only counts."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> int:
        self.size += len(data)
        return len(data)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    size, sealed_path = 200_000_000, tmp_path / "long.age"
    opened_sink, walked = Counter(), Counter()
    tracemalloc.start()
    try:
        with sealed_path.open("wb") as sealed:
            seal(Zeros(size), sealed, [IDENTITY.recipient])
        with sealed_path.open("rb") as sealed:
            open_sealed(sealed, opened_sink, [IDENTITY])
            sealed.seek(0)
            header = read_header(sealed)
            reader = PayloadReader(sealed, unwrap_file_key(header, [IDENTITY]), len(header.raw))
            reader.authenticate_all(walked.write)
            for at in range(0, size, 1_000_003):
                reader.seek(at)
                assert reader.read(100) == bytes(min(100, size - at))
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        sealed_path.unlink(missing_ok=True)
    assert (opened_sink.size, walked.size, reader.size) == (size, size, size)
    assert peak_bytes < 40 * SEALED_CHUNK_BYTES
