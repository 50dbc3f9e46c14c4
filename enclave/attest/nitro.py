"""Verifies an AWS Nitro document: this enclave image, these bytes, signed by a Nitro hypervisor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from enclave.attest.certificates import elliptic_key, load_certificate
from enclave.attest.chain import ECDSA_P384, check_chain, check_dates
from enclave.attest.collateral import Collateral
from enclave.attest.errors import EvidenceError
from enclave.attest.nitro_document import MAX_USER_DATA_BYTES, NitroDocument, parse_nitro_document
from enclave.attest.revocation import check_revocation
from enclave.attest.roots import NITRO_ROOTS
from enclave.attest.steps import EvidenceChecklist
from enclave.attest.verdict import (
    Expected,
    VerifiedEvidence,
    check_debug,
    check_equal,
    check_lengths,
    optional_warnings,
    sentences_that_apply,
)

STEPS = {
    "evidence_well_formed": "The document is in its one exact form.",
    "chain_trusted": "AWS vouches for the enclave's key: the certificates lead to the pinned Nitro root.",
    "certificates_valid": "The certificates are valid at that moment and on no revocation list that is here.",
    "signature_holds": "The hypervisor signed the document.",
    "debug_off": "Nobody may read the enclave from outside.",
    "measurement_expected": "The image that was started is the expected one.",
    "nonce_expected": "The document answers the expected request.",
    "report_data_expected": "The document was made for the expected keys.",
}
# The parent's clock and the verifier's may differ by this much.
_CLOCK_SKEW = timedelta(minutes=5)


def verify_nitro(
    untrusted: bytes, expected: Expected, collateral: Collateral, roots: Mapping[str, str] = NITRO_ROOTS
) -> VerifiedEvidence:
    """Verifies a document, which brings its own certificates.

    Args:
        untrusted: the document, as CBOR or as base64 text.
        expected: what it must show. There is no patch level to demand.
        collateral: revocation lists, if there are any.
        roots: pinned fingerprints. Only a test gives its own.

    Raises:
        EvidenceRefusedError: with the first step that failed.
        EvidenceError: `evidence_expectation_unfit`.
    """
    if expected.min_tcb:
        raise EvidenceError("a Nitro document states no patch level", "evidence_expectation_unfit")
    check_lengths(expected, measurement_bytes=48, report_data_bytes=range(1, MAX_USER_DATA_BYTES + 1))
    checklist = EvidenceChecklist(sentences_that_apply(STEPS, expected))
    with checklist.step("evidence_well_formed"):
        document = parse_nitro_document(untrusted)
        chain = tuple(load_certificate(der) for der in (document.certificate, *reversed(document.bundle)))
    with checklist.step("chain_trusted"):
        check_chain(chain, roots, ECDSA_P384)
    with checklist.step("certificates_valid"):
        moment = document.made_at if expected.at is None else expected.at
        check_dates(chain, moment)
        # These certificates live for hours: a document must also have been made while they did.
        check_dates(chain, document.made_at)
        if document.made_at > moment + _CLOCK_SKEW:
            raise EvidenceError("the document was made after the moment asked for", "evidence_expired")
        warnings = check_revocation(chain, collateral.revocation_lists, ECDSA_P384, moment)
    with checklist.step("signature_holds"):
        _check_signature(document, elliptic_key(chain[0], ec.SECP384R1))
    with checklist.step("debug_off"):
        check_debug(document.debug, expected)
    if expected.measurement is not None:
        with checklist.step("measurement_expected"):
            check_equal(document.pcrs[0], expected.measurement, "evidence_measurement_wrong", "measurement")
    if expected.nonce is not None:
        with checklist.step("nonce_expected"):
            check_equal(document.nonce, expected.nonce, "evidence_nonce_wrong", "nonce")
    if expected.report_data is not None:
        with checklist.step("report_data_expected"):
            check_equal(document.user_data, expected.report_data, "evidence_report_data_wrong", "user data")
    warnings += optional_warnings(expected, "PCR0", "nonce or the user data")
    if document.debug:
        warnings.append(
            "Debugging is on: the parent can read everything in this enclave, and PCR0 says nothing."
        )
    return VerifiedEvidence(
        evidence_format="nitro",
        tier="nitro",
        moment=moment,
        moment_is="the document's own time" if expected.at is None else "the moment asked for",
        measurement=document.pcrs[0],
        report_data=document.user_data,
        tcb={},
        debug=document.debug,
        facts=nitro_facts(document),
        warnings=tuple(warnings),
        steps=checklist.reports(),
    )


def nitro_facts(document: NitroDocument) -> dict[str, object]:
    """Gives a document's fields, ready for JSON."""
    return {
        "module_id": document.module_id,
        "made_at": document.made_at.isoformat(timespec="milliseconds"),
        "pcrs": {str(index): value.hex() for index, value in sorted(document.pcrs.items())},
        "public_key": document.public_key.hex(),
        "user_data": document.user_data.hex(),
        "nonce": document.nonce.hex(),
        "debug": document.debug,
    }


def _check_signature(document: NitroDocument, key: ec.EllipticCurvePublicKey) -> None:
    try:
        key.verify(encode_dss_signature(*document.signature), document.signed, ec.ECDSA(SHA384()))
    except (InvalidSignature, ValueError):
        raise EvidenceError(
            "the document was changed, or another enclave signed it", "evidence_signature_wrong"
        ) from None
