"""Verifies an Intel TDX quote: this image, these 64 bytes, on a platform that Intel vouches for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from enclave.attest.certificates import elliptic_key, load_pem
from enclave.attest.chain import ECDSA_P256, check_chain, check_dates, latest_start
from enclave.attest.collateral import Collateral
from enclave.attest.errors import EvidenceError
from enclave.attest.pck import PckFacts, parse_pck
from enclave.attest.revocation import check_revocation
from enclave.attest.roots import INTEL_ROOTS
from enclave.attest.steps import EvidenceChecklist
from enclave.attest.tdx_collateral import check_qe_identity, check_tcb_info, read_signed_json
from enclave.attest.tdx_quote import INTEL_QE_VENDOR, TdxQuote, parse_tdx_quote
from enclave.attest.verdict import (
    Expected,
    VerifiedEvidence,
    check_debug,
    check_equal,
    check_lengths,
    check_min_tcb,
    optional_warnings,
    sentences_that_apply,
)

STEPS = {
    "evidence_well_formed": "The quote is in Intel's form.",
    "chain_trusted": "Intel vouches for the platform's key: the certificates lead to the pinned Intel root.",
    "certificates_valid": "The certificates are valid at that moment and on no revocation list that is here.",
    "signature_holds": "The platform vouches for the quoting enclave, and that enclave signed the quote.",
    "identity_intel": "Quoting enclave and TDX module are Intel's.",
    "debug_off": "Nobody may read the TD from outside.",
    "tcb_recent": "The platform's patch level is as recent as demanded.",
    "measurement_expected": "The image that was started is the expected one.",
    "report_data_expected": "The quote was made for the expected keys.",
}
# Intel's enclave signing key and its TD quoting enclave. Without this check any enclave that the platform's
# owner lets ask for a provisioning key could sign quotes.
INTEL_QE_SIGNER = bytes.fromhex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5")
INTEL_TD_QE = 2
_SGX_DEBUG = 0x02


def verify_tdx(
    untrusted: bytes, expected: Expected, collateral: Collateral, roots: Mapping[str, str] = INTEL_ROOTS
) -> VerifiedEvidence:
    """Verifies a quote, which brings its own certificates.

    Args:
        untrusted: the quote.
        expected: what it must show. Components of `min_tcb`: module, module_version, microcode, pce, sgx1 to
            sgx16.
        collateral: Intel's TCB info, QE identity, their signing certificate and revocation lists, as far as
            there are any; the verdict warns of what was not there.
        roots: pinned fingerprints. Only a test gives its own.

    Raises:
        EvidenceRefusedError: with the first step that failed.
        EvidenceError: `evidence_expectation_unfit`.
    """
    if expected.nonce is not None:
        raise EvidenceError("a TDX quote has no nonce but its report data", "evidence_expectation_unfit")
    check_lengths(expected, measurement_bytes=48, report_data_bytes=range(64, 65))
    checklist = EvidenceChecklist(
        sentences_that_apply(STEPS, expected, judge_tcb=collateral.tcb_info is not None)
    )
    with checklist.step("evidence_well_formed"):
        quote = parse_tdx_quote(untrusted)
        chain = _pck_chain(quote)
        pck = parse_pck(chain[0])
    with checklist.step("chain_trusted"):
        check_chain(chain, roots, ECDSA_P256)
    with checklist.step("certificates_valid"):
        moment = latest_start(chain) if expected.at is None else expected.at
        check_dates(chain, moment)
        warnings = check_revocation(chain, collateral.revocation_lists, ECDSA_P256, moment)
    with checklist.step("signature_holds"):
        _check_signatures(quote, elliptic_key(chain[0], ec.SECP256R1))
    with checklist.step("identity_intel"):
        _check_identity(quote)
        if collateral.qe_identity is None:
            warnings.append("The quoting enclave's patch level was not checked: no QE identity was given.")
        else:
            identity = read_signed_json(
                collateral.qe_identity, collateral.certificates, chain[-1], roots, moment
            )
            warnings += check_qe_identity(identity, quote.qe_report)
    with checklist.step("debug_off"):
        check_debug(quote.debug, expected)
    tcb = tdx_tcb(quote, pck)
    if expected.min_tcb or collateral.tcb_info is not None:
        with checklist.step("tcb_recent"):
            check_min_tcb(tcb, expected.min_tcb)
            if collateral.tcb_info is not None:
                info = read_signed_json(
                    collateral.tcb_info, collateral.certificates, chain[-1], roots, moment
                )
                warnings += check_tcb_info(info, quote, pck)
    if collateral.tcb_info is None:
        warnings.append("Whether Intel calls the patch level current was not checked: no TCB info was given.")
    if expected.measurement is not None:
        with checklist.step("measurement_expected"):
            check_equal(quote.mr_td, expected.measurement, "evidence_measurement_wrong", "measurement")
    if expected.report_data is not None:
        with checklist.step("report_data_expected"):
            check_equal(quote.report_data, expected.report_data, "evidence_report_data_wrong", "report data")
    warnings += optional_warnings(expected, "MRTD", "report data") + _warnings(quote)
    return VerifiedEvidence(
        evidence_format="tdx",
        tier="cvm",
        moment=moment,
        moment_is=(
            "a TDX quote carries no time: this is the first moment at which all certificates were valid"
            if expected.at is None
            else "the moment asked for"
        ),
        measurement=quote.mr_td,
        report_data=quote.report_data,
        tcb=tcb,
        debug=quote.debug,
        facts=tdx_facts(quote) | {"fmspc": pck.fmspc.hex()},
        warnings=tuple(warnings),
        steps=checklist.reports(),
    )


def tdx_tcb(quote: TdxQuote, pck: PckFacts) -> dict[str, int]:
    """Gives the patch levels of module and platform by component."""
    return {
        "module": quote.tee_tcb_svn[0],
        "module_version": quote.tee_tcb_svn[1],
        "microcode": quote.tee_tcb_svn[2],
        "pce": pck.pce_svn,
        **{f"sgx{number}": level for number, level in enumerate(pck.components, start=1)},
    }


def tdx_facts(quote: TdxQuote) -> dict[str, object]:
    """Gives a quote's fields, ready for JSON."""
    return {
        "version": quote.version,
        "qe_vendor": quote.qe_vendor.hex(),
        "tee_tcb_svn": quote.tee_tcb_svn.hex(),
        "mr_seam": quote.mr_seam.hex(),
        "mr_signer_seam": quote.mr_signer_seam.hex(),
        "seam_attributes": quote.seam_attributes.hex(),
        "td_attributes": f"{quote.td_attributes:#018x}",
        "xfam": f"{quote.xfam:#018x}",
        "mr_td": quote.mr_td.hex(),
        "mr_config_id": quote.mr_config_id.hex(),
        "mr_owner": quote.mr_owner.hex(),
        "mr_owner_config": quote.mr_owner_config.hex(),
        "rtmrs": [register.hex() for register in quote.rtmrs],
        "report_data": quote.report_data.hex(),
        "mr_service_td": None if quote.mr_service_td is None else quote.mr_service_td.hex(),
        "qe_svn": quote.qe_report.svn,
        "debug": quote.debug,
        "migratable": quote.migratable,
        "trailing_bytes": quote.trailing_bytes,
    }


def _pck_chain(quote: TdxQuote) -> tuple[x509.Certificate, ...]:
    certificates, lists = load_pem(quote.pck_chain)
    if lists or len(certificates) != 3:
        raise EvidenceError("the quote does not carry the three certificates of a PCK chain")
    return certificates


def _check_signatures(quote: TdxQuote, platform: ec.EllipticCurvePublicKey) -> None:
    """The platform signs the enclave's report, which names the attestation key, which signs the quote."""
    bound = hashlib.sha256(quote.attestation_key + quote.qe_auth_data).digest()
    try:
        platform.verify(encode_dss_signature(*quote.qe_signature), quote.qe_report.raw, ec.ECDSA(SHA256()))
        attestation_key = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), b"\x04" + quote.attestation_key
        )
        check_equal(
            quote.qe_report.report_data, bound.ljust(64, b"\0"), "evidence_signature_wrong", "attestation key"
        )
        attestation_key.verify(encode_dss_signature(*quote.signature), quote.signed, ec.ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        raise EvidenceError(
            "the quote was changed, or another platform signed it", "evidence_signature_wrong"
        ) from None


def _check_identity(quote: TdxQuote) -> None:
    report = quote.qe_report
    if (
        quote.qe_vendor != INTEL_QE_VENDOR
        or report.mr_signer != INTEL_QE_SIGNER
        or report.product_id != INTEL_TD_QE
        or report.attributes[0] & _SGX_DEBUG
    ):
        raise EvidenceError("the quote was signed by another enclave than Intel's", "evidence_identity_wrong")
    if any(quote.mr_signer_seam) or any(quote.seam_attributes):
        raise EvidenceError("the TDX module is not Intel's", "evidence_identity_wrong")


def _warnings(quote: TdxQuote) -> list[str]:
    warnings = ["Only MRTD is compared; what was loaded after the first memory is in the four RTMRs below."]
    if quote.migratable:
        warnings.append("The TD can be moved to another machine by its migration TD.")
    if quote.mr_service_td is not None and any(quote.mr_service_td):
        warnings.append("Service TDs are bound to this one and are not judged here.")
    if quote.trailing_bytes:
        warnings.append(
            f"{quote.trailing_bytes} bytes follow the quote; nobody signed them, and they were ignored."
        )
    if quote.debug:
        warnings.append("Debugging is on: the host can read everything in this TD.")
    return warnings
