"""The payload under attack: chunks flipped, cut, moved, dropped, repeated, borrowed, added."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyvault.age import (
    AgeError,
    AgeHeaderError,
    AgePayloadCorruptError,
    AgePayloadTruncatedError,
    PayloadReader,
    PayloadStream,
    open_chunks,
)
from keyvault.age.chunks import CHUNK_BYTES, SEALED_CHUNK_BYTES, TAG_BYTES, ChunkCipher

FILE_KEY = bytes(range(16))
NONCE = bytes(range(100, 116))
CIPHER = ChunkCipher(FILE_KEY, NONCE)
PLAINTEXT = os.urandom(3 * CHUNK_BYTES + 1000)


def chunks_of(plaintext: bytes) -> list[bytes]:
    parts = [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext), CHUNK_BYTES)] or [b""]
    return [CIPHER.seal(n, part, final=n == len(parts) - 1) for n, part in enumerate(parts)]


CHUNKS = chunks_of(PLAINTEXT)
FULL = chunks_of(PLAINTEXT[: 2 * CHUNK_BYTES])
OTHER = ChunkCipher(FILE_KEY, os.urandom(16))
CORRUPT, TRUNCATED, HEADER = AgePayloadCorruptError, AgePayloadTruncatedError, AgeHeaderError


@dataclass(frozen=True)
class Attack:
    """A payload as the attacker leaves it, what each reader says, and what may come out before that.

    Attributes:
        payload: nonce and chunks.
        error: what reading from the beginning raises.
        released: how many bytes come out first, from the beginning.
        random_access_error: what the random-access reader raises, where it differs.
    """

    payload: bytes
    error: type[AgeError]
    released: int = 0
    random_access_error: type[AgeError] | None = None


def join(*chunks: bytes, nonce: bytes = NONCE) -> bytes:
    return nonce + b"".join(chunks)


ATTACKS = {
    "nothing at all": Attack(b"", HEADER),
    "nonce cut short": Attack(NONCE[:-1], HEADER),
    "nonce alone": Attack(NONCE, TRUNCATED),
    "another nonce": Attack(join(*CHUNKS, nonce=bytes(16)), CORRUPT),
    "cut after the first chunk": Attack(join(*CHUNKS[:1]), TRUNCATED, CHUNK_BYTES),
    "cut after the third chunk": Attack(join(*CHUNKS[:3]), TRUNCATED, 3 * CHUNK_BYTES),
    "cut within the second chunk": Attack(join(CHUNKS[0], CHUNKS[1][:5000]), CORRUPT, CHUNK_BYTES),
    "cut within a tag": Attack(join(CHUNKS[0], CHUNKS[1][: TAG_BYTES - 1]), TRUNCATED, CHUNK_BYTES),
    "the last chunk without its tag": Attack(join(*CHUNKS)[:-TAG_BYTES], CORRUPT, 3 * CHUNK_BYTES),
    "the last byte missing": Attack(join(*CHUNKS)[:-1], CORRUPT, 3 * CHUNK_BYTES),
    "first chunk dropped": Attack(join(*CHUNKS[1:]), CORRUPT),
    "middle chunk dropped": Attack(join(CHUNKS[0], *CHUNKS[2:]), CORRUPT, CHUNK_BYTES),
    "first two swapped": Attack(join(CHUNKS[1], CHUNKS[0], *CHUNKS[2:]), CORRUPT),
    "middle two swapped": Attack(join(CHUNKS[0], CHUNKS[2], CHUNKS[1], CHUNKS[3]), CORRUPT, CHUNK_BYTES),
    "a chunk repeated": Attack(join(CHUNKS[0], CHUNKS[0], *CHUNKS[1:]), CORRUPT, CHUNK_BYTES),
    "last chunk first": Attack(join(CHUNKS[3], *CHUNKS[:3]), CORRUPT),
    "a chunk of another payload": Attack(
        join(CHUNKS[0], OTHER.seal(1, PLAINTEXT[:CHUNK_BYTES], final=False), *CHUNKS[2:]),
        CORRUPT,
        CHUNK_BYTES,
    ),
    "a byte after a short last chunk": Attack(join(*CHUNKS, b"\0"), CORRUPT, 3 * CHUNK_BYTES),
    "a byte after a full last chunk": Attack(join(*FULL, b"\0"), CORRUPT, 2 * CHUNK_BYTES, TRUNCATED),
    "a chunk after a full last chunk": Attack(join(*FULL, CHUNKS[2]), CORRUPT, 2 * CHUNK_BYTES, TRUNCATED),
    "the last chunk twice": Attack(join(*FULL, FULL[-1]), CORRUPT, 2 * CHUNK_BYTES),
    "an empty last chunk after a full one": Attack(
        join(*CHUNKS[:2], CIPHER.seal(2, b"", final=True)), CORRUPT, 2 * CHUNK_BYTES
    ),
    "a short chunk in the middle": Attack(
        join(CHUNKS[0], CIPHER.seal(1, b"short", final=False), CIPHER.seal(2, b"end", final=True)),
        CORRUPT,
        CHUNK_BYTES,
    ),
    "two last chunks": Attack(
        join(CIPHER.seal(0, b"x" * CHUNK_BYTES, final=True), CIPHER.seal(1, b"y", final=True)),
        CORRUPT,
        CHUNK_BYTES,
    ),
    "a last chunk that is not marked": Attack(join(CIPHER.seal(0, b"end", final=False)), CORRUPT),
    "numbers from one": Attack(join(CIPHER.seal(1, b"end", final=True)), CORRUPT),
}


def release(payload: bytes | bytearray, released: bytearray) -> None:
    """Reads a payload from the beginning and keeps what comes out, also when it fails in the end."""
    for plaintext in open_chunks(io.BytesIO(payload), FILE_KEY):
        released += plaintext


def drain(stream: PayloadStream) -> None:
    while stream.read(10_000):
        pass


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_from_the_beginning(attack: Attack) -> None:
    released = bytearray()
    with pytest.raises(attack.error) as caught:
        release(attack.payload, released)
    assert type(caught.value) is attack.error
    assert len(released) == attack.released
    assert PLAINTEXT.startswith(released) or attack is ATTACKS["two last chunks"]


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_by_random_access(attack: Attack) -> None:
    with pytest.raises(attack.random_access_error or attack.error):
        PayloadReader(io.BytesIO(attack.payload), FILE_KEY, 0).authenticate_all()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_stream_never_turns_a_failure_into_an_end(attack: Attack) -> None:
    stream = PayloadStream(io.BytesIO(attack.payload), FILE_KEY)
    with pytest.raises(attack.error):
        drain(stream)
    for _ in range(2):
        with pytest.raises(attack.error):
            stream.read(1)


@pytest.mark.parametrize("size", [0, 1, 100])
def test_every_flipped_byte_of_a_small_payload_is_refused(size: int) -> None:
    payload = join(*chunks_of(PLAINTEXT[:size]))
    for position in range(len(payload)):
        changed = bytearray(payload)
        changed[position] ^= 1
        with pytest.raises(AgePayloadCorruptError):
            list(open_chunks(io.BytesIO(changed), FILE_KEY))
        with pytest.raises(AgePayloadCorruptError):
            PayloadReader(io.BytesIO(changed), FILE_KEY, 0)


@given(position=st.integers(0, len(join(*CHUNKS)) - 1), bit=st.integers(0, 7))
@settings(max_examples=60, deadline=None)
def test_a_flipped_bit_anywhere_releases_only_the_chunks_before_it(position: int, bit: int) -> None:
    changed = bytearray(join(*CHUNKS))
    changed[position] ^= 1 << bit
    released = bytearray()
    with pytest.raises(AgePayloadCorruptError):
        release(changed, released)
    whole_chunks_before = max(0, position - len(NONCE)) // SEALED_CHUNK_BYTES
    assert released == (PLAINTEXT[: whole_chunks_before * CHUNK_BYTES] if position >= len(NONCE) else b"")


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, len(PLAINTEXT)]
)
def test_good_payloads_of_every_shape(size: int) -> None:
    plaintext = PLAINTEXT[:size]
    payload = join(*chunks_of(plaintext))
    assert b"".join(open_chunks(io.BytesIO(payload), FILE_KEY)) == plaintext
    assert PayloadStream(io.BytesIO(payload), FILE_KEY).read() == plaintext
    assert PayloadReader(io.BytesIO(payload), FILE_KEY, 0).read() == plaintext


@pytest.mark.parametrize("size", [0, 15, 17, 32])
def test_a_file_key_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(AgeHeaderError):
        list(open_chunks(io.BytesIO(join(*CHUNKS)), bytes(size)))
    with pytest.raises(AgeHeaderError):
        PayloadReader(io.BytesIO(join(*CHUNKS)), bytes(size), 0)


class Trickle(io.RawIOBase):
    """A source that gives a few bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, step: int) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self._step = step

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._content.read(min(size, self._step) if size >= 0 else self._step)


@pytest.mark.parametrize("step", [7, 4096, SEALED_CHUNK_BYTES - 1])
def test_short_reads_of_the_source_change_nothing(step: int) -> None:
    source = Trickle(join(*CHUNKS), step)
    assert b"".join(open_chunks(source, FILE_KEY)) == PLAINTEXT


def test_a_source_that_would_block_is_no_end_of_file() -> None:
    class Blocking(io.RawIOBase):
        def read(self, size: int = -1) -> bytes | None:
            return None

    with pytest.raises(BlockingIOError):
        list(open_chunks(Blocking(), FILE_KEY))
