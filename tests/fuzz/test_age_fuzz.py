"""Whatever the bytes, only AgeError comes out of the age parsers, and no plaintext that was not sealed."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyvault.age import (
    AgeError,
    ArmorReader,
    HybridIdentity,
    PassphraseIdentity,
    PayloadReader,
    X25519Identity,
    open_chunks,
    open_sealed,
    parse_header,
    parse_identity,
    parse_identity_file,
    parse_recipient,
    read_header,
    seal,
    unwrap_file_key,
)

FUZZ = settings(max_examples=300, deadline=None)
CLASSIC = X25519Identity(b"\x01" * 32)
HYBRID = HybridIdentity(b"\x02" * 32)
IDENTITIES = [CLASSIC, HYBRID, PassphraseIdentity("hunter2", max_work_factor=4)]
PLAINTEXT = b"plaintext " * 7000
VERSION = b"age-encryption.org/v1\n"


def sealed_to(identity: X25519Identity | HybridIdentity, armor: bool) -> bytes:
    sink = io.BytesIO()
    seal(io.BytesIO(PLAINTEXT), sink, [identity.recipient], armor)
    return sink.getvalue()


SEEDS = [sealed_to(identity, armor) for identity in (CLASSIC, HYBRID) for armor in (False, True)]

base64_text = st.text("ABCDabcd0189+/=", max_size=70).map(str.encode)
header_lines = st.one_of(
    st.sampled_from(
        [
            VERSION,
            b"-> X25519 " + b"A" * 43 + b"\n",
            b"-> X25519 " + b"A" * 42 + b"B\n",
            b"-> mlkem768x25519 " + b"A" * 1494 + b"\n",
            b"-> scrypt " + b"A" * 22 + b" 1\n",
            b"-> scrypt " + b"A" * 22 + b" 99999999999999999999\n",
            b"A" * 43 + b"\n",
            b"A" * 64 + b"\n",
            b"--- " + b"A" * 43 + b"\n",
            b"\n",
        ]
    ),
    base64_text.map(lambda text: text + b"\n"),
    st.binary(max_size=80),
)


@st.composite
def damaged_files(draw: st.DrawFn) -> bytes:
    """A good file with a few bytes changed, put in, or taken out; most of the damage near its beginning."""
    changed = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        place = st.one_of(st.integers(0, min(3000, len(changed))), st.integers(0, len(changed)))
        start = draw(place)
        removed = draw(st.one_of(st.integers(0, 3), st.integers(0, len(changed))))
        changed[start : start + removed] = draw(st.binary(max_size=4))
    return bytes(changed)


def open_every_way(untrusted: bytes) -> None:
    """Opens with every reader; what comes out, if anything does, must be what was sealed."""
    sink = io.BytesIO()
    with suppress(AgeError):
        open_sealed(io.BytesIO(untrusted), sink, IDENTITIES)
        assert sink.getvalue() == PLAINTEXT
    assert PLAINTEXT.startswith(sink.getvalue())
    with suppress(AgeError):
        stream = io.BytesIO(untrusted)
        header = read_header(stream)
        assert parse_header(header.raw) == header
        file_key = unwrap_file_key(header, IDENTITIES)
        assert PayloadReader(stream, file_key, len(header.raw)).read() == PLAINTEXT


@given(damaged_files())
@FUZZ
def test_damaged_files(untrusted: bytes) -> None:
    open_every_way(untrusted)


@given(st.binary(max_size=500))
@FUZZ
def test_any_bytes(untrusted: bytes) -> None:
    open_every_way(untrusted)
    with suppress(AgeError):
        ArmorReader(io.BytesIO(untrusted)).read()


@given(st.lists(header_lines, max_size=8))
@FUZZ
def test_header_shaped_bytes(lines: list[bytes]) -> None:
    open_every_way(VERSION + b"".join(lines))


@given(st.binary(min_size=0, max_size=200), st.binary(min_size=16, max_size=16))
@FUZZ
def test_any_bytes_as_a_payload(untrusted: bytes, file_key: bytes) -> None:
    with pytest.raises(AgeError):
        list(open_chunks(io.BytesIO(untrusted), file_key))
    with pytest.raises(AgeError):
        PayloadReader(io.BytesIO(untrusted), file_key, 0)


@given(st.one_of(st.text(max_size=100), st.text("AGE-SECRETKYPQ1agepqz023456789\n#", max_size=100)))
@FUZZ
def test_any_text_as_a_key(untrusted: str) -> None:
    for parse in (parse_recipient, parse_identity, parse_identity_file):
        with suppress(AgeError):
            parse(untrusted)
    for prefix in ("age1", "age1pq1", "AGE-SECRET-KEY-1", "AGE-SECRET-KEY-PQ-1"):
        for parse in (parse_recipient, parse_identity):
            with suppress(AgeError):
                parse(prefix + untrusted)
