"""The random-access reader is the sequential one, at any place, in constant memory."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyvault.age import (
    AgePayloadCorruptError,
    AgePayloadTruncatedError,
    PayloadReader,
    SealWriter,
    X25519Identity,
    read_header,
    unwrap_file_key,
)
from keyvault.age.chunks import CHUNK_BYTES, SEALED_CHUNK_BYTES

IDENTITY = X25519Identity.generate()
PLAINTEXT = os.urandom(5 * CHUNK_BYTES + 12_345)
EDGES = sorted({max(0, n * CHUNK_BYTES + d) for n in range(6) for d in (-1, 0, 1)} | {len(PLAINTEXT)})


def sealed_stream(plaintext: bytes) -> io.BytesIO:
    sealed = io.BytesIO()
    with SealWriter(sealed, [IDENTITY.recipient]) as writer:
        writer.write(plaintext)
    sealed.seek(0)
    return sealed


def reader_over(stream: io.BytesIO, cached_chunks: int = 2) -> PayloadReader:
    stream.seek(0)
    header = read_header(stream)
    file_key = unwrap_file_key(header, [IDENTITY])
    return PayloadReader(stream, file_key, len(header.raw), cached_chunks)


SEALED = sealed_stream(PLAINTEXT).getvalue()

offsets = st.one_of(st.sampled_from(EDGES), st.integers(0, len(PLAINTEXT) + 1000))
steps = st.one_of(
    st.tuples(st.just("read"), st.one_of(st.integers(0, 3 * CHUNK_BYTES), st.just(-1))),
    st.tuples(st.just("set"), offsets),
    st.tuples(st.just("current"), st.integers(-2 * CHUNK_BYTES, 2 * CHUNK_BYTES)),
    st.tuples(st.just("end"), st.integers(-len(PLAINTEXT) - 10, 10)),
)


@given(st.lists(steps, max_size=12), st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_any_walk_sees_what_a_plain_file_would_show(walk: list[tuple[str, int]], cached: int) -> None:
    reader, model = reader_over(io.BytesIO(SEALED), cached), io.BytesIO(PLAINTEXT)
    for step, number in walk:
        if step == "read":
            assert reader.read(number) == model.read(number)
        else:
            whence = {"set": os.SEEK_SET, "current": os.SEEK_CUR, "end": os.SEEK_END}[step]
            base = {"set": 0, "current": model.tell(), "end": len(PLAINTEXT)}[step]
            if base + number < 0:
                with pytest.raises(ValueError, match="no such place"):
                    reader.seek(number, whence)
            else:
                assert reader.seek(number, whence) == model.seek(number, whence)
        assert reader.tell() == model.tell()


def test_it_is_a_plain_file_to_others() -> None:
    reader = reader_over(io.BytesIO(SEALED))
    assert reader.readable()
    assert reader.seekable()
    assert not reader.writable()
    assert reader.size == len(PLAINTEXT)
    assert io.BufferedReader(reader).read() == PLAINTEXT


def test_authenticate_all_walks_in_order_and_leaves_the_position() -> None:
    reader = reader_over(io.BytesIO(SEALED))
    reader.seek(77)
    blocks: list[bytes] = []
    reader.authenticate_all(blocks.append)
    assert b"".join(blocks) == PLAINTEXT
    assert {len(block) for block in blocks[:-1]} == {CHUNK_BYTES}
    assert reader.tell() == 77
    assert reader.read(10) == PLAINTEXT[77:87]


def test_an_empty_payload_has_one_empty_block() -> None:
    reader = reader_over(sealed_stream(b""))
    blocks: list[bytes] = []
    reader.authenticate_all(blocks.append)
    assert (reader.size, reader.read(), blocks) == (0, b"", [b""])


def test_a_damaged_chunk_harms_only_itself_and_says_so_every_time() -> None:
    stream = io.BytesIO(SEALED)
    reader = reader_over(stream)
    stream.getbuffer()[-(12_345 + 16) - 2 * SEALED_CHUNK_BYTES] ^= 1
    reader.seek(4 * CHUNK_BYTES)
    assert reader.read() == PLAINTEXT[4 * CHUNK_BYTES :]
    for start in (3 * CHUNK_BYTES, 4 * CHUNK_BYTES - 1, 3 * CHUNK_BYTES - 1):
        reader.seek(start)
        with pytest.raises(AgePayloadCorruptError):
            reader.read(10)
        assert reader.tell() == start
    with pytest.raises(AgePayloadCorruptError):
        reader.authenticate_all()


def test_a_file_that_shrinks_while_it_is_read() -> None:
    stream = io.BytesIO(SEALED)
    reader = reader_over(stream)
    stream.truncate(len(SEALED) - SEALED_CHUNK_BYTES)
    with pytest.raises(AgePayloadTruncatedError):
        reader.authenticate_all()


def test_it_keeps_no_more_chunks_than_told() -> None:
    reader = reader_over(io.BytesIO(SEALED), cached_chunks=2)
    for start in range(0, len(PLAINTEXT), 1000):
        reader.seek(start)
        reader.read(1)
        assert len(reader._cache) <= 2


def test_closing_forgets_the_plaintext_and_leaves_the_file_open() -> None:
    stream = io.BytesIO(SEALED)
    reader = reader_over(stream)
    reader.read(10)
    reader.close()
    assert not reader._cache
    assert not stream.closed
    with pytest.raises(ValueError, match="closed"):
        reader.read(1)
    with pytest.raises(ValueError, match="closed"):
        reader.authenticate_all()


def test_a_payload_in_the_middle_of_a_larger_file_begins_where_it_is_told() -> None:
    header = read_header(io.BytesIO(SEALED))
    file_key = unwrap_file_key(header, [IDENTITY])
    moved = io.BytesIO(b"in front of it" + SEALED[len(header.raw) :])
    assert PayloadReader(moved, file_key, len(b"in front of it")).read() == PLAINTEXT
