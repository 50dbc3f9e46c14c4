"""Consents and withdrawals, as they come from whoever was filmed. Pure."""

from __future__ import annotations

from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import keys_sha256
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import ConsentFacts, ConsentWithdrawalFacts


def read_consent(untrusted: Envelope, giver: HybridPublicKey, job_id: str) -> ConsentFacts:
    """Reads a consent about one job, signed by who is said to give it.

    Raises:
        CustodianError: consent_invalid.
    """
    try:
        facts = ConsentFacts.from_statement(untrusted.verify(giver))
    except ProvenanceError:
        raise _invalid() from None
    if facts.job_id != job_id or facts.giver_key_sha256 != keys_sha256(giver):
        raise _invalid()
    return facts


def read_withdrawal(untrusted: Envelope, giver: HybridPublicKey) -> ConsentWithdrawalFacts:
    """Reads a withdrawal by who gave the consent.

    Raises:
        CustodianError: consent_invalid.
    """
    try:
        facts = ConsentWithdrawalFacts.from_statement(untrusted.verify(giver))
    except ProvenanceError:
        raise _invalid() from None
    if facts.giver_key_sha256 != keys_sha256(giver):
        raise _invalid()
    return facts


def _invalid() -> CustodianError:
    return CustodianError("consent_invalid", "this is no such consent, or not signed by who gives it")
