"""The desks of disclosures: what people sign and a service takes, what a service shows and people take."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

from console.audit.reading import lines_of
from console.disclosing import decision_of
from grpc_api.client.disclosures import read_kept_job
from grpc_api.client.erasures import _checked, _require_recorded
from grpc_api.client.resharing import read_keys as read_shown_keys
from grpc_api.disclosures.askers import Askers
from grpc_api.disclosures.checks import (
    check_asked,
    check_cancellation,
    check_decision,
    claimed_job,
    claimed_subject,
    read_envelope,
    read_keys,
)
from grpc_api.disclosures.consents import read_consent, read_withdrawal
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.errors import ServiceError
from keyvault.custody.access import sign_access
from keyvault.custody.auditing import check_whole
from keyvault.custody.decisions import approve, deny
from keyvault.custody.errors import CustodianError
from keyvault.custody.record import entry_line, head_line, policy_line, read_record, statement_line
from keyvault.custody.requests import cancel, check_request
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import Dealt, deal, job_context
from keyvault.custody.stories import tell
from keyvault.errors import KeyvaultError
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import OneJobKey
from keyvault.vault.erasures import Erasures
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.frames import parse
from protos.bauta.internal.v1.vault_pb2 import EraseTracks
from protos.bauta.v1.disclosures_pb2 import SigningKeys
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.proof import ProofFile
from provenance.statements import (
    ConsentFacts,
    ConsentWithdrawalFacts,
    DisclosureWorkerFacts,
    ErasureFacts,
)
from tests.fuzz.target import Target
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    WitnessedLog,
    custody_policy,
    custody_text,
    job_statement,
    person,
    signed_request,
)
from tests.unit.provenance.provenance_makers import TestSigner, release_facts
from tests.unit.provenance.statement_makers import SOUND, VALUES

LATER = ASKED_AT + timedelta(minutes=5)
WORKER = OneJobKey.generate()
NODE = TestSigner("node")
SERVICE = "log.test"


@cache
def dealt() -> Dealt:
    """One editor and two of three lawyers."""
    return deal(custody_policy().rule, job_context(JOB_ID))


@cache
def kept() -> Kept:
    """The job, as the desk keeps it."""
    return Kept(
        job_id=JOB_ID.hex(),
        owner="local",
        terms=b"{}",
        custody_policy=custody_text(),
        sharing=dealt().sharing.to_bytes(),
        shares={},
        statement=job_statement().to_bytes(),
        evidence=job_statement().to_bytes(),
        log_index=0,
        kept_at=0.0,
    )


@cache
def request() -> Envelope:
    """The one that is asked."""
    return signed_request()


@cache
def approval() -> tuple[Envelope, bytes]:
    """Ada's, with her share."""
    ada = person("ada")
    taken = check_request(custody_policy(), request(), person("desk").signer.public)
    info = dealt_info(dealt().sharing, ada.digest)
    sealed = seal_share(dealt().shares[ada.digest], ada.identity.recipient, info)
    given = approve(custody_policy(), dealt().sharing, taken, ada, sealed, WORKER.public_key, LATER)
    return given.envelope, given.sealed_share


@cache
def denial() -> Envelope:
    """Ada's."""
    taken = check_request(custody_policy(), request(), person("desk").signer.public)
    return deny(custody_policy(), taken, person("ada"), "other", LATER)


@cache
def cancellation() -> Envelope:
    """The requester's."""
    signer = person("desk").signer
    return cancel(check_request(custody_policy(), request(), signer.public), signer, LATER)


@cache
def worker_facts() -> DisclosureWorkerFacts:
    """Of the worker that waits."""
    return cast("DisclosureWorkerFacts", SOUND[DisclosureWorkerFacts](worker_hpke=WORKER.public_key))


@cache
def consent() -> Envelope:
    """Somebody's, about the job."""
    values = {**VALUES[ConsentFacts], "job_id": JOB_ID.hex(), "giver_key_sha256": person("filmed").digest}
    return sign_envelope(ConsentFacts(**values).to_statement(), person("filmed").signer)


@cache
def withdrawal() -> Envelope:
    """And taken back."""
    values = {
        **VALUES[ConsentWithdrawalFacts],
        "consent_sha256": consent().digest.hex(),
        "giver_key_sha256": person("filmed").digest,
    }
    return sign_envelope(ConsentWithdrawalFacts(**values).to_statement(), person("filmed").signer)


@cache
def log() -> tuple[WitnessedLog, bytes, bytes, bytes]:
    """A log with a request, a job and an erasure; the proofs of the last two, and a record of all."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        made = WitnessedLog(Path(folder))
        evidence = sign_envelope(
            release_facts(TestSigner("worker").public, job_id=JOB_ID.hex()).to_statement(), NODE
        )
        erasure = sign_envelope(SOUND[ErasureFacts]().to_statement(), NODE)
        made.prove(evidence, "release")
        made.prove(request(), "disclosure-request")
        made.prove(job_statement(), "job")
        at = made.log.append("job", job_statement().digest)
        erased = made.prove(erasure, "erasure")
        job = ProofFile(job_statement(), (evidence,), made.log.proof_for(at)).to_bytes()
        lines = [head_line(made.log.latest_checkpoint())]
        lines += [entry_line(place, entry) for place, entry in enumerate(made.entries)]
        lines += [
            statement_line(request(), person("desk").signer.public),
            statement_line(erasure, None),
            policy_line(custody_policy()),
        ]
        made.log.close()
    return made, job, erased, b"".join(lines)


def take_request(data: bytes) -> object:
    """As the desk takes one."""
    envelope = read_envelope(data)
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder, suppress(ServiceError):
        KeptStore(Path(folder)).get(claimed_job(envelope))
    desk = person("desk").signer.public
    keys = read_keys(SigningKeys(ed25519=desk.ed25519, mldsa65=desk.mldsa65))
    return check_asked(kept(), envelope, keys, (), LATER)


def take_decision(data: bytes) -> object:
    """As the desk takes one, and as a command shows it."""
    envelope = read_envelope(data)
    claimed_subject(envelope)
    taken = check_request(custody_policy(), request(), person("desk").signer.public)
    share = approval()[1] if data == approval()[0].to_bytes() else b""
    ada = person("ada").signer.public
    decided = check_decision(kept(), taken, worker_facts(), envelope, ada, share, (), LATER)
    decision_of(data)
    return decided


def take_cancellation(data: bytes) -> object:
    """As the desk takes one."""
    envelope = read_envelope(data)
    claimed_subject(envelope)
    return check_cancellation(envelope, person("desk").signer.public)


def take_consent(data: bytes) -> object:
    """A consent, or a withdrawal."""
    envelope, giver = read_envelope(data), person("filmed").signer.public
    if b"withdrawal" in envelope.payload:
        return read_withdrawal(envelope, giver)
    return read_consent(envelope, giver, claimed_job(envelope))


def take_question(data: bytes) -> object:
    """As a service takes one that is asked for the first time."""
    return Askers(SERVICE, LATER.timestamp).require_or_operator("x509:x", data, "GetSheet", JOB_ID.hex())


def take_record(data: bytes) -> object:
    """As an audit reads it, a piece at a time."""
    pieces = (data[at : at + 1000] for at in range(0, len(data), 1000))
    record = read_record(lines_of(pieces))
    whole = check_whole(record, log()[0].trust)
    return tell(record, whole.placed, log()[0].trust.node)


def take_job_proof(data: bytes) -> object:
    """As a custodian takes it from a service."""
    return read_kept_job(data, log()[0].trust)


def take_erasure_proof(data: bytes) -> object:
    """As whoever erased takes it from a service."""
    statement = ProofFile.from_bytes(data).statement
    _require_recorded(data, log()[0].trust, "erasure", statement)
    return _checked(data, log()[0].trust)


def take_shown_keys(data: bytes) -> object:
    """As a service shows whose a request is."""
    return read_shown_keys(SigningKeys(ed25519=data[:32], mldsa65=data[32:]))


class _Store:
    """Takes every write and keeps none."""

    def names(self, _prefix: str) -> list[str]:
        return []

    def write(self, *_: object, **__: object) -> None:
        pass


class _Rings:
    """One job's, as good as new."""

    def get(self, job_id: bytes) -> RecoveryRing:
        if job_id != JOB_ID:
            raise VaultRequestError("ring_unknown", "no ring is kept for this job")
        return RecoveryRing(job_context(JOB_ID), {track: bytes([track]) * 48 for track in range(3)})

    def change(self, job_id: bytes, change: Any) -> RecoveryRing:
        return cast("RecoveryRing", change(self.get(job_id)))


def erase(data: bytes) -> object:
    """As the vault does what the front desk asks for."""
    erasures = Erasures(cast("Any", _Store()), cast("Any", _Rings()), cast("Any", NODE), LATER.timestamp)
    return erasures.erase(parse(EraseTracks, data, "erasure_malformed"))


CHECKS = "grpc_api.disclosures.checks"
TARGETS = (
    Target(
        name="asked_disclosure",
        sender="whoever says that they may ask",
        parsers=(f"{CHECKS}.read_envelope", f"{CHECKS}.claimed_job", f"{CHECKS}.check_asked"),
        parse=take_request,
        seeds=lambda: (request().to_bytes(),),
        errors=(ServiceError, CustodianError),
        json=True,
        examples=100,
    ),
    Target(
        name="custodian_decision",
        sender="whoever says that they are a custodian",
        parsers=(f"{CHECKS}.claimed_subject", f"{CHECKS}.check_decision"),
        parse=take_decision,
        seeds=lambda: (approval()[0].to_bytes(), denial().to_bytes()),
        errors=(ServiceError, CustodianError),
        json=True,
        examples=100,
    ),
    Target(
        name="disclosure_cancellation",
        sender="whoever says that they asked",
        parsers=(f"{CHECKS}.check_cancellation",),
        parse=take_cancellation,
        seeds=lambda: (cancellation().to_bytes(),),
        errors=(ServiceError, CustodianError),
        json=True,
        examples=100,
    ),
    Target(
        name="consent_given",
        sender="whoever says that they were filmed",
        parsers=(
            "grpc_api.disclosures.consents.read_consent",
            "grpc_api.disclosures.consents.read_withdrawal",
        ),
        parse=take_consent,
        seeds=lambda: (consent().to_bytes(), withdrawal().to_bytes()),
        errors=(ServiceError, CustodianError),
        json=True,
        examples=100,
    ),
    Target(
        name="custody_question",
        sender="whoever asks to read",
        parsers=(
            "keyvault.custody.access.Access.from_bytes",
            "grpc_api.disclosures.askers.Askers.require",
        ),
        parse=take_question,
        seeds=lambda: (
            sign_access(
                person("ada").signer, person("ada").signer.public, SERVICE, "GetSheet", JOB_ID.hex(), LATER
            ).to_bytes(),
        ),
        errors=(ServiceError, KeyvaultError),
        json=True,
        examples=100,
    ),
    Target(
        name="custody_record",
        sender="whoever is audited",
        parsers=("console.audit.reading.lines_of", "keyvault.custody.record.read_record"),
        parse=take_record,
        seeds=lambda: (log()[3],),
        errors=(ServiceError, CustodianError, ProvenanceError),
        tokens=(b'{"at":0,"kind":"job","sha256":"', b"}\n", b'{"custody_policy":"'),
        examples=100,
    ),
    Target(
        name="kept_job_proof",
        sender="the service, to a custodian",
        parsers=("grpc_api.client.disclosures.read_kept_job",),
        parse=take_job_proof,
        seeds=lambda: (log()[1],),
        errors=(ProvenanceError,),
        json=True,
        examples=100,
    ),
    Target(
        name="erasure_proof",
        sender="the service, to whoever erased",
        parsers=("grpc_api.client.erasures._checked", "grpc_api.client.erasures._require_recorded"),
        parse=take_erasure_proof,
        seeds=lambda: (log()[2],),
        errors=(ProvenanceError,),
        json=True,
        examples=100,
    ),
    Target(
        name="shown_keys",
        sender="the service, to a custodian",
        parsers=("grpc_api.client.resharing.read_keys",),
        parse=take_shown_keys,
        seeds=lambda: (person("ada").signer.public.ed25519 + person("ada").signer.public.mldsa65,),
        errors=(ProvenanceError,),
    ),
    Target(
        name="erase_order",
        sender="the front desk, to the vault",
        parsers=("keyvault.vault.erasures.Erasures.erase",),
        parse=erase,
        seeds=lambda: (
            EraseTracks(job_id=JOB_ID, tracks=(1,), reason="operator_decision").SerializeToString(),
            EraseTracks(job_id=JOB_ID, reason="retention_over").SerializeToString(),
        ),
        errors=(VaultRequestError,),
        message=EraseTracks,
    ),
)
