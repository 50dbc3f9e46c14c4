"""Whatever bytes come as evidence or collateral: a verdict or an EvidenceError, nothing else, and soon."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from datetime import timedelta

import cbor2
import pytest
from attest_makers import (
    REPORT_DATA,
    amd,
    check_nitro,
    check_snp,
    check_tdx,
    intel,
    nitro_document,
    nitro_payload,
    qe_identity,
    sgx_extension,
    signed_json,
    snp_report,
    tcb_info,
    tdx_quote,
    vcek,
)
from attest_pki import (
    NOW,
)
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclave.attest import MAX_BYTES, Collateral, EvidenceError, Expected, show_evidence
from enclave.attest.der import fields_by_oid, parse_der
from enclave.attest.nitro_document import parse_nitro_document
from enclave.attest.snp_certificate import parse_certificate_table
from enclave.attest.tdx_quote import parse_tdx_quote

EXPECTED = Expected(at=NOW, report_data=REPORT_DATA)
LEAF = vcek()
CHECKS: dict[str, Callable[[bytes], object]] = {
    "snp": lambda untrusted: check_snp(untrusted, EXPECTED, leaf=LEAF),
    "tdx": lambda untrusted: check_tdx(untrusted, EXPECTED),
    "nitro": lambda untrusted: check_nitro(untrusted, EXPECTED),
}
SEEDS = {"snp": snp_report(), "tdx": tdx_quote(), "nitro": nitro_document()}
COLLATERAL = {
    "tcb.json": signed_json("tcbInfo", tcb_info()),
    "qe.json": signed_json("enclaveIdentity", qe_identity()),
    "signer.pem": intel()[2].certificate.public_bytes(Encoding.PEM),
    "vcek.der": LEAF.certificate.public_bytes(Encoding.DER),
    "ask.der": amd("Milan")[1].certificate.public_bytes(Encoding.DER),
}
# Short and the same in every test run; long and new in `make fuzz`.
EXAMPLES = os.environ.get("BAUTA_FUZZ_EXAMPLES")
SOON = settings(
    max_examples=int(EXAMPLES or 150),
    derandomize=EXAMPLES is None,
    deadline=timedelta(seconds=2),
    suppress_health_check=[HealthCheck.too_slow],
)


@st.composite
def mangled(draw: st.DrawFn, seed: bytes) -> bytes:
    """A sound document with a few bytes replaced, cut, doubled or put in."""
    found = bytearray(seed)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, len(found) - 1)))
        length = draw(st.sampled_from([0, 1, 2, 4, 48, 300]))
        replacement = draw(st.one_of(st.binary(max_size=8), st.just(bytes(found[at : at + length]) * 2)))
        found[at : at + length] = replacement
    return bytes(found[: draw(st.integers(0, len(found)))] if draw(st.booleans()) else found)


@pytest.mark.parametrize("kind", SEEDS)
def test_the_seeds_are_sound(kind: str) -> None:
    assert CHECKS[kind](SEEDS[kind])
    assert 0 < len(SEEDS[kind]) <= MAX_BYTES[kind]


@pytest.mark.parametrize("kind", SEEDS)
def test_a_mangled_document_is_refused_unless_it_is_the_same(kind: str) -> None:
    @SOON
    @given(mangled(SEEDS[kind]))
    def run(untrusted: bytes) -> None:
        with contextlib.suppress(EvidenceError):
            show_evidence(kind, untrusted)
        try:
            CHECKS[kind](untrusted)
        except EvidenceError:
            return
        # Bytes after a quote are nobody's, and line ends inside its PEM text say nothing.
        assert untrusted[:1200] == SEEDS[kind][:1200]

    run()


@pytest.mark.parametrize("kind", [*SEEDS, "process", "sgx"])
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


@pytest.mark.parametrize("name", COLLATERAL)
def test_mangled_collateral_is_read_or_refused(name: str) -> None:
    quote = SEEDS["tdx"]

    @SOON
    @given(mangled(COLLATERAL[name]))
    def run(untrusted: bytes) -> None:
        with contextlib.suppress(EvidenceError):
            files = Collateral.from_files({**COLLATERAL, name: untrusted})
            check_tdx(quote, EXPECTED, files)

    run()


@SOON
@given(mangled(sgx_extension()))
def test_mangled_der_is_read_or_refused(untrusted: bytes) -> None:
    with contextlib.suppress(EvidenceError):
        fields_by_oid(parse_der(untrusted))


@SOON
@given(st.binary(max_size=200))
def test_any_certificate_table_is_read_or_refused(untrusted: bytes) -> None:
    with contextlib.suppress(EvidenceError):
        parse_certificate_table(untrusted)


@SOON
@given(st.integers(0, (1 << 32) - 1), st.sampled_from([632, 766, 1218, 1254]))
def test_a_length_that_lies_is_refused_without_its_memory(length: int, at: int) -> None:
    quote = SEEDS["tdx"]
    size = 2 if at == 1218 else 4
    lying = length % (1 << 8 * size)
    changed = quote[:at] + lying.to_bytes(size, "little") + quote[at + size :]
    if changed != quote:
        with pytest.raises(EvidenceError):
            parse_tdx_quote(changed)
