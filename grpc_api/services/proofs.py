"""ProofService: proofs of ended jobs, receipts, policies on record, the log's newest checkpoint, anchors."""

from __future__ import annotations

import grpc

from grpc_api.anchors.service import Anchoring, not_there
from grpc_api.errors import invalid, precondition
from grpc_api.identity import caller
from grpc_api.jobs.store import JobStore
from grpc_api.ledger import Ledger
from grpc_api.public_records import PublicRecords
from protos.bauta.v1 import proofs_pb2, proofs_pb2_grpc


class ProofServicer(proofs_pb2_grpc.ProofServiceServicer):
    """Hands out proofs."""

    def __init__(
        self, store: JobStore, ledger: Ledger, public: PublicRecords, anchoring: Anchoring | None = None
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._public = public
        self._anchoring = anchoring

    def GetProof(
        self, request: proofs_pb2.GetProofRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetProofResponse:
        """The proof of the caller's ended job: of its result, or of its failure."""
        job = self._store.get(request.job_id, caller(context))
        if not job.proof:
            raise precondition("result_not_ready", "The job has no proof to fetch.")
        return proofs_pb2.GetProofResponse(proof=job.proof)

    def GetReceipt(
        self, request: proofs_pb2.GetReceiptRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetReceiptResponse:
        """The receipt of the caller's upload."""
        job = self._store.get(request.job_id, caller(context))
        if not job.receipt:
            raise precondition(
                "upload_not_accepted", "The job's upload is not whole; there is no receipt yet."
            )
        return proofs_pb2.GetReceiptResponse(receipt=job.receipt)

    def GetPolicyRecord(
        self, request: proofs_pb2.GetPolicyRecordRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetPolicyRecordResponse:
        """The record of a shipped policy, for anybody."""
        proof = self._public.policy(request.policy_sha256)
        if proof is None:
            raise precondition("policy_not_recorded", "No shipped policy with this text is on record here.")
        return proofs_pb2.GetPolicyRecordResponse(proof=proof)

    def GetCheckpoint(
        self, request: proofs_pb2.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetCheckpointResponse:
        """The newest checkpoint."""
        return proofs_pb2.GetCheckpointResponse(checkpoint=self._ledger.checkpoint().decode())

    def GetAnchor(
        self, request: proofs_pb2.GetAnchorRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetAnchorResponse:
        """The first anchor that covers a tree of the log, for anybody."""
        if not 0 < request.size <= self._ledger.head().size:
            raise invalid("not_published", "The log has published no tree of this size.")
        if self._anchoring is None:
            raise not_there()
        return proofs_pb2.GetAnchorResponse(covered=self._anchoring.covered(request.size))
