"""Nitro: a document passes only in its one encoding, signed by its enclave's key, under AWS's root."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from attest_makers import MEASUREMENT, REPORT_DATA, aws, check_nitro, nitro_document, nitro_payload
from attest_pki import NOW, YEAR, elliptic, revocation_list
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from enclave.attest import Collateral, EvidenceError, EvidenceRefusedError, Expected, verify_evidence

EXPECTED = Expected(at=NOW, report_data=REPORT_DATA, nonce=b"n" * 20, measurement=MEASUREMENT)


def refused(code: str, step: str, act: Callable[[], object]) -> None:
    """Insists on a refusal by name."""
    with pytest.raises(EvidenceRefusedError) as caught:
        act()
    assert (caught.value.code, caught.value.step) == (code, step)


def leaf(**options: Any) -> bytes:
    """Another certificate of the enclave."""
    key = options.pop("key", elliptic("enclave", ec.SECP384R1()))
    return aws()[1].issue("enclave", key, **options).certificate.public_bytes(Encoding.DER)


def test_a_sound_document_passes_every_step() -> None:
    verified = check_nitro(nitro_document(), EXPECTED)
    assert (verified.tier, verified.measurement, verified.report_data) == ("nitro", MEASUREMENT, REPORT_DATA)
    assert len(verified.steps) == 8
    assert {step.status for step in verified.steps} == {"ok"}


@pytest.mark.parametrize("wrap", [lambda d: d, lambda d: b"\xd2" + d, base64.b64encode, base64.encodebytes])
def test_cbor_with_and_without_tag_and_base64_are_read(wrap: Callable[[bytes], bytes]) -> None:
    assert check_nitro(wrap(nitro_document()), EXPECTED).facts["nonce"] == (b"n" * 20).hex()


# Signed by the right key, and still refused.
PAYLOADS: dict[str, tuple[dict[str, Any], str, str]] = {
    "debugging: the registers are zero": (
        {"pcrs": {index: bytes(48) for index in range(16)}},
        "evidence_debug",
        "debug_off",
    ),
    "another image": (
        {"pcrs": {0: bytes(47) + b"\x01"}},
        "evidence_measurement_wrong",
        "measurement_expected",
    ),
    "another nonce": ({"nonce": b"m" * 20}, "evidence_nonce_wrong", "nonce_expected"),
    "no nonce": ({"nonce": None}, "evidence_nonce_wrong", "nonce_expected"),
    "other user data": ({"user_data": b"x"}, "evidence_report_data_wrong", "report_data_expected"),
    "no user data": ({"user_data": None}, "evidence_report_data_wrong", "report_data_expected"),
    "another digest": ({"digest": "SHA256"}, "evidence_unsupported", "evidence_well_formed"),
    "an unknown field": ({"extra": 1}, "evidence_malformed", "evidence_well_formed"),
    "no time": ({"timestamp": 0}, "evidence_malformed", "evidence_well_formed"),
    "a time beyond all calendars": ({"timestamp": 1 << 62}, "evidence_malformed", "evidence_well_formed"),
    "a time that is a truth": ({"timestamp": True}, "evidence_malformed", "evidence_well_formed"),
    "a time with a fraction": ({"timestamp": 1.5}, "evidence_malformed", "evidence_well_formed"),
    "no first register": ({"pcrs": {1: bytes(48)}}, "evidence_malformed", "evidence_well_formed"),
    "a register out of range": (
        {"pcrs": {0: MEASUREMENT, 32: MEASUREMENT}},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a short register": ({"pcrs": {0: MEASUREMENT[:32]}}, "evidence_malformed", "evidence_well_formed"),
    "registers by name": ({"pcrs": {"0": MEASUREMENT}}, "evidence_malformed", "evidence_well_formed"),
    "user data too long": ({"user_data": bytes(513)}, "evidence_malformed", "evidence_well_formed"),
    "user data that is text": ({"user_data": "x"}, "evidence_malformed", "evidence_well_formed"),
    "a module without a name": ({"module_id": ""}, "evidence_malformed", "evidence_well_formed"),
    "no bundle": ({"cabundle": []}, "evidence_malformed", "evidence_well_formed"),
    "a bundle without end": ({"cabundle": [b"x"] * 9}, "evidence_malformed", "evidence_well_formed"),
    "a certificate that is none": (
        {"certificate": b"\x30\x00"},
        "evidence_malformed",
        "evidence_well_formed",
    ),
    "a certificate too large": ({"certificate": bytes(1025)}, "evidence_malformed", "evidence_well_formed"),
    "made after now": (
        {"timestamp": int((NOW + timedelta(minutes=6)).timestamp() * 1000)},
        "evidence_expired",
        "certificates_valid",
    ),
    "made before its certificate": (
        {"timestamp": int((NOW - 2 * YEAR).timestamp() * 1000)},
        "evidence_expired",
        "certificates_valid",
    ),
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_a_document_is_refused_by_name(name: str) -> None:
    changes, code, step = PAYLOADS[name]
    refused(code, step, lambda: check_nitro(nitro_document(nitro_payload(**changes)), EXPECTED))


def test_a_missing_field_is_refused() -> None:
    for name in ("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"):
        payload = nitro_payload()
        del payload[name]
        refused(
            "evidence_malformed", "evidence_well_formed", lambda p=payload: check_nitro(nitro_document(p))
        )


def indefinite() -> bytes:
    """The payload as a map without a length."""
    return b"\xbf" + cbor2.dumps(nitro_payload())[1:] + b"\xff"


def twice() -> bytes:
    """The payload with a field that comes twice."""
    payload = cbor2.dumps(nitro_payload())
    assert payload[0] == 0xA9
    return b"\xaa" + payload[1:] + cbor2.dumps("nonce") + cbor2.dumps(b"m")


def long_number() -> bytes:
    """The payload with a number that is not in its shortest form."""
    payload = cbor2.dumps(nitro_payload(pcrs={0: MEASUREMENT}))
    return payload.replace(b"\xa1\x00\x58\x30", b"\xa1\x18\x00\x58\x30")


def deep() -> bytes:
    """A payload of nothing but nesting."""
    return b"\x81" * 300 + b"\x01"


@pytest.mark.parametrize("make", [indefinite, twice, long_number, deep, lambda: b"", lambda: b"\xa0"])
def test_another_encoding_of_a_signed_payload_is_refused(make: Callable[[], bytes]) -> None:
    payload = make()
    assert payload != cbor2.dumps(nitro_payload())
    refused("evidence_malformed", "evidence_well_formed", lambda: check_nitro(nitro_document(payload)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"protected": b"\xa1\x01\x26"}, "evidence_unsupported"),
        ({"protected": b""}, "evidence_unsupported"),
        ({"protected": b"\xa2\x01\x38\x22\x04\x41x"}, "evidence_unsupported"),
        ({"unprotected": {1: -7}}, "evidence_unsupported"),
    ],
)
def test_other_headers_are_refused(changes: dict[str, Any], code: str) -> None:
    refused(code, "evidence_well_formed", lambda: check_nitro(nitro_document(**changes)))


def test_another_enclaves_key_or_a_changed_byte_is_refused() -> None:
    stranger = elliptic("stranger", ec.SECP384R1())
    refused("evidence_signature_wrong", "signature_holds", lambda: check_nitro(nitro_document(key=stranger)))
    document = nitro_document()
    for position in range(0, len(document), 11):
        changed = bytearray(document)
        changed[position] ^= 0x01
        with pytest.raises(EvidenceRefusedError):
            check_nitro(bytes(changed), EXPECTED)


CHAINS: dict[str, tuple[Callable[[], dict[str, Any]], str, str]] = {
    "a leaf of another curve": (
        lambda: {"certificate": leaf(key=elliptic("small", ec.SECP256R1()))},
        "evidence_chain_untrusted",
        "signature_holds",
    ),
    "an expired leaf": (
        lambda: {"certificate": leaf(end=NOW - timedelta(hours=1))},
        "evidence_expired",
        "certificates_valid",
    ),
    "a leaf that may certify": (
        lambda: {"certificate": leaf(ca=True, usage="certify")},
        "evidence_chain_untrusted",
        "chain_trusted",
    ),
    "a bundle in the wrong order": (
        lambda: {"cabundle": list(reversed(nitro_payload()["cabundle"]))},
        "evidence_chain_untrusted",
        "chain_trusted",
    ),
    "a bundle without its root": (
        lambda: {"cabundle": nitro_payload()["cabundle"][1:]},
        "evidence_chain_untrusted",
        "chain_trusted",
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_refused_by_name(name: str) -> None:
    make, code, step = CHAINS[name]
    refused(code, step, lambda: check_nitro(nitro_document(nitro_payload(**make())), EXPECTED))


def test_the_documents_own_time_is_its_timestamp() -> None:
    payload = nitro_payload(certificate=leaf(start=NOW - timedelta(hours=1), end=NOW + timedelta(hours=2)))
    later = replace(EXPECTED, at=NOW + timedelta(hours=3))
    refused("evidence_expired", "certificates_valid", lambda: check_nitro(nitro_document(payload), later))
    verified = check_nitro(nitro_document(payload), replace(EXPECTED, at=None))
    assert verified.moment == NOW


def test_debugging_passes_only_when_allowed_and_then_warns() -> None:
    document = nitro_document(nitro_payload(pcrs={0: bytes(48)}))
    verified = check_nitro(document, Expected(at=NOW, allow_debug=True))
    assert verified.debug
    assert any("PCR0 says nothing" in warning for warning in verified.warnings)


def test_revoked_certificates_are_refused() -> None:
    root, instance = aws()
    lists = (revocation_list(root, [instance.certificate]),)
    refused(
        "evidence_revoked",
        "certificates_valid",
        lambda: check_nitro(nitro_document(), EXPECTED, Collateral(revocation_lists=lists)),
    )


def test_the_real_roots_refuse_the_test_vendor() -> None:
    refused(
        "evidence_chain_untrusted",
        "chain_trusted",
        lambda: verify_evidence("nitro", nitro_document(), EXPECTED),
    )


def test_what_no_document_could_meet_is_refused_as_such() -> None:
    for expected in (Expected(at=NOW, min_tcb={"snp": 1}), Expected(at=NOW, measurement=b"x")):
        with pytest.raises(EvidenceError) as caught:
            check_nitro(nitro_document(), expected)
        assert caught.value.code == "evidence_expectation_unfit"
