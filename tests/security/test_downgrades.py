"""Whoever weakens a proof is refused by name: a signature stripped, swapped, doubled, or never demanded.

The attacker here owns the front desk and the log's disk: what is changed is recorded anew, so that only the
signatures stand between it and a verifier. Uploads are in `test_upload_downgrades`.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from provenance import canonical
from provenance.dsse import PAYLOAD_TYPE, Envelope, pae, sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import (
    ED25519,
    MLDSA65,
    SLHDSA128S,
    STATEMENT_SIGNATURES,
    STATEMENT_SUITE,
    Signature,
    key_id,
)
from provenance.proof import ProofFile
from provenance.statements import STATEMENTS, Facts
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.verifier import VerificationError, verify_intake, verify_result
from tests.unit.provenance.provenance_makers import (
    NOW,
    RESULT,
    House,
    TestSigner,
    failure_facts,
    intake_facts,
    job_facts,
    make_house,
    release_facts,
)
from tests.unit.provenance.statement_makers import SOUND

WORKER = TestSigner("worker")
LASTING_WORKER = TestSigner("worker", third=True)
ALL_THREE = STATEMENT_SIGNATURES


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A node and a log; the attacker may write to the log, and holds no key."""
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


def refusal(house: House, proof: bytes, trust: Trust | bytes | None = None) -> tuple[str, str]:
    """The step at which a proof is refused, and the code."""
    with pytest.raises(VerificationError) as caught:
        verify_result(io.BytesIO(RESULT), proof, house.trust if trust is None else trust)
    return caught.value.step, caught.value.code


def sound(house: House, worker: TestSigner) -> tuple[Envelope, Envelope]:
    """A statement and its evidence, with as many signatures as the worker has keys."""
    facts = job_facts(signatures=worker.public.algorithms)
    return sign_envelope(facts.to_statement(), worker, facts.signatures), house.release(worker)


def resigned(envelope: Envelope, signatures: Sequence[Signature]) -> Envelope:
    return dataclasses.replace(envelope, signatures=tuple(signatures))


def without(envelope: Envelope, algorithm: str) -> Envelope:
    return resigned(envelope, [item for item in envelope.signatures if item.algorithm != algorithm])


def edited(proof: bytes, where: str, edit: Callable[[list[dict[str, str]]], Any]) -> bytes:
    """Changes the signatures of the statement or the evidence in a proof file, below our own classes."""
    content = json.loads(proof)
    envelope = content["statement"] if where == "statement" else content["evidence"][0]
    edit(envelope["signatures"])
    return canonical.dumps(content) + b"\n"


def test_the_sound_proofs_that_the_attacks_start_from(house: House) -> None:
    for worker in (WORKER, LASTING_WORKER):
        statement, evidence = sound(house, worker)
        assert [len(item.signatures) for item in (statement, evidence)] == [len(worker.public.algorithms)] * 2
        verified = verify_result(io.BytesIO(RESULT), house.prove(statement, [evidence]), house.trust)
        assert verified.facts.signatures == verified.release.signatures == worker.public.algorithms


# --- the two signatures of every statement ---------------------------------------------------------------


@pytest.mark.parametrize("where", ["statement", "evidence"])
@pytest.mark.parametrize("position", [0, 1], ids=["drop ed25519", "drop mldsa65"])
def test_a_dropped_signature(house: House, where: str, position: int) -> None:
    proof = edited(house.prove_job(), where, lambda signatures: signatures.pop(position))
    assert refusal(house, proof) == ("proof_well_formed", "signature_missing")


EVERY_KIND: dict[str, Facts] = {kind.__name__: SOUND[kind]() for kind in STATEMENTS}


@functools.cache
def signed_thrice(statement: bytes) -> bytes:
    """An envelope; SLH-DSA takes its time."""
    return sign_envelope(statement, LASTING_WORKER, ALL_THREE).to_bytes()


def test_every_kind_of_statement_is_walked() -> None:
    assert len(EVERY_KIND) == len(STATEMENTS) >= 13


@pytest.mark.parametrize("dropped", ALL_THREE)
@pytest.mark.parametrize("facts", EVERY_KIND.values(), ids=EVERY_KIND.keys())
def test_a_dropped_signature_on_any_kind_of_statement(facts: Facts, dropped: str) -> None:
    content = json.loads(signed_thrice(facts.to_statement()))
    content["signatures"] = [
        item for item in content["signatures"] if not item["keyid"].startswith(dropped + ":")
    ]
    assert len(content["signatures"]) == 2
    with pytest.raises(ProvenanceError) as caught:
        Envelope.from_bytes(canonical.dumps(content)).verify(LASTING_WORKER.public, ALL_THREE)
    assert caught.value.code == "signature_missing"


def test_no_signature_at_all(house: House) -> None:
    proof = edited(house.prove_job(), "statement", lambda signatures: signatures.clear())
    assert refusal(house, proof) == ("proof_well_formed", "signature_missing")


def test_ed25519_twice_in_the_place_of_mldsa65(house: House) -> None:
    def double(signatures: list[dict[str, str]]) -> None:
        signatures[1] = signatures[0]

    proof = edited(house.prove_job(), "statement", double)
    assert refusal(house, proof) == ("proof_well_formed", "signature_doubled")


def test_a_third_place_that_repeats_a_signature(house: House) -> None:
    proof = edited(house.prove_job(), "statement", lambda signatures: signatures.append(signatures[1]))
    assert refusal(house, proof) == ("proof_well_formed", "signature_doubled")


def test_signatures_in_another_order(house: House) -> None:
    proof = edited(house.prove_job(), "evidence", lambda signatures: signatures.reverse())
    assert refusal(house, proof) == ("proof_well_formed", "signatures_out_of_order")


def test_swapped_key_ids(house: House) -> None:
    def swap(signatures: list[dict[str, str]]) -> None:
        first, second = signatures
        first["keyid"], second["keyid"] = second["keyid"], first["keyid"]

    assert refusal(house, edited(house.prove_job(), "statement", swap)) == ("proof_well_formed", "malformed")


@pytest.mark.parametrize("name", ["mldsa44", "rsa", "none", "ED25519", "x"])
def test_a_signature_under_the_name_of_another_algorithm(house: House, name: str) -> None:
    def rename(signatures: list[dict[str, str]]) -> None:
        signatures[1]["keyid"] = f"{name}:" + signatures[1]["keyid"].split(":")[1]

    step, code = refusal(house, edited(house.prove_job(), "statement", rename))
    assert (step, code) == ("proof_well_formed", "malformed" if name == "ED25519" else "unknown_algorithm")


@pytest.mark.parametrize("broken", [ED25519, MLDSA65])
def test_a_signature_of_another_statement_by_the_same_worker(house: House, broken: str) -> None:
    statement, evidence = sound(house, WORKER)
    other = sign_envelope(job_facts(tracks=7).to_statement(), WORKER)
    borrowed = [
        theirs if theirs.algorithm == broken else ours
        for ours, theirs in zip(statement.signatures, other.signatures, strict=True)
    ]
    proof = house.prove(resigned(statement, borrowed), [evidence])
    assert refusal(house, proof) == ("statement_signed", "bad_signature")


@pytest.mark.parametrize("foreign", [ED25519, MLDSA65])
@pytest.mark.parametrize("where", ["statement", "evidence"])
def test_one_signature_by_another_key(house: House, where: str, foreign: str) -> None:
    """Sound signatures by two people: what remains if one of the schemes is broken."""
    statement, evidence = sound(house, WORKER)
    envelope = statement if where == "statement" else evidence
    stranger = sign_envelope(envelope.payload, TestSigner("stranger"))
    mixed = resigned(
        envelope,
        [
            theirs if theirs.algorithm == foreign else ours
            for ours, theirs in zip(envelope.signatures, stranger.signatures, strict=True)
        ],
    )
    proof = house.prove(*((mixed, [evidence]) if where == "statement" else (statement, [mixed])))
    assert refusal(house, proof) == (f"{where}_signed", "wrong_signer")


# --- the third signature ---------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["statement", "evidence"])
def test_the_third_signature_stripped_although_the_policy_demands_it(house: House, where: str) -> None:
    statement, evidence = sound(house, LASTING_WORKER)
    if where == "statement":
        statement = without(statement, SLHDSA128S)
    else:
        evidence = without(evidence, SLHDSA128S)
    assert refusal(house, house.prove(statement, [evidence])) == (f"{where}_signed", "signature_missing")


def test_a_worker_that_says_less_than_its_policy_demands(house: House) -> None:
    """It has a third key, and signs a statement that does not mention it."""
    statement = sign_envelope(job_facts().to_statement(), LASTING_WORKER)
    proof = house.prove(statement, [house.release(LASTING_WORKER)])
    assert refusal(house, proof) == ("facts_agree", "facts_disagree")


def test_a_worker_that_promises_a_third_signature_and_has_no_key(house: House) -> None:
    statement = sign_envelope(job_facts(signatures=ALL_THREE).to_statement(), WORKER)
    proof = house.prove(statement, [house.release(WORKER)])
    assert refusal(house, proof) == ("statement_signed", "signature_missing")


def test_a_third_signature_by_a_key_that_nobody_certified(house: House) -> None:
    statement = sign_envelope(job_facts(signatures=ALL_THREE).to_statement(), LASTING_WORKER, ALL_THREE)
    proof = house.prove(statement, [house.release(WORKER)])
    assert refusal(house, proof) == ("statement_signed", "wrong_signer")


def test_a_third_signature_by_a_stranger(house: House) -> None:
    statement, evidence = sound(house, LASTING_WORKER)
    stranger = TestSigner("stranger", third=True)
    foreign = stranger.sign(pae(PAYLOAD_TYPE, statement.payload), ALL_THREE)[2]
    proof = house.prove(resigned(statement, [*statement.signatures[:2], foreign]), [evidence])
    assert refusal(house, proof) == ("statement_signed", "wrong_signer")
    renamed = Signature(statement.signatures[2].key_id, foreign.signature)
    proof = house.prove(resigned(statement, [*statement.signatures[:2], renamed]), [evidence])
    assert refusal(house, proof) == ("statement_signed", "bad_signature")


def test_a_false_third_signature_that_nobody_demanded(house: House) -> None:
    """What is there is checked: a signature that says nothing must not look like one that does."""
    statement, _ = sound(house, WORKER)
    payload = house.release(WORKER).payload
    honest = sign_envelope(payload, house.node, ALL_THREE)
    verify_result(io.BytesIO(RESULT), house.prove(statement, [honest]), house.trust)
    other = sign_envelope(failure_facts().to_statement(), house.node, ALL_THREE)
    false = resigned(honest, [*honest.signatures[:2], other.signatures[2]])
    assert refusal(house, house.prove(statement, [false])) == ("evidence_signed", "bad_signature")


# --- what a trust file demands ---------------------------------------------------------------------------


def test_a_trust_file_that_demands_the_third_signature(house: House) -> None:
    strict = dataclasses.replace(house.trust, required_signatures=ALL_THREE)
    statement, evidence = sound(house, LASTING_WORKER)
    verify_result(io.BytesIO(RESULT), house.prove(statement, [evidence]), strict)
    assert refusal(house, house.prove_job(), strict) == ("evidence_signed", "signature_missing")
    half, _ = sound(house, WORKER)
    lasting_evidence = sign_envelope(house.release(WORKER).payload, house.node, ALL_THREE)
    assert refusal(house, house.prove(half, [lasting_evidence]), strict) == (
        "statement_signed",
        "signature_missing",
    )


def test_an_intake_needs_two_signatures_and_a_third_one_must_hold(house: House) -> None:
    """It is believed for an hour: a trust file's demand for decades is about what lasts."""
    strict = dataclasses.replace(house.trust, required_signatures=ALL_THREE)
    verify_intake(house.prove_intake(), strict, NOW)
    lasting = sign_envelope(intake_facts().to_statement(), house.node, ALL_THREE)
    verify_intake(house.prove(lasting, kind="intake"), strict, NOW)
    flipped = dataclasses.replace(
        lasting,
        signatures=(
            *lasting.signatures[:2],
            dataclasses.replace(lasting.signatures[2], signature=bytes(7856)),
        ),
    )
    with pytest.raises(VerificationError) as caught:
        verify_intake(house.prove(flipped, kind="intake"), strict, NOW)
    assert (caught.value.step, caught.value.code) == ("statement_signed", "bad_signature")


@pytest.mark.parametrize(
    ("weakened", "code"),
    [
        (lambda content: content["node"].pop("mldsa65"), "malformed"),
        (lambda content: content["node"].pop("ed25519"), "malformed"),
        (lambda content: content["node"].update(mldsa65=content["node"]["ed25519"]), "malformed"),
        (lambda content: content["required_signatures"].remove("mldsa65"), "signatures_too_weak"),
        (lambda content: content["required_signatures"].remove("ed25519"), "signatures_too_weak"),
        (lambda content: content["required_signatures"].clear(), "signatures_too_weak"),
        (lambda content: content.pop("required_signatures"), "malformed"),
        (lambda content: content["log"]["vkeys"].pop(), "malformed"),
        (lambda content: content["log"]["vkeys"].pop(0), "malformed"),
    ],
    ids=[
        "a node without mldsa65",
        "a node without ed25519",
        "an ed25519 key as mldsa65",
        "mldsa65 not required",
        "ed25519 not required",
        "nothing required",
        "silent about what is required",
        "a log without mldsa44",
        "a log without ed25519",
    ],
)
def test_a_trust_file_that_believes_too_easily_is_not_loaded(
    house: House, weakened: Callable[[dict[str, Any]], Any], code: str
) -> None:
    content = json.loads(house.trust.to_bytes())
    weakened(content)
    with pytest.raises(ProvenanceError) as caught:
        Trust.from_bytes(canonical.dumps(content))
    assert caught.value.code == code
    step, _ = refusal(house, house.prove_job(), canonical.dumps(content))
    assert step == "trust_readable"


# --- the log, and the certificate of a worker ------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "name"),
    [((0,), "only ed25519"), ((1,), "only mldsa44"), ((0, 0), "ed25519 twice"), ((1, 1), "mldsa44 twice")],
    ids=lambda item: item if isinstance(item, str) else "",
)
def test_a_checkpoint_that_only_one_of_the_logs_keys_signed(
    house: House, kept: tuple[int, ...], name: str
) -> None:
    proof = ProofFile.from_bytes(house.prove_job())
    place = TlogProof.parse(proof.log)
    text, lines = place.checkpoint.split(b"\n\n")
    signed = [line + b"\n" for line in lines.splitlines()]
    assert len(signed) == 2
    head = text + b"\n\n" + b"".join(signed[index] for index in kept)
    log = TlogProof(place.index, place.hashes, head).to_bytes()
    stripped = ProofFile(proof.statement, proof.evidence, log).to_bytes()
    assert refusal(house, stripped) == ("checkpoint_signed", "wrong_signer")


@pytest.mark.parametrize(
    ("field", "public_key"),
    [
        ("workerMldsa65", MLDSA44PrivateKey.from_seed_bytes(b"w" * 32).public_key().public_bytes_raw()),
        ("workerMldsa65", WORKER.public.ed25519),
        ("workerEd25519", WORKER.public.mldsa65),
        ("workerSlhdsa128s", WORKER.public.mldsa65),
        ("workerMldsa65", None),
        ("workerEd25519", None),
    ],
    ids=[
        "mldsa44 as mldsa65",
        "ed25519 as mldsa65",
        "mldsa65 as ed25519",
        "mldsa65 as slhdsa128s",
        "no mldsa65",
        "no ed25519",
    ],
)
def test_a_worker_certified_with_a_key_of_another_algorithm(
    house: House, field: str, public_key: bytes | None
) -> None:
    """The node itself was fooled and signed the certificate."""
    content = json.loads(release_facts(WORKER.public).to_statement())
    content["predicate"][field] = None if public_key is None else base64.b64encode(public_key).decode()
    evidence = sign_envelope(canonical.dumps(content), house.node)
    statement, _ = sound(house, WORKER)
    step, _ = refusal(house, house.prove(statement, [evidence]))
    assert step == "evidence_signed"


def test_a_worker_certified_with_its_ed25519_key_as_the_third(house: House) -> None:
    """32 bytes are 32 bytes: the lengths agree, the signature cannot be made."""
    facts = release_facts(WORKER.public, worker_slhdsa128s=WORKER.public.ed25519)
    evidence = sign_envelope(facts.to_statement(), house.node, facts.signatures)
    job = sign_envelope(job_facts(signatures=ALL_THREE).to_statement(), WORKER)
    claimed = Signature(key_id(SLHDSA128S, WORKER.public.ed25519), bytes(7856))
    proof = house.prove(resigned(job, [*job.signatures, claimed]), [evidence])
    assert refusal(house, proof) == ("statement_signed", "bad_signature")


def test_the_suite_itself_is_what_the_house_says() -> None:
    """A weaker default would turn every test above into a formality."""
    assert STATEMENT_SUITE == (ED25519, MLDSA65)
    assert (*STATEMENT_SUITE, SLHDSA128S) == ALL_THREE
