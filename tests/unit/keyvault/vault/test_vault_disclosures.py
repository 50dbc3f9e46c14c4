"""Disclosure workers at the vault: who is admitted, and who gets which wrapped keys."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import pytest

from keyvault.custody.sharing import job_context
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import OneJobKey, ReleaseSealError
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerFacts
from keyvault.vault.config import VaultConfig
from keyvault.vault.disclosures import Admission, DisclosureDesk
from keyvault.vault.errors import VaultRequestError
from keyvault.wrapped_keys import open_wrapped_keys
from protos.bauta.internal.v1.release_pb2 import (
    DisclosureAsked,
    ReleaseRequest,
    WrappedKeysRequest,
    WrappedKeysResponse,
)
from protos.framing import read_message, write_message
from provenance.certified import read_disclosure_worker
from provenance.dsse import sign_envelope
from provenance.entry import Entry
from tests.unit.keyvault.custody.custody_makers import ASKED_AT, JOB_ID, signed_request
from tests.unit.provenance.provenance_makers import TestSigner, job_facts, seed

NODE, WORKER = TestSigner("node"), TestSigner("worker")
HOST = WorkerFacts(measurement=seed("measurement"), walls=frozenset({"seccomp", "landlock_fs"}))
NONCE = bytes(range(32))
RING = RecoveryRing(
    job_context(JOB_ID), {track: bytes([track % 251]) * 48 for track in (1, 2, 3, RESULT_TRACK)}
)
RECORDED = b"a proof"


@dataclass
class Vault:
    """What a desk asks of the rest of the vault."""

    now: float = (ASKED_AT + timedelta(minutes=1)).timestamp()
    ring: RecoveryRing | None = RING
    is_released: bool = True

    @property
    def desk(self) -> DisclosureDesk:
        signer = cast("HybridSigner", NODE)
        recorded = self.require_recorded
        return DisclosureDesk(signer, self, self.require_released, recorded, VaultConfig(), lambda: self.now)

    def get(self, job_id: bytes) -> RecoveryRing:
        if job_id != JOB_ID or self.ring is None:
            raise VaultRequestError("ring_unknown", "there is none")
        return self.ring

    def require_released(self, measurement: bytes) -> None:
        if not self.is_released or measurement != HOST.measurement:
            raise VaultRequestError("worker_not_released", "nobody has")

    def require_recorded(self, leaf: bytes, proof: bytes) -> None:
        if proof != RECORDED or leaf != Entry("disclosure-request", REQUEST.digest).leaf:
            raise VaultRequestError("entry_proof_invalid", "it is not")


REQUEST = signed_request()
KEY = OneJobKey.generate()


def asked(**changes: Any) -> ReleaseRequest:
    values: dict[str, Any] = {
        "job_id": REQUEST.digest[:16],
        "worker_hpke_key": KEY.public_key,
        "worker_ed25519_key": WORKER.public.ed25519,
        "worker_mldsa65_key": WORKER.public.mldsa65,
        "walls": ["landlock_fs", "seccomp"],
        "nonce": NONCE,
        "disclosure": DisclosureAsked(request=REQUEST.to_bytes(), trust_sha256=seed("trust")),
    }
    return ReleaseRequest(**{**values, **changes})


def admitted(vault: Vault, **changes: Any) -> Admission:
    return vault.desk.admit(REQUEST.digest[:16], HOST, NONCE, asked(**changes))


def test_the_evidence_says_who_asks_for_what_and_believes_whom() -> None:
    facts = read_disclosure_worker(admitted(Vault()).evidence, NODE.public)
    assert facts.request_sha256 == REQUEST.digest.hex()
    assert facts.job_id == JOB_ID.hex()
    assert facts.trust_sha256 == seed("trust").hex()
    assert facts.measurement == HOST.measurement.hex()
    assert facts.walls == ("landlock_fs", "seccomp")
    assert facts.worker_hpke == KEY.public_key
    assert facts.worker_key == WORKER.public


def _disclosure(request: bytes) -> DisclosureAsked:
    return DisclosureAsked(request=request, trust_sha256=seed("trust"))


JOB = sign_envelope(job_facts().to_statement(), WORKER)
OTHER = signed_request(tracks=(1,))
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "no request": ("disclosure_malformed", {"disclosure": _disclosure(b"")}),
    "another kind of statement": ("disclosure_malformed", {"disclosure": _disclosure(JOB.to_bytes())}),
    "a request of megabytes": ("disclosure_malformed", {"disclosure": _disclosure(bytes(1 << 20))}),
    "another request": ("release_job_mismatch", {"disclosure": _disclosure(OTHER.to_bytes())}),
    "another number": ("release_job_mismatch", {"job_id": bytes(16)}),
    "an old challenge": ("release_nonce_wrong", {"nonce": bytes(32)}),
    "no walls": ("release_refused", {"walls": []}),
    "a wall that its host has not": ("release_refused", {"walls": ["seccomp", "empty_root"]}),
    "a key to seal to that is none": ("worker_key_invalid", {"worker_hpke_key": bytes(1216)}),
    "a key to sign with that is none": ("worker_key_invalid", {"worker_mldsa65_key": b"short"}),
    "no digest of a trust file": (
        "worker_key_invalid",
        {"disclosure": DisclosureAsked(request=REQUEST.to_bytes(), trust_sha256=b"")},
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_worker_is_not_admitted_with(name: str) -> None:
    code, changes = REFUSED[name]
    with pytest.raises(VaultRequestError) as refused:
        admitted(Vault(), **changes)
    assert refused.value.code == code


def test_no_worker_is_admitted_of_a_version_that_nobody_released() -> None:
    with pytest.raises(VaultRequestError) as refused:
        admitted(Vault(is_released=False))
    assert refused.value.code == "worker_not_released"


def test_no_worker_is_admitted_for_a_request_that_has_expired() -> None:
    late = (ASKED_AT + timedelta(hours=24)).timestamp()
    with pytest.raises(VaultRequestError) as refused:
        admitted(Vault(now=late))
    assert refused.value.code == "request_expired"


# Wrapped keys.


def test_the_keys_of_the_tracks_asked_for_and_of_the_result() -> None:
    vault = Vault()
    sealed = vault.desk.wrapped_keys(admitted(vault), RECORDED)
    given = open_wrapped_keys(sealed, KEY, REQUEST.digest)
    assert given == RecoveryRing(RING.context, {2: RING.wrapped[2], RESULT_TRACK: RING.wrapped[RESULT_TRACK]})


def test_they_open_for_that_worker_and_that_request_alone() -> None:
    vault = Vault()
    sealed = vault.desk.wrapped_keys(admitted(vault), RECORDED)
    for key, request in ((OneJobKey.generate(), REQUEST.digest), (KEY, OTHER.digest)):
        with pytest.raises(ReleaseSealError):
            open_wrapped_keys(sealed, key, request)


def test_an_erased_track_stays_erased() -> None:
    vault = Vault(ring=RING.without((2,)))
    sealed = vault.desk.wrapped_keys(admitted(vault), RECORDED)
    assert open_wrapped_keys(sealed, KEY, REQUEST.digest).wrapped[2] is None


LATE: dict[str, tuple[str, Callable[[Vault], None], bytes]] = {
    "no record of the request": ("entry_proof_invalid", lambda _vault: None, b"another proof"),
    "an end that has come meanwhile": (
        "request_expired",
        lambda vault: setattr(vault, "now", vault.now + 24 * 3600),
        RECORDED,
    ),
    "a ring that is gone": ("ring_unknown", lambda vault: setattr(vault, "ring", None), RECORDED),
}


@pytest.mark.parametrize("name", LATE)
def test_no_keys_with(name: str) -> None:
    code, change, proof = LATE[name]
    vault = Vault()
    worker = admitted(vault)
    change(vault)
    with pytest.raises(VaultRequestError) as refused:
        vault.desk.wrapped_keys(worker, proof)
    assert refused.value.code == code


def conversation(vault: Vault, *questions: bytes) -> list[WrappedKeysResponse | None]:
    """What a worker hears that asks so often."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for question in questions:
            write_message(theirs.fileno(), WrappedKeysRequest(request_proof=question))
        theirs.shutdown(socket.SHUT_WR)
        vault.desk.serve(admitted(vault), ours)
        ours.shutdown(socket.SHUT_WR)
        return [read_message(theirs.fileno(), WrappedKeysResponse, 1 << 16) for _ in (*questions, b"")]


def test_a_worker_is_answered_once() -> None:
    answer, *nothing = conversation(Vault(), RECORDED, RECORDED)
    assert answer is not None
    assert answer.sealed_ring
    assert not answer.error_code
    assert nothing == [None, None]


def test_a_refusal_is_an_answer() -> None:
    answer, *nothing = conversation(Vault(), b"no proof", RECORDED)
    assert answer is not None
    assert answer.error_code == "entry_proof_invalid"
    assert not answer.sealed_ring
    assert nothing == [None, None]


def test_a_worker_that_leaves_is_no_error() -> None:
    assert conversation(Vault()) == [None]


def test_a_question_that_is_too_large_is_no_question() -> None:
    vault = Vault()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        os.write(theirs.fileno(), (1 << 30).to_bytes(4, "big"))
        vault.desk.serve(admitted(vault), ours)
        ours.close()
        assert read_message(theirs.fileno(), WrappedKeysResponse, 1 << 16) is None
