"""Erasures and consents over a connection: what comes back is a proof, and it is checked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from grpc_api.client.connection import Connection, service_errors
from grpc_api.errors import invalid
from protos.bauta.v1 import disclosures_pb2
from provenance.checklist import Checklist
from provenance.dsse import Envelope
from provenance.keys import HybridPublicKey
from provenance.node_statements import verify_node_statement
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.statements import ConsentFacts, ConsentWithdrawalFacts, ErasureFacts
from provenance.trust import Trust


def erase_job(
    connection: Connection, trust: Trust, job_id: str, tracks: Sequence[int], reason: str
) -> list[tuple[ErasureFacts, bytes]]:
    """Has tracks of a job erased, or everything of it.

    Returns:
        What each erasure says, and its proof file.

    Raises:
        ServiceError: with the service's code; `erasure_of_other`: it shows the erasure of something else.
        ProvenanceError: a proof does not hold.
    """
    request = disclosures_pb2.EraseTracksRequest(job_id=job_id, tracks=tracks, reason=reason)
    with service_errors():
        answer = connection.disclosures.EraseTracks(request)
    found = [(_checked(proof, trust), proof) for proof in answer.proofs]
    gone = {track for facts, _ in found for track in facts.tracks}
    if any(facts.job_id != job_id for facts, _ in found) or not set(tracks) <= gone or not found:
        raise invalid("erasure_of_other", "The service shows the erasure of something else.")
    return found


def erase_before(
    connection: Connection, trust: Trust, before: datetime, reason: str
) -> list[tuple[ErasureFacts, bytes]]:
    """Has everything erased that was kept before a moment; the operator alone can.

    Raises:
        ServiceError: with the service's code.
        ProvenanceError: a proof does not hold.
    """
    moment = Timestamp()
    moment.FromDatetime(before)
    found: list[tuple[ErasureFacts, bytes]] = []
    is_more = True
    while is_more:
        request = disclosures_pb2.EraseTracksRequest(kept_before=moment, reason=reason)
        with service_errors():
            answer = connection.disclosures.EraseTracks(request)
        found += [(_checked(proof, trust), proof) for proof in answer.proofs]
        is_more = answer.is_more and bool(answer.proofs)
    return found


def give_consent(connection: Connection, trust: Trust, consent: Envelope, giver: HybridPublicKey) -> bytes:
    """Has a consent recorded; its proof file.

    Raises:
        ServiceError: with the service's code; `erasure_of_other`.
        ProvenanceError: the proof does not hold.
    """
    keys = disclosures_pb2.SigningKeys(ed25519=giver.ed25519, mldsa65=giver.mldsa65)
    with service_errors():
        answer = connection.disclosures.GiveConsent(
            disclosures_pb2.GiveConsentRequest(consent=consent.to_bytes(), giver=keys)
        )
    _require_recorded(answer.proof, trust, ConsentFacts.kind(), consent)
    return answer.proof


def withdraw_consent(
    connection: Connection, trust: Trust, withdrawal: Envelope
) -> tuple[bytes, list[tuple[ErasureFacts, bytes]]]:
    """Has a consent withdrawn; the proof file of that, and what each erasure says with its proof file.

    Raises:
        ServiceError: with the service's code; `erasure_of_other`.
        ProvenanceError: a proof does not hold.
    """
    request = disclosures_pb2.WithdrawConsentRequest(withdrawal=withdrawal.to_bytes())
    with service_errors():
        answer = connection.disclosures.WithdrawConsent(request)
    _require_recorded(answer.proof, trust, ConsentWithdrawalFacts.kind(), withdrawal)
    return answer.proof, [(_checked(proof, trust), proof) for proof in answer.erasure_proofs]


def _checked(untrusted_proof: bytes, trust: Trust) -> ErasureFacts:
    return verify_node_statement(untrusted_proof, trust, ErasureFacts).facts


def _require_recorded(untrusted_proof: bytes, trust: Trust, kind: str, statement: Envelope) -> None:
    recorded = verify_recorded(Checklist(RECORDED_STEPS), untrusted_proof, trust, kind, evidence=0)
    if recorded.proof.statement != statement:
        raise invalid("erasure_of_other", "The service shows the record of something else.")
