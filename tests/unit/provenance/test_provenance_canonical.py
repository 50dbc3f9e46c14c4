"""One value, one encoding: canonical JSON and base64."""

from __future__ import annotations

import json
from typing import Any

import pytest

from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        ({"b": 1, "a": [True, None, "x"]}, b'{"a":[true,null,"x"],"b":1}'),
        ({"é": "—"}, '{"é":"—"}'.encode()),
        ('"\\\n\x00\x7f', b'"\\"\\\\\\n\\u0000\x7f"'),
        ({}, b"{}"),
        (-(2**53) + 1, b"-9007199254740991"),
    ],
    ids=["sorted, no spaces", "UTF-8 as it is", "only needed escapes", "empty", "smallest integer"],
)
def test_encodings(value: Any, encoded: bytes) -> None:
    assert canonical.dumps(value) == encoded
    assert canonical.loads(encoded) == value


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b" {}",
        b"{}\n",
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1,"a":2}',
        b'{"\\u0061":1}',
        b'"\\/"',
        b'"\\u00e9"',
        b'"\\u000A"',
        b'"\\ud800"',
        b'"\xff"',
        b"1.0",
        b"1e2",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"9" * 5000,
        b"{",
        b"[1,]",
        b"null null",
        b"\xef\xbb\xbf{}",
        b"[" * 17 + b"]" * 17,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000,
    ],
    ids=lambda encoded: repr(encoded[:20]),
)
def test_refused_bytes(encoded: bytes) -> None:
    with pytest.raises(FormatError):
        canonical.loads(encoded)


def test_depth_and_size_are_capped_at_their_limits() -> None:
    deepest = b"[" * 16 + b"]" * 16
    assert canonical.dumps(canonical.loads(deepest)) == deepest
    assert canonical.loads(b'"abcd"', max_bytes=6) == "abcd"
    with pytest.raises(FormatError) as caught:
        canonical.loads(b'"abcde"', max_bytes=6)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), b"bytes", {1: "x"}, {None: 1}, {"a": {1, 2}}, "\ud800", 2**53, object()],
    ids=repr,
)
def test_refused_values(value: Any) -> None:
    with pytest.raises(FormatError):
        canonical.dumps(value)


def test_relaxed_reading_frees_the_spacing_and_nothing_else() -> None:
    assert canonical.loads_relaxed(json.dumps({"b": 1, "a": 2}, indent=2).encode()) == {"a": 2, "b": 1}
    for encoded in (b'{"a":1,"a":2}', b"1.5", b"[" * 100_000, b"{"):
        with pytest.raises(FormatError):
            canonical.loads_relaxed(encoded)


@pytest.mark.parametrize("raw", [b"", b"a", b"ab", b"abc", bytes(range(256))], ids=len)
def test_base64_round_trip(raw: bytes) -> None:
    assert base64_bytes(base64_text(raw)) == raw


@pytest.mark.parametrize(
    "text",
    ["YQ", "YQ=", "YR==", "YWJ=", " YQ==", "YQ==\n", "Y Q==", "YQ==YQ==", "-_-_", "é", "=", None, 1, b"YQ=="],
)
def test_base64_has_one_spelling(text: object) -> None:
    with pytest.raises(FormatError):
        base64_bytes(text)
