"""A remote service over mutual TLS: who may see what, health, reflection, limits, an orderly end."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import media_factory
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from service_process import (
    AwaitedService,
    Service,
    bauta_program,
    clean_environment,
    in_background,
    terms_for,
)

from grpc_api.client.connection import Connection, service_errors
from grpc_api.client.submission import Submitted
from grpc_api.errors import ServiceError
from grpc_api.tls import TlsFiles
from keyvault.age import HybridIdentity
from protos.bauta.v1 import jobs_pb2, proofs_pb2


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    folder.chmod(0o700)
    for client in ("alice", "bob"):
        made = subprocess.run(
            [bauta_program(), "serve", "--init", "--data", folder, "--client", folder / client, "--json"],
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert made.returncode == 0, made.stderr
        assert json.loads(made.stdout)["client_bundle"] == str(folder / client)
    return folder


@pytest.fixture(scope="module")
def remote(data: Path) -> Iterator[Service]:
    with Service(data, "--listen", "127.0.0.1:0", config="max_requests_per_minute = 300\n") as running:
        yield running


def _connect(remote: Service, client: str) -> Connection:
    return Connection(remote.listen[1], TlsFiles(remote.data / client, "client"))


def _new_job(connection: Connection) -> str:
    terms = terms_for(HybridIdentity.generate()).to_bytes()
    with service_errors():
        request = jobs_pb2.CreateJobRequest(terms=terms, client_token=b"t" * 16)
        return connection.jobs.CreateJob(request).job.job_id


def test_the_main_job_over_the_network(remote: Service, tmp_path: Path) -> None:
    clip = media_factory.face_clip(tmp_path / "clip.mp4", seconds=1)
    words = ["submit", clip, "-o", tmp_path / "out.mp4", "--server", remote.listen[1]]
    words += ["--tls", remote.data / "alice", "--data", tmp_path / "own", "--json"]
    done = subprocess.run(
        [bauta_program(), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=240,
        env=clean_environment(),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    trust = remote.data / "alice" / "trust.json"
    verified = subprocess.run(
        [bauta_program(), "verify", tmp_path / "out.mp4", "--trust", trust], capture_output=True, timeout=60
    )
    assert verified.returncode == 0


def test_a_job_is_visible_to_its_owner_alone(remote: Service) -> None:
    with _connect(remote, "alice") as alice, _connect(remote, "bob") as bob, remote.connect() as local:
        job_id = _new_job(alice)
        assert alice.jobs.GetJob(jobs_pb2.GetJobRequest(job_id=job_id)).job.job_id == job_id
        assert _new_job(bob) != job_id, "a client token is the client's own"
        for stranger in (bob, local):
            assert job_id not in [
                job.job_id for job in stranger.jobs.ListJobs(jobs_pb2.ListJobsRequest()).jobs
            ]
            attempts = {
                "get": lambda s=stranger: s.jobs.GetJob(jobs_pb2.GetJobRequest(job_id=job_id)),
                "watch": lambda s=stranger: next(s.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id=job_id))),
                "fetch": lambda s=stranger: next(
                    s.jobs.FetchResult(jobs_pb2.FetchResultRequest(job_id=job_id))
                ),
                "review": lambda s=stranger: next(
                    s.jobs.FetchReview(jobs_pb2.FetchReviewRequest(job_id=job_id))
                ),
                "cancel": lambda s=stranger: s.jobs.CancelJob(jobs_pb2.CancelJobRequest(job_id=job_id)),
                "delete": lambda s=stranger: s.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id)),
                "prove": lambda s=stranger: s.proofs.GetProof(proofs_pb2.GetProofRequest(job_id=job_id)),
                "receipt": lambda s=stranger: s.proofs.GetReceipt(
                    proofs_pb2.GetReceiptRequest(job_id=job_id)
                ),
                "upload": lambda s=stranger: s.jobs.Upload(
                    iter([jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(job_id=job_id))])
                ),
            }
            for name, attempt in attempts.items():
                with pytest.raises(ServiceError) as refused, service_errors():
                    attempt()
                assert refused.value.code == "job_not_found", name
                assert refused.value.status is grpc.StatusCode.NOT_FOUND
        assert (
            alice.jobs.GetJob(jobs_pb2.GetJobRequest(job_id=job_id)).job.state == jobs_pb2.JOB_STATE_UPLOADING
        )


def test_health_and_reflection_answer(remote: Service) -> None:
    assert remote.health() == "SERVING"
    with grpc.insecure_channel(remote.listen[0]) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        answer = next(stub.ServerReflectionInfo(iter([request])))
        services = {service.name for service in answer.list_services_response.service}
        assert {
            "bauta.v1.IntakeService",
            "bauta.v1.JobService",
            "bauta.v1.ProofService",
            "grpc.health.v1.Health",
        } <= services


def test_a_message_beyond_the_limit_is_refused(remote: Service) -> None:
    with _connect(remote, "bob") as bob, pytest.raises(ServiceError) as refused, service_errors():
        bob.jobs.CreateJob(jobs_pb2.CreateJobRequest(terms=b"x" * (4 << 20)))
    assert refused.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_one_client_in_a_hurry_is_slowed_and_others_are_not(remote: Service) -> None:
    with _connect(remote, "bob") as bob:
        codes = set()
        # More than a slow machine asks for while the bucket fills again.
        for _ in range(10_000):
            try:
                with service_errors():
                    bob.jobs.ListJobs(jobs_pb2.ListJobsRequest())
            except ServiceError as error:
                codes.add(error.code)
                break
        assert codes == {"rate_limited"}
    with _connect(remote, "alice") as alice:
        alice.jobs.ListJobs(jobs_pb2.ListJobsRequest())


def test_sigterm_drains_and_the_client_goes_on_with_the_next_service(tmp_path: Path) -> None:
    clip = media_factory.face_clip(tmp_path / "clip.mp4", seconds=2)
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    with AwaitedService(folder, config="drain_seconds = 240\n") as service:
        outcome: list[Submitted] = []
        stages: list[str] = []
        may_fetch = threading.Event()

        def follow(stage: str, _: object) -> None:
            stages.append(stage)
            # A quick client would have its result, and end the job, while the calls run out.
            if stage == "fetch":
                may_fetch.wait(280)

        thread = in_background(
            lambda: outcome.append(service.submit(clip, tmp_path / "out.mp4", on_progress=follow))
        )
        while "anonymize" not in stages:
            thread.join(0.02)
            assert thread.is_alive(), "the job must still run when the service is told to stop"
        assert service.stop() == 0
        assert service.processes_left() == []
        with sqlite3.connect(folder / "desk" / "jobs.sqlite") as database:
            states = [state for (state,) in database.execute("select state from jobs")]
        assert states == ["done"], "the running job was finished first"
        service.start()
        may_fetch.set()
        thread.join(240)
        assert [done.facts.frames for done in outcome] == [48]


def test_a_second_service_on_the_same_folder_is_refused(remote: Service) -> None:
    second = subprocess.run(
        [bauta_program(), "serve", "--data", remote.data, "--json"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert second.returncode == 1
    assert json.loads(second.stdout)["error"]["code"] == "data_folder_busy"


def test_the_vault_can_be_locked_with_a_passphrase(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    def init(passphrase: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [bauta_program(), "serve", "--init", "--ask-passphrase", "--data", tmp_path, "--json"],
            capture_output=True,
            text=True,
            input=f"{passphrase}\n",
            timeout=240,
        )

    assert init("correct horse battery staple").returncode == 0
    assert not (tmp_path / "vault" / "master.key").exists()
    wrong = init("incorrect horse")
    assert wrong.returncode == 1
    assert "horse" not in wrong.stdout + wrong.stderr
    assert init("correct horse battery staple").returncode == 0
