"""A proof that holds is not yet one of what was handed in: each thing that a service could exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from enclave.policy import Terms, shipped
from grpc_api.client.agreement import require_own
from grpc_api.errors import ServiceError
from keyvault.submitter.submission_key import SubmissionKey
from provenance.statements import JobFacts
from tests.unit.provenance.provenance_makers import hex_of, job_facts

SOURCE, ANOTHER = SubmissionKey.of_nobody(), SubmissionKey.of_nobody()
POLICY = shipped()["whistleblower"]
TERMS = Terms(POLICY, POLICY.modes[0], ("age1pq1" + "q" * 1952,), submitter=SOURCE)
COMMITMENT = hex_of("commitment")


def told(changes: Mapping[str, Any]) -> JobFacts:
    honest = {
        "original_commitment": COMMITMENT,
        "terms_sha256": TERMS.digest.hex(),
        "signatures": POLICY.proof.signatures,
        "credentials": POLICY.proof.credentials,
        "submitter_key": SOURCE.key,
        "submitter_number": SOURCE.number,
    }
    return job_facts(**{**honest, **changes})


def test_what_was_asked_is_taken() -> None:
    require_own(told({}), COMMITMENT, TERMS)


EXCHANGED: dict[str, dict[str, Any]] = {
    "another original": {"original_commitment": hex_of("another")},
    "other terms": {"terms_sha256": hex_of("other terms")},
    "other credentials": {"credentials": "none" if POLICY.proof.credentials == "c2pa" else "c2pa"},
    "somebody else's source": {"submitter_key": ANOTHER.key, "submitter_number": ANOTHER.number},
    "the key of another source": {"submitter_key": ANOTHER.key},
    "the number of another submission": {"submitter_number": ANOTHER.number},
    "no source": {"submitter_key": None, "submitter_number": None},
    "kept for custodians that nobody named": {
        "recovery": {word: hex_of(word) for word in ("custody_policy", "package", "ring", "sharing", "sheet")}
    },
}


@pytest.mark.parametrize("name", EXCHANGED)
def test_what_was_exchanged_is_refused(name: str) -> None:
    with pytest.raises(ServiceError) as refused:
        require_own(told(EXCHANGED[name]), COMMITMENT, TERMS)
    assert refused.value.code == "proof_of_other_job"
