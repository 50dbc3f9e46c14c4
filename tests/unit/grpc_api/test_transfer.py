"""A client that goes on with an upload: what the service knows of it may change while it asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from grpc_api.client import transfer
from grpc_api.client.connection import Connection
from grpc_api.client.sealing import SealedUpload
from protos.bauta.v1 import jobs_pb2


class Aborted(grpc.RpcError):
    """The service's answer to an offset that was right a moment ago."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.ABORTED

    def details(self) -> str:
        return ""

    def trailing_metadata(self) -> None:
        return None


class Service:
    """Holds nothing of the upload when it is asked, and ten bytes when the upload comes."""

    tries = 3

    def __init__(self) -> None:
        self.jobs = self
        self.committed = [0, 10]
        self.begun: list[int] = []

    def GetJob(self, _request: jobs_pb2.GetJobRequest) -> jobs_pb2.GetJobResponse:
        job = jobs_pb2.Job(
            state=jobs_pb2.JOB_STATE_UPLOADING, committed_bytes=self.committed[len(self.begun)]
        )
        return jobs_pb2.GetJobResponse(job=job)

    def Upload(self, parts: Iterator[jobs_pb2.UploadRequest]) -> Any:
        self.begun.append(next(parts).start.offset)
        if self.begun[-1] != 10:
            raise Aborted


def test_an_offset_that_was_right_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.0)
    path = tmp_path / "upload.age"
    path.write_bytes(bytes(20))
    service = Service()
    sealed = SealedUpload(path, 20, bytes(32), b"", "")
    transfer.upload(cast(Connection, service), "00" * 16, sealed)
    assert service.begun == [0, 10]
