"""Whatever bytes come as a policy, terms or a preamble: an answer or an EnclaveError, nothing else."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.errors import EnclaveError, PolicyError
from enclave.policy import Terms, parse_policy, parse_preamble, parse_terms, shipped, upload_preamble

GOOD_POLICY = shipped()["street"].text
TERMS = Terms(shipped()["street"], "fast", ("age1pq1" + "q" * 1952,))
GOOD_TERMS = TERMS.to_bytes()
GOOD_PREAMBLE = upload_preamble(TERMS, bytes(32))

KEYS = ["schema", "name", "summary", "modes", "locked", "scale", "threshold", "passes", "[faces]", "[audio]"]
VALUES = [
    "nan",
    "1e400",
    "-1",
    "true",
    "[]",
    "{}",
    '""',
    "1979-05-27",
    "0x7fffffffffffffffffff",
    "'''",
    '"\\u0000"',
]


@given(st.text(max_size=200))
def test_any_text_is_a_policy_or_a_policy_error(text: str) -> None:
    with contextlib.suppress(PolicyError):
        parse_policy(text)


@given(
    st.lists(
        st.tuples(
            st.integers(0, len(GOOD_POLICY)), st.integers(0, 12), st.sampled_from(KEYS + VALUES + ["\n"])
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=200)
def test_a_mangled_policy_is_still_a_policy_or_a_policy_error(cuts: list[tuple[int, int, str]]) -> None:
    text = GOOD_POLICY
    for start, length, replacement in cuts:
        text = text[:start] + replacement + text[start + length :]
    with contextlib.suppress(PolicyError):
        policy = parse_policy(text)
        assert 1.0 <= policy.faces.scale <= 3.0
        assert 0.05 <= policy.faces.threshold <= 0.9
        assert policy.faces.passes in {1, 2, 3}


@given(st.data())
@settings(max_examples=200)
def test_terms_that_are_read_are_canonical(data: st.DataObject) -> None:
    mangled = bytearray(GOOD_TERMS)
    for _ in range(data.draw(st.integers(0, 3))):
        mangled[data.draw(st.integers(0, len(mangled) - 1))] = data.draw(st.integers(0, 255))
    untrusted = (
        bytes(mangled[: data.draw(st.integers(0, len(mangled)))])
        if data.draw(st.booleans())
        else bytes(mangled)
    )
    with contextlib.suppress(EnclaveError):
        assert parse_terms(untrusted).to_bytes() == untrusted


@given(st.integers(0, len(GOOD_PREAMBLE) - 1), st.integers(0, 255), st.binary(max_size=64))
@settings(max_examples=200)
def test_a_preamble_that_is_read_is_what_was_written(position: int, byte: int, media: bytes) -> None:
    mangled = bytearray(GOOD_PREAMBLE)
    mangled[position] = byte
    untrusted = bytes(mangled) + media
    with contextlib.suppress(EnclaveError):
        parsed = parse_preamble(untrusted)
        assert upload_preamble(parsed.terms, parsed.salt) == untrusted[: parsed.size]
