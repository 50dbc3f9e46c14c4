"""A portal that takes submissions from its own people alone, and two of them shown to be by one."""

from __future__ import annotations

import io
import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import media_factory
import pytest
from service_process import Service, terms_for

from console import output
from console.main import app
from grpc_api.client.connection import Connection, service_errors
from grpc_api.errors import ServiceError
from keyvault import key_file
from keyvault.age import HybridIdentity, PassphraseRecipient
from keyvault.errors import KeyvaultError
from keyvault.submitter.papers import token_to_bytes
from protos.bauta.v1 import jobs_pb2
from provenance.proof import ProofFile
from provenance.statements import JobFacts
from tests.unit.keyvault.submitter.submitter_makers import issuer_key, token

TRIES = 100
PASSPHRASE = "a passphrase\n"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("data")
    (data / "issuer.pem").write_bytes(issuer_key().to_pem())
    config = f'max_streams = {2 * TRIES}\n[admission]\nissuers = ["issuer.pem"]\n'
    with Service(data, config=config) as running:
        yield running


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_image(tmp_path_factory.mktemp("media") / "picture.jpg")


def asked(connection: Connection, admission: bytes, client_token: bytes | None = None) -> tuple[str, str]:
    """What comes of asking for a job: ok and its number, or the refusal's code and nothing."""
    request = jobs_pb2.CreateJobRequest(
        terms=terms_for(HybridIdentity.generate()).to_bytes(),
        client_token=client_token or os.urandom(16),
        admission_token=admission,
    )
    try:
        with service_errors():
            return "ok", connection.jobs.CreateJob(request).job.job_id
    except ServiceError as refused:
        return refused.code, ""


@dataclass
class CommandLine:
    """`bauta` in this process, on the portal's data folder, with a passphrase on its standard input."""

    portal: Service
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *words: object) -> dict[str, Any]:
        """One command that must succeed."""
        self.monkeypatch.setenv("BAUTA_DATA", str(self.portal.data))
        self.monkeypatch.setattr(output.MODE, "as_json", False)
        self.monkeypatch.setattr("sys.stdin", io.StringIO(PASSPHRASE))
        assert app([*map(str, words), "--json"], standalone_mode=False) == 0
        return dict(json.loads(self.capsys.readouterr().out))

    def refused(self, *words: object) -> str:
        """The code with which a command ends."""
        with pytest.raises((ServiceError, KeyvaultError)) as refused:
            self(*words)
        return refused.value.code


@pytest.fixture
def run(portal: Service, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    # The same files with a small work factor: a passphrase is meant to take a second and 256 MiB.
    monkeypatch.setattr(key_file, "PassphraseRecipient", partial(PassphraseRecipient, work_factor=4))
    return CommandLine(portal, capsys, monkeypatch)


def test_two_submissions_by_one_of_ours_are_shown_to_be_by_one(
    run: CommandLine, portal: Service, picture: Path, tmp_path: Path
) -> None:
    assert run.refused("submit", picture, "-o", tmp_path / "none.jpg") == "token_required"
    run("source", "init", "-o", tmp_path / "source")
    handing_in = ("--source", tmp_path / "source", "--token", tmp_path / "token")
    proofs = [tmp_path / f"{name}.jpg.proof" for name in ("one", "two")]
    spent = [token() for _ in proofs]
    for proof, each in zip(proofs, spent, strict=True):
        (tmp_path / "token").write_bytes(token_to_bytes(each.to_bytes()))
        run("submit", picture, "-o", proof.with_suffix(""), *handing_in)
    assert run.refused("submit", picture, "-o", tmp_path / "none.jpg", *handing_in) == "token_spent"
    assert not (tmp_path / "none.jpg").exists()
    statements = [ProofFile.from_bytes(proof.read_bytes()).statement.payload for proof in proofs]
    first, second = map(JobFacts.from_statement, statements)
    assert first.submitter_key not in (None, second.submitter_key)
    assert first.submitter_number not in (None, second.submitter_number)
    verifying = ("--challenge", tmp_path / "challenge", "--answer", tmp_path / "answer")
    run("source", "record", tmp_path / "record")
    run("source", "challenge", "--verifier", "portal.example", "-o", tmp_path / "challenge")
    proving = ("--source", tmp_path / "source", "--challenge", tmp_path / "challenge")
    run("source", "prove", *proofs, *proving, "-o", tmp_path / "answer")
    checking = ("source", "check", *proofs, *verifying, "--record", tmp_path / "record")
    assert run(*checking)["one_source"] is True
    assert run.refused(*checking) == "proof_used"
    # No part of a token lies anywhere in the service; nor does a statement or a log say that there was one.
    # Folders come and go, too: `os.walk` passes over one that is gone.
    kept = [_content(Path(at, name)) for at, _, names in os.walk(portal.data) for name in names]
    origin = portal.trust.log_origin.encode()
    assert any(origin in content for content in kept), "the search reads nothing"
    for each in spent:
        for hidden in (each.serial, each.signature, each.serial.hex().encode()):
            assert not [content for content in kept if hidden in content]
            assert not [statement for statement in statements if hidden in statement]


def _content(path: Path) -> bytes:
    """Of a file of a running service, which may be gone by now."""
    try:
        return path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return b""


def test_of_a_hundred_at_once_the_service_lets_one_in(portal: Service) -> None:
    spent, start = token().to_bytes(), threading.Barrier(TRIES)
    with portal.connect() as connection:

        def attempt(_number: int) -> str:
            start.wait()
            return asked(connection, spent)[0]

        with ThreadPoolExecutor(TRIES) as pool:
            assert Counter(pool.map(attempt, range(TRIES))) == {"ok": 1, "token_spent": TRIES - 1}


def test_an_upload_that_breaks_off_goes_on_without_a_second_token(portal: Service) -> None:
    spent, client_token = token().to_bytes(), os.urandom(16)
    with portal.connect() as connection:
        code, job_id = asked(connection, spent, client_token)
        assert code == "ok"
        for offset in (0, 1000):
            start = jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(job_id=job_id, offset=offset))
            parts = [start, jobs_pb2.UploadRequest(chunk=bytes(1000))]
            assert connection.jobs.Upload(iter(parts)).job.committed_bytes == offset + 1000
            assert asked(connection, spent, client_token) == ("ok", job_id)
        assert asked(connection, spent)[0] == "token_spent"


def test_who_shares_a_certificate_sees_nobody_elses_job(portal: Service) -> None:
    """Every source of a portal has the same one, or it would name them; here, the same Unix socket."""
    keys = [os.urandom(32), os.urandom(32), b""]
    with portal.connect() as first:
        mine = Connection(portal.listen[0], job_key=keys[0])
        job_id = asked(mine, token().to_bytes())[1]
        assert [job.job_id for job in mine.jobs.ListJobs(jobs_pb2.ListJobsRequest()).jobs] == [job_id]
        theirs = Connection(portal.listen[0], job_key=keys[1])
        for stranger in (theirs, first):
            listed = stranger.jobs.ListJobs(jobs_pb2.ListJobsRequest()).jobs
            assert job_id not in [job.job_id for job in listed]
            for call, request in (
                (stranger.jobs.GetJob, jobs_pb2.GetJobRequest(job_id=job_id)),
                (stranger.jobs.CancelJob, jobs_pb2.CancelJobRequest(job_id=job_id)),
                (stranger.jobs.DeleteJob, jobs_pb2.DeleteJobRequest(job_id=job_id)),
            ):
                with pytest.raises(ServiceError) as refused, service_errors():
                    call(request)
                assert refused.value.code == "job_not_found"
        short = Connection(portal.listen[0], job_key=b"short")
        with pytest.raises(ServiceError) as refused, service_errors():
            short.jobs.ListJobs(jobs_pb2.ListJobsRequest())
        assert refused.value.code == "job_key_invalid"
        for connection in (mine, theirs, short):
            connection.__exit__()


def test_a_spent_token_is_spent_after_a_kill_and_a_restart(portal: Service) -> None:
    spent, fresh = token().to_bytes(), token().to_bytes()
    with portal.connect() as connection:
        assert asked(connection, spent)[0] == "ok"
    portal.kill()
    portal.start()
    with portal.connect() as connection:
        assert [asked(connection, each)[0] for each in (spent, fresh)] == ["token_spent", "ok"]
