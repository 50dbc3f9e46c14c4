"""Bad input, one row each: one clear error with a code, a healthy service, and nothing left behind."""

from __future__ import annotations

import hashlib
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import media_factory
import pytest
from service_process import Service, terms_for

from enclave.policy import Terms, upload_preamble
from grpc_api.client import transfer
from grpc_api.client.connection import Connection, service_errors
from grpc_api.client.sealing import SealedUpload
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity, SealWriter, parse_recipient
from protos.bauta.v1 import intake_pb2, jobs_pb2
from provenance.proof import ProofFile
from provenance.statements import IntakeFacts

CONFIG = "max_frame_pixels = 8294400\nmax_frames = 5000\nmax_job_seconds = 240\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("data"), config=CONFIG) as running:
        yield running


@pytest.fixture(autouse=True)
def _healthy_and_clean_afterwards(service: Service) -> Iterator[None]:
    yield
    assert service.health() == "SERVING"
    assert service.spooled() == []


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _truncated(path: Path) -> Path:
    whole = media_factory.face_clip(path.with_name("whole.mp4"), seconds=1)
    return _write(path, media_factory.truncated(whole))


MEDIA: dict[str, tuple[Callable[[Path], Path], set[str]]] = {
    "an empty file": (lambda folder: _write(folder / "in.mp4", b""), {"media_empty"}),
    "a text file": (
        lambda folder: _write(folder / "in.mp4", b"Dear editor,\n" * 99),
        {"media_unknown_format"},
    ),
    "random bytes": (
        # The same each time: one in 2048 begins like MP3.
        lambda folder: _write(folder / "in.mp4", random.Random(7).randbytes(99_999)),
        {"media_unknown_format"},
    ),
    "a playlist that names other files": (
        lambda folder: _write(folder / "in.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
        {"media_unknown_format"},
    ),
    "a truncated MP4": (
        lambda folder: _truncated(folder / "in.mp4"),
        {"media_truncated", "media_corrupt"},
    ),
    "a truncated MP4 of sound alone": (
        lambda folder: _write(
            folder / "in.mp4", media_factory.truncated(media_factory.sound_only_mp4(folder / "whole.mp4"))
        ),
        {"media_truncated"},
    ),
    "a GIF that claims 4 gigapixels": (
        lambda folder: _write(folder / "in.gif", media_factory.gif_bomb()),
        {"media_too_large"},
    ),
    "a GIF without end": (
        lambda folder: _write(folder / "in.gif", media_factory.endless_gif(20_000)),
        {"media_too_long"},
    ),
    "a PNG of 20,000 x 20,000": (
        lambda folder: _write(folder / "in.png", media_factory.png_claiming(20_000, 20_000)),
        {"media_too_large"},
    ),
    "a PNG of 0 x 0": (
        lambda folder: _write(folder / "in.png", media_factory.png_claiming(0, 0)),
        {"media_too_large", "media_corrupt"},
    ),
}


@pytest.mark.parametrize("name", MEDIA)
def test_media_that_cannot_be_anonymized(name: str, service: Service, tmp_path: Path) -> None:
    make, codes = MEDIA[name]
    source = make(tmp_path)
    with pytest.raises(ServiceError) as failed:
        service.submit(source, tmp_path / "out.mp4")
    assert failed.value.code in codes
    assert not (tmp_path / "out.mp4").exists()
    assert not (tmp_path / "out.mp4.proof").exists()


class Attacker:
    """Builds sealed uploads by hand, to get them wrong on purpose."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self.terms = terms_for(HybridIdentity.generate())
        with service.connect() as connection, service_errors():
            announcement = connection.intake.GetIntake(intake_pb2.GetIntakeRequest()).announcement
        facts = IntakeFacts.from_statement(ProofFile.from_bytes(announcement).statement.payload)
        self.intake = facts.recipient
        self.media = media_factory.face_clip(folder / "clip.mp4", seconds=0.5).read_bytes()

    def seal(self, recipient: str, plaintext: bytes) -> bytearray:
        path = self.folder / "sealed"
        with path.open("wb") as file, SealWriter(file, [parse_recipient(recipient)]) as writer:
            writer.write(plaintext)
        return bytearray(path.read_bytes())

    def plaintext(self, terms: Terms) -> bytes:
        return upload_preamble(terms, b"s" * 32) + self.media

    def run(self, sealed: bytes, terms: bytes) -> jobs_pb2.Job:
        """Uploads these bytes under these terms and waits for the end; the job is removed."""
        with self.service.connect() as connection:
            job_id = _create(connection, terms)
            path = self.folder / "upload.age"
            path.write_bytes(sealed)
            digest = hashlib.sha256(sealed).digest()
            try:
                transfer.upload(connection, job_id, SealedUpload(path, len(sealed), digest, b"", ""))
            except ServiceError as refused:
                # What can never be opened is refused when it arrives, and the job says the same.
                assert self.state_of(connection, job_id).error.code == refused.code  # noqa: PT017
            job = transfer.watch(connection, job_id, lambda _: None)
            connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))
            return job

    @staticmethod
    def state_of(connection: Connection, job_id: str) -> jobs_pb2.Job:
        """The job as the service sees it."""
        return connection.jobs.GetJob(jobs_pb2.GetJobRequest(job_id=job_id)).job


def _create(connection: Connection, terms: bytes) -> str:
    with service_errors():
        request = jobs_pb2.CreateJobRequest(terms=terms, client_token=secrets.token_bytes(16))
        return connection.jobs.CreateJob(request).job.job_id


@pytest.fixture
def attacker(service: Service, tmp_path: Path) -> Attacker:
    return Attacker(service, tmp_path)


def test_the_attacker_can_do_it_right(attacker: Attacker) -> None:
    job = attacker.run(
        attacker.seal(attacker.intake, attacker.plaintext(attacker.terms)), attacker.terms.to_bytes()
    )
    assert job.state == jobs_pb2.JOB_STATE_DONE, job.error.code


def test_sealed_to_the_wrong_recipient(attacker: Attacker) -> None:
    stranger = str(HybridIdentity.generate().recipient)
    job = attacker.run(attacker.seal(stranger, attacker.plaintext(attacker.terms)), attacker.terms.to_bytes())
    assert (job.state, job.error.code) == (jobs_pb2.JOB_STATE_FAILED, "intake_key_unknown")


def test_a_flipped_byte_in_the_sealed_upload(attacker: Attacker) -> None:
    sealed = attacker.seal(attacker.intake, attacker.plaintext(attacker.terms))
    flips = {
        "version line": (3, {"age_header_invalid", "upload_header_invalid"}),
        "stanza": (60, {"intake_key_unknown", "age_header_invalid", "upload_header_invalid"}),
        "first chunk": (len(sealed) // 2, {"age_payload_corrupt"}),
        "last byte": (len(sealed) - 1, {"age_payload_corrupt"}),
    }
    for name, (position, codes) in flips.items():
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        job = attacker.run(damaged, attacker.terms.to_bytes())
        assert job.state == jobs_pb2.JOB_STATE_FAILED, name
        assert job.error.code in codes, (name, job.error.code)


def test_a_sealed_upload_that_ends_too_early(attacker: Attacker) -> None:
    sealed = attacker.seal(attacker.intake, attacker.plaintext(attacker.terms))
    job = attacker.run(sealed[: len(sealed) // 2], attacker.terms.to_bytes())
    assert job.error.code in {"age_payload_truncated", "age_payload_corrupt"}


@pytest.mark.parametrize("what", ["recipient", "policy", "mode"])
def test_terms_that_the_front_desk_swapped(attacker: Attacker, what: str) -> None:
    sealed = attacker.seal(attacker.intake, attacker.plaintext(attacker.terms))
    mine = attacker.terms
    other = terms_for(HybridIdentity.generate(), "street")
    swapped = {
        "recipient": Terms(policy=mine.policy, mode=mine.mode, recipients=other.recipients),
        "policy": Terms(policy=other.policy, mode=other.mode, recipients=mine.recipients),
        "mode": Terms(policy=mine.policy, mode="balanced", recipients=mine.recipients),
    }[what]
    job = attacker.run(sealed, swapped.to_bytes())
    assert (job.state, job.error.code) == (jobs_pb2.JOB_STATE_FAILED, "terms_mismatch")


def test_an_upload_without_a_preamble(attacker: Attacker) -> None:
    job = attacker.run(attacker.seal(attacker.intake, attacker.media), attacker.terms.to_bytes())
    assert job.error.code == "preamble_invalid"


TERMS = {
    "no JSON": b"policy",
    "an unknown policy": b'{"format":"bauta.terms/v1","mode":"quality","policy":"nobody","recipients":[]}',
    "spaces": b'{"format": "bauta.terms/v1"}',
    "nothing": b"",
    "too much": b"x" * (1 << 20),
}


@pytest.mark.parametrize("name", TERMS)
def test_terms_are_refused_before_the_upload(service: Service, name: str) -> None:
    with service.connect() as connection, pytest.raises(ServiceError) as refused:
        _create(connection, TERMS[name])
    assert refused.value.code in {"terms_invalid", "policy_invalid"}


def test_a_client_that_vanishes_can_come_back(attacker: Attacker, service: Service) -> None:
    sealed = bytes(attacker.seal(attacker.intake, attacker.plaintext(attacker.terms)))
    half = len(sealed) // 2

    def vanish() -> Iterator[jobs_pb2.UploadRequest]:
        yield jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(job_id=job_id, offset=0))
        yield jobs_pb2.UploadRequest(chunk=sealed[:half])
        # Bytes that are still in gRPC's hands when the call ends are nobody's; wait until they have arrived.
        arrived_by = time.monotonic() + 120
        while time.monotonic() < arrived_by and half not in (f.stat().st_size for f in service.spooled()):
            time.sleep(0.02)
        raise RuntimeError("the client's machine was switched off")

    with service.connect() as connection:
        job_id = _create(connection, attacker.terms.to_bytes())
        with pytest.raises(ServiceError), service_errors():
            connection.jobs.Upload(vanish())
    with service.connect() as connection:
        deadline = time.monotonic() + 120
        while transfer.get_job(connection, job_id).committed_bytes < half and time.monotonic() < deadline:
            time.sleep(0.25)
        assert transfer.get_job(connection, job_id).committed_bytes == half
        path = attacker.folder / "rest.age"
        path.write_bytes(sealed)
        upload = SealedUpload(path, len(sealed), hashlib.sha256(sealed).digest(), b"", "")
        transfer.upload(connection, job_id, upload)
        assert transfer.watch(connection, job_id, lambda _: None).state == jobs_pb2.JOB_STATE_DONE
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))


def test_a_client_that_comes_back_before_it_is_missed_tries_again(
    attacker: Attacker, service: Service
) -> None:
    sealed = bytes(attacker.seal(attacker.intake, attacker.plaintext(attacker.terms)))
    path = attacker.folder / "whole.age"
    path.write_bytes(sealed)
    is_missed = threading.Event()

    def hang() -> Iterator[jobs_pb2.UploadRequest]:
        yield jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(job_id=job_id, offset=0))
        yield jobs_pb2.UploadRequest(chunk=sealed[:100])
        is_missed.wait(240)
        raise RuntimeError("the client's machine was switched off")

    with service.connect() as lost, service.connect() as connection:
        job_id = _create(connection, attacker.terms.to_bytes())
        stream = lost.jobs.Upload.future(hang())
        deadline = time.monotonic() + 120
        while 100 not in (f.stat().st_size for f in service.spooled()):
            assert time.monotonic() < deadline, "the bytes never arrived"
            time.sleep(0.02)
        again = [jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(job_id=job_id, offset=0))]
        with pytest.raises(ServiceError) as refused, service_errors():
            connection.jobs.Upload(iter(again))
        assert refused.value.code == "upload_in_progress"
        assert refused.value.status is grpc.StatusCode.UNAVAILABLE
        is_missed.set()
        with pytest.raises(grpc.RpcError):
            stream.result()
        digest = hashlib.sha256(sealed).digest()
        transfer.upload(connection, job_id, SealedUpload(path, len(sealed), digest, b"", ""))
        assert transfer.watch(connection, job_id, lambda _: None).state == jobs_pb2.JOB_STATE_DONE
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))


UPLOADS = {
    "no start": ([jobs_pb2.UploadRequest(chunk=b"x")], "upload_order_wrong"),
    "a wrong offset": ([jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(offset=7))], "upload_offset_wrong"),
    "an empty chunk": (
        [jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart()), jobs_pb2.UploadRequest(chunk=b"")],
        "upload_order_wrong",
    ),
    "a wrong size": (
        [
            jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart()),
            jobs_pb2.UploadRequest(chunk=b"x"),
            jobs_pb2.UploadRequest(finish=jobs_pb2.UploadFinish(total_bytes=2)),
        ],
        "upload_size_wrong",
    ),
    "a wrong digest": (
        [
            jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart()),
            jobs_pb2.UploadRequest(chunk=b"x"),
            jobs_pb2.UploadRequest(finish=jobs_pb2.UploadFinish(total_bytes=1, sha256=b"y" * 32)),
        ],
        "upload_digest_wrong",
    ),
}


@pytest.mark.parametrize("name", UPLOADS)
def test_upload_streams_out_of_order(service: Service, name: str) -> None:
    parts, code = UPLOADS[name]
    with service.connect() as connection:
        job_id = _create(connection, terms_for(HybridIdentity.generate()).to_bytes())
        stream = [jobs_pb2.UploadRequest.FromString(part.SerializeToString()) for part in parts]
        if stream[0].WhichOneof("part") == "start":
            stream[0].start.job_id = job_id
        with pytest.raises(ServiceError) as refused, service_errors():
            connection.jobs.Upload(iter(stream))
        assert refused.value.code == code
        connection.jobs.CancelJob(jobs_pb2.CancelJobRequest(job_id=job_id))
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))


def test_a_cancelled_job_is_gone(attacker: Attacker, service: Service) -> None:
    with service.connect() as connection:
        job_id = _create(connection, attacker.terms.to_bytes())
        job = connection.jobs.CancelJob(jobs_pb2.CancelJobRequest(job_id=job_id)).job
        assert (job.state, job.error.code) == (jobs_pb2.JOB_STATE_CANCELLED, "cancelled")
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))
        with pytest.raises(ServiceError) as gone:
            transfer.get_job(connection, job_id)
        assert gone.value.code == "job_not_found"
