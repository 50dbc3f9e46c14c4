"""The upload, opened: one commitment over exactly the media, and the media as a stream of its own."""

from __future__ import annotations

import hashlib
import hmac
import io
import os
import random

import pytest
from enclave_makers import OTHER_RECIPIENT, some_terms

from enclave.errors import PreambleError, WorkerError
from enclave.policy import Instructions, ReviewInstructions, upload_preamble
from enclave.worker.opening import open_upload
from keyvault.age import (
    AgePayloadCorruptError,
    HybridIdentity,
    PayloadReader,
    SealWriter,
    read_header,
    unwrap_file_key,
)

SALT = bytes(range(32))
IDENTITY = HybridIdentity.generate()
TERMS = some_terms()
PREAMBLE = upload_preamble(TERMS, SALT)
CHUNK = 64 << 10

SIZES = {
    "empty": 0,
    "a byte": 1,
    "to the end of the preamble's chunk": CHUNK - len(PREAMBLE),
    "a byte more": CHUNK - len(PREAMBLE) + 1,
    "several chunks": 5 * CHUNK + 77,
}


def sealed(plaintext: bytes) -> bytes:
    sink = io.BytesIO()
    with SealWriter(sink, [IDENTITY.recipient]) as writer:
        writer.write(plaintext)
    return sink.getvalue()


def payload_of(upload: bytes) -> PayloadReader:
    stream = io.BytesIO(upload)
    header = read_header(stream)
    return PayloadReader(stream, unwrap_file_key(header, [IDENTITY]), len(header.raw))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_the_commitment_covers_the_media_and_nothing_else(size: int) -> None:
    media = random.Random(size).randbytes(size)
    opened = open_upload(payload_of(sealed(PREAMBLE + media)), TERMS.to_bytes())
    assert opened.commitment == hmac.new(SALT, media, hashlib.sha256).digest()
    assert opened.media.read() == media


def test_the_media_starts_at_its_own_zero() -> None:
    media = random.Random(3).randbytes(3 * CHUNK)
    stream = open_upload(payload_of(sealed(PREAMBLE + media)), TERMS.to_bytes()).media
    plain = io.BytesIO(media)
    for offset, whence, length in (
        (0, os.SEEK_SET, 10),
        (CHUNK - 5, os.SEEK_SET, 10),
        (-7, os.SEEK_CUR, 20),
        (-100, os.SEEK_END, 200),
        (10 * CHUNK, os.SEEK_SET, 5),
        (0, os.SEEK_SET, -1),
    ):
        assert stream.seek(offset, whence) == plain.seek(offset, whence)
        assert stream.read(length) == plain.read(length)
        assert stream.tell() == plain.tell()
    with pytest.raises(ValueError, match="no such place"):
        stream.seek(-1)
    assert stream.seconds > 0


def test_other_terms_are_refused_before_a_decoder_sees_the_media() -> None:
    payload = payload_of(sealed(PREAMBLE + b"media"))
    with pytest.raises(WorkerError) as caught:
        open_upload(payload, some_terms(recipient=OTHER_RECIPIENT).to_bytes())
    assert caught.value.code == "terms_mismatch"


def test_media_without_a_preamble_is_refused() -> None:
    with pytest.raises(PreambleError):
        open_upload(payload_of(sealed(b"\0\0\0\x18ftypmp42")), TERMS.to_bytes())


def test_a_flipped_bit_far_behind_is_found_before_the_media_is_given() -> None:
    upload = bytearray(sealed(PREAMBLE + bytes(4 * CHUNK)))
    upload[-(2 * CHUNK)] ^= 1
    with pytest.raises(AgePayloadCorruptError):
        open_upload(payload_of(bytes(upload)), TERMS.to_bytes())


def test_an_upload_that_is_swapped_afterwards_is_not_read() -> None:
    upload = bytearray(sealed(PREAMBLE + bytes(12 * CHUNK)))
    stream = io.BytesIO(upload)
    header = read_header(stream)
    payload = PayloadReader(stream, unwrap_file_key(header, [IDENTITY]), len(header.raw), cached_chunks=1)
    media = open_upload(payload, TERMS.to_bytes()).media
    stream.seek(8 * CHUNK)
    stream.write(b"swapped")
    with pytest.raises(AgePayloadCorruptError):
        media.read()


def test_the_record_of_a_review_is_neither_media_nor_committed_to() -> None:
    """A second run of the same original has the same commitment under the same salt."""
    record = bytes(range(200)) * 1000
    review = ReviewInstructions(b"k" * 32, len(record), b"signed decisions")
    preamble = upload_preamble(TERMS, SALT, Instructions("Pantalone", "the harbour", review))
    opened = open_upload(payload_of(sealed(preamble + record + b"media")), TERMS.to_bytes())
    assert opened.untrusted_record == record
    assert opened.media.read() == b"media"
    assert opened.commitment == hmac.new(SALT, b"media", hashlib.sha256).digest()
    assert opened.instructions.pseudonym == "Pantalone"
    assert "Pantalone" not in repr(opened)
    assert "untrusted_record" not in repr(opened)


def test_an_upload_that_ends_within_its_record_is_refused() -> None:
    review = ReviewInstructions(b"k" * 32, 100, b"signed decisions")
    preamble = upload_preamble(TERMS, SALT, Instructions(review=review))
    with pytest.raises(PreambleError):
        open_upload(payload_of(sealed(preamble + bytes(99))), TERMS.to_bytes())
