"""The release register under attack: what a client refuses before it seals a byte."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from provenance_makers import (
    NOW,
    House,
    TestSigner,
    hex_of,
    intake_facts,
    make_house,
    release_facts,
    worker_release_facts,
)

from provenance import canonical
from provenance.checklist import VerificationError
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import FormatError, SignatureError
from provenance.proof import ProofFile
from provenance.register import (
    KIND,
    RELEASE_STEPS,
    NotReleasedError,
    ReleasedIntake,
    fingerprint,
    verify_recorded_release,
    verify_release,
    verify_released_intake,
)
from provenance.statements import WorkerReleaseFacts
from provenance.trust import Trust

REVIEWER = TestSigner("reviewer")
STRANGER = TestSigner("stranger")


def signed(signer: TestSigner, **changes: Any) -> Envelope:
    return sign_envelope(worker_release_facts(**changes).to_statement(), signer)


@dataclass
class Scene:
    """One service whose releases are the reviewer's."""

    house: House

    @property
    def trust(self) -> Trust:
        return dataclasses.replace(self.house.trust, releases=(REVIEWER.public,))

    def answer(
        self, release: Envelope, *, kind: str = KIND, house: House | None = None, **intake: Any
    ) -> tuple[bytes, bytes]:
        """What the service sends: the intake's proof and the release's, under one checkpoint."""
        announcement = sign_envelope(intake_facts(**intake).to_statement(), self.house.node)
        index = self.house.log.append("intake", announcement.digest)
        register = house or self.house
        place = register.log.append(kind, release.digest)
        return (
            ProofFile(announcement, (), self.house.log.proof_for(index)).to_bytes(),
            ProofFile(release, (), register.log.proof_for(place)).to_bytes(),
        )

    def verify(self, answer: tuple[bytes, bytes], trust: Trust | None = None) -> ReleasedIntake:
        return verify_released_intake(*answer, trust or self.trust, NOW)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(make_house(tmp_path))


def test_a_released_worker_is_accepted_and_its_releaser_named(scene: Scene) -> None:
    verified = scene.verify(scene.answer(signed(REVIEWER)))
    assert verified.intake == intake_facts()
    assert verified.release.facts == worker_release_facts()
    assert verified.release.by == f"release key {fingerprint(REVIEWER.public)}"
    assert [step.step for step in verified.steps] == list(RELEASE_STEPS)
    due = {**dict.fromkeys(RELEASE_STEPS, "ok"), "checkpoint_witnessed": "not asked"}
    assert {step.step: step.status for step in verified.steps} == due


def test_the_operators_own_release_is_called_what_it_is(scene: Scene) -> None:
    node = scene.house.node
    trust = dataclasses.replace(scene.house.trust, releases=(node.public,))
    verified = scene.verify(scene.answer(signed(node)), trust)
    assert (verified.release.is_own, verified.release.by) == (True, "this service's own operator")


def test_one_of_several_release_keys_is_enough(scene: Scene) -> None:
    trust = dataclasses.replace(scene.trust, releases=(STRANGER.public, REVIEWER.public))
    assert scene.verify(scene.answer(signed(REVIEWER)), trust).release.key == REVIEWER.public


def by_a_stranger(scene: Scene) -> tuple[bytes, bytes]:
    return scene.answer(signed(STRANGER))


def by_the_node_where_others_release(scene: Scene) -> tuple[bytes, bytes]:
    return scene.answer(signed(scene.house.node))


def another_measurement(scene: Scene) -> tuple[bytes, bytes]:
    return scene.answer(signed(REVIEWER, measurement=hex_of("other")))


def two_measurements_one_released(scene: Scene) -> tuple[bytes, bytes]:
    both = tuple(sorted((hex_of("measurement"), hex_of("other"))))
    return scene.answer(signed(REVIEWER), worker_measurements=both)


def not_recorded(scene: Scene) -> tuple[bytes, bytes]:
    intake, release = scene.answer(signed(REVIEWER))
    proof = ProofFile.from_bytes(release)
    return intake, dataclasses.replace(proof, statement=signed(REVIEWER, version="0.2.0")).to_bytes()


def recorded_as_something_else(scene: Scene) -> tuple[bytes, bytes]:
    return scene.answer(signed(REVIEWER), kind="release")


def another_statement(scene: Scene) -> tuple[bytes, bytes]:
    return scene.answer(sign_envelope(release_facts(STRANGER.public).to_statement(), REVIEWER))


def an_older_tree(scene: Scene) -> tuple[bytes, bytes]:
    _, old = scene.answer(signed(REVIEWER))
    new, _ = scene.answer(signed(REVIEWER, version="0.2.0"))
    return new, old


def a_halved_signature(scene: Scene) -> tuple[bytes, bytes]:
    intake, release = scene.answer(signed(REVIEWER))
    content = json.loads(release)
    content["statement"]["signatures"].pop()
    return intake, canonical.dumps(content) + b"\n"


def halves_of_two_signers(scene: Scene) -> tuple[bytes, bytes]:
    ours, theirs = signed(REVIEWER), signed(STRANGER)
    mixed = Envelope(ours.payload, (ours.signatures[0], theirs.signatures[1]))
    return scene.answer(mixed)


def a_changed_payload(scene: Scene) -> tuple[bytes, bytes]:
    changed = worker_release_facts(lock_sha256=hex_of("other lock")).to_statement()
    return scene.answer(Envelope(changed, signed(REVIEWER).signatures))


def no_release(scene: Scene) -> tuple[bytes, bytes]:
    return scene.answer(signed(REVIEWER))[0], b""


def the_intake_again(scene: Scene) -> tuple[bytes, bytes]:
    intake, _ = scene.answer(signed(REVIEWER))
    return intake, intake


ATTACKS: dict[str, tuple[Callable[[Scene], tuple[bytes, bytes]], str, str]] = {
    "a release by an unknown key": (by_a_stranger, "release_signed", "release_key_unknown"),
    "the node's own word where others release": (
        by_the_node_where_others_release,
        "release_signed",
        "release_key_unknown",
    ),
    "a release of another measurement": (another_measurement, "measurement_released", "worker_not_released"),
    "two workers, one of them released": (
        two_measurements_one_released,
        "measurement_released",
        "worker_not_released",
    ),
    "a release that is not in the log": (not_recorded, "entry_recorded", "bad_merkle_proof"),
    "a release recorded as another kind": (recorded_as_something_else, "entry_recorded", "bad_merkle_proof"),
    "another statement of the same signer": (another_statement, "release_signed", "wrong_statement"),
    "a release under an older tree": (an_older_tree, "same_log", "log_differs"),
    "a release stripped of its post-quantum signature": (
        a_halved_signature,
        "proof_well_formed",
        "signature_missing",
    ),
    "one signature of each of two signers": (halves_of_two_signers, "release_signed", "wrong_signer"),
    "a release of another lock under old signatures": (a_changed_payload, "release_signed", "bad_signature"),
    "no release at all": (no_release, "proof_well_formed", "malformed"),
    "the intake in the release's place": (the_intake_again, "entry_recorded", "bad_merkle_proof"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_register_is_refused_by_name(name: str, scene: Scene) -> None:
    attack, step, code = ATTACKS[name]
    with pytest.raises(NotReleasedError) as refused:
        scene.verify(attack(scene))
    assert (refused.value.code, refused.value.step, refused.value.reason) == (
        "worker_not_released",
        step,
        code,
    )


def test_a_release_from_another_log_is_refused(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = make_house(tmp_path_factory.mktemp("other"), origin="bauta.test/other", name="other ")
    with pytest.raises(NotReleasedError) as refused:
        scene.verify(scene.answer(signed(REVIEWER), house=elsewhere))
    assert (refused.value.step, refused.value.reason) == ("checkpoint_signed", "wrong_log")


def test_a_second_log_under_the_same_keys_is_refused(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    twin = make_house(tmp_path_factory.mktemp("twin"))
    twin.log.append("job", bytes(32))
    with pytest.raises(NotReleasedError) as refused:
        scene.verify(scene.answer(signed(REVIEWER), house=twin))
    assert (refused.value.step, refused.value.reason) == ("same_log", "log_differs")


def test_a_trust_file_without_release_keys_accepts_nobody(scene: Scene) -> None:
    with pytest.raises(NotReleasedError) as refused:
        scene.verify(scene.answer(signed(REVIEWER)), scene.house.trust)
    assert refused.value.reason == "release_key_unknown"


def test_a_signature_that_the_trust_file_demands_must_be_there(scene: Scene) -> None:
    reviewer = TestSigner("careful reviewer", third=True)
    demanding = dataclasses.replace(
        scene.house.trust,
        releases=(reviewer.public,),
        required_signatures=("ed25519", "mldsa65", "slhdsa128s"),
    )
    statement = worker_release_facts().to_statement()
    whole = sign_envelope(statement, reviewer, demanding.required_signatures)
    assert verify_release(whole, demanding).key == reviewer.public
    with pytest.raises(SignatureError) as refused:
        verify_release(sign_envelope(statement, reviewer), demanding)
    assert refused.value.code == "signature_missing"


def test_an_intake_that_names_nobody_is_refused(scene: Scene) -> None:
    _, release = scene.answer(signed(REVIEWER))
    with pytest.raises(VerificationError) as refused:
        verify_recorded_release(release, scene.trust, (), None)
    assert refused.value.code == "worker_not_released"


def test_every_bit_of_a_release_matters(scene: Scene) -> None:
    intake, release = scene.answer(signed(REVIEWER))
    payload = ProofFile.from_bytes(release).statement.payload
    start = release.index(base64.b64encode(payload)[:16])
    for offset in range(0, len(payload), 37):
        damaged = bytearray(release)
        damaged[start + offset] ^= 1
        with pytest.raises(NotReleasedError):
            scene.verify((intake, bytes(damaged)))


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "0.1.0+jane-doe"},
        {"version": "newest"},
        {"version": "0.1.0\n"},
        {"measurement": "00"},
        {"models": {}},
        {"models": {"jane": hex_of("x")}},
        {"policies": {}},
        {"policies": {"jane-doe": hex_of("x")}},
        {"lock_sha256": ""},
        {"released_at": "yesterday"},
    ],
    ids=str,
)
def test_a_release_has_no_room_for_free_text(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        worker_release_facts(**changes)


def test_a_statement_reads_back_and_takes_no_other_field() -> None:
    facts = worker_release_facts()
    assert WorkerReleaseFacts.from_statement(facts.to_statement()) == facts
    content = json.loads(facts.to_statement())
    assert content["subject"] == [{"name": "worker", "digest": {"sha256": facts.measurement}}]
    content["predicate"]["note"] = "for Jane"
    with pytest.raises(FormatError):
        WorkerReleaseFacts.from_statement(canonical.dumps(content))


def test_an_intake_that_is_not_sound_is_not_called_unreleased(scene: Scene) -> None:
    answer = scene.answer(signed(REVIEWER), valid_until="2026-11-21T11:00:00Z")
    with pytest.raises(VerificationError) as refused:
        scene.verify(answer)
    assert refused.value.code == "intake_expired"


def test_a_withdrawn_version_is_refused_once_its_key_is_no_longer_trusted(scene: Scene) -> None:
    replayed = scene.answer(signed(REVIEWER))
    # Honest about what a register without revocation does: the old release still counts under its old key.
    assert scene.verify(replayed).release.key == REVIEWER.public
    with pytest.raises(NotReleasedError) as refused:
        scene.verify(replayed, dataclasses.replace(scene.trust, releases=(STRANGER.public,)))
    assert refused.value.reason == "release_key_unknown"


def test_fingerprints_tell_keys_apart() -> None:
    assert len({fingerprint(TestSigner(name).public) for name in ("a", "b", "c")}) == 3
    third = TestSigner("a", third=True).public
    assert fingerprint(third) != fingerprint(TestSigner("a").public)
