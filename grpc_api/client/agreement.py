"""Whether a sound proof is about what this client handed in: original, terms, custodians, source."""

from __future__ import annotations

from enclave.policy import Terms
from grpc_api.errors import invalid
from provenance.statements import JobFacts


def require_own(facts: JobFacts, commitment: str, terms: Terms) -> None:
    """Compares what the worker states with what was asked.

    Args:
        facts: of a verified proof.
        commitment: to the media that was sealed, hexadecimal.
        terms: that were sealed with it.

    Raises:
        ServiceError: `proof_of_other_job`.
    """
    wanted = terms.policy.proof
    source = terms.submitter
    asked = (
        commitment,
        terms.digest.hex(),
        wanted.signatures,
        wanted.credentials,
        terms.custody.digest.hex() if terms.custody is not None else None,
        source.key if source is not None else None,
        source.number if source is not None else None,
    )
    told = (
        facts.original_commitment,
        facts.terms_sha256,
        facts.signatures,
        facts.credentials,
        facts.recovery.get("custody_policy"),
        facts.submitter_key,
        facts.submitter_number,
    )
    if told != asked:
        raise invalid("proof_of_other_job", "The proof is sound, but it is not about what was submitted.")
