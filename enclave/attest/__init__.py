"""Evidence: who runs the code, said by hardware where there is some, and checked without a network.

    verifying.py        one door: `verify_evidence` and `show_evidence` for the four formats
    verdict.py          what a verifier demands, and what it knows afterwards
    snp.py              AMD SEV-SNP; snp_report.py parses, snp_certificate.py reads AMD's certificates
    tdx.py              Intel TDX; tdx_quote.py parses, pck.py and tdx_collateral.py read Intel's files
    nitro.py            AWS Nitro; nitro_document.py parses
    process.py          the vault's signed release: software's own word
    chain.py            one strict check of a certificate chain for all vendors; roots.py pins their ends
    revocation.py       revocation lists, when somebody brings them
    collateral.py       the vendors' public files out of a folder
    certificates.py  der.py  reading.py   bytes in, or an EvidenceError
    steps.py  errors.py                   named steps, stable codes
    here.py             which evidence this machine makes, and making it: tsm.py (SNP, TDX), nsm.py (Nitro)
    report_data.py      the 64 bytes that tie evidence to a request and a worker's keys

Nothing here opens a socket: collateral is files, and time is an argument.
"""

from __future__ import annotations

from enclave.attest.collateral import Collateral, read_regular_file
from enclave.attest.errors import CODES, EvidenceError, EvidenceRefusedError
from enclave.attest.here import Evidence, TierHere, make_evidence, tier_here
from enclave.attest.report_data import OneJobKeys, report_data_for
from enclave.attest.verdict import Expected, VerifiedEvidence
from enclave.attest.verifying import MAX_BYTES, show_evidence, verify_evidence

__all__ = [
    "CODES",
    "MAX_BYTES",
    "Collateral",
    "Evidence",
    "EvidenceError",
    "EvidenceRefusedError",
    "Expected",
    "OneJobKeys",
    "TierHere",
    "VerifiedEvidence",
    "make_evidence",
    "read_regular_file",
    "report_data_for",
    "show_evidence",
    "tier_here",
    "verify_evidence",
]
