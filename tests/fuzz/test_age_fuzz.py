"""Inputs with the shape of age's own lines and keys, which damage to a good file seldom makes."""

from __future__ import annotations

import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyvault.age import (
    AgeError,
    PayloadReader,
    open_chunks,
    parse_identity,
    parse_identity_file,
    parse_recipient,
)
from tests.fuzz.rooms.age import HEADER_LINES, VERSION
from tests.fuzz.target import attempt
from tests.fuzz.targets import TARGETS

FUZZ = settings(max_examples=300, deadline=None)
LINES = st.one_of(
    st.sampled_from(HEADER_LINES),
    st.text("ABCDabcd0189+/=", max_size=70).map(lambda text: text.encode() + b"\n"),
    st.binary(max_size=80),
)


@given(st.lists(LINES, max_size=8))
@FUZZ
def test_header_shaped_bytes(lines: list[bytes]) -> None:
    for name in ("age_file", "age_header", "upload_header"):
        attempt(TARGETS[name], VERSION + b"".join(lines))


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
