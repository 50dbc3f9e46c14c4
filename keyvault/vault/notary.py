"""What the node signs for the front desk: that an upload is held, that a job failed, which policies ship.

Each statement is made here, from what the vault knows by itself wherever it does; the front desk never hands
over a statement to be signed.
"""

from __future__ import annotations

from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.announcements import WorkerFacts, instant
from keyvault.vault.errors import VaultRequestError
from protos.bauta.internal.v1.vault_pb2 import SignFailure, SignSubmission
from provenance.dsse import sign_envelope
from provenance.errors import ProvenanceError
from provenance.statements import Facts, FailureFacts, PolicyFacts, SubmissionFacts

JOB_ID_BYTES = 16
SHA256_BYTES = 32


def sign_failure(node: HybridSigner, untrusted: SignFailure, now: float) -> bytes:
    """Signs that a job ended without a result; the DSSE envelope (JSON).

    Raises:
        VaultRequestError: failure_job_id_invalid or failure_code_invalid.
    """
    if len(untrusted.job_id) != JOB_ID_BYTES:
        raise VaultRequestError("failure_job_id_invalid", "a job id has 16 bytes")
    try:
        facts = FailureFacts(job_id=untrusted.job_id.hex(), code=untrusted.code, failed_at=instant(now))
    except ProvenanceError:
        raise VaultRequestError("failure_code_invalid", "the code is not a published one") from None
    return _signed(node, facts)


def sign_submission(
    node: HybridSigner, acceptances: Acceptances, untrusted: SignSubmission, now: float
) -> bytes:
    """Signs that an upload is held whose file key this vault keeps; the DSSE envelope (JSON).

    Header and terms are those that were accepted. The digest of the whole upload is the front desk's word.

    Raises:
        VaultRequestError: submission_malformed, or upload_not_accepted.
    """
    if len(untrusted.job_id) != JOB_ID_BYTES or len(untrusted.upload_sha256) != SHA256_BYTES:
        raise VaultRequestError("submission_malformed", "a submission names a job and a SHA-256")
    accepted = acceptances.of(untrusted.job_id)
    facts = SubmissionFacts(
        job_id=accepted.job_id.hex(),
        upload_sha256=untrusted.upload_sha256.hex(),
        upload_header_sha256=accepted.header_sha256.hex(),
        terms_sha256=accepted.terms_sha256.hex(),
        accepted_at=instant(now),
    )
    return _signed(node, facts)


def sign_policies(node: HybridSigner, worker: WorkerFacts, now: float) -> list[bytes]:
    """Signs which policies a worker version ships, a DSSE envelope (JSON) for each.

    Raises:
        VaultRequestError: policies_unknown, the worker host names a policy that is not in our list.
    """
    try:
        found = [
            PolicyFacts(
                policy=name,
                policy_sha256=policy_sha256,
                measurement=worker.measurement.hex(),
                announced_at=instant(now),
            )
            for name, policy_sha256 in sorted(worker.policies.items())
        ]
    except ProvenanceError:
        raise VaultRequestError("policies_unknown", "the worker host ships a policy without a name") from None
    return [_signed(node, facts) for facts in found]


def _signed(node: HybridSigner, facts: Facts) -> bytes:
    return sign_envelope(facts.to_statement(), node).to_bytes()
