"""Somebody owns the front desk: its channels, its disk, its log. Each swap is refused, and nothing opens.

What the memory and the files outside worker and vault hold is searched by `test_plaintext_stays_inside`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import media_factory
import pytest
from taken_over import Job, TakenOver, new_job, victim_terms

from enclave.policy import Terms, shipped
from keyvault.age import HybridIdentity, HybridRecipient, SealWriter, open_sealed
from keyvault.client import VaultRefusedError
from keyvault.signing.hybrid import HybridSigner
from provenance.dsse import Envelope, sign_envelope
from provenance.proof import ProofFile
from provenance.statements import JobFacts, ReleaseFacts
from provenance.verifier import VerificationError, verify_result

ATTACKER = HybridIdentity.generate()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TakenOver]:
    """One vault and one worker host for all attacks: after each of them they serve the next."""
    with TakenOver(tmp_path_factory.mktemp("taken-over")) as taken_over:
        yield taken_over


@dataclass
class Victim:
    """A submitter with a picture, terms, and the identity that opens the result."""

    terms: Terms
    identity: HybridIdentity
    picture: bytes

    def opened(self, sealed: bytes) -> bytes:
        plaintext = BytesIO()
        open_sealed(BytesIO(sealed), plaintext, [self.identity])
        return plaintext.getvalue()


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Victim:
    """Somebody with something to hide."""
    terms, identity = victim_terms()
    picture = media_factory.face_image(tmp_path_factory.mktemp("victim") / "face.png", size=(96, 96))
    return Victim(terms, identity, picture.read_bytes())


@pytest.fixture
def job(desk: TakenOver, victim: Victim) -> Job:
    """The victim's upload, freshly sealed, as it lies in the spool."""
    return new_job(desk.seal(victim.picture, victim.terms), victim.terms)


def refusal(step: Callable[[], object]) -> str:
    with pytest.raises(VaultRefusedError) as refused:
        step()
    return refused.value.code


def test_an_honest_desk_gets_a_job_done(desk: TakenOver, victim: Victim, job: Job) -> None:
    """The control: without it every refusal below would prove nothing."""
    desk.accept(job)
    assert desk.run(job).outcome == "done"
    proof = desk.prove(job.reports[-1].result.statement, job.evidence)
    media = victim.opened(job.result)
    assert verify_result(BytesIO(media), proof, desk.trust).facts.job_id == job.job_id.hex()
    assert media != victim.picture


def swapped_terms(victim: Victim) -> dict[str, Terms]:
    """What a thief would like to be asked for instead."""
    policies = shipped()
    return {
        "the policy": replace(
            victim.terms, policy=policies["classroom"], mode=policies["classroom"].modes[0]
        ),
        "the mode": replace(victim.terms, mode=victim.terms.policy.modes[1]),
        "the recipient": replace(victim.terms, recipients=(str(ATTACKER.recipient),)),
        "one more recipient": replace(
            victim.terms, recipients=tuple(sorted((*victim.terms.recipients, str(ATTACKER.recipient))))
        ),
    }


@pytest.mark.parametrize("what", ["the policy", "the mode", "the recipient", "one more recipient"])
def test_swapped_before_the_upload_was_accepted(desk: TakenOver, victim: Victim, job: Job, what: str) -> None:
    job.terms = swapped_terms(victim)[what].to_bytes()
    desk.accept(job)
    assert desk.run(job).outcome == "terms_mismatch"
    assert job.result == b""


@pytest.mark.parametrize("what", ["the policy", "the mode", "the recipient", "one more recipient"])
def test_swapped_after_the_upload_was_accepted(desk: TakenOver, victim: Victim, job: Job, what: str) -> None:
    desk.accept(job)
    job.terms = swapped_terms(victim)[what].to_bytes()
    assert desk.run(job).outcome == "release_refused"
    assert job.result == b""


def test_another_upload_after_acceptance(desk: TakenOver, victim: Victim, job: Job) -> None:
    desk.accept(job)
    job.upload = desk.seal(victim.picture, victim.terms)
    assert desk.run(job).outcome == "release_refused"


def test_another_payload_under_the_true_header(desk: TakenOver, victim: Victim, job: Job) -> None:
    desk.accept(job)
    header, other = job.header, desk.seal(b"another file", victim.terms)
    payload = other[len(new_job(other, victim.terms).header) :]
    job.upload = header + payload
    assert desk.run(job).outcome == "age_payload_corrupt"


def test_an_upload_that_the_thief_sealed_with_a_recipient_of_his_own(desk: TakenOver, victim: Victim) -> None:
    """He cannot open the victim's upload to seal it again, so all he gets covered is his own picture."""
    own = replace(victim.terms, recipients=(str(ATTACKER.recipient),))
    mine = new_job(desk.seal(b"not a picture", own), own)
    desk.accept(mine)
    assert desk.run(mine).outcome == "media_unknown_format"


def test_the_workers_keys_swapped_in_the_evidence(desk: TakenOver, job: Job) -> None:
    """The evidence passes through the desk; a forged one is not what the vault waits for."""
    thief = HybridSigner.generate()
    desk.accept(job)
    refused: list[str] = []

    def swap(evidence: bytes) -> None:
        facts = ReleaseFacts.from_statement(Envelope.from_bytes(evidence).payload)
        forged = replace(facts, worker_ed25519=thief.public.ed25519, worker_mldsa65=thief.public.mldsa65)
        envelope = sign_envelope(forged.to_statement(), thief)
        index = desk.log.append("release", envelope.digest)
        refused.append(refusal(lambda: desk.vault.confirm_release(job.job_id, desk.log.proof_for(index))))
        desk.vault.end_job(job.job_id)
        desk.record(job.job_id, evidence)

    assert desk.run(job, swap).outcome == "release_refused"
    assert refused == ["release_proof_invalid"]
    assert job.result == b""


def test_an_old_release_replayed(desk: TakenOver, victim: Victim, job: Job) -> None:
    old = new_job(desk.seal(victim.picture, victim.terms), victim.terms)
    desk.accept(old)
    assert desk.run(old).outcome == "done"
    desk.accept(job)
    refused: list[str] = []

    def replay(evidence: bytes) -> None:
        index = desk.log.append("release", Envelope.from_bytes(old.evidence).digest)
        refused.append(refusal(lambda: desk.vault.confirm_release(job.job_id, desk.log.proof_for(index))))
        desk.record(job.job_id, evidence)

    assert desk.run(job, replay).outcome == "done"
    assert refused == ["release_proof_invalid"]


def test_an_ended_job_run_again(desk: TakenOver, job: Job) -> None:
    desk.accept(job)
    assert desk.run(job).outcome == "done"
    desk.vault.end_job(job.job_id)
    assert run_again(desk, job) == "release_refused"


def run_again(desk: TakenOver, job: Job) -> str:
    """The same number once more, as soon as the host has buried the first child."""
    while (again := desk.run(Job(job.job_id, job.upload, job.terms))).outcome == "worker_not_ready":
        time.sleep(0.05)
    return again.outcome


@pytest.fixture(scope="module")
def done(desk: TakenOver, victim: Victim) -> Job:
    """A job that went well; its proof is what the thief now works on."""
    job = new_job(desk.seal(victim.picture, victim.terms), victim.terms)
    desk.accept(job)
    return desk.run(job)


def failed_step(media: bytes, proof: bytes, desk: TakenOver) -> tuple[str, str]:
    with pytest.raises(VerificationError) as failed:
        verify_result(BytesIO(media), proof, desk.trust)
    return failed.value.step, failed.value.code


def test_evidence_of_his_own_in_the_proof(desk: TakenOver, victim: Victim, done: Job) -> None:
    thief = HybridSigner.generate()
    facts = ReleaseFacts.from_statement(Envelope.from_bytes(done.evidence).payload)
    forged = replace(facts, worker_ed25519=thief.public.ed25519, worker_mldsa65=thief.public.mldsa65)
    truth = JobFacts.from_statement(Envelope.from_bytes(done.reports[-1].result.statement).payload)
    lie = sign_envelope(replace(truth, tracks=truth.tracks + 1).to_statement(), thief)
    proof = desk.prove(lie.to_bytes(), sign_envelope(forged.to_statement(), thief).to_bytes())
    assert failed_step(victim.opened(done.result), proof, desk) == ("evidence_signed", "wrong_signer")


def test_a_statement_of_his_own_under_true_evidence(desk: TakenOver, victim: Victim, done: Job) -> None:
    thief = HybridSigner.generate()
    truth = Envelope.from_bytes(done.reports[-1].result.statement).payload
    proof = desk.prove(sign_envelope(truth, thief).to_bytes(), done.evidence)
    assert failed_step(victim.opened(done.result), proof, desk) == ("statement_signed", "wrong_signer")


def test_the_evidence_of_another_job(desk: TakenOver, victim: Victim, job: Job, done: Job) -> None:
    desk.accept(job)
    desk.run(job)
    proof = desk.prove(done.reports[-1].result.statement, job.evidence)
    assert failed_step(victim.opened(done.result), proof, desk) == ("statement_signed", "wrong_signer")


def test_a_result_of_his_own_sealed_to_the_victim(desk: TakenOver, victim: Victim, done: Job) -> None:
    """Anybody can seal to a public recipient: it opens, and it does not verify."""
    sealed = BytesIO()
    with SealWriter(sealed, [HybridRecipient.parse(victim.terms.recipients[0])]) as writer:
        writer.write(victim.picture)
    proof = desk.prove(done.reports[-1].result.statement, done.evidence)
    step, code = failed_step(victim.opened(sealed.getvalue()), proof, desk)
    assert step == "result_matches"
    assert code in {"result_changed", "result_wrong_size"}


def test_a_proof_that_is_in_no_log(desk: TakenOver, victim: Victim, done: Job) -> None:
    honest = ProofFile.from_bytes(desk.prove(done.reports[-1].result.statement, done.evidence))
    elsewhere = desk.log.proof_for(desk.log.append("failure", secrets.token_bytes(32)))
    proof = replace(honest, log=elsewhere).to_bytes()
    assert failed_step(victim.opened(done.result), proof, desk)[0] == "entry_recorded"


def test_a_log_rewritten_to_forget_a_release(desk: TakenOver) -> None:
    text = desk.log.latest_checkpoint().split(b"\n\n")[0] + b"\n"
    origin, size, _root = text.decode().splitlines()
    other_root = "A" * 43 + "="
    for rewritten, code in (
        (f"{origin}\n{size}\n{other_root}\n", "checkpoint_forks"),
        (f"{origin}\n{int(size) - 1}\n{other_root}\n", "checkpoint_shrinks"),
        (f"{origin}\n{int(size) + 1}\n{other_root}\n", "checkpoint_forgets"),
    ):
        assert refusal(lambda: desk.vault.sign_checkpoint(rewritten.encode(), lambda _: [])) == code  # noqa: B023


def test_an_old_upload_once_its_keys_are_gone(tmp_path: Path, victim: Victim) -> None:
    """Everything that was ever on the desk's disk, and the vault still running: nobody opens it."""
    lifetime = ("--intake-lifetime-seconds", "1", "--intake-grace-seconds", "9")
    with TakenOver(tmp_path, *lifetime) as desk:
        job = new_job(desk.seal(victim.picture, victim.terms), victim.terms)
        gone_at = time.monotonic() + 10.5
        desk.accept(job)
        assert desk.run(job).outcome == "done"
        desk.vault.end_job(job.job_id)
        # An announcement and its grace: after both, with nothing running, the key must be gone.
        time.sleep(max(0.0, gone_at - time.monotonic()))
        again = Job(secrets.token_bytes(16), job.upload, job.terms)
        assert refusal(lambda: desk.accept(again)) == "intake_key_unknown"
        assert run_again(desk, job) == "release_refused"
