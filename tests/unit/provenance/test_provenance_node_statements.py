"""What the service itself vouches for: believed only with its key, in its log, as what it claims to be."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from provenance_makers import RESULT, House, TestSigner, hex_of, make_house
from statement_makers import SOUND

from provenance.dsse import sign_envelope
from provenance.errors import ProvenanceError
from provenance.node_statements import (
    NODE_STATEMENTS,
    NodeStatement,
    claimed_kind,
    require_about,
    verify_node_statement,
)
from provenance.statements import (
    Facts,
    FailureFacts,
    JobFacts,
    KeyRotationFacts,
    PolicyFacts,
    SubmissionFacts,
)
from provenance.verifier import VerificationError, VerifiedResult, verify_result

UPLOAD = b"an age file" * 100


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def proof_of(house: House, facts: Facts, kind: str = "", signer: TestSigner | None = None) -> bytes:
    """What a service would hand out."""
    return house.prove(sign_envelope(facts.to_statement(), signer or house.node), kind=kind or facts.kind())


@pytest.mark.parametrize("kind", NODE_STATEMENTS, ids=lambda kind: kind.__name__)
def test_a_sound_one_is_believed(house: House, kind: type[Facts]) -> None:
    facts = SOUND[kind]()
    proof = proof_of(house, facts)
    assert claimed_kind(proof) is kind
    said = verify_node_statement(proof, house.trust, kind)
    assert said.facts == facts
    assert said.log_index < said.checkpoint.size
    assert [step.status for step in said.steps if step.step == "upload_matches"] == ["not asked"]
    assert verify_node_statement(proof, house.trust.to_bytes(), kind).facts == facts


@pytest.mark.parametrize("kind", NODE_STATEMENTS, ids=lambda kind: kind.__name__)
def test_by_somebody_else_it_is_not(house: House, kind: type[Facts]) -> None:
    proof = proof_of(house, SOUND[kind](), signer=TestSigner("a stranger"))
    with pytest.raises(VerificationError) as refusal:
        verify_node_statement(proof, house.trust, kind)
    assert refusal.value.step == "statement_signed"


@pytest.mark.parametrize("kind", NODE_STATEMENTS, ids=lambda kind: kind.__name__)
def test_recorded_as_something_else_it_is_not(house: House, kind: type[Facts]) -> None:
    proof = proof_of(house, SOUND[kind](), kind="job")
    with pytest.raises(VerificationError) as refusal:
        verify_node_statement(proof, house.trust, kind)
    assert refusal.value.step == "entry_recorded"


def test_one_kind_is_never_read_as_another(house: House) -> None:
    proof = proof_of(house, SOUND[PolicyFacts](), kind="submission")
    with pytest.raises(VerificationError) as refusal:
        verify_node_statement(proof, house.trust, SubmissionFacts)
    assert (refusal.value.step, refusal.value.code) == ("statement_signed", "wrong_statement")


def test_in_the_log_of_another_service_it_is_not(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_house(tmp_path / "other", "bauta.test/other", "other")
    proof = proof_of(other, SOUND[SubmissionFacts](), signer=house.node)
    with pytest.raises(VerificationError) as refusal:
        verify_node_statement(proof, house.trust, SubmissionFacts)
    assert refusal.value.step == "checkpoint_signed"


def test_a_receipt_is_of_one_upload_to_the_last_byte(house: House) -> None:
    proof = proof_of(house, SOUND[SubmissionFacts](upload_sha256=hashlib.sha256(UPLOAD).hexdigest()))
    said = verify_node_statement(proof, house.trust, SubmissionFacts, io.BytesIO(UPLOAD))
    assert {step.status for step in said.steps} <= {"ok", "not asked"}
    assert said.steps[-1].status == "ok"
    for other in (UPLOAD[:-1], UPLOAD + b"x", b"", UPLOAD.replace(b"age", b"AGE", 1)):
        with pytest.raises(VerificationError) as refusal:
            verify_node_statement(proof, house.trust, SubmissionFacts, io.BytesIO(other))
        assert (refusal.value.step, refusal.value.code) == ("upload_matches", "upload_differs")


def test_only_a_receipt_is_compared_with_an_upload(house: House) -> None:
    proof = proof_of(house, SOUND[PolicyFacts]())
    with pytest.raises(VerificationError) as refusal:
        verify_node_statement(proof, house.trust, PolicyFacts, io.BytesIO(UPLOAD))
    assert (refusal.value.step, refusal.value.code) == ("upload_matches", "wrong_statement")


@pytest.mark.parametrize("untrusted", [b"", b"{}\n", b"\xff" * 40, b"[" * 5000 + b"\n"])
def test_what_claims_nothing_is_read_as_a_receipt_and_refused(house: House, untrusted: bytes) -> None:
    assert claimed_kind(untrusted) is SubmissionFacts
    with pytest.raises(VerificationError) as refusal:
        verify_node_statement(untrusted, house.trust, SubmissionFacts)
    assert refusal.value.step == "proof_well_formed"


def test_a_result_is_no_word_of_the_node(house: House) -> None:
    """The worker signs results; one that claims to be a receipt is none."""
    proof = house.prove_job()
    assert claimed_kind(proof) is SubmissionFacts
    assert JobFacts not in NODE_STATEMENTS
    with pytest.raises(VerificationError):
        verify_node_statement(proof, house.trust, SubmissionFacts)


def verified(
    house: House, record: Facts, *, before: bool = True
) -> tuple[NodeStatement[Facts], VerifiedResult]:
    """A record and a result, in this order in the log or in the other."""
    recorded = proof_of(house, record) if before else b""
    result = verify_result(io.BytesIO(RESULT), house.prove_job(), house.trust)
    said = verify_node_statement(recorded or proof_of(house, record), house.trust, type(record))
    return said, result


FITTING: dict[str, Facts] = {
    "a receipt of the job": SOUND[SubmissionFacts](),
    "its policy": SOUND[PolicyFacts](policy_sha256=hex_of("policy")),
}
OTHERS: dict[str, Facts] = {
    "a receipt of another job": SOUND[SubmissionFacts](job_id="f" * 32),
    "a receipt under other terms": SOUND[SubmissionFacts](terms_sha256=hex_of("other terms")),
    "a receipt of another upload": SOUND[SubmissionFacts](upload_header_sha256=hex_of("other header")),
    "another policy": SOUND[PolicyFacts](),
    "a failure of the job": SOUND[FailureFacts](),
    "a destroyed key": SOUND[KeyRotationFacts](),
}


@pytest.mark.parametrize("name", FITTING)
def test_a_record_that_fits_a_result(house: House, name: str) -> None:
    assert require_about(*verified(house, FITTING[name])).endswith(".")


@pytest.mark.parametrize("name", OTHERS)
def test_a_record_of_something_else(house: House, name: str) -> None:
    with pytest.raises(ProvenanceError) as refusal:
        require_about(*verified(house, OTHERS[name]))
    assert refusal.value.code == "record_differs"


@pytest.mark.parametrize("name", FITTING)
def test_a_record_that_was_made_afterwards(house: House, name: str) -> None:
    with pytest.raises(ProvenanceError) as refusal:
        require_about(*verified(house, FITTING[name], before=False))
    assert refusal.value.code == "record_differs"
