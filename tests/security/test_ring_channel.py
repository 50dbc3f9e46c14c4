"""A taken-over child at a real vault: it hands over the ring of its own job, once, as announced, or none."""

from __future__ import annotations

import contextlib
import hashlib
import socket
from collections.abc import Iterator
from typing import TypeVar

import pytest
from google.protobuf.message import Message

from keyvault.client import VaultRefusedError
from keyvault.custody.sharing import job_context
from keyvault.recovery.ring import RecoveryRing
from protos.bauta.internal.v1.release_pb2 import (
    ClaimRequest,
    ClaimResponse,
    DeriveRequest,
    DeriveResponse,
    ReleaseResponse,
    RingRequest,
    RingResponse,
)
from protos.framing import FramingError, read_message, write_message
from tests.unit.keyvault.vault.harness import RunningVault, Worker, header_of, make_request, read, seal_upload

CLAIM = ClaimRequest(actions_sha256=bytes(32), binding_label="c2pa.hash.data", binding_sha256=b"\1" * 32)
AnswerT = TypeVar("AnswerT", bound=Message)


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningVault]:
    with RunningVault(tmp_path_factory.mktemp("vault") / "vault") as running:
        running.hello()
        yield running


class Released:
    """A child that has its file key and has said whether a ring will follow."""

    def __init__(self, vault: RunningVault, *, announces: bool = True) -> None:
        upload = seal_upload(vault.intake().recipient, b"plaintext")
        self.worker = Worker()
        vault.accept(self.worker, upload)
        self.channel: socket.socket = vault.register(self.worker.job_id)
        offer = make_request(self.channel, self.worker.request(header_of(upload)))
        vault.record(self.worker.job_id, offer.evidence)
        assert read(self.channel, ReleaseResponse).error_code == ""
        write_message(self.channel.fileno(), DeriveRequest(hands_over_ring=announces))
        assert read(self.channel, DeriveResponse) == DeriveResponse()

    def ring(self, job_id: bytes | None = None, fill: int = 3) -> bytes:
        context = job_context(job_id or self.worker.job_id)
        return RecoveryRing(context, {0: bytes([fill]) * 48}).to_bytes()

    def hand_over(self, ring: bytes) -> RingResponse | None:
        return self.ask(RingRequest(ring=ring), RingResponse)

    def ask(self, question: Message, kind: type[AnswerT]) -> AnswerT | None:
        """The vault's answer; None where it has closed the channel."""
        self.channel.setblocking(True)
        with contextlib.suppress(OSError, FramingError):
            write_message(self.channel.fileno(), question)
            return read_message(self.channel.fileno(), kind, 1 << 10)
        return None


def digest(ring: bytes) -> bytes:
    return hashlib.sha256(ring).digest()


def test_an_announced_ring_waits_until_its_job_is_done(vault: RunningVault) -> None:
    child = Released(vault)
    assert child.hand_over(child.ring()) == RingResponse()
    vault.client.keep_ring(child.worker.job_id, digest(child.ring()))
    vault.client.end_job(child.worker.job_id)
    vault.client.keep_ring(child.worker.job_id, digest(child.ring()))


def test_a_ring_of_a_job_that_ended_otherwise_is_gone(vault: RunningVault) -> None:
    child = Released(vault)
    assert child.hand_over(child.ring()) == RingResponse()
    vault.client.end_job(child.worker.job_id)
    with pytest.raises(VaultRefusedError) as refusal:
        vault.client.keep_ring(child.worker.job_id, digest(child.ring()))
    assert refusal.value.code == "ring_unknown"


def test_a_front_desk_keeps_no_other_ring_than_the_workers(vault: RunningVault) -> None:
    child = Released(vault)
    assert child.hand_over(child.ring()) == RingResponse()
    with pytest.raises(VaultRefusedError) as refusal:
        vault.client.keep_ring(child.worker.job_id, digest(child.ring(fill=4)))
    assert refusal.value.code == "ring_unknown"


def test_there_is_no_second_ring_but_a_claim_may_follow(vault: RunningVault) -> None:
    child = Released(vault)
    assert child.hand_over(child.ring()) == RingResponse()
    answer = child.ask(CLAIM, ClaimResponse)
    assert answer is not None
    assert answer.signature
    assert child.hand_over(child.ring(fill=4)) is None


def test_a_ring_that_was_not_announced_is_no_ring(vault: RunningVault) -> None:
    """Media that takes a child over comes too late to have a key put in the place of another."""
    child = Released(vault, announces=False)
    answer = child.ask(RingRequest(ring=child.ring()), ClaimResponse)
    assert answer is None or answer.error_code == "claim_malformed"
    with pytest.raises(VaultRefusedError):
        vault.client.keep_ring(child.worker.job_id, digest(child.ring()))


NOT_ITS_OWN = {
    "nothing": lambda child: b"",
    "another job's ring": lambda child: child.ring(bytes(16)),
    "no ring": lambda child: b"{}",
}


@pytest.mark.parametrize("name", NOT_ITS_OWN)
def test_after_a_refused_ring_nothing_is_answered(vault: RunningVault, name: str) -> None:
    child = Released(vault)
    assert child.hand_over(NOT_ITS_OWN[name](child)) == RingResponse(error_code="ring_malformed")
    assert child.ask(CLAIM, ClaimResponse) is None


def test_after_its_job_has_ended_a_child_hands_nothing_over(vault: RunningVault) -> None:
    child = Released(vault)
    vault.client.end_job(child.worker.job_id)
    assert child.hand_over(child.ring()) == RingResponse(error_code="upload_not_accepted")
    with pytest.raises(VaultRefusedError):
        vault.client.keep_ring(child.worker.job_id, digest(child.ring()))
