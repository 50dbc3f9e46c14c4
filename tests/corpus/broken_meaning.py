"""Specimens in perfect form that say what is not so: the record, the signers, the facts, the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from provenance.checkpoint import CheckpointText
from provenance.dsse import sign_envelope
from provenance.keys import STATEMENT_SUITE
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from tests.corpus.specimen import Specimen, Workshop, bad, flip, head_of, log_part
from tests.unit.provenance.provenance_makers import (
    ATTACKED,
    ORIGIN,
    RESULT,
    TestLogKeys,
    TestSigner,
    hex_of,
    intake_facts,
    job_facts,
    seed,
)

RECORD, LOG, EVIDENCE = "entry_recorded", "checkpoint_signed", "evidence_signed"
STATEMENT, FACTS, FILE = "statement_signed", "facts_agree", "result_matches"
MERKLE, FALSE = "bad_merkle_proof", "bad_signature"
NAMES = {"ed25519": "Ed25519", "mldsa65": "ML-DSA-65", "slhdsa128s": "SLH-DSA"}


class OneFalse(TestSigner):
    """Signs with every scheme, but with one of them something else: an attacker without that one key."""

    def __init__(self, name: str, broken: int, *, third: bool = False) -> None:
        super().__init__(name, third=third)
        self._broken = broken

    def sign(self, message: bytes, algorithms: Sequence[str] = STATEMENT_SUITE) -> Any:
        """One signature too few is true."""
        signatures = list(super().sign(message, algorithms))
        signatures[self._broken] = super().sign(b"another message", algorithms)[self._broken]
        return tuple(signatures)


for at, algorithm in enumerate(STATEMENT_SUITE):

    @bad(f"statement: {NAMES[algorithm]} signature flipped after it was recorded", RECORD, MERKLE)
    def _flipped_statement(shop: Workshop, at: int = at) -> Specimen:
        content = shop.honest.parts
        signature = content["statement"]["signatures"][at]
        signature["sig"] = flip(signature["sig"])
        return shop.honest.with_proof(**content)

    @bad(f"statement: recorded with a false {NAMES[algorithm]} signature", STATEMENT, FALSE)
    def _false_statement(shop: Workshop, at: int = at) -> Specimen:
        return shop.recorded(shop.job(OneFalse("worker", at)), shop.house.release(TestSigner("worker")))

    @bad(f"evidence: {NAMES[algorithm]} signature flipped", EVIDENCE, FALSE)
    def _flipped_evidence(shop: Workshop, at: int = at) -> Specimen:
        content = shop.honest.parts
        signature = content["evidence"][0]["signatures"][at]
        signature["sig"] = flip(signature["sig"])
        return shop.honest.with_proof(**content)


@bad("statement: recorded with a false SLH-DSA signature", STATEMENT, FALSE)
def _false_third(shop: Workshop) -> Specimen:
    worker = TestSigner("worker", third=True)
    facts = job_facts(signatures=worker.public.algorithms)
    forger = OneFalse("worker", 2, third=True)
    statement = sign_envelope(facts.to_statement(), forger, worker.public.algorithms)
    return shop.recorded(statement, shop.house.release(worker))


@bad("evidence: SLH-DSA signature flipped", EVIDENCE, FALSE)
def _flipped_third(shop: Workshop) -> Specimen:
    content = shop.thrice_signed.parts
    signature = content["evidence"][0]["signatures"][2]
    signature["sig"] = flip(signature["sig"])
    return shop.thrice_signed.with_proof(**content)


@bad("evidence: the SLH-DSA signature that the policy demands stripped", EVIDENCE, "signature_missing")
def _stripped_third(shop: Workshop) -> Specimen:
    content = shop.thrice_signed.parts
    del content["evidence"][0]["signatures"][2]
    return shop.thrice_signed.with_proof(**content)


@bad("evidence: the trust file demands a signature that is not there", EVIDENCE, "signature_missing")
def _undemanded(shop: Workshop) -> Specimen:
    trust = replace(shop.house.trust, required_signatures=("ed25519", "mldsa65", "slhdsa128s"))
    return replace(shop.honest, trust=trust.to_bytes())


@bad("evidence: by another node", EVIDENCE, "wrong_signer")
def _wrong_node(shop: Workshop) -> Specimen:
    payload = shop.house.release(TestSigner("worker")).payload
    return shop.recorded(shop.job(), sign_envelope(payload, TestSigner("stranger")))


@bad("evidence: the trust file believes another node", EVIDENCE, "wrong_signer")
def _other_node_believed(shop: Workshop) -> Specimen:
    trust = Trust(TestSigner("stranger").public, ORIGIN, shop.house.trust.log_vkeys)
    return replace(shop.honest, trust=trust.to_bytes())


@bad("evidence: a job's statement in its place", EVIDENCE, "wrong_statement")
def _job_as_evidence(shop: Workshop) -> Specimen:
    return shop.recorded(shop.job(), shop.job(shop.house.node))


@bad("statement: by another worker", STATEMENT, "wrong_signer")
def _wrong_worker(shop: Workshop) -> Specimen:
    return shop.recorded(shop.job(TestSigner("stranger")), shop.house.release(TestSigner("worker")))


@bad("statement: by the node itself", STATEMENT, "wrong_signer")
def _by_the_node(shop: Workshop) -> Specimen:
    return shop.recorded(shop.job(shop.house.node), shop.house.release(TestSigner("worker")))


@bad("evidence: of another job", STATEMENT, "wrong_signer")
def _other_jobs_evidence(shop: Workshop) -> Specimen:
    other = shop.specimen(shop.house.prove_job("other", job_id="2" * 32))
    return shop.honest.with_proof(evidence=other.parts["evidence"])


@bad("statement: an intake in its place", STATEMENT, "wrong_statement")
def _intake_as_job(shop: Workshop) -> Specimen:
    intake = sign_envelope(intake_facts().to_statement(), TestSigner("worker"))
    return shop.recorded(intake, shop.house.release(TestSigner("worker")))


@bad("statement: not in its canonical form", STATEMENT, "malformed")
def _spaced_statement(shop: Workshop) -> Specimen:
    spaced = job_facts().to_statement().replace(b":", b": ", 1)
    worker = TestSigner("worker")
    return shop.recorded(sign_envelope(spaced, worker), shop.house.release(worker))


@bad("statement: an unknown fact", STATEMENT, "malformed")
def _unknown_fact(shop: Workshop) -> Specimen:
    more = job_facts().to_statement().replace(b'"predicate":{', b'"predicate":{"a":0,', 1)
    worker = TestSigner("worker")
    return shop.recorded(sign_envelope(more, worker), shop.house.release(worker))


for name, true, false in (
    ("more frames with open faces than were looked at", b'"faces_open":1', b'"faces_open":15'),
    ("a frame that nobody checked", b'"frames_unchecked":0', b'"frames_unchecked":1'),
    ("metadata that was left", b'"metadata_left":0', b'"metadata_left":1'),
    ("attackers, and no look", b'"leaksLook":"sampled"', b'"leaksLook":"none"'),
    ("an attacker that did not attack", b'"independent":["mediapipe-face"', b'"independent":["centerface"'),
):

    @bad(f"statement: {name}", STATEMENT, "malformed")
    def _nonsense(shop: Workshop, true: bytes = true, false: bytes = false) -> Specimen:
        sound = job_facts(**ATTACKED).to_statement()
        assert sound.count(true) == 1
        worker = TestSigner("worker")
        statement = sign_envelope(sound.replace(true, false), worker)
        return shop.recorded(statement, shop.house.release(worker))


for name, change in {
    "another job": {"job_id": "f" * 32},
    "other code": {"measurement": hex_of("other code")},
    "another policy": {"policy_sha256": hex_of("other policy")},
    "other terms": {"terms_sha256": hex_of("other terms")},
    "a higher tier": {"tier": "cvm"},
    "one wall more": {"walls": ("landlock_fs", "net_namespace", "seccomp", "user_namespace")},
}.items():

    @bad(f"facts: the worker states {name}", FACTS, "facts_disagree")
    def _boasts(shop: Workshop, change: dict[str, Any] = change) -> Specimen:
        return shop.recorded(shop.job(**change), shop.house.release(TestSigner("worker")))


for name, result, code in (
    ("wrong, of the same length", RESULT[:-1] + b"\0", "result_changed"),
    ("one bit flipped", bytes([RESULT[0] ^ 1]) + RESULT[1:], "result_changed"),
    ("one byte longer", RESULT + b"\0", "result_wrong_size"),
    ("one byte shorter", RESULT[:-1], "result_wrong_size"),
    ("empty", b"", "result_wrong_size"),
):
    bad(f"file: {name}", FILE, code)(lambda shop, result=result: replace(shop.honest, result=result))


@bad("record: as an entry of another kind", RECORD, MERKLE)
def _other_kind(shop: Workshop) -> Specimen:
    return shop.recorded(shop.job(), shop.house.release(TestSigner("worker")), kind="failure")


@bad("record: never made", RECORD, MERKLE)
def _never(shop: Workshop) -> Specimen:
    worker = TestSigner("unrecorded")
    evidence = [shop.house.release(worker).to_object()]
    return shop.honest.with_proof(statement=shop.job(worker).to_object(), evidence=evidence)


@bad("record: the place of another leaf", RECORD, MERKLE)
def _other_leaf(shop: Workshop) -> Specimen:
    index = shop.house.log.append("failure", seed("a leaf beside"))
    return shop.honest.with_proof(log=shop.house.log.proof_for(index).decode())


@bad("record: at another index", RECORD, MERKLE)
def _other_index(shop: Workshop) -> Specimen:
    return log_part(shop.honest, index=0)


@bad("record: at an index beyond the tree", RECORD, "no_such_leaf")
def _beyond(shop: Workshop) -> Specimen:
    return log_part(shop.honest, index=1 << 40)


@bad("record: a hash of the path missing", RECORD, MERKLE)
def _short_path(shop: Workshop) -> Specimen:
    hashes = TlogProof.parse(ProofFile.from_bytes(shop.honest.proof).log).hashes
    return log_part(shop.honest, hashes=hashes[:-1])


@bad("record: a hash of the path too many", RECORD, MERKLE)
def _long_path(shop: Workshop) -> Specimen:
    hashes = TlogProof.parse(ProofFile.from_bytes(shop.honest.proof).log).hashes
    return log_part(shop.honest, hashes=(*hashes, seed("more")))


def _in(shop: Workshop, name: str, origin: str) -> Specimen:
    """The honest job, recorded in a log of somebody else."""
    elsewhere = shop.other_house(name, origin)
    honest = ProofFile.from_bytes(shop.honest.proof)
    proof = elsewhere.prove(honest.statement, honest.evidence)
    elsewhere.log.close()
    return shop.specimen(proof)


@bad("checkpoint: of another log", LOG, "wrong_log")
def _other_log(shop: Workshop) -> Specimen:
    return _in(shop, "elsewhere", "other.test/log")


@bad("checkpoint: of a log of the same name under other keys", LOG, "wrong_signer")
def _fork(shop: Workshop) -> Specimen:
    return _in(shop, "fork/", ORIGIN)


@bad("checkpoint: honest signatures under a forged root", LOG, FALSE)
def _forged_root(shop: Workshop) -> Specimen:
    forged, _ = head_of(_in(shop, "forger/", ORIGIN))
    return _under(_in(shop, "forger-2/", ORIGIN), forged, head_of(shop.honest)[1])


@bad("checkpoint: the trust file believes other keys of the log", LOG, "wrong_signer")
def _other_keys_believed(shop: Workshop) -> Specimen:
    trust = Trust(shop.house.trust.node, ORIGIN, TestLogKeys(name="stranger").vkeys)
    return replace(shop.honest, trust=trust.to_bytes())


for at, algorithm in enumerate(("Ed25519", "ML-DSA-44")):

    @bad(f"checkpoint: the {algorithm} line missing", LOG, "wrong_signer")
    def _one_line(shop: Workshop, at: int = at) -> Specimen:
        text, lines = head_of(shop.honest)
        kept = lines.splitlines(keepends=True)[1 - at]
        return _under(shop.honest, text, kept)

    @bad(f"checkpoint: the {algorithm} line twice", LOG, "wrong_signer")
    def _line_twice(shop: Workshop, at: int = at) -> Specimen:
        text, lines = head_of(shop.honest)
        return _under(shop.honest, text, lines + lines.splitlines(keepends=True)[at])

    @bad(f"checkpoint: the {algorithm} signature flipped", LOG, FALSE)
    def _line_flipped(shop: Workshop, at: int = at) -> Specimen:
        text, lines = head_of(shop.honest)
        split = lines.decode().splitlines(keepends=True)
        head, _, signature = split[at].rpartition(" ")
        split[at] = f"{head} {flip(signature)}"
        return _under(shop.honest, text, "".join(split).encode())


def _under(specimen: Specimen, text: CheckpointText, lines: bytes) -> Specimen:
    return log_part(specimen, checkpoint=text.to_bytes() + b"\n" + lines)
