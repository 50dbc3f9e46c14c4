"""Verifies an AMD SEV-SNP report: this image, these 64 bytes, on a real chip at this patch level."""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384

from enclave.attest.certificates import elliptic_key
from enclave.attest.chain import RSA_PSS_SHA384, check_chain, check_dates, latest_start
from enclave.attest.collateral import Collateral
from enclave.attest.errors import EvidenceError
from enclave.attest.revocation import check_revocation
from enclave.attest.roots import AMD_ROOTS
from enclave.attest.snp_certificate import Endorsement, find_chain, parse_endorsement
from enclave.attest.snp_report import VLEK, SnpReport, decode_tcb, parse_snp_report
from enclave.attest.steps import EvidenceChecklist
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
    "evidence_well_formed": "The report is in AMD's form, to the last reserved bit.",
    "chain_trusted": "AMD vouches for the chip's key: the certificates lead to a pinned AMD root.",
    "certificates_valid": "The certificates are valid at that moment and on no revocation list that is here.",
    "signature_holds": "The chip signed the report.",
    "certificate_matches": "The certificate is of this chip, this product and this patch level.",
    "debug_off": "Nobody may read the guest from outside.",
    "policy_sound": "The guest itself asked, and no migration agent speaks for it.",
    "tcb_recent": "The firmware is as recent as demanded.",
    "measurement_expected": "The image that was started is the expected one.",
    "report_data_expected": "The report was made for the expected keys.",
}
# CPUID family, and the models that belong to a product line; Genoa's root also vouches for Bergamo and Siena.
_MODELS = {
    "Milan": (0x19, frozenset(range(0x00, 0x10))),
    "Genoa": (0x19, frozenset(range(0x10, 0x20)) | frozenset(range(0xA0, 0xB0))),
    "Turin": (0x1A, frozenset(range(0x00, 0x20))),
}


def verify_snp(
    untrusted: bytes, expected: Expected, collateral: Collateral, roots: Mapping[str, str] = AMD_ROOTS
) -> VerifiedEvidence:
    """Verifies a report against AMD's certificates.

    Args:
        untrusted: 1,184 bytes.
        expected: what it must show.
        collateral: the chip's VCEK or VLEK and the product's cert_chain; revocation lists if there are any.
        roots: pinned fingerprints and their product lines. Only a test gives its own.

    Raises:
        EvidenceRefusedError: with the first step that failed.
        EvidenceError: `evidence_expectation_unfit`.
    """
    if expected.nonce is not None:
        raise EvidenceError("an SNP report has no nonce but its report data", "evidence_expectation_unfit")
    check_lengths(expected, measurement_bytes=48, report_data_bytes=range(64, 65))
    checklist = EvidenceChecklist(sentences_that_apply(STEPS, expected))
    with checklist.step("evidence_well_formed"):
        report = parse_snp_report(untrusted)
    with checklist.step("chain_trusted"):
        chain = find_chain(collateral.certificates, vlek=report.signing_key == VLEK)
        product_line = check_chain(chain, roots, RSA_PSS_SHA384)
    with checklist.step("certificates_valid"):
        moment = latest_start(chain) if expected.at is None else expected.at
        check_dates(chain, moment)
        warnings = check_revocation(chain, collateral.revocation_lists, RSA_PSS_SHA384, moment)
    with checklist.step("signature_holds"):
        _check_signature(report, elliptic_key(chain[0], ec.SECP384R1))
    with checklist.step("certificate_matches"):
        endorsement = parse_endorsement(chain[0])
        tcb = _check_endorsement(report, endorsement, product_line)
    with checklist.step("debug_off"):
        check_debug(report.debug, expected)
    with checklist.step("policy_sound"):
        _check_policy(report, expected)
    if expected.min_tcb:
        with checklist.step("tcb_recent"):
            # At launch too: what an old firmware gave away then, a newer one does not take back.
            for levels in (tcb, decode_tcb(report.launch_tcb, product_line == "Turin")):
                check_min_tcb(levels, expected.min_tcb)
    if expected.measurement is not None:
        with checklist.step("measurement_expected"):
            check_equal(report.measurement, expected.measurement, "evidence_measurement_wrong", "measurement")
    if expected.report_data is not None:
        with checklist.step("report_data_expected"):
            check_equal(report.report_data, expected.report_data, "evidence_report_data_wrong", "report data")
    warnings += optional_warnings(expected, "measurement", "report data")
    if not expected.min_tcb:
        warnings.append("No minimum patch level was demanded.")
    if report.debug:
        warnings.append("Debugging is on: the host can read everything in this guest.")
    return VerifiedEvidence(
        evidence_format="snp",
        tier="cvm",
        moment=moment,
        moment_is=(
            "an SNP report carries no time: this is the first moment at which all certificates were valid"
            if expected.at is None
            else "the moment asked for"
        ),
        measurement=report.measurement,
        report_data=report.report_data,
        tcb=tcb,
        debug=report.debug,
        facts=snp_facts(report, turin=product_line == "Turin"),
        warnings=tuple(warnings),
        steps=checklist.reports(),
    )


def snp_facts(report: SnpReport, turin: bool) -> dict[str, object]:
    """Gives a report's fields, ready for JSON."""
    return {
        "version": report.version,
        "guest_svn": report.guest_svn,
        "policy": sorted(report.policy),
        "policy_abi": f"{report.policy_abi[0]}.{report.policy_abi[1]}",
        "family_id": report.family_id.hex(),
        "image_id": report.image_id.hex(),
        "vmpl": report.vmpl,
        "signing_key": "VLEK" if report.signing_key == VLEK else "VCEK",
        "chip_id_masked": report.chip_id_masked,
        "platform_info": f"{report.platform_info:#x}",
        "report_data": report.report_data.hex(),
        "measurement": report.measurement.hex(),
        "host_data": report.host_data.hex(),
        "id_key_digest": report.id_key_digest.hex(),
        "author_key_digest": report.author_key_digest.hex(),
        "report_id": report.report_id.hex(),
        "cpuid": None
        if report.cpuid is None
        else "family {:#x}, model {:#x}, stepping {}".format(*report.cpuid),
        "chip_id": report.chip_id.hex(),
        "current_tcb": decode_tcb(report.current_tcb, turin),
        "reported_tcb": decode_tcb(report.reported_tcb, turin),
        "committed_tcb": decode_tcb(report.committed_tcb, turin),
        "launch_tcb": decode_tcb(report.launch_tcb, turin),
        "debug": report.debug,
    }


def is_turin(report: SnpReport) -> bool:
    """Whether a report calls itself a Turin's; only for showing one that is not verified."""
    return report.cpuid is not None and report.cpuid[0] == _MODELS["Turin"][0]


def _check_signature(report: SnpReport, key: ec.EllipticCurvePublicKey) -> None:
    try:
        key.verify(encode_dss_signature(*report.signature), report.signed, ec.ECDSA(SHA384()))
    except (InvalidSignature, ValueError):
        raise EvidenceError(
            "the report was changed, or another chip signed it", "evidence_signature_wrong"
        ) from None


def _check_endorsement(report: SnpReport, endorsement: Endorsement, product_line: str) -> dict[str, int]:
    """Checks the leaf against root and report; gives the patch level that both state."""
    family, models = _MODELS[product_line]
    right_cpu = report.cpuid is None or (report.cpuid[0] == family and report.cpuid[1] in models)
    if endorsement.product_line != product_line or not right_cpu:
        raise EvidenceError("root, certificate and report are not of one product", "evidence_chip_mismatch")
    # A VLEK belongs to a cloud's fleet and names no chip; a VCEK must name the one that made the report.
    if (endorsement.hardware_id is None) != (report.signing_key == VLEK):
        raise EvidenceError(
            "the certificate is not of the kind that the report names", "evidence_chip_mismatch"
        )
    if endorsement.hardware_id is not None and endorsement.hardware_id != report.chip_id:
        raise EvidenceError("the certificate is of another chip", "evidence_chip_mismatch")
    reported = decode_tcb(report.reported_tcb, product_line == "Turin")
    if endorsement.tcb != reported:
        raise EvidenceError("the certificate is for another patch level", "evidence_tcb_mismatch")
    return reported


def _check_policy(report: SnpReport, expected: Expected) -> None:
    if report.vmpl not in expected.allowed_vmpls:
        raise EvidenceError(
            "the report was asked for by the host or at a privilege level that is not allowed here",
            "evidence_guest_policy",
        )
    if "migration_agent_allowed" in report.policy:
        raise EvidenceError("another guest may move this one elsewhere", "evidence_guest_policy")
