"""Evidence of shapes that damage to a good document does not make: signed nonsense, and lengths that lie."""

from __future__ import annotations

import contextlib

import cbor2
import pytest
from attest_makers import REPORT_DATA, check_nitro, nitro_document, nitro_payload, tdx_quote
from attest_pki import NOW
from hypothesis import given, settings
from hypothesis import strategies as st

from enclave.attest import EvidenceError, Expected, show_evidence
from enclave.attest.nitro_document import parse_nitro_document
from enclave.attest.tdx_quote import parse_tdx_quote
from tests.fuzz.test_targets import EXAMPLES

EXPECTED = Expected(at=NOW, report_data=REPORT_DATA)
SOON = settings(max_examples=int(EXAMPLES or 150), derandomize=EXAMPLES is None, deadline=None)


@pytest.mark.parametrize("kind", ["snp", "tdx", "nitro", "process", "sgx"])
def test_any_bytes_are_refused(kind: str) -> None:
    @SOON
    @given(st.binary(max_size=2000))
    def run(untrusted: bytes) -> None:
        with pytest.raises(EvidenceError):
            show_evidence(kind, untrusted)

    run()


@SOON
@given(st.data())
def test_a_signed_nitro_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    anything = st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=50)
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(st.integers(0, 40), inner, max_size=3)
        ),
        max_leaves=6,
    )
    payload = nitro_payload()
    payload[data.draw(st.sampled_from(sorted(payload)))] = data.draw(anything)
    document = nitro_document(cbor2.dumps(payload))
    with contextlib.suppress(EvidenceError):
        assert parse_nitro_document(document).pcrs[0]
        check_nitro(document, EXPECTED)


# Tags that a CBOR library turns into objects: dates, numbers of any size, patterns, references, addresses.
TAGGED = [bytes.fromhex(text) for text in (
    "c074323031332d30332d32315432303a30343a30305a", "c1fb7ff8000000000000", "c25820" + "ff" * 32,
    "c4821b7fffffffffffffff01",
    "c5821b7fffffffffffffff01", "d81e820100", "d82361285b", "d81c81d81d00", "d9010280", "d82550" + "00" * 16,
    "d9010441ff",
    "d8234a28612b292b2461612b29", "f97e00", "f7", "ff", "9fff", "bfff",
)]  # fmt: skip


@pytest.mark.parametrize("tagged", TAGGED, ids=bytes.hex)
def test_cbor_that_becomes_an_object_is_refused(tagged: bytes) -> None:
    payload = cbor2.dumps(nitro_payload(user_data=b"\xca\xfe"))
    for content in (tagged, payload.replace(b"\x42\xca\xfe", tagged)):
        assert content != payload
        with pytest.raises(EvidenceError):
            parse_nitro_document(nitro_document(content))


@SOON
@given(st.integers(0, (1 << 32) - 1), st.sampled_from([632, 766, 1218, 1254]))
def test_a_length_that_lies_is_refused_without_its_memory(length: int, at: int) -> None:
    quote = tdx_quote()
    size = 2 if at == 1218 else 4
    lying = length % (1 << 8 * size)
    changed = quote[:at] + lying.to_bytes(size, "little") + quote[at + size :]
    if changed != quote:
        with pytest.raises(EvidenceError):
            parse_tdx_quote(changed)
