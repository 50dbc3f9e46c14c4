"""A taken-over child and a curious front desk at a real vault: who gets a derived key, when, and which."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from test_vault_memory_readers import count, needs_secretmem, read_memory
from test_vault_secrets import files_with

from keyvault.derived import Binding, KeyName, open_derived_key, persona_key_of
from keyvault.release import ReleaseSealError
from keyvault.vault import derived
from keyvault.vault.process import open_store
from protos.bauta.internal.v1.release_pb2 import (
    ClaimRequest,
    ClaimResponse,
    DeriveRequest,
    DeriveResponse,
    KeyAsked,
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseResponse,
)
from protos.framing import FramingError, MessageT, read_message, write_message
from tests.unit.keyvault.vault.harness import (
    RunningVault,
    Worker,
    header_of,
    make_request,
    read,
    seal_upload,
)

SCOPE = persona_key_of("the harbour")
REQUEST = DeriveRequest(keys=[KeyAsked(purpose=SCOPE.purpose, context=SCOPE.context)])
CLAIM = ClaimRequest(actions_sha256=bytes(32), binding_label="c2pa.hash.data", binding_sha256=b"\1" * 32)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[RunningVault]:
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "120") as running:
        running.hello()
        yield running


class Released:
    """A child that has its file key and has asked for nothing else."""

    def __init__(self, vault: RunningVault) -> None:
        self.worker = Worker()
        self.upload = seal_upload(vault.intake().recipient, b"plaintext")
        vault.accept(self.worker, self.upload)
        self.channel = vault.register(self.worker.job_id)
        offer = make_request(self.channel, self.worker.request(header_of(self.upload)))
        vault.record(self.worker.job_id, offer.evidence)
        sealed = read(self.channel, ReleaseResponse).sealed_file_key
        file_key = self.worker.key.open_file_key(sealed, self.worker.job_id, header_of(self.upload))
        self.binding = Binding(self.worker.job_id, header_of(self.upload), file_key)

    def ask(self, request: DeriveRequest = REQUEST) -> DeriveResponse | None:
        return ask(self.channel, request, DeriveResponse)

    def key(self, name: KeyName = SCOPE) -> bytes:
        response = self.ask(DeriveRequest(keys=[KeyAsked(purpose=name.purpose, context=name.context)]))
        assert response is not None
        assert response.error_code == ""
        [sealed] = response.sealed_keys
        return open_derived_key(sealed, self.worker.key, self.binding, name)


def ask(
    channel: socket.socket, request: DeriveRequest | ClaimRequest, kind: type[MessageT]
) -> MessageT | None:
    """The vault's answer; None where it has closed the channel."""
    channel.setblocking(True)
    with contextlib.suppress(OSError, FramingError):
        write_message(channel.fileno(), request)
        return read_message(channel.fileno(), kind, 1 << 16)
    return None


def test_one_scope_is_one_key_in_two_jobs_after_a_restart_and_from_a_backup(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as vault:
        vault.hello()
        keys = {Released(vault).key(), Released(vault).key()}
        vault.stop()
    with RunningVault(tmp_path / "vault") as vault:
        vault.hello()
        keys.add(Released(vault).key())
        vault.stop()
    shutil.copytree(tmp_path / "vault", tmp_path / "backup")
    shutil.rmtree(tmp_path / "vault")
    shutil.copytree(tmp_path / "backup", tmp_path / "vault")
    with RunningVault(tmp_path / "vault") as vault:
        vault.hello()
        keys.add(Released(vault).key())
        assert Released(vault).key(persona_key_of("the mainland")) not in keys
    assert len(keys) == 1


def test_before_its_release_is_recorded_a_child_gets_none(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "8") as vault:
        vault.hello()
        worker, upload = Worker(), seal_upload(vault.intake().recipient, b"plaintext")
        vault.accept(worker, upload)
        with vault.register(worker.job_id) as child:
            assert make_request(child, worker.request(header_of(upload))).evidence
            write_message(child.fileno(), REQUEST)
            # Nobody records it: the vault's answer is that of the release, and its last.
            assert read(child, ReleaseResponse).error_code == "release_not_recorded"
            with contextlib.suppress(ConnectionResetError):
                assert read_message(child.fileno(), DeriveResponse, 1 << 16) is None


def test_instead_of_its_release_a_child_gets_none(vault: RunningVault) -> None:
    worker, upload = Worker(), seal_upload(vault.intake().recipient, b"plaintext")
    vault.accept(worker, upload)
    with vault.register(worker.job_id) as child:
        assert read(child, ReleaseChallenge).nonce
        offer = ask(child, REQUEST, ReleaseOffer)
        assert offer is not None
        assert (bool(offer.error_code), offer.evidence) == (True, b"")
        assert ask(child, REQUEST, DeriveResponse) is None


def test_media_that_takes_a_child_over_comes_too_late(vault: RunningVault) -> None:
    """An honest child has asked before it looks at media, for nothing if need be: the door is shut."""
    child = Released(vault)
    assert child.ask(DeriveRequest()) == DeriveResponse()
    # What comes next is read as the claim, which it is not; then the channel is closed.
    answer = ask(child.channel, REQUEST, ClaimResponse)
    assert answer == ClaimResponse(error_code="claim_malformed")
    assert child.ask() is None


def test_there_is_no_claim_before_the_door_is_shut(vault: RunningVault) -> None:
    child = Released(vault)
    answer = ask(child.channel, CLAIM, DeriveResponse)
    assert answer == DeriveResponse(error_code="derivation_malformed")
    assert ask(child.channel, CLAIM, ClaimResponse) is None


REFUSED = {
    "five keys": DeriveRequest(keys=list(REQUEST.keys) * 5),
    "a purpose of its own": DeriveRequest(keys=[KeyAsked(purpose="node", context=bytes(32))]),
    "no context": DeriveRequest(keys=[KeyAsked(purpose="persona")]),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_a_refused_question_was_the_last_one(request_: DeriveRequest, vault: RunningVault) -> None:
    child = Released(vault)
    assert child.ask(request_) == DeriveResponse(error_code="derivation_malformed")
    assert ask(child.channel, CLAIM, ClaimResponse) is None
    assert child.ask() is None


def test_a_question_that_is_too_large_is_not_read(vault: RunningVault) -> None:
    huge = DeriveRequest(keys=[KeyAsked(purpose="persona", context=bytes(1 << 11))])
    assert Released(vault).ask(huge) is None
    assert len(Released(vault).key()) == 32


def test_after_its_job_has_ended_a_child_gets_none(vault: RunningVault) -> None:
    child = Released(vault)
    vault.client.end_job(child.worker.job_id)
    assert child.ask() == DeriveResponse(error_code="upload_not_accepted")


def test_a_front_desk_in_the_middle_neither_reads_nor_swaps_it(vault: RunningVault) -> None:
    """It holds no end of this channel. Should it come by one, it has what it can send and what it can see."""
    mine, victim = Released(vault), Released(vault)
    seen = victim.ask()
    assert seen is not None
    own = mine.ask()
    assert own is not None
    # Reading: with the key of a job of its own.
    with pytest.raises(ReleaseSealError):
        open_derived_key(seen.sealed_keys[0], mine.worker.key, victim.binding, SCOPE)
    # Swapping: what was sealed for its own job, and the victim's as if it were of another scope.
    for sealed, name in (
        (own.sealed_keys[0], SCOPE),
        (seen.sealed_keys[0], persona_key_of("the mainland")),
    ):
        with pytest.raises(ReleaseSealError):
            open_derived_key(sealed, victim.worker.key, victim.binding, name)


@needs_secretmem
def test_neither_master_nor_key_is_in_a_file_a_log_or_the_vaults_memory(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    with RunningVault(folder) as vault:
        vault.hello()
        child = Released(vault)
        key = child.key()
        memory = read_memory(vault.process.pid)
        assert count(memory, hashlib.sha256(header_of(child.upload)).digest()) > 0, "the control"
        stopped = vault.stop()
    assert stopped == (0, "")
    store = open_store(folder, None)
    master = bytes(store.read(derived.ENTRY))
    store.close()
    assert HKDF(SHA256(), 32, None, SCOPE.info).derive(master) == key
    for secret in (master, key):
        assert count(memory, secret) == 0
        assert files_with(tmp_path, secret) == set()
