"""Proofs, statements, trust files and the log: read by whoever gets them, from whoever sends them."""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from console.opening import Opening
from console.opening import read_opening as read_opening_file
from console.report.page import render
from console.report.verdict import check
from grpc_api.errors import ServiceError
from keyvault.release_key import ReleaseKey, ReleaseKeyError
from provenance import canonical
from provenance.checkpoint import CheckpointText, verify_checkpoint
from provenance.dsse import Envelope, sign_envelope
from provenance.encoding import base64_text
from provenance.errors import ProvenanceError
from provenance.log import TransparencyLog
from provenance.node_statements import NODE_STATEMENTS, claimed_kind, verify_node_statement
from provenance.note import parse_note, parse_vkey
from provenance.proof import MAX_TIMESTAMP_BYTES, ProofFile
from provenance.register import verify_recorded_release, verify_released_intake
from provenance.statements import STATEMENTS, Facts
from provenance.timestamps import read_timestamps, with_timestamps
from provenance.tlog_proof import TlogProof
from provenance.tokens import token_of
from provenance.trust import Trust, format_public_key, parse_public_key
from provenance.verifier import VerificationError, verify_intake, verify_result
from tests.fuzz.target import Target
from tests.time_authority import STAMPED_AT, integer, sequence, time_authority
from tests.unit.provenance.provenance_makers import (
    NOW,
    ORIGIN,
    RESULT,
    House,
    TestSigner,
    intake_facts,
    make_house,
    worker_release_facts,
)
from tests.unit.provenance.statement_makers import SOUND

WORKER = "worker"
STAMPED = bytes(range(32))
PROOF_SENDER = "whoever hands over a result, or serves one"
OPENING = canonical.dumps({"format": "bauta.opening/v1", "salt": base64_text(bytes(32))}) + b"\n"
OPENING_OF_PARTS = Opening(bytes(32), bytes(range(32)), "ab" * 16, ORIGIN).to_bytes()
FRONT_DESK = "a front desk that somebody has taken over"


@cache
def house() -> House:
    """A node and a log with a few entries, in a folder that lives as long as this process."""
    return make_house(Path(_folder().name))


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bauta-fuzz-")


@cache
def _result_file() -> Path:
    file = Path(_folder().name) / "result"
    file.write_bytes(RESULT)
    return file


@cache
def job_proof() -> bytes:
    """A sound proof of a result."""
    return house().prove_job()


@cache
def evidence() -> bytes:
    """The evidence in it."""
    return ProofFile.from_bytes(job_proof()).evidence[0].to_bytes()


@cache
def announced() -> tuple[bytes, bytes]:
    """An intake and the release of its worker, under one tree."""
    release = sign_envelope(worker_release_facts().to_statement(), house().node)
    intake = sign_envelope(intake_facts().to_statement(), house().node)
    house().prove(release, kind="worker-release")
    proof = house().prove(intake, kind="intake")
    return proof, house().prove(release, kind="worker-release")


@cache
def statements() -> dict[type[Facts], bytes]:
    """One of each kind."""
    return {kind: make().to_statement() for kind, make in SOUND.items()}


def trusted() -> Trust:
    """Who is believed, the node's releases among them."""
    node = house().node.public
    return Trust(node, ORIGIN, house().log_keys.vkeys, (node,))


def without_strangers(untrusted_proof: bytes) -> bytes:
    """A proof without lines by keys that nobody knows: those are ignored, as signed-note wants it."""
    proof = ProofFile.from_bytes(untrusted_proof)
    place = TlogProof.parse(proof.log)
    return replace(proof, log=replace(place, checkpoint=_known_lines(place.checkpoint)).to_bytes()).to_bytes()


def _known_lines(untrusted_note: bytes) -> bytes:
    note = parse_note(untrusted_note)
    known = [line for line in note.lines if any(line.is_by(key) for key in trusted().log_keys)]
    return replace(note, lines=tuple(known)).to_bytes()


def check_result(untrusted: bytes) -> None:
    """Of a proof, only one encoding verifies; any other fails at one step, and says at which."""
    refusal: VerificationError | None = None
    try:
        verify_result(io.BytesIO(RESULT), untrusted, trusted())
    except VerificationError as error:
        refusal = error
    told = check(_result_file(), untrusted, trusted().to_bytes())
    assert (told.failure is None) == (refusal is None)
    assert "<main>" in render(told, NOW)
    if refusal is not None:
        assert [step.status for step in refusal.steps].count("failed") == 1
        raise refusal
    assert without_strangers(untrusted) == job_proof()


def stamped_proof() -> bytes:
    """The sound proof with a timestamp."""
    proof = ProofFile.from_bytes(job_proof())
    return replace(proof, timestamps=(time_authority().stamp(proof.statement.digest),)).to_bytes()


def check_stamped(untrusted: bytes) -> None:
    """A proof that somebody must have stamped: whatever verifies says what the honest one says.

    And before anybody verified it: `bauta proof complete` adds to it, or finds nothing to add.
    """
    proof = ProofFile.from_bytes(untrusted)
    again = with_timestamps(proof, [time_authority().stamp(proof.statement.digest)])
    assert again.timestamps[: len(proof.timestamps)] == proof.timestamps
    trust = replace(trusted(), timestamp_roots=(time_authority().root_der,), required_timestamps=1)
    found = verify_result(io.BytesIO(RESULT), untrusted, trust)
    assert found.timestamps[0].token.at == STAMPED_AT
    assert proof.statement == ProofFile.from_bytes(job_proof()).statement


def check_token(untrusted: bytes) -> None:
    """Only the honest authority's word counts, however the bytes around it are changed."""
    (stamp,) = read_timestamps([untrusted], STAMPED, [time_authority().root_der])
    if stamp.root is not None:
        assert (stamp.token.at, stamp.token.imprint) == (STAMPED_AT, STAMPED)


def check_answer(untrusted: bytes) -> None:
    """What is taken out of an authority's answer is in its one form; it may still be anything."""
    token = token_of(untrusted)
    assert token_of(sequence(sequence(integer(0)), token)) == token
    check_token(token)


def check_intake(untrusted: bytes) -> None:
    """Of an announcement too."""
    verify_intake(untrusted, trusted(), NOW)
    assert without_strangers(untrusted) == announced()[0]


def check_release(untrusted: bytes) -> None:
    """And of a release, alone and beside its intake."""
    verify_recorded_release(untrusted, trusted(), [worker_release_facts().measurement], None)
    verify_released_intake(announced()[0], untrusted, trusted(), NOW)
    assert without_strangers(untrusted) == announced()[1]


@cache
def node_proofs() -> tuple[bytes, ...]:
    """One of each kind that the node itself vouches for."""
    signed = [(kind, sign_envelope(statements()[kind], house().node)) for kind in NODE_STATEMENTS]
    return tuple(house().prove(envelope, kind=kind.kind()) for kind, envelope in signed)


def check_node_statement(untrusted: bytes) -> None:
    """What the service said is what it signed."""
    verify_node_statement(untrusted, trusted(), claimed_kind(untrusted))
    assert untrusted in node_proofs()


def check_note(untrusted: bytes) -> None:
    """A checkpoint that verifies is the one that was signed."""
    verify_checkpoint(untrusted, ORIGIN, trusted().log_keys)
    assert _known_lines(untrusted) == TlogProof.parse(ProofFile.from_bytes(job_proof()).log).checkpoint


def check_log_file(untrusted: bytes) -> None:
    """Opens a log file and computes it again; it may be sound, and then it is small."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        path = Path(folder) / "log.sqlite"
        path.write_bytes(untrusted)
        with TransparencyLog(path, ORIGIN, house().log_keys.sign_checkpoint) as log:
            log.check(house().log_keys.verifier_keys)


@cache
def log_file() -> bytes:
    """A closed log of two entries."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        path = Path(folder) / "log.sqlite"
        with TransparencyLog(path, ORIGIN, house().log_keys.sign_checkpoint) as log:
            for number in range(2):
                log.append("failure", bytes([number]) * 32)
        return path.read_bytes()


@cache
def release_key() -> ReleaseKey:
    """A release key."""
    return ReleaseKey.generate()


@cache
def release_key_file() -> bytes:
    """The key as a file without a passphrase."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        release_key().write(Path(folder) / "key", None)
        return (Path(folder) / "key").read_bytes()


def read_opening(untrusted: bytes) -> None:
    """Reads an opening file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(untrusted)
        file.flush()
        assert len(read_opening_file(Path(file.name)).pieces_secret) == 32


def read_release_key(untrusted: bytes) -> None:
    """Reads a private key from a file."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(untrusted)
        file.flush()
        assert ReleaseKey.read(Path(file.name), lambda: "passphrase").signer.public


def _statement_target(kind: type[Facts]) -> Target:
    def read(untrusted: bytes) -> None:
        assert kind.from_statement(untrusted).to_statement() == untrusted

    return Target(
        name=f"statement_{kind.kind().replace('-', '_')}",
        sender=PROOF_SENDER,
        parsers=("provenance.statements.base.Facts.from_statement",),
        parse=read,
        seeds=lambda: (statements()[kind],),
        errors=(ProvenanceError,),
        json=True,
    )


TARGETS = (
    Target(
        name="timestamp_token",
        sender=PROOF_SENDER,
        parsers=(
            "provenance.timestamps.read_timestamps",
            "provenance.tokens.read_token",
            "provenance.cms.parse_signed_content",
            "provenance.der.parse_der",
        ),
        parse=check_token,
        seeds=lambda: tuple(time_authority().stamp(STAMPED, nonce=nonce) for nonce in (None, 77)),
        errors=(ProvenanceError,),
        tokens=(b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x1f\x81", b"\x06\x03\x2a\x80\x01"),
        max_bytes=MAX_TIMESTAMP_BYTES,
    ),
    Target(
        name="timestamp_answer",
        sender="a time-stamping authority, or whoever sits on the way to it",
        parsers=("provenance.tokens.token_of", "provenance.cms.with_certificates_in_order"),
        parse=check_answer,
        seeds=lambda: (sequence(sequence(integer(0)), time_authority().stamp(STAMPED, unsorted=True)),),
        errors=(ProvenanceError,),
        max_bytes=MAX_TIMESTAMP_BYTES,
    ),
    Target(
        name="stamped_proof",
        sender=PROOF_SENDER,
        parsers=("provenance.timestamps.with_timestamps", "provenance.verifier.verify_result"),
        parse=check_stamped,
        seeds=lambda: (stamped_proof(),),
        errors=(ProvenanceError,),
        json=True,
        examples=100,
    ),
    Target(
        name="proof",
        sender=PROOF_SENDER,
        parsers=("provenance.verifier.verify_result", "provenance.proof.ProofFile.from_bytes"),
        parse=check_result,
        seeds=lambda: (job_proof(),),
        errors=(ProvenanceError,),
        json=True,
        examples=400,
    ),
    Target(
        name="intake_proof",
        sender=FRONT_DESK,
        parsers=("provenance.verifier.verify_intake",),
        parse=check_intake,
        seeds=lambda: (announced()[0],),
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="release_proof",
        sender=FRONT_DESK,
        parsers=(
            "provenance.register.verify_recorded_release",
            "provenance.register.verify_released_intake",
        ),
        parse=check_release,
        seeds=lambda: (announced()[1],),
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="node_proof",
        sender="whoever shows a receipt, or a record of the service's own",
        parsers=(
            "provenance.node_statements.verify_node_statement",
            "provenance.node_statements.claimed_kind",
        ),
        parse=check_node_statement,
        seeds=node_proofs,
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="envelope",
        sender=PROOF_SENDER,
        parsers=("provenance.dsse.Envelope.from_bytes", "provenance.dsse.Envelope.from_object"),
        parse=lambda untrusted: Envelope.from_bytes(untrusted).to_bytes(),
        seeds=lambda: (evidence(),),
        errors=(ProvenanceError,),
        json=True,
    ),
    *map(_statement_target, STATEMENTS),
    Target(
        name="canonical_json",
        sender="everybody who sends one of the JSON forms",
        parsers=("provenance.canonical.loads", "provenance.canonical.loads_relaxed"),
        parse=lambda untrusted: canonical.loads(canonical.dumps(canonical.loads_relaxed(untrusted))),
        seeds=lambda: (*statements().values(), b"[1,2]", b'{"a": null}'),
        errors=(ProvenanceError,),
        json=True,
        tokens=(b"1e5", b"-0", b"NaN", b"9" * 5000, b'"\\ud800"', b'{"a":1,"a":2}', b"9007199254740993"),
    ),
    Target(
        name="trust_file",
        sender="whoever recommends a service",
        parsers=("provenance.trust.Trust.from_bytes", "provenance.note.parse_vkey"),
        parse=lambda untrusted: Trust.from_bytes(Trust.from_bytes(untrusted).to_bytes()),
        seeds=lambda: (house().trust.to_bytes(), trusted().to_bytes()),
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="public_key",
        sender="whoever is to be believed",
        parsers=("provenance.trust.parse_public_key",),
        parse=parse_public_key,
        seeds=lambda: (format_public_key(house().node.public), format_public_key(TestSigner(WORKER).public)),
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="vkey",
        sender="whoever recommends a log",
        parsers=("provenance.note.parse_vkey",),
        parse=lambda untrusted: parse_vkey(untrusted.decode("utf-8", "surrogateescape")),
        seeds=lambda: tuple(vkey.encode() for vkey in house().log_keys.vkeys),
        errors=(ProvenanceError,),
    ),
    Target(
        name="tlog_proof",
        sender=FRONT_DESK,
        parsers=("provenance.tlog_proof.TlogProof.parse", "provenance.checkpoint.parse_decimal"),
        parse=lambda untrusted: TlogProof.parse(untrusted).to_bytes(),
        seeds=lambda: (ProofFile.from_bytes(job_proof()).log,),
        errors=(ProvenanceError,),
        tokens=(b"index 00\n", b"index -1\n", b"extra AA==\n", "index \u0661\n".encode()),
    ),
    Target(
        name="note",
        sender=FRONT_DESK,
        parsers=("provenance.note.parse_note", "provenance.note.parse_signature_line"),
        parse=lambda untrusted: parse_note(untrusted).to_bytes(),
        seeds=lambda: (TlogProof.parse(ProofFile.from_bytes(job_proof()).log).checkpoint,),
        errors=(ProvenanceError,),
        tokens=("\u2014 ".encode(), "\u2028".encode(), b"\r\n"),
    ),
    Target(
        name="checkpoint",
        sender=FRONT_DESK,
        parsers=("provenance.checkpoint.verify_checkpoint", "provenance.checkpoint.CheckpointText.parse"),
        parse=check_note,
        seeds=lambda: (TlogProof.parse(ProofFile.from_bytes(job_proof()).log).checkpoint,),
        errors=(ProvenanceError,),
    ),
    Target(
        name="checkpoint_text",
        sender=FRONT_DESK,
        parsers=("provenance.checkpoint.CheckpointText.parse",),
        parse=lambda untrusted: CheckpointText.parse(untrusted).to_bytes(),
        seeds=lambda: (CheckpointText(ORIGIN, 5, bytes(32)).to_bytes(),),
        errors=(ProvenanceError,),
    ),
    Target(
        name="opening",
        sender="whoever claims to hold the salt",
        parsers=("console.opening.read_opening",),
        parse=read_opening,
        seeds=lambda: (OPENING, OPENING_OF_PARTS),
        errors=(ServiceError,),
        json=True,
    ),
    Target(
        name="log_file",
        sender="whoever can write to the front desk's disk",
        parsers=("provenance.log_check.check_log", "provenance.log_storage.LogStorage.__init__"),
        parse=check_log_file,
        seeds=lambda: (log_file(),),
        errors=(ProvenanceError,),
        examples=150,
        max_bytes=128 << 10,
    ),
    Target(
        name="release_key_file",
        sender="a reviewer's disk",
        parsers=("keyvault.release_key.ReleaseKey.read", "keyvault.release_key.ReleaseKey._from_bytes"),
        parse=read_release_key,
        seeds=lambda: (release_key_file(),),
        errors=(ReleaseKeyError,),
        json=True,
        tokens=(b"age-encryption.org/v1\n-> scrypt ",),
    ),
)
