"""ProofService: proofs of finished jobs, and the log's newest checkpoint."""

from __future__ import annotations

import grpc

from grpc_api.errors import precondition
from grpc_api.identity import caller
from grpc_api.jobs.states import State
from grpc_api.jobs.store import JobStore
from grpc_api.ledger import Ledger
from protos.bauta.v1 import proofs_pb2, proofs_pb2_grpc


class ProofServicer(proofs_pb2_grpc.ProofServiceServicer):
    """Hands out proofs."""

    def __init__(self, store: JobStore, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def GetProof(
        self, request: proofs_pb2.GetProofRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetProofResponse:
        """The proof of the caller's finished job."""
        job = self._store.get(request.job_id, caller(context))
        if job.state is not State.DONE:
            raise precondition("result_not_ready", "The job has no proof to fetch.")
        return proofs_pb2.GetProofResponse(proof=job.proof)

    def GetCheckpoint(
        self, request: proofs_pb2.GetCheckpointRequest, context: grpc.ServicerContext
    ) -> proofs_pb2.GetCheckpointResponse:
        """The newest checkpoint."""
        return proofs_pb2.GetCheckpointResponse(checkpoint=self._ledger.checkpoint().decode())
