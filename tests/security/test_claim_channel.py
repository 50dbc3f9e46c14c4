"""A taken-over child at a real vault: it gets one signature, for its own job, after its release, or none."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from protos.bauta.internal.v1.release_pb2 import (
    ClaimRequest,
    ClaimResponse,
    DeriveRequest,
    DeriveResponse,
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseResponse,
)
from protos.framing import LENGTH_BYTES, FramingError, read_message, write_all, write_message
from provenance.credentials.certificates import check_signature, parse_certificate
from provenance.credentials.claim import Claim
from provenance.dsse import Envelope
from provenance.errors import FormatError
from tests.unit.keyvault.vault.harness import (
    RunningVault,
    Worker,
    header_of,
    make_request,
    read,
    seal_upload,
)

REQUEST = ClaimRequest(actions_sha256=bytes(32), binding_label="c2pa.hash.data", binding_sha256=b"\1" * 32)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[RunningVault]:
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "2") as running:
        running.hello()
        yield running


@pytest.fixture
def upload(vault: RunningVault) -> bytes:
    return seal_upload(vault.intake().recipient, b"plaintext")


class Released:
    """A child that has its file key and needs no derived one, its channel still open."""

    def __init__(self, vault: RunningVault, upload: bytes) -> None:
        self.worker = Worker()
        vault.accept(self.worker, upload)
        self.channel = vault.register(self.worker.job_id)
        offer = make_request(self.channel, self.worker.request(header_of(upload)))
        assert offer.error_code == ""
        self.evidence = Envelope.from_bytes(offer.evidence)
        vault.record(self.worker.job_id, offer.evidence)
        response = read(self.channel, ReleaseResponse)
        assert response.error_code == ""
        self.signer = response.claim_signer
        write_message(self.channel.fileno(), DeriveRequest())
        assert read(self.channel, DeriveResponse) == DeriveResponse()

    def ask(self, request: ClaimRequest = REQUEST) -> ClaimResponse | None:
        return ask(self.channel, request)

    def claim(self, request: ClaimRequest = REQUEST) -> Claim:
        return Claim(
            self.evidence.digest,
            self.signer.log_origin,
            request.actions_sha256,
            request.binding_label,
            request.binding_sha256,
        )


def ask(channel: socket.socket, request: ClaimRequest) -> ClaimResponse | None:
    """The vault's answer; None where it has closed the channel."""
    channel.setblocking(True)
    with contextlib.suppress(OSError, FramingError):
        write_message(channel.fileno(), request)
        return read_message(channel.fileno(), ClaimResponse, 1 << 10)
    return None


def test_one_claim_of_a_released_job_is_signed(vault: RunningVault, upload: bytes) -> None:
    child = Released(vault, upload)
    response = child.ask()
    assert response is not None
    assert response.error_code == ""
    chain = tuple(child.signer.chain)
    check_signature(child.claim(), chain, response.signature)
    description = vault.client.describe()
    assert child.signer.log_origin == description.log_origin
    root = parse_certificate(description.credential_root)
    parse_certificate(chain[-1]).verify_directly_issued_by(root)


def test_there_is_no_second_signature(vault: RunningVault, upload: bytes) -> None:
    child = Released(vault, upload)
    assert child.ask() is not None
    assert child.ask() is None
    assert child.ask(ClaimRequest(**{**_fields(REQUEST), "binding_sha256": bytes(32)})) is None


def test_two_questions_at_once_get_one_answer(vault: RunningVault, upload: bytes) -> None:
    child = Released(vault, upload)
    child.channel.setblocking(True)
    # In one write: after its one answer the vault may have closed the channel before a second could follow.
    question = REQUEST.SerializeToString()
    write_all(child.channel.fileno(), 2 * (len(question).to_bytes(LENGTH_BYTES, "big") + question))
    assert read_message(child.channel.fileno(), ClaimResponse, 1 << 10) is not None
    with contextlib.suppress(ConnectionResetError):
        assert read_message(child.channel.fileno(), ClaimResponse, 1 << 10) is None


def test_a_refused_question_was_the_one_question(vault: RunningVault, upload: bytes) -> None:
    child = Released(vault, upload)
    refused = child.ask(ClaimRequest(binding_label="c2pa.hash.data"))
    assert refused == ClaimResponse(error_code="claim_malformed")
    assert child.ask() is None


def test_before_its_release_is_recorded_a_child_gets_nothing(vault: RunningVault, upload: bytes) -> None:
    worker = Worker()
    vault.accept(worker, upload)
    with vault.register(worker.job_id) as child:
        offer = make_request(child, worker.request(header_of(upload)))
        assert offer.evidence
        write_message(child.fileno(), REQUEST)
        # Nobody records it: the vault's answer is that of the release, and its last.
        assert read(child, ReleaseResponse).error_code == "release_not_recorded"
        with contextlib.suppress(ConnectionResetError):
            assert read_message(child.fileno(), ClaimResponse, 1 << 10) is None


def test_instead_of_its_release_a_child_gets_nothing(vault: RunningVault, upload: bytes) -> None:
    """The claim as the first word, where a release request belongs."""
    worker = Worker()
    vault.accept(worker, upload)
    with vault.register(worker.job_id) as child:
        assert read(child, ReleaseChallenge).nonce
        write_message(child.fileno(), REQUEST)
        offer = read(child, ReleaseOffer)
        assert (bool(offer.error_code), offer.evidence) == (True, b"")
        assert ask(child, REQUEST) is None


def test_a_child_cannot_have_the_claim_of_another_job(vault: RunningVault, upload: bytes) -> None:
    mine, other = Released(vault, upload), Released(vault, seal_upload(vault.intake().recipient, b"other"))
    response = mine.ask()
    assert response is not None
    with pytest.raises(FormatError):
        check_signature(other.claim(), tuple(mine.signer.chain), response.signature)
    check_signature(mine.claim(), tuple(mine.signer.chain), response.signature)


def test_after_its_job_has_ended_a_child_gets_nothing(vault: RunningVault, upload: bytes) -> None:
    child = Released(vault, upload)
    vault.client.end_job(child.worker.job_id)
    response = child.ask()
    assert response == ClaimResponse(error_code="upload_not_accepted")


def test_a_question_that_is_too_large_is_not_read(vault: RunningVault, upload: bytes) -> None:
    child = Released(vault, upload)
    assert child.ask(ClaimRequest(**{**_fields(REQUEST), "binding_label": "x" * 2000})) is None
    assert Released(vault, seal_upload(vault.intake().recipient, b"next")).ask() is not None


def test_children_that_never_ask_do_not_hold_up_releases(vault: RunningVault, upload: bytes) -> None:
    """More open channels than releases may be under way: those places are free again after the key."""
    silent = [Released(vault, upload) for _ in range(34)]
    assert silent[-1].ask() is not None
    assert silent[0].ask() is not None


def _fields(request: ClaimRequest) -> dict[str, object]:
    return {descriptor.name: value for descriptor, value in request.ListFields()}
