"""One door for all four formats, always with the vendors' pinned roots."""

from __future__ import annotations

from collections.abc import Mapping

from enclave.attest.certificates import load_pem
from enclave.attest.collateral import Collateral
from enclave.attest.errors import EvidenceError
from enclave.attest.nitro import nitro_facts, verify_nitro
from enclave.attest.nitro_document import MAX_DOCUMENT_BYTES, parse_nitro_document
from enclave.attest.pck import parse_pck
from enclave.attest.process import parse_release, process_facts, verify_process
from enclave.attest.snp import is_turin, snp_facts, verify_snp
from enclave.attest.snp_report import REPORT_BYTES, parse_snp_report
from enclave.attest.tdx import tdx_facts, tdx_tcb, verify_tdx
from enclave.attest.tdx_quote import MAX_QUOTE_BYTES, parse_tdx_quote
from enclave.attest.verdict import Expected, VerifiedEvidence
from provenance.proof import MAX_PROOF_FILE_BYTES
from provenance.trust import Trust

# The largest file of each format; Nitro documents are often kept as base64 text.
MAX_BYTES: Mapping[str, int] = {
    "snp": REPORT_BYTES,
    "tdx": MAX_QUOTE_BYTES,
    "nitro": 2 * MAX_DOCUMENT_BYTES,
    "process": MAX_PROOF_FILE_BYTES,
}


def verify_evidence(
    evidence_format: str,
    untrusted: bytes,
    expected: Expected,
    collateral: Collateral | None = None,
    trust: Trust | bytes | None = None,
) -> VerifiedEvidence:
    """Verifies a document of any format. No network, no clock but `expected.at`.

    Args:
        evidence_format: "snp", "tdx", "nitro" or "process".
        untrusted: the document.
        expected: what it must show.
        collateral: the vendor's public files; an SNP report needs its certificates there.
        trust: for "process" only, and needed there: the trust file, or what was read from one.

    Raises:
        EvidenceRefusedError: with the first step that failed.
        EvidenceError: `evidence_expectation_unfit`, `evidence_too_large`, `evidence_trust_invalid`.
    """
    _check_size(evidence_format, untrusted)
    files = collateral or Collateral()
    if evidence_format == "process":
        if trust is None:
            raise EvidenceError(
                "evidence of the process tier is checked against a trust file", "evidence_trust_invalid"
            )
        return verify_process(untrusted, expected, trust)
    verify = {"snp": verify_snp, "tdx": verify_tdx, "nitro": verify_nitro}[evidence_format]
    return verify(untrusted, expected, files)


def show_evidence(evidence_format: str, untrusted: bytes) -> dict[str, object]:
    """Decodes a document without verifying anything: what it claims, ready for JSON.

    Args:
        evidence_format: "snp", "tdx", "nitro" or "process".
        untrusted: the document.

    Raises:
        EvidenceError: it does not parse.
    """
    _check_size(evidence_format, untrusted)
    if evidence_format == "snp":
        report = parse_snp_report(untrusted)
        return snp_facts(report, turin=is_turin(report))
    if evidence_format == "tdx":
        quote = parse_tdx_quote(untrusted)
        certificates, _ = load_pem(quote.pck_chain)
        pck = parse_pck(certificates[0]) if certificates else None
        if pck is None:
            raise EvidenceError("the quote carries no certificate of its platform")
        return tdx_facts(quote) | {"fmspc": pck.fmspc.hex(), "tcb": tdx_tcb(quote, pck)}
    if evidence_format == "nitro":
        return nitro_facts(parse_nitro_document(untrusted))
    return process_facts(parse_release(untrusted))


def _check_size(evidence_format: str, untrusted: bytes) -> None:
    if evidence_format not in MAX_BYTES:
        raise EvidenceError("evidence is snp, tdx, nitro or process", "evidence_unsupported")
    if len(untrusted) > MAX_BYTES[evidence_format]:
        raise EvidenceError(
            f"a document of this format has at most {MAX_BYTES[evidence_format]} bytes", "evidence_too_large"
        )
