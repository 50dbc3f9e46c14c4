"""Which evidence this machine can make, and making it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from enclave.attest.errors import EvidenceError
from enclave.attest.nsm import NSM_DEVICE, make_nitro_document
from enclave.attest.report_data import OneJobKeys, report_data_for
from enclave.attest.tsm import TSM_FOLDER, make_tsm_report, tsm_format


@dataclass(frozen=True)
class TierHere:
    """What the hardware of this machine can vouch for.

    Attributes:
        tier: "process", "cvm" or "nitro".
        evidence_format: "process", "snp", "tdx" or "nitro".
        reason: why it is not more, or what was found; for people.
    """

    tier: str
    evidence_format: str
    reason: str


@dataclass(frozen=True)
class Evidence:
    """Evidence that this machine made.

    Attributes:
        evidence_format: "snp", "tdx" or "nitro".
        document: what `verify_evidence` takes.
        certificates: the host's table of certificates beside an SNP report; often empty.
    """

    evidence_format: str
    document: bytes
    certificates: bytes = b""


def tier_here(tsm: Path = TSM_FOLDER, nsm: Path = NSM_DEVICE) -> TierHere:
    """Says which tier this machine can give evidence of. Nothing is signed.

    The tier is a claim of this machine about itself until evidence was made and verified elsewhere.

    Args:
        tsm: where the kernel takes requests for SNP and TDX evidence.
        nsm: a Nitro enclave's secure module.
    """
    if os.access(nsm, os.R_OK | os.W_OK):
        return TierHere("nitro", "nitro", "a Nitro enclave's secure module is here")
    if not tsm.is_dir():
        return TierHere(
            "process",
            "process",
            "no secure module of a Nitro enclave, and no kernel interface for SNP or TDX evidence",
        )
    found = tsm_format(tsm)
    if found is None:
        return TierHere(
            "process",
            "process",
            "the kernel's interface for evidence is here, but no SNP or TDX hardware that answers us",
        )
    return TierHere("cvm", found, f"the kernel makes {found.upper()} evidence")


def make_evidence(nonce: bytes, keys: OneJobKeys, tsm: Path = TSM_FOLDER, nsm: Path = NSM_DEVICE) -> Evidence:
    """Makes evidence with a request's nonce and a worker's one-job keys in it.

    SNP and TDX sign `report_data_for(nonce, keys)`; a Nitro document carries that as its user data, and the
    nonce too.

    Args:
        nonce: 16 to 64 random bytes, chosen by whoever asked.
        keys: the worker's.
        tsm: where the kernel takes requests for SNP and TDX evidence.
        nsm: a Nitro enclave's secure module.

    Raises:
        EvidenceError: `evidence_unavailable`; this machine has no such hardware, or it failed.
    """
    bound = report_data_for(nonce, keys)
    here = tier_here(tsm, nsm)
    if here.evidence_format == "nitro":
        return Evidence("nitro", make_nitro_document(bound, nonce, nsm))
    if here.evidence_format in {"snp", "tdx"}:
        made = make_tsm_report(bound, tsm)
        return Evidence(made.evidence_format, made.document, made.certificates)
    raise EvidenceError(f"this machine has no hardware evidence: {here.reason}", "evidence_unavailable")
