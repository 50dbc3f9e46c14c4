"""What the node signs for the front desk; no destroyed intake key is forgotten before the log has it."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault.vault import durable
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.announcements import Announcer, WorkerFacts
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Confirmations
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.identity import load_identity
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.notary import sign_policies, sign_submission
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import CheckpointRatchet
from keyvault.vault.retirements import ENTRY, MAX_RETIRED, Retired, Retirements
from protos.bauta.internal.v1.vault_pb2 import SignSubmission
from provenance.dsse import Envelope
from provenance.log import TransparencyLog
from provenance.statements import KeyRotationFacts, PolicyFacts, SubmissionFacts
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import MEASUREMENT, TERMS_SHA256, WALLS, header_of, seal_upload

HOUR = 3600
CONFIG = VaultConfig()
POLICIES = {name: hashlib.sha256(name.encode()).hexdigest() for name in ("telehealth", "street")}
WORKER = WorkerFacts(measurement=MEASUREMENT, walls=frozenset(WALLS), policies=POLICIES)
JOB_ID = bytes(range(16))
UPLOAD_SHA256 = hashlib.sha256(b"sealed").digest()


class Scene:
    """The parts of a vault that speak of uploads and intake keys, and a log that it signs."""

    def __init__(self, store: Keystore, clock: Clock, log_path: Path) -> None:
        self.store, self.clock = store, clock
        self.identity = load_identity(store)
        self.keys = IntakeKeys(store, CONFIG, clock)
        self.acceptances = Acceptances(store, self.keys, CONFIG, clock)
        log = self.identity.log
        self.confirmations = Confirmations(log.origin, log.verifier_keys)
        self.announcer = Announcer(self.identity.node, self.keys, lambda: WORKER, lambda _: None)
        ratchet = CheckpointRatchet(store, log, clock)
        self.log = TransparencyLog(
            log_path,
            log.origin,
            lambda text, prove_from: ratchet.sign(text, prove_from(ratchet.size)),
        )

    def accept(self, job_id: bytes = JOB_ID) -> bytes:
        """Accepts an upload; its header."""
        header = header_of(seal_upload(self.keys.current(MEASUREMENT).recipient, b"what was sealed"))
        self.acceptances.accept(job_id, header, TERMS_SHA256)
        return header

    def submission(self, job_id: bytes = JOB_ID, digest: bytes = UPLOAD_SHA256) -> bytes:
        """Asks for a receipt."""
        untrusted = SignSubmission(job_id=job_id, upload_sha256=digest)
        return sign_submission(self.identity.node, self.acceptances, untrusted, self.clock())

    def rotations(self) -> list[KeyRotationFacts]:
        """What the vault says is destroyed, its signatures checked."""
        node = self.identity.node.public
        envelopes = [Envelope.from_bytes(raw) for raw in self.announcer.rotations()]
        return [KeyRotationFacts.from_statement(envelope.verify(node)) for envelope in envelopes]

    def confirm(self, retired: bytes, proof: bytes) -> None:
        """Shows the vault a proof."""
        self.announcer.confirm_rotation(
            retired, lambda leaf: self.confirmations.require_recorded(leaf, proof)
        )

    def record_first(self, kind: str = "key-rotation") -> tuple[bytes, bytes]:
        """Records the first rotation; its key and its proof."""
        envelope = Envelope.from_bytes(self.announcer.rotations()[0])
        facts = KeyRotationFacts.from_statement(envelope.payload)
        proof = self.log.proof_for(self.log.append(kind, envelope.digest))
        return bytes.fromhex(facts.retired_sha256), proof


@pytest.fixture
def scene(store: Keystore, clock: Clock, tmp_path: Path) -> Iterator[Scene]:
    """A vault's parts over a new store."""
    found = Scene(store, clock, tmp_path / "log.sqlite")
    yield found
    found.log.close()


def named(recipient: str) -> str:
    return hashlib.sha256(recipient.encode()).hexdigest()


def test_a_receipt_says_what_the_vault_accepted(scene: Scene) -> None:
    header = scene.accept()
    envelope = Envelope.from_bytes(scene.submission())
    facts = SubmissionFacts.from_statement(envelope.verify(scene.identity.node.public))
    assert facts == SubmissionFacts(
        job_id=JOB_ID.hex(),
        upload_sha256=UPLOAD_SHA256.hex(),
        upload_header_sha256=hashlib.sha256(header).hexdigest(),
        terms_sha256=TERMS_SHA256.hex(),
        accepted_at="2027-01-15T08:00:00Z",
    )


@pytest.mark.parametrize(
    ("job_id", "digest", "code"),
    [
        (secrets.token_bytes(16), UPLOAD_SHA256, "upload_not_accepted"),
        (JOB_ID[:15], UPLOAD_SHA256, "submission_malformed"),
        (JOB_ID, UPLOAD_SHA256[:31], "submission_malformed"),
        (JOB_ID, UPLOAD_SHA256 + b"x", "submission_malformed"),
        (b"", b"", "submission_malformed"),
    ],
    ids=["another job", "a short job id", "a short digest", "a long digest", "nothing"],
)
def test_no_receipt_of_anything_else(scene: Scene, job_id: bytes, digest: bytes, code: str) -> None:
    scene.accept()
    with pytest.raises(VaultRequestError) as refusal:
        scene.submission(job_id, digest)
    assert refusal.value.code == code


def test_no_receipt_of_a_job_that_has_ended(scene: Scene) -> None:
    scene.accept()
    scene.submission()
    scene.acceptances.end(JOB_ID)
    with pytest.raises(VaultRequestError) as refusal:
        scene.submission()
    assert refusal.value.code == "upload_not_accepted"


def test_policies_are_signed_by_name_and_text(scene: Scene) -> None:
    node = scene.identity.node
    envelopes = [Envelope.from_bytes(raw) for raw in sign_policies(node, WORKER, scene.clock())]
    found = [PolicyFacts.from_statement(envelope.verify(node.public)) for envelope in envelopes]
    assert {facts.policy: facts.policy_sha256 for facts in found} == POLICIES
    assert {facts.measurement for facts in found} == {MEASUREMENT.hex()}


def test_a_policy_that_is_not_in_the_list_is_not_signed(scene: Scene) -> None:
    for policies in ({"anna": "00" * 32}, {"street": "not a digest"}, {"interview_mp4": "00" * 32}):
        worker = WorkerFacts(measurement=MEASUREMENT, walls=frozenset(WALLS), policies=policies)
        with pytest.raises(VaultRequestError) as refusal:
            sign_policies(scene.identity.node, worker, scene.clock())
        assert refusal.value.code == "policies_unknown"


def test_a_destroyed_key_is_said_to_be_destroyed_and_not_before(scene: Scene) -> None:
    first = scene.keys.current(MEASUREMENT)
    scene.clock.now += HOUR
    second = scene.keys.current(MEASUREMENT)
    scene.clock.now += HOUR - 1
    assert scene.rotations() == []
    scene.clock.now += 1
    [facts] = scene.rotations()
    assert facts == KeyRotationFacts(
        retired_sha256=named(first.recipient),
        successor_sha256=named(second.recipient),
        made_at="2027-01-15T08:00:00Z",
        destroyed_at="2027-01-15T10:00:00Z",
    )
    scene.clock.now += HOUR
    last = scene.rotations()[-1]
    assert (last.retired_sha256, last.successor_sha256) == (named(second.recipient), None)


def test_it_says_so_in_the_same_bytes_until_the_log_has_it(scene: Scene) -> None:
    scene.keys.current(MEASUREMENT)
    scene.clock.now += 2 * HOUR
    before = scene.announcer.rotations()
    assert len(before) == 1
    assert scene.announcer.rotations() == before, "a new signature each time would fill the log"
    scene.confirm(*scene.record_first())
    assert scene.announcer.rotations() == []


def test_only_a_proof_from_this_vaults_log_counts(scene: Scene) -> None:
    scene.keys.current(MEASUREMENT)
    scene.clock.now += 2 * HOUR
    retired, proof = scene.record_first()
    other = scene.log.proof_for(scene.log.append("key-rotation", secrets.token_bytes(32)))
    _, wrong_kind = scene.record_first(kind="failure")
    for false in (other, wrong_kind, b"", b"noise", proof[:-1]):
        with pytest.raises(VaultRequestError) as refusal:
            scene.confirm(retired, false)
        assert refusal.value.code == "entry_proof_invalid"
    with pytest.raises(VaultRequestError) as refusal:
        scene.confirm(secrets.token_bytes(32), proof)
    assert refusal.value.code == "rotation_unknown"
    assert len(scene.rotations()) == 1
    scene.confirm(retired, proof)


def test_a_restart_forgets_no_destruction(folder: Path, clock: Clock) -> None:
    store = open_store(folder, None)
    recipient = IntakeKeys(store, CONFIG, clock).current(MEASUREMENT).recipient
    store.close()
    clock.now += 5 * HOUR
    for _ in range(2):
        store = open_store(folder, None)
        [retired] = IntakeKeys(store, CONFIG, clock).retired()
        store.close()
        assert retired.recipient_sha256.hex() == named(recipient)
        assert retired.destroyed_at == clock.now, "destroyed when the vault came back"


def test_nothing_is_said_while_the_key_is_still_on_the_disk(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.keys.current(MEASUREMENT)
    scene.clock.now += 2 * HOUR
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", _full_disk)
        assert scene.keys.live() == (), "the key is destroyed, whatever the disk says"
        assert scene.rotations() == []
    assert len(scene.rotations()) == 1


def test_a_crash_between_the_note_and_the_destruction_tells_no_lie(folder: Path, clock: Clock) -> None:
    store = open_store(folder, None)
    key = IntakeKeys(store, CONFIG, clock).current(MEASUREMENT)
    digest = bytes.fromhex(named(key.recipient))
    Retirements(store).note([Retired(key.created_at, int(clock.now), digest, b"")])
    # As found after the crash: the note is there, and the key lives.
    keys = IntakeKeys(store, CONFIG, clock)
    assert keys.live() == (key,)
    assert keys.retired() == ()
    clock.now += 2 * HOUR
    [retired] = keys.retired()
    assert (retired.recipient_sha256, retired.destroyed_at) == (digest, int(clock.now))
    store.close()


def test_the_number_of_notes_is_capped(store: Keystore, caplog: pytest.LogCaptureFixture) -> None:
    retirements = Retirements(store)
    notes = [Retired(1, 2, hashlib.sha256(str(n).encode()).digest(), b"") for n in range(MAX_RETIRED + 3)]
    retirements.note(notes)
    assert retirements.pending() == tuple(notes[3:])
    assert Retirements(store).pending() == tuple(notes[3:])
    assert "too many wait" in caplog.text
    for note in notes[3:]:
        assert note.recipient_sha256.hex() not in caplog.text


def test_a_stored_form_of_another_length_is_corrupt(store: Keystore) -> None:
    store.write(ENTRY, bytes(79))
    with pytest.raises(VaultStartError) as reason:
        Retirements(store)
    assert reason.value.code == "vault_store_corrupt"


def _full_disk(_fd: int) -> None:
    raise OSError(28, os.strerror(28))
