"""One-job keys, and the file key that the vault releases to them.

The child makes its keys behind the wall and asks once. The vault's first answer is the evidence that later
tells a verifier whose keys these were; the child passes it on to be recorded. The second is the sealed file
key, and it comes only once the vault has seen that record in its log. On the same channel the child then
asks for its derived keys (`derived`) and, hours later, for the signature under its content credentials.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from typing import TypeVar

from enclave.errors import WorkerError
from enclave.order import JobOrder
from enclave.policy import Terms
from enclave.worker import vault_channel
from keyvault.release import OneJobKey, ReleaseSealError, job_failure_code
from keyvault.signing.hybrid import SEED_BYTES, HybridSigner
from keyvault.signing.slhdsa import SlhDsaKey
from protos.bauta.internal.v1.release_pb2 import (
    ClaimRequest,
    ClaimResponse,
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseRequest,
    ReleaseResponse,
)
from provenance.credentials.claim import Claim
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import SLHDSA128S
from provenance.statements import ReleaseFacts

AnswerT = TypeVar("AnswerT", ReleaseOffer, ReleaseResponse)


@dataclass(frozen=True)
class Release:
    """What the vault gave.

    Attributes:
        file_key: of the upload, 16 bytes.
        one_job_key: what the vault seals to.
        signer: the one-job keys that sign the statement.
        evidence: the envelope that certifies them, as it came.
        facts: what it says.
        claim_chain: DER certificates of whoever signs content credentials, without the root.
        log_origin: the log that holds the evidence.
    """

    file_key: bytes = field(repr=False)
    one_job_key: OneJobKey = field(repr=False)
    signer: HybridSigner = field(repr=False)
    evidence: bytes = field(repr=False)
    facts: ReleaseFacts
    claim_chain: tuple[bytes, ...]
    log_origin: str


def ask_for_file_key(
    vault_fd: int,
    order: JobOrder,
    terms: Terms,
    age_header: bytes,
    walls: Set[str],
    record: Callable[[bytes], None],
) -> Release:
    """Makes the one-job keys and asks the vault for the upload's file key.

    Args:
        vault_fd: this job's own channel to the vault.
        order: the job.
        terms: its terms.
        age_header: of the upload, to the end of its MAC line.
        walls: those that stand around this process.
        record: passes the evidence on to the log; the vault waits for it.

    Raises:
        WorkerError: the vault refused (its reason's published code), did not answer (`vault_unavailable`), or
            answered something else than a key for this job (`release_refused`).
    """
    challenge = vault_channel.read(vault_fd, ReleaseChallenge)
    one_job_key = OneJobKey.generate()
    # From the kernel, not from a generator whose state the warm parent shares with every job.
    third_key = SlhDsaKey.generate() if SLHDSA128S in terms.policy.proof.signatures else None
    signer = HybridSigner.from_seeds(os.urandom(SEED_BYTES), os.urandom(SEED_BYTES), third_key)
    request = ReleaseRequest(
        job_id=order.job_id,
        age_header=age_header,
        worker_hpke_key=one_job_key.public_key,
        worker_ed25519_key=signer.public.ed25519,
        worker_mldsa65_key=signer.public.mldsa65,
        worker_slhdsa128s_key=signer.public.slhdsa128s or b"",
        terms_sha256=terms.digest,
        policy_sha256=terms.policy.digest,
        walls=sorted(walls),
        nonce=challenge.nonce,
    )
    vault_channel.write(vault_fd, request)
    evidence = _willing(vault_channel.read(vault_fd, ReleaseOffer)).evidence
    facts = _certified(evidence, request)
    record(evidence)
    response = _willing(vault_channel.read(vault_fd, ReleaseResponse))
    try:
        file_key = one_job_key.open_file_key(response.sealed_file_key, order.job_id, age_header)
    except ReleaseSealError:
        raise WorkerError("the sealed file key is not for this job", "release_refused") from None
    return Release(
        file_key=file_key,
        one_job_key=one_job_key,
        signer=signer,
        evidence=evidence,
        facts=facts,
        claim_chain=tuple(response.claim_signer.chain),
        log_origin=response.claim_signer.log_origin,
    )


def ask_for_claim_signature(vault_fd: int, claim: Claim) -> bytes:
    """Has the vault sign the one claim of this job, ES256.

    Raises:
        WorkerError: `credentials_refused`, or `vault_unavailable` when there was no answer.
    """
    vault_channel.write(
        vault_fd,
        ClaimRequest(
            actions_sha256=claim.actions_sha256,
            binding_label=claim.binding_label,
            binding_sha256=claim.binding_sha256,
        ),
    )
    response = vault_channel.read(vault_fd, ClaimResponse)
    if response.error_code:
        raise WorkerError("the vault refused to sign the claim", "credentials_refused")
    return response.signature


def _willing(answer: AnswerT) -> AnswerT:
    if answer.error_code:
        raise WorkerError("the vault refused to release the file key", job_failure_code(answer.error_code))
    return answer


def _certified(evidence: bytes, request: ReleaseRequest) -> ReleaseFacts:
    """Reads the evidence and insists that it is about this request: a verifier will.

    The vault's own signature is for the verifier to check; the child holds no trust file.
    """
    try:
        facts = ReleaseFacts.from_statement(Envelope.from_bytes(evidence).payload)
    except ProvenanceError:
        raise WorkerError("the vault's evidence is malformed", "release_refused") from None
    certified = (
        facts.job_id,
        facts.upload_header_sha256,
        facts.terms_sha256,
        facts.policy_sha256,
        facts.worker_ed25519,
        facts.worker_mldsa65,
        facts.worker_slhdsa128s or b"",
        facts.walls,
    )
    asked = (
        request.job_id.hex(),
        hashlib.sha256(request.age_header).hexdigest(),
        request.terms_sha256.hex(),
        request.policy_sha256.hex(),
        request.worker_ed25519_key,
        request.worker_mldsa65_key,
        request.worker_slhdsa128s_key,
        tuple(request.walls),
    )
    if certified != asked:
        raise WorkerError("the vault's evidence is about something else", "release_refused")
    return facts
