"""The front desk's requests, and anything else that it may send."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyvault.public_keys import from_message
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.announcements import Announcer, WorkerFacts, WorkerPresence
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Confirmations
from keyvault.vault.erasures import Erasures
from keyvault.vault.frontdesk import FrontDesk
from keyvault.vault.identity import load_identity, log_origin
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.ratchet import CheckpointRatchet
from keyvault.vault.register import WorkerRegister
from keyvault.vault.rings import Rings
from protos.bauta.internal.v1.vault_pb2 import (
    AcceptUpload,
    AnnounceIntake,
    AnnounceRotations,
    ConfirmRelease,
    ConfirmRotation,
    Describe,
    ReleaseWorker,
    RetainJobs,
    SignCheckpoint,
    SignFailure,
    SignPolicies,
    SignSubmission,
    VaultRequest,
    VaultResponse,
)
from provenance.checkpoint import verify_checkpoint
from provenance.dsse import Envelope
from provenance.note import parse_vkey
from provenance.statements.failure import FailureFacts
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import MEASUREMENT, WALLS, checkpoint_text, read_intake

WORKER = WorkerFacts(
    measurement=MEASUREMENT,
    walls=frozenset(WALLS),
    version="0.1.0",
    models={"centerface": "00" * 32},
    policies={"whistleblower": "00" * 32},
    lock_sha256="00" * 32,
)
CREDENTIAL_ROOT = b"a certificate"
CODE = re.compile(r"[a-z][a-z0-9_]{2,63}")
PUBLISHED = {
    "request_malformed",
    "request_unknown",
    "worker_not_ready",
    "checkpoint_malformed",
    "checkpoint_wrong_origin",
    "checkpoint_shrinks",
    "checkpoint_forks",
    "checkpoint_forgets",
    "acceptance_malformed",
    "upload_header_invalid",
    "release_unknown",
    "failure_job_id_invalid",
    "failure_code_invalid",
    "submission_malformed",
    "upload_not_accepted",
    "rotation_unknown",
    "erasure_malformed",
    "erasure_unknown",
    "ring_unknown",
}


class Scene:
    """A front desk and the presence that it waits for."""

    def __init__(self, store: Keystore, clock: Clock) -> None:
        config = VaultConfig(hello_wait_seconds=0)
        self.identity = load_identity(store)
        self.presence = WorkerPresence()
        keys = IntakeKeys(store, config, clock)
        log, node = self.identity.log, self.identity.node
        register = WorkerRegister(node, [node.public], clock)

        def wait_for_worker() -> WorkerFacts:
            return self.presence.wait(config.hello_wait_seconds)

        self.desk = FrontDesk(
            identity=self.identity,
            ratchet=CheckpointRatchet(store, self.identity.log, clock),
            announcer=Announcer(self.identity.node, keys, wait_for_worker, register.require),
            acceptances=Acceptances(store, keys, config, clock),
            confirmations=Confirmations(log.origin, log.verifier_keys),
            register=register,
            rings=(rings := Rings(store)),
            erasures=Erasures(store, rings, node, clock),
            credential_root=CREDENTIAL_ROOT,
            wait_for_worker=wait_for_worker,
            clock=clock,
        )

    def ask(self, request: VaultRequest) -> VaultResponse:
        return self.desk.answer(request.SerializeToString())


@pytest.fixture
def scene(store: Keystore, clock: Clock) -> Iterator[Scene]:
    """A desk over a new store."""
    return Scene(store, clock)


def test_it_describes_the_public_keys(scene: Scene) -> None:
    description = scene.ask(VaultRequest(describe=Describe())).description
    node = scene.identity.node.public
    assert from_message(description.node) == node
    assert [from_message(key) for key in description.release_keys] == [node]
    assert description.log_origin == log_origin(node.ed25519)
    assert description.credential_root == CREDENTIAL_ROOT
    assert re.fullmatch(r"bauta\.log/[0-9a-f]{32}", description.log_origin)
    assert [parse_vkey(vkey).name for vkey in description.log_vkeys] == [description.log_origin] * 2


def test_it_announces_once_a_worker_host_is_there_and_until_it_is_gone(scene: Scene, clock: Clock) -> None:
    request = VaultRequest(announce_intake=AnnounceIntake())
    assert scene.ask(request).error_code == "worker_not_ready"
    scene.presence.arrive(WORKER)
    assert scene.ask(request).error_code == "worker_not_released"
    scene.ask(VaultRequest(release_worker=ReleaseWorker()))
    envelope = scene.ask(request).intake
    facts = read_intake(envelope, scene.identity.node.public)
    assert facts.worker_measurements == (MEASUREMENT.hex(),)
    assert (facts.valid_from, facts.valid_until) == ("2027-01-15T08:00:00Z", "2027-01-15T09:00:00Z")
    clock.now += 1800
    assert scene.ask(request).intake == envelope, "a new signature each time would fill the log"
    clock.now += 1800
    assert read_intake(scene.ask(request).intake, scene.identity.node.public).recipient != facts.recipient
    scene.presence.leave()
    assert scene.ask(request).error_code == "worker_not_ready"


def test_it_signs_failures_by_their_published_code(scene: Scene) -> None:
    request = VaultRequest(sign_failure=SignFailure(job_id=bytes(16), code="media_corrupt"))
    statement = Envelope.from_bytes(scene.ask(request).failure).verify(scene.identity.node.public)
    assert FailureFacts.from_statement(statement) == FailureFacts(
        job_id="00" * 16, code="media_corrupt", failed_at="2027-01-15T08:00:00Z"
    )


@pytest.mark.parametrize(
    ("job_id", "code", "refusal"),
    [
        (b"", "media_corrupt", "failure_job_id_invalid"),
        (bytes(15), "media_corrupt", "failure_job_id_invalid"),
        (bytes(17), "media_corrupt", "failure_job_id_invalid"),
        (bytes(16), "", "failure_code_invalid"),
        (bytes(16), "Media corrupt: interview_with_anna.mp4", "failure_code_invalid"),
        (bytes(16), "anna", "failure_code_invalid"),
        (bytes(16), "media_corrupt\n", "failure_code_invalid"),
        (bytes(16), "a" * 65, "failure_code_invalid"),
    ],
)
def test_it_signs_no_other_failure(scene: Scene, job_id: bytes, code: str, refusal: str) -> None:
    request = VaultRequest(sign_failure=SignFailure(job_id=job_id, code=code))
    assert scene.ask(request) == VaultResponse(error_code=refusal)


def test_it_signs_checkpoints_of_its_own_log(scene: Scene) -> None:
    origin = scene.identity.log.origin
    request = VaultRequest(sign_checkpoint=SignCheckpoint(text=checkpoint_text(origin, 3)))
    note = scene.ask(request).checkpoint
    assert verify_checkpoint(note, origin, scene.identity.log.verifier_keys).size == 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "request_unknown"),
        (b"\xff" * 40, "request_malformed"),
        (b"\x0a\x05x", "request_malformed"),
        (b"\xba\x3e\x00", "request_unknown"),
        (b"\x22\x05\x12\x03\xff\xfe\xfd", "request_malformed"),
    ],
)
def test_what_is_no_request_gets_a_code(scene: Scene, body: bytes, code: str) -> None:
    assert scene.desk.answer(body) == VaultResponse(error_code=code)


requests = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda text: VaultRequest(sign_checkpoint=SignCheckpoint(text=text)).SerializeToString(),
        st.one_of(
            st.binary(max_size=200),
            st.builds("{}\n{}\n{}\n".format, st.text(max_size=20), st.integers(), st.text(max_size=50)).map(
                lambda text: text.encode("utf-8", "replace")
            ),
        ),
    ),
    st.builds(
        lambda job_id, header, terms: VaultRequest(
            accept_upload=AcceptUpload(job_id=job_id, age_header=header, terms_sha256=terms)
        ).SerializeToString(),
        st.sampled_from([b"", bytes(16)]),
        st.binary(max_size=200),
        st.sampled_from([b"", bytes(32)]),
    ),
    st.builds(
        lambda job_id, proof: VaultRequest(
            confirm_release=ConfirmRelease(job_id=job_id, tlog_proof=proof)
        ).SerializeToString(),
        st.binary(max_size=20),
        st.binary(max_size=200),
    ),
    st.builds(
        lambda job_ids: VaultRequest(retain_jobs=RetainJobs(job_ids=job_ids)).SerializeToString(),
        st.lists(st.binary(max_size=20)),
    ),
    st.builds(
        lambda job_id, code: VaultRequest(
            sign_failure=SignFailure(job_id=job_id, code=code)
        ).SerializeToString(),
        st.binary(max_size=20),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    ),
    st.builds(
        lambda job_id, digest: VaultRequest(
            sign_submission=SignSubmission(job_id=job_id, upload_sha256=digest)
        ).SerializeToString(),
        st.sampled_from([b"", bytes(16)]),
        st.sampled_from([b"", bytes(32)]),
    ),
    st.builds(
        lambda retired, proof: VaultRequest(
            confirm_rotation=ConfirmRotation(retired_sha256=retired, tlog_proof=proof)
        ).SerializeToString(),
        st.binary(max_size=40),
        st.binary(max_size=200),
    ),
    st.just(VaultRequest(sign_policies=SignPolicies()).SerializeToString()),
    st.just(VaultRequest(announce_rotations=AnnounceRotations()).SerializeToString()),
    st.just(VaultRequest(announce_intake=AnnounceIntake()).SerializeToString()),
)


@given(body=requests)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_in_a_published_code_or_an_answer_goes_out(scene: Scene, body: bytes) -> None:
    response = scene.desk.answer(body)
    if response.error_code:
        assert response.error_code in PUBLISHED
        assert CODE.fullmatch(response.error_code)
        assert response.WhichOneof("answer") is None
    else:
        assert response.WhichOneof("answer") is not None


def test_a_defect_of_ours_costs_one_answer_and_not_the_vault(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_self: Announcer) -> bytes:
        raise RuntimeError("text that may quote a request")

    with monkeypatch.context() as patch:
        patch.setattr(Announcer, "announce", broken)
        response = scene.ask(VaultRequest(announce_intake=AnnounceIntake()))
    assert response == VaultResponse(error_code="vault_internal_error")
    assert "RuntimeError" in caplog.text
    assert "quote" not in caplog.text
    assert scene.ask(VaultRequest(describe=Describe())).error_code == ""
