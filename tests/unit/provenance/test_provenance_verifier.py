"""The verifier against whoever wants a false proof to pass: every attack must fail, at the step it should."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from provenance_makers import (
    NOW,
    RECIPIENT,
    RESULT,
    SIGNED_AT,
    House,
    TestLogKeys,
    TestSigner,
    intake_facts,
    job_facts,
    make_house,
    seed,
)

from provenance import canonical
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import FormatError
from provenance.keys import STATEMENT_SUITE
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.verifier import (
    INTAKE_STEPS,
    RESULT_STEPS,
    VerificationError,
    verify_intake,
    verify_opening,
    verify_result,
)


def refused(house: House, proof: bytes, result: bytes = RESULT, trust: Trust | bytes | None = None) -> str:
    """The step at which a result is refused."""
    with pytest.raises(VerificationError) as caught:
        verify_result(io.BytesIO(result), proof, house.trust if trust is None else trust)
    assert_named(caught.value)
    return caught.value.step


NOT_ASKED = {"checkpoint_witnessed", "timestamps_believed", "credentials_trusted"}
"""What the trust file of the tests does not demand."""


def assert_named(error: VerificationError) -> None:
    """A failure names its step, says what held before it and does not pretend about the rest."""
    statuses = [step.status for step in error.steps]
    failed = statuses.index("failed")
    left = {step.step for step in error.steps[:failed] if step.status == "not asked"}
    assert left <= NOT_ASKED
    assert set(statuses[:failed]) <= {"ok", "not asked"}
    assert statuses[failed:] == ["failed"] + ["not reached"] * (len(statuses) - failed - 1)
    assert error.steps[failed].step == error.step
    assert error.code
    assert str(error)


def parts(proof: bytes) -> dict[str, Any]:
    return json.loads(proof)


def joined(content: dict[str, Any]) -> bytes:
    return canonical.dumps(content) + b"\n"


def test_a_sound_proof_says_what_was_done(house: House) -> None:
    proof = house.prove_job()
    verified = verify_result(io.BytesIO(RESULT), proof, house.trust)
    assert verified.facts == job_facts()
    assert verified.release.worker_key == TestSigner("worker").public
    assert verified.checkpoint.size == 6
    assert verified.checkpoint.signed_at == SIGNED_AT
    assert verified.log_index == 5
    due = {
        **dict.fromkeys(RESULT_STEPS, "ok"),
        "checkpoint_witnessed": "not asked",
        "timestamps_believed": "not asked",
        "credentials_trusted": "not asked",
    }
    assert {step.step: step.status for step in verified.steps} == due
    assert [step.step for step in verified.steps] == list(RESULT_STEPS)
    again = verify_result(io.BytesIO(RESULT), proof, house.trust.to_bytes())
    assert again == verified


def test_a_proof_stays_good_when_the_log_grows(house: House) -> None:
    proof = house.prove_job()
    for index in range(20):
        house.log.append("failure", seed(f"later {index}"))
    verify_result(io.BytesIO(RESULT), proof, house.trust)


def test_no_flipped_byte_of_a_proof_passes(house: House) -> None:
    proof = house.prove_job()
    steps = set()
    # Every byte of the frame and the log part, which are not signed as a whole; every fifth of the rest.
    dense = [*range(200), *range(proof.index(b'"log":') - 50, proof.index(b'"log":') + 900)]
    for position in sorted({*dense, *range(0, len(proof), 5), *range(len(proof) - 50, len(proof))}):
        flipped = bytearray(proof)
        flipped[position] ^= 1 << (position % 8)
        steps.add(refused(house, bytes(flipped)))
    assert {"proof_well_formed", "entry_recorded", "checkpoint_signed", "evidence_signed"} <= steps


def test_no_flipped_byte_of_a_signature_passes(house: House) -> None:
    content = parts(house.prove_job())
    for envelope, step in (
        (content["evidence"][0], "evidence_signed"),
        (content["statement"], "entry_recorded"),
    ):
        for signature in envelope["signatures"]:
            honest = signature["sig"]
            for position in range(0, len(honest) - 4, 97):
                swapped = "A" if honest[position] != "A" else "B"
                signature["sig"] = honest[:position] + swapped + honest[position + 1 :]
                assert refused(house, joined(content)) == step
            signature["sig"] = honest


def test_no_flipped_byte_of_a_result_passes(house: House) -> None:
    proof = house.prove_job()
    for position in range(len(RESULT)):
        for bit in (0, 7):
            flipped = bytearray(RESULT)
            flipped[position] ^= 1 << bit
            assert refused(house, proof, bytes(flipped)) == "result_matches"


@pytest.mark.parametrize("result", [b"", RESULT[:-1], RESULT + b"\0", RESULT * 2], ids=len)
def test_a_result_of_another_length_fails(house: House, result: bytes) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_result(io.BytesIO(result), house.prove_job(), house.trust)
    assert (caught.value.step, caught.value.code) == ("result_matches", "result_wrong_size")


class Endless(io.RawIOBase):
    """A file that never ends, as a device or a pipe can be."""

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def test_a_result_without_an_end_is_refused(house: House) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_result(Endless(), house.prove_job(), house.trust)
    assert caught.value.code == "result_wrong_size"


def test_a_proof_cut_short_anywhere_fails(house: House) -> None:
    proof = house.prove_job()
    for length in (*range(0, len(proof), 501), len(proof) - 2, len(proof) - 1):
        assert refused(house, proof[:length]) == "proof_well_formed"
    assert refused(house, proof + b"\n") == "proof_well_formed"
    assert refused(house, proof + proof) == "proof_well_formed"


def test_another_spelling_of_a_proof_fails(house: House) -> None:
    proof = house.prove_job()
    for spelling in (
        json.dumps(json.loads(proof)).encode() + b"\n",
        proof.replace(b'"format"', b'"f\\u006frmat"', 1),
        proof.replace(b"{", b'{"format":"bauta.proof/v1",', 1),
        proof.replace(b"{", b'{"comment":"",', 1),
        proof.replace(b"bauta.proof/v1", b"bauta.proof/v2", 1),
        b"\xef\xbb\xbf" + proof,
    ):
        assert refused(house, spelling) == "proof_well_formed"


@pytest.mark.parametrize("left", [0, 1], ids=["only Ed25519", "only ML-DSA-65"])
@pytest.mark.parametrize("where", ["statement", "evidence"])
def test_a_stripped_signature_fails(house: House, where: str, left: int) -> None:
    content = parts(house.prove_job())
    envelope = content["statement"] if where == "statement" else content["evidence"][0]
    envelope["signatures"] = [envelope["signatures"][left]]
    assert refused(house, joined(content)) == "proof_well_formed"
    envelope["signatures"] *= 2
    assert refused(house, joined(content)) == "proof_well_formed"


def test_swapped_signatures_fail(house: House) -> None:
    content = parts(house.prove_job())
    content["evidence"][0]["signatures"].reverse()
    assert refused(house, joined(content)) == "proof_well_formed"


class HalfSigner(TestSigner):
    """Holds one of the two private keys, and guesses the other signature."""

    def __init__(self, name: str, broken: int) -> None:
        super().__init__(name)
        self._broken = broken

    def sign(self, message: bytes, algorithms: Sequence[str] = STATEMENT_SUITE) -> Any:
        signatures = list(super().sign(message, algorithms))
        signatures[self._broken] = super().sign(b"another message", algorithms)[self._broken]
        return tuple(signatures)


@pytest.mark.parametrize("broken", [0, 1], ids=["Ed25519 broken", "ML-DSA-65 broken"])
def test_one_good_signature_is_not_enough(house: House, broken: int) -> None:
    worker = TestSigner("worker")
    statement = job_facts().to_statement()
    half = house.prove(sign_envelope(statement, HalfSigner("worker", broken)), [house.release(worker)])
    assert refused(house, half) == "statement_signed"
    honest = sign_envelope(statement, worker)
    evidence = Envelope.from_bytes(house.release(worker).to_bytes())
    forged = sign_envelope(evidence.payload, HalfSigner("node", broken))
    assert refused(house, house.prove(honest, [forged])) == "evidence_signed"


def test_a_worker_that_the_node_did_not_certify_fails(house: House) -> None:
    stranger, worker = TestSigner("stranger"), TestSigner("worker")
    statement = sign_envelope(job_facts().to_statement(), stranger)
    assert refused(house, house.prove(statement, [house.release(worker)])) == "statement_signed"
    own_evidence = sign_envelope(house.release(stranger).payload, stranger)
    assert refused(house, house.prove(statement, [own_evidence])) == "evidence_signed"


def test_evidence_swapped_between_two_jobs_fails(house: House) -> None:
    first = parts(house.prove_job("first", job_id="1" * 32))
    second = parts(house.prove_job("second", job_id="2" * 32))
    first["evidence"] = second["evidence"]
    assert refused(house, joined(first)) == "statement_signed"


@pytest.mark.parametrize(
    "change",
    [
        {"job_id": "f" * 32},
        {"measurement": seed("other code").hex()},
        {"policy_sha256": seed("other policy").hex()},
        {"terms_sha256": seed("other terms").hex()},
        {"tier": "cvm"},
        {"walls": ("landlock_fs", "net_namespace", "seccomp", "user_namespace")},
        {"walls": ()},
    ],
    ids=str,
)
def test_a_worker_that_boasts_fails(house: House, change: dict[str, Any]) -> None:
    worker = TestSigner("worker")
    statement = sign_envelope(job_facts(**change).to_statement(), worker)
    assert refused(house, house.prove(statement, [house.release(worker)])) == "facts_agree"


def test_a_statement_replayed_for_another_result_fails(house: House) -> None:
    proof = house.prove_job(result=RESULT)
    assert refused(house, proof, result=b"something else of the same service") == "result_matches"


def test_a_statement_of_another_kind_fails(house: House) -> None:
    worker = TestSigner("worker")
    intake = sign_envelope(intake_facts().to_statement(), worker)
    assert refused(house, house.prove(intake, [house.release(worker)])) == "statement_signed"
    honest = sign_envelope(job_facts().to_statement(), worker)
    as_evidence = sign_envelope(job_facts().to_statement(), house.node)
    assert refused(house, house.prove(honest, [as_evidence])) == "evidence_signed"


def test_a_job_recorded_as_another_kind_fails(house: House) -> None:
    worker = TestSigner("worker")
    statement = sign_envelope(job_facts().to_statement(), worker)
    proof = house.prove(statement, [house.release(worker)], kind="failure")
    assert refused(house, proof) == "entry_recorded"


@pytest.mark.parametrize("count", [0, 2, 5])
def test_the_wrong_amount_of_evidence_fails(house: House, count: int) -> None:
    content = parts(house.prove_job())
    content["evidence"] *= count
    assert refused(house, joined(content)) == "proof_well_formed"


def test_a_statement_that_was_never_recorded_fails(house: House) -> None:
    recorded = parts(house.prove_job("first"))
    unrecorded = sign_envelope(job_facts().to_statement(), TestSigner("second"))
    content = {
        **recorded,
        "statement": unrecorded.to_object(),
        "evidence": [house.release(TestSigner("second")).to_object()],
    }
    assert refused(house, joined(content)) == "entry_recorded"


def test_a_proof_at_another_index_fails(house: House) -> None:
    content = parts(house.prove_job())
    for index in (0, 4, 6, 7, 1 << 40):
        moved = {**content, "log": content["log"].replace("index 5\n", f"index {index}\n")}
        assert refused(house, joined(moved)) == "entry_recorded"


def test_a_fork_of_the_log_fails(house: House, tmp_path: Path) -> None:
    """Same name, same entries, other keys; and the honest log's signatures over a forged root."""
    (tmp_path / "fork").mkdir()
    fork = make_house(tmp_path / "fork", name="fork/")
    worker = TestSigner("worker")
    evidence = house.release(worker)
    statement = sign_envelope(job_facts().to_statement(), worker)
    assert refused(house, fork.prove(statement, [evidence])) == "checkpoint_signed"
    own = ProofFile.from_bytes(house.prove_job("other"))
    place = TlogProof.parse(ProofFile.from_bytes(fork.prove(statement, [evidence])).log)
    head = place.checkpoint.split(b"\n\n")[0]
    signatures = TlogProof.parse(own.log).checkpoint.split(b"\n\n")[1]
    mixed = TlogProof(place.index, place.hashes, head + b"\n\n" + signatures)
    forged = ProofFile(statement, (evidence,), mixed.to_bytes()).to_bytes()
    assert refused(house, forged) == "checkpoint_signed"
    fork.log.close()


def test_a_log_of_another_name_fails(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_house(tmp_path / "other", origin="other.test/log")
    worker = TestSigner("worker")
    proof = other.prove(sign_envelope(job_facts().to_statement(), worker), [house.release(worker)])
    with pytest.raises(VerificationError) as caught:
        verify_result(io.BytesIO(RESULT), proof, house.trust)
    assert (caught.value.step, caught.value.code) == ("checkpoint_signed", "wrong_log")
    other.log.close()


@pytest.mark.parametrize("line", [-3, -2], ids=["no Ed25519", "no ML-DSA-44"])
def test_a_checkpoint_with_a_line_missing_fails(house: House, line: int) -> None:
    content = parts(house.prove_job())
    lines = content["log"].split("\n")
    del lines[line]
    assert refused(house, joined({**content, "log": "\n".join(lines)})) == "checkpoint_signed"


def test_a_stranger_s_line_under_a_checkpoint_changes_nothing_and_a_second_one_of_the_log_fails(
    house: House,
) -> None:
    content = parts(house.prove_job())
    stranger = TestLogKeys("stranger.test", "stranger")
    extra = stranger.sign_checkpoint(b"stranger.test\n0\n" + b"A" * 43 + b"=\n").decode().split("\n\n")[1]
    with_stranger = joined({**content, "log": content["log"] + extra})
    verified = verify_result(io.BytesIO(RESULT), with_stranger, house.trust)
    assert verified.checkpoint.size == 6
    twice = content["log"] + content["log"].split("\n\n")[2]
    assert refused(house, joined({**content, "log": twice})) == "checkpoint_signed"


def test_another_trust_file_fails(house: House, tmp_path: Path) -> None:
    proof = house.prove_job()
    node = Trust(TestSigner("stranger").public, house.trust.log_origin, house.trust.log_vkeys)
    assert refused(house, proof, trust=node) == "evidence_signed"
    keys = Trust(house.trust.node, house.trust.log_origin, TestLogKeys(name="stranger").vkeys)
    assert refused(house, proof, trust=keys) == "checkpoint_signed"
    assert refused(house, proof, trust=b"") == "trust_readable"
    assert refused(house, proof, trust=b"{}") == "trust_readable"


def test_an_intake_verifies_within_its_validity(house: House) -> None:
    facts = verify_intake(house.prove_intake(), house.trust, NOW)
    assert facts.recipient == RECIPIENT


@pytest.mark.parametrize("shift", [timedelta(days=-1), timedelta(hours=12), timedelta(days=365)], ids=str)
def test_an_intake_out_of_its_time_fails(house: House, shift: timedelta) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_intake(house.prove_intake(), house.trust, NOW + shift)
    assert (caught.value.step, caught.value.code) == ("within_validity", "intake_expired")
    assert_named(caught.value)
    assert [step.step for step in caught.value.steps] == list(INTAKE_STEPS)


def test_a_time_without_a_zone_fails(house: House) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_intake(house.prove_intake(), house.trust, NOW.replace(tzinfo=None))
    assert caught.value.step == "within_validity"


def test_an_intake_that_the_node_did_not_sign_fails(house: House) -> None:
    forged = sign_envelope(intake_facts().to_statement(), TestSigner("stranger"))
    with pytest.raises(VerificationError) as caught:
        verify_intake(house.prove(forged, kind="intake"), house.trust, NOW)
    assert caught.value.step == "statement_signed"


def test_a_job_is_no_intake(house: House) -> None:
    with pytest.raises(VerificationError) as caught:
        verify_intake(house.prove_job(), house.trust, NOW)
    assert caught.value.step == "proof_well_formed"
    unsealed = house.prove(sign_envelope(job_facts().to_statement(), house.node), kind="intake")
    with pytest.raises(VerificationError) as caught:
        verify_intake(unsealed, house.trust, NOW)
    assert (caught.value.step, caught.value.code) == ("statement_signed", "wrong_statement")


def test_a_commitment_opens_with_the_original_and_the_salt_only() -> None:
    original, salt = b"the original" * 1000, seed("salt")
    commitment = hmac.new(salt, original, hashlib.sha256).digest()
    verify_opening(io.BytesIO(original), salt, commitment)
    for wrong in (
        (original + b"\0", salt, commitment),
        (original, seed("other salt"), commitment),
        (original, salt[:31], commitment),
        # HMAC pads its key with zeros: without a fixed length, a salt would have several spellings.
        (original, salt[:31], hmac.new(salt[:31], original, hashlib.sha256).digest()),
        (original, salt + b"\0", commitment),
        (original, b"", commitment),
        (original, salt, commitment[:31]),
        (original, salt, b""),
    ):
        with pytest.raises(VerificationError) as caught:
            verify_opening(io.BytesIO(wrong[0]), wrong[1], wrong[2])
        assert caught.value.step == "commitment_opens"


def test_the_verifier_loads_no_database_and_no_network() -> None:
    """Whoever checks a proof needs neither; what is loaded besides cryptography is ours and small.

    `socket` is loaded, by the email addresses of `cryptography.x509`; what would open one is not. That none
    is opened for a stamped proof, test_provenance_timestamps.py shows.
    """
    script = (
        "import sys, provenance.verifier;"
        "heavy = {'sqlite3', 'sqlite_utils', 'ssl', 'asyncio', 'http', 'grpc', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_trust_of_a_single_log_key_is_refused(house: House) -> None:
    for vkeys in (house.trust.log_vkeys[:1], house.trust.log_vkeys[1:], (), house.trust.log_vkeys[:1] * 2):
        with pytest.raises(FormatError):
            Trust(house.trust.node, house.trust.log_origin, vkeys)
