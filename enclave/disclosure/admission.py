"""A disclosure worker and the vault: evidence for its keys at the beginning, wrapped keys at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Set
from dataclasses import dataclass, field

from enclave.disclosing import DisclosureOrder
from enclave.errors import WorkerError
from enclave.worker import vault_channel
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import OneJobKey, ReleaseSealError
from keyvault.signing.hybrid import SEED_BYTES, HybridSigner
from keyvault.wrapped_keys import open_wrapped_keys
from protos.bauta.internal.v1.release_pb2 import (
    DisclosureAsked,
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseRequest,
    ReleaseResponse,
    WrappedKeysRequest,
    WrappedKeysResponse,
)
from provenance.certified import read_disclosure_worker
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.proof import ProofFile
from provenance.statements import DisclosureWorkerFacts


@dataclass(frozen=True)
class Admitted:
    """This worker, certified.

    Attributes:
        one_job_key: what custodians and the vault seal to.
        signer: signs its counts and its release.
        facts: what the evidence says.
    """

    one_job_key: OneJobKey = field(repr=False)
    signer: HybridSigner = field(repr=False)
    facts: DisclosureWorkerFacts


def ask_for_admission(
    vault_fd: int, order: DisclosureOrder, walls: Set[str], record: Callable[[bytes], None]
) -> Admitted:
    """Makes the one-job keys and has the vault certify them; waits until that is on record.

    Args:
        vault_fd: this worker's own channel to the vault.
        order: the request, and what is believed.
        walls: those that stand around this process.
        record: passes the evidence on to the log; the vault waits for it.

    Raises:
        WorkerError: `release_refused`: the vault refused, or what it signed is not about this worker, or not
            signed by the node of the trust file; `vault_unavailable`.
    """
    challenge = vault_channel.read(vault_fd, ReleaseChallenge)
    one_job_key = OneJobKey.generate()
    signer = HybridSigner.from_seeds(os.urandom(SEED_BYTES), os.urandom(SEED_BYTES))
    request = ReleaseRequest(
        job_id=order.number,
        worker_hpke_key=one_job_key.public_key,
        worker_ed25519_key=signer.public.ed25519,
        worker_mldsa65_key=signer.public.mldsa65,
        walls=sorted(walls),
        nonce=challenge.nonce,
        disclosure=DisclosureAsked(request=order.request.to_bytes(), trust_sha256=order.trust_sha256),
    )
    vault_channel.write(vault_fd, request)
    offer = vault_channel.read(vault_fd, ReleaseOffer)
    if offer.error_code:
        raise _refused()
    facts = _certified(offer.evidence, request, order)
    record(offer.evidence)
    if vault_channel.read(vault_fd, ReleaseResponse).error_code:
        raise _refused()
    return Admitted(one_job_key, signer, facts)


def ask_for_wrapped_keys(
    vault_fd: int, order: DisclosureOrder, admitted: Admitted, request_proof: bytes
) -> RecoveryRing:
    """Asks for the wrapped keys of the request's tracks and of the result; it is answered once.

    Args:
        vault_fd: as for `ask_for_admission`.
        order: likewise.
        admitted: what that gave.
        request_proof: a proof file of the request, checked.

    Raises:
        WorkerError: `release_refused` or `vault_unavailable`.
    """
    log_proof = ProofFile.from_bytes(request_proof).log
    vault_channel.write(vault_fd, WrappedKeysRequest(request_proof=log_proof))
    response = vault_channel.read(vault_fd, WrappedKeysResponse)
    if response.error_code:
        raise _refused()
    try:
        return open_wrapped_keys(response.sealed_ring, admitted.one_job_key, order.request.digest)
    except (ReleaseSealError, RecoveryError):
        raise WorkerError("wrapped keys are not the vault's for this request", "release_refused") from None


def _certified(evidence: bytes, asked: ReleaseRequest, order: DisclosureOrder) -> DisclosureWorkerFacts:
    try:
        facts = read_disclosure_worker(Envelope.from_bytes(evidence), order.trust.node)
    except ProvenanceError:
        raise WorkerError(
            "the evidence is not signed by the node that is believed", "release_refused"
        ) from None
    certified = (
        facts.request_sha256,
        facts.trust_sha256,
        facts.worker_hpke,
        facts.worker_ed25519,
        facts.worker_mldsa65,
        facts.walls,
    )
    wanted = (
        order.request.digest.hex(),
        order.trust_sha256.hex(),
        asked.worker_hpke_key,
        asked.worker_ed25519_key,
        asked.worker_mldsa65_key,
        tuple(asked.walls),
    )
    if certified != wanted:
        raise WorkerError("the vault's evidence is about something else", "release_refused")
    return facts


def _refused() -> WorkerError:
    return WorkerError("the vault refused this disclosure worker", "release_refused")
