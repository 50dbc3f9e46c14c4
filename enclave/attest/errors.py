"""Errors of evidence: one class, stable codes; whatever bytes come in, nothing else comes out."""

from __future__ import annotations

from enclave.errors import EnclaveError
from provenance.checklist import Step

# Every code, and what a person should take from it; docs/evidence.md has the same table.
CODES = {
    "evidence_malformed": "The bytes are not a document of this format.",
    "evidence_too_large": "The file is larger than any document of this format.",
    "evidence_unsupported": "The document is of a version or an algorithm that is not known here.",
    "evidence_chain_incomplete": "A certificate between the document and the vendor's root is missing.",
    "evidence_chain_untrusted": "The certificates do not lead to the vendor's root.",
    "evidence_expired": "A certificate is not valid at the moment that was asked for.",
    "evidence_revoked": "The vendor has revoked a certificate or the platform's patch level.",
    "evidence_signature_wrong": "The document was changed, or another key signed it.",
    "evidence_identity_wrong": "The signature is by a component that the vendor does not vouch for.",
    "evidence_chip_mismatch": "The certificate is of another chip or product than the document.",
    "evidence_tcb_mismatch": "The certificate is for another patch level than the document.",
    "evidence_tcb_too_old": "The platform's firmware is older than demanded.",
    "evidence_debug": "The machine can be read from outside: debugging is on.",
    "evidence_guest_policy": "The guest's policy or privilege level lets somebody else speak for it.",
    "evidence_measurement_wrong": "Another image than the expected one was started.",
    "evidence_report_data_wrong": "The document was made for other keys or another request.",
    "evidence_nonce_wrong": "The document answers another request.",
    "evidence_collateral_malformed": "A file of the collateral is not what its kind demands.",
    "evidence_collateral_untrusted": "A file of the collateral is not signed by the vendor.",
    "evidence_collateral_mismatch": "A file of the collateral is about another platform.",
    "evidence_collateral_expired": "A file of the collateral is out of date; fetch it anew.",
    "evidence_expectation_unfit": "What was asked for does not exist in this format.",
    "evidence_trust_invalid": "The trust file is not one.",
    "evidence_unavailable": "This machine makes no evidence of this kind.",
}


class EvidenceError(EnclaveError):
    """Evidence is malformed, does not verify, or cannot be made.

    Attributes:
        code: one of `CODES`.
    """

    code = "evidence_malformed"


class EvidenceRefusedError(EvidenceError):
    """A named step of a verification failed.

    Attributes:
        code: why, one of `CODES`.
        step: the id of the step.
        steps: one report a step, in order; those after the failed one were not reached.
    """

    def __init__(self, step: str, code: str, message: str, steps: tuple[Step, ...]) -> None:
        super().__init__(message, code)
        self.step = step
        self.steps = steps
