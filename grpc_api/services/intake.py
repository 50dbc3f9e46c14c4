"""IntakeService: where to seal, and how to check it."""

from __future__ import annotations

import grpc

from grpc_api.ledger import IntakeBoard
from protos.bauta.v1 import intake_pb2, intake_pb2_grpc


class IntakeServicer(intake_pb2_grpc.IntakeServiceServicer):
    """Shows the intake board."""

    def __init__(self, board: IntakeBoard, max_upload_bytes: int) -> None:
        self._board = board
        self._max_upload_bytes = max_upload_bytes

    def GetIntake(
        self, request: intake_pb2.GetIntakeRequest, context: grpc.ServicerContext
    ) -> intake_pb2.GetIntakeResponse:
        """The current announcement, and the release of the worker that it names."""
        announced = self._board.current()
        return intake_pb2.GetIntakeResponse(
            announcement=announced.intake,
            max_upload_bytes=self._max_upload_bytes,
            worker_release=announced.release,
        )
