"""The receipt of an upload, checked before it is believed; and a policy's record."""

from __future__ import annotations

from grpc_api.client import transfer
from grpc_api.client.connection import Connection
from grpc_api.client.sealing import SealedUpload
from grpc_api.errors import invalid
from protos.bauta.v1 import proofs_pb2
from provenance.node_statements import verify_node_statement
from provenance.statements import PolicyFacts, SubmissionFacts
from provenance.trust import Trust


def fetch_receipt(
    connection: Connection, trust: Trust, job_id: str, sealed: SealedUpload, terms_sha256: str
) -> bytes:
    """Gives the proof file of an accepted upload: that the service holds it, under these terms, since when.

    Raises:
        VerificationError: it does not hold.
        ServiceError: `receipt_of_other_upload`, it is sound, and about something else; or the service's code.
    """
    request = proofs_pb2.GetReceiptRequest(job_id=job_id)
    receipt = transfer.resuming(connection, lambda: connection.proofs.GetReceipt(request)).receipt
    facts = verify_node_statement(receipt, trust, SubmissionFacts).facts
    if (facts.job_id, facts.upload_sha256, facts.terms_sha256) != (job_id, sealed.sha256.hex(), terms_sha256):
        raise invalid("receipt_of_other_upload", "The receipt is sound, but it is not about what was sent.")
    return receipt


def fetch_policy_record(connection: Connection, trust: Trust, policy_sha256: bytes) -> bytes:
    """Gives the proof file that a service has the text of a policy on record.

    Raises:
        VerificationError: it does not hold.
        ServiceError: `policy_not_recorded`, also where it is about another text; or the service's code.
    """
    request = proofs_pb2.GetPolicyRecordRequest(policy_sha256=policy_sha256)
    proof = transfer.resuming(connection, lambda: connection.proofs.GetPolicyRecord(request)).proof
    if verify_node_statement(proof, trust, PolicyFacts).facts.policy_sha256 != policy_sha256.hex():
        raise invalid("policy_not_recorded", "The record is sound, but it is of another policy.")
    return proof
