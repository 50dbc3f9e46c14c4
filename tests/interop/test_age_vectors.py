"""Every vector of C2SP's CCTV corpus for age, each against its own expected outcome."""

from __future__ import annotations

import hashlib
import io
import zlib
from dataclasses import dataclass
from functools import cache
from typing import BinaryIO, cast

import pytest
from age_npm import cctv_vectors
from age_vector_names import VECTORS_BY_OUTCOME

from keyvault.age import (
    AgeArmorError,
    AgeError,
    AgeHeaderError,
    AgeHeaderMacError,
    AgeNoMatchError,
    AgePayloadCorruptError,
    AgePayloadTruncatedError,
    ArmorReader,
    ArmorWriter,
    Header,
    Identity,
    PassphraseIdentity,
    PayloadReader,
    open_chunks,
    open_sealed,
    parse_header,
    parse_identity,
    read_header,
    unwrap_file_key,
)
from keyvault.age.chunks import CHUNK_BYTES, PAYLOAD_NONCE_BYTES, ChunkCipher
from keyvault.age.header import make_header

CORPUS_SIZE = 143
OUTCOME_OF_ERROR: dict[type[AgeError], str] = {
    AgeHeaderError: "header failure",
    AgeHeaderMacError: "HMAC failure",
    AgeNoMatchError: "no match",
    AgePayloadCorruptError: "payload failure",
    AgePayloadTruncatedError: "payload failure",
    AgeArmorError: "armor failure",
}
KNOWN_FIELDS = {
    "expect",
    "payload",
    "file key",
    "identity",
    "passphrase",
    "armored",
    "compressed",
    "comment",
}

ALL = sorted((name, outcome) for outcome, names in VECTORS_BY_OUTCOME.items() for name in names)
BINARY = [(name, outcome) for name, outcome in ALL if not name.startswith("armor_")]


@dataclass(frozen=True)
class Vector:
    expect: str
    sealed: bytes
    identities: tuple[Identity, ...]
    armored: bool
    payload_sha256: str | None
    file_key: bytes | None

    def binary_stream(self) -> BinaryIO:
        sealed = io.BytesIO(self.sealed)
        return io.BufferedReader(ArmorReader(sealed)) if self.armored else sealed


@cache
def load(name: str) -> Vector:
    head, _, sealed = cctv_vectors()[name].partition(b"\n\n")
    fields = [line.partition(": ")[::2] for line in head.decode().splitlines()]
    assert {key for key, _ in fields} <= KNOWN_FIELDS
    single = dict(fields)
    if "compressed" in single:
        assert single["compressed"] == "zlib"
        sealed = zlib.decompress(sealed)
    identities: list[Identity] = [parse_identity(value) for key, value in fields if key == "identity"]
    identities += [PassphraseIdentity(value) for key, value in fields if key == "passphrase"]
    return Vector(
        expect=single["expect"],
        sealed=sealed,
        identities=tuple(identities),
        armored="armored" in single,
        payload_sha256=single.get("payload"),
        file_key=bytes.fromhex(single["file key"]) if "file key" in single else None,
    )


def read_outcome(vector: Vector, released: bytearray) -> str:
    """Reads a vector from beginning to end, keeps what comes out, and names how it ends."""
    try:
        stream = vector.binary_stream()
        file_key = unwrap_file_key(read_header(stream), vector.identities)
        assert vector.file_key in (None, file_key)
        for plaintext in open_chunks(stream, file_key):
            released += plaintext
    except AgeError as error:
        return OUTCOME_OF_ERROR[type(error)]
    return "success"


def test_the_corpus_is_all_there() -> None:
    corpus = cctv_vectors()
    assert len(corpus) == CORPUS_SIZE
    assert set(corpus) == {name for name, _ in ALL}
    assert len(ALL) == CORPUS_SIZE
    assert {name for name in corpus if load(name).armored} == {n for n, _ in ALL if n.startswith("armor_")}


@pytest.mark.parametrize(("name", "outcome"), ALL)
def test_vector(name: str, outcome: str) -> None:
    vector = load(name)
    assert vector.expect == outcome
    released = bytearray()
    assert read_outcome(vector, released) == outcome
    if vector.payload_sha256 is None:
        assert not released or outcome == "armor failure"
    else:
        # Also for failures: exactly what was authenticated before the failure, no byte more or less.
        assert hashlib.sha256(released).hexdigest() == vector.payload_sha256


@pytest.mark.parametrize(("name", "outcome"), ALL)
def test_vector_as_a_whole_file_with_the_armor_detected(name: str, outcome: str) -> None:
    vector = load(name)
    opened = io.BytesIO()
    if outcome == "success":
        open_sealed(io.BytesIO(vector.sealed), opened, vector.identities)
        assert hashlib.sha256(opened.getvalue()).hexdigest() == vector.payload_sha256
    else:
        with pytest.raises(AgeError) as caught:
            open_sealed(io.BytesIO(vector.sealed), opened, vector.identities)
        # A file whose armor does not even begin like one is taken for a binary file without a header.
        expected = {outcome, "header failure"} if outcome == "armor failure" else {outcome}
        assert OUTCOME_OF_ERROR[type(caught.value)] in expected


@pytest.mark.parametrize(
    ("name", "outcome"), [pair for pair in BINARY if pair[1] in ("success", "payload failure")]
)
def test_vector_by_random_access(name: str, outcome: str) -> None:
    vector = load(name)
    stream = io.BytesIO(vector.sealed)
    header = read_header(stream)
    file_key = unwrap_file_key(header, vector.identities)
    if outcome == "success":
        reader = PayloadReader(stream, file_key, len(header.raw))
        plaintext = reader.read()
        assert hashlib.sha256(plaintext).hexdigest() == vector.payload_sha256
        assert reader.size == len(plaintext)
    else:
        with pytest.raises((AgePayloadCorruptError, AgePayloadTruncatedError)):
            PayloadReader(stream, file_key, len(header.raw)).authenticate_all()


@pytest.mark.parametrize(("name", "outcome"), [pair for pair in BINARY if pair[1] != "header failure"])
def test_header_encodes_back_to_the_same_bytes(name: str, outcome: str) -> None:
    vector = load(name)
    header = read_header(io.BytesIO(vector.sealed))
    assert vector.sealed.startswith(header.raw)
    assert parse_header(header.raw) == header
    if outcome in ("success", "payload failure"):
        assert make_header(cast(bytes, vector.file_key), header.stanzas) == Header(
            header.stanzas, header.mac, header.raw
        )


@pytest.mark.parametrize("name", [name for name, outcome in BINARY if outcome == "success"])
def test_payload_seals_back_to_the_same_bytes(name: str) -> None:
    vector = load(name)
    stream = io.BytesIO(vector.sealed)
    file_key = unwrap_file_key(read_header(stream), vector.identities)
    payload = stream.read()
    plaintext = b"".join(open_chunks(io.BytesIO(payload), file_key))
    chunks = [plaintext[at : at + CHUNK_BYTES] for at in range(0, len(plaintext), CHUNK_BYTES)] or [b""]
    cipher = ChunkCipher(file_key, payload[:PAYLOAD_NONCE_BYTES])
    resealed = [
        cipher.seal(index, chunk, final=index == len(chunks) - 1) for index, chunk in enumerate(chunks)
    ]
    assert b"".join(resealed) == payload[PAYLOAD_NONCE_BYTES:]


@pytest.mark.parametrize(
    ("name", "outcome"), [pair for pair in ALL if pair not in BINARY and pair[1] != "armor failure"]
)
def test_armor_encodes_back_to_the_same_text(name: str, outcome: str) -> None:
    vector = load(name)
    again = io.BytesIO()
    writer = ArmorWriter(again)
    writer.write(vector.binary_stream().read())
    writer.close()
    # The three tolerances of the format: CRLF, space around it, no newline at the end.
    assert again.getvalue() == vector.sealed.replace(b"\r\n", b"\n").strip() + b"\n"
