"""People, a policy and a witnessed log for the tests of custody; keys from fixed seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from keyvault.age import HybridIdentity
from keyvault.custody.decisions import Approval, approve, deny
from keyvault.custody.history import History, read_history
from keyvault.custody.policy import CustodyPolicy, keys_sha256, parse_custody_policy
from keyvault.custody.requests import Request, check_request
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import Dealt, deal, job_context
from keyvault.custody.witnessed import Witnessed, require_witnessed
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from provenance.dsse import Envelope, sign_envelope
from provenance.entry import Entry
from provenance.log import TransparencyLog
from provenance.proof import ProofFile
from provenance.statements import DisclosureRequestFacts
from provenance.statements.fields import format_instant
from provenance.trust import Trust
from tests.unit.provenance.provenance_makers import TestLogKeys, TestSigner, job_facts, seed
from tests.unit.provenance.witness_makers import WITNESSES, cosigned, policy_text

ASKED_AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOB_ID = bytes(range(16))


@dataclass(frozen=True)
class Person:
    """Somebody with keys: a custodian or a requester."""

    identity: HybridIdentity
    signer: HybridSigner

    @property
    def digest(self) -> str:
        """How policies name them."""
        return keys_sha256(self.signer.public)


@cache
def person(name: str) -> Person:
    """The one of that name."""
    signer = HybridSigner.from_seeds(seed(name + "/ed25519"), seed(name + "/mldsa65"))
    return Person(HybridIdentity(seed(name + "/identity")), signer)


EDITORS = ("ada", "ben")
LAWYERS = ("chloe", "dan", "eve")


def custodian_tables(names: Sequence[str]) -> str:
    """Their tables in a policy."""
    return "\n".join(
        f'[[custodians]]\nname = "{name}"\nkeys = "{person(name).digest}"\n'
        f'recipient = "{person(name).identity.recipient}"\n'
        for name in names
    )


def custody_text(**changes: str) -> str:
    """An editor and two of three lawyers; parts are replaced by name."""
    parts = {
        "head": 'schema = "bauta.custody/v1"\nname = "newsroom"\nsummary = "One editor, two lawyers."\n'
        'quorum = "both"\n',
        "custodians": custodian_tables((*EDITORS, *LAWYERS)),
        "groups": '[[groups]]\nname = "both"\nneed = "all"\nof = ["editors", "lawyers"]\n'
        '[[groups]]\nname = "editors"\nneed = "any"\nof = ["ada", "ben"]\n'
        '[[groups]]\nname = "lawyers"\nneed = 2\nof = ["chloe", "dan", "eve"]\n',
        "requesters": f'[[requesters]]\nname = "desk"\nkeys = "{person("desk").digest}"\n'
        f'[[requesters]]\nname = "ada"\nkeys = "{person("ada").digest}"\npurposes = ["medical_care"]\n',
        "requests": '[requests]\npurposes = ["court_order", "medical_care"]\n'
        'legal_bases = ["court_order", "consent"]\nlongest_hours = 72\ncool_off_minutes = 60\n'
        "most_tracks = 2\nmost_seconds = 30\n",
        "notice": '[notice]\ntell = ["custodians", "submitter"]\nhold_back_days = 7\n',
    }
    return "\n".join({**parts, **changes}.values())


@cache
def custody_policy() -> CustodyPolicy:
    """That policy, read."""
    return parse_custody_policy(custody_text())


@cache
def job_statement() -> Envelope:
    """The job whose result is asked about."""
    return sign_envelope(job_facts(job_id=JOB_ID.hex()).to_statement(), TestSigner("worker"))


def request_facts(**changes: Any) -> DisclosureRequestFacts:
    """The desk asks for ten seconds of one track."""
    values: dict[str, Any] = {
        "job_id": JOB_ID.hex(),
        "job_statement_sha256": job_statement().digest.hex(),
        "custody_policy_sha256": custody_policy().digest.hex(),
        "tracks": (2,),
        "stretches": ((5000, 15000),),
        "purpose": "court_order",
        "legal_basis": "court_order",
        "recipient": str(person("desk").identity.recipient),
        "requester_key_sha256": person("desk").digest,
        "requested_at": format_instant(ASKED_AT),
        "expires_at": format_instant(ASKED_AT + timedelta(hours=24)),
    }
    return DisclosureRequestFacts(**{**values, **changes})


def signed_request(by: str = "desk", **changes: Any) -> Envelope:
    """Its envelope."""
    return sign_envelope(request_facts(**changes).to_statement(), person(by).signer)


def taken_request(by: str = "desk", **changes: Any) -> Request:
    """A request that the policy takes."""
    return check_request(custody_policy(), signed_request(by, **changes), person(by).signer.public)


class WitnessedLog:
    """A log with three witnesses, two of whom are enough; its checkpoints carry the time that it is told."""

    def __init__(self, folder: Path, name: str = "log", witnesses: int = 3) -> None:
        self.now = ASKED_AT
        self._witnesses = WITNESSES[:witnesses]
        keys = TestLogKeys(name=name)
        self.log = TransparencyLog(
            folder / f"{name}.sqlite", keys.origin, keys.sign_checkpoint, lambda note, _: self._cosign(note)
        )
        self.entries: list[Entry] = []
        self.statements: list[Envelope] = []
        self.trust = Trust(
            TestSigner("node").public, keys.origin, keys.vkeys, witness_policy=policy_text("2")
        )

    def prove(self, statement: Envelope, kind: str) -> bytes:
        """Records a statement; its proof file."""
        index = self.log.append(kind, statement.digest)
        if index == len(self.entries):
            self.entries.append(Entry(kind, statement.digest))
            self.statements.append(statement)
        return ProofFile(statement, (), self.log.proof_for(index)).to_bytes()

    def record(self, statement: Envelope, kind: str) -> Witnessed:
        """Records a statement, and takes it back out of its proof."""
        return require_witnessed(self.prove(statement, kind), self.trust, kind)

    def history(self, job: Envelope) -> History:
        """The log from a job to its end."""
        at = self.log.append("job", job.digest)
        proof = ProofFile(job, (), self.log.proof_for(at)).to_bytes()
        return read_history(proof, self.entries[at:], self.statements, self.trust)

    def _cosign(self, note: bytes) -> bytes:
        return cosigned(note, self._witnesses, int(self.now.timestamp()))


@dataclass(frozen=True)
class Disclosure:
    """Everything around one request: a log, a worker, and what was dealt for the job."""

    log: WitnessedLog
    dealt: Dealt
    worker: OneJobKey
    request: Request
    seen: Witnessed

    @classmethod
    def begin(cls, folder: Path, by: str = "desk", **changes: Any) -> Disclosure:
        """A request that is recorded."""
        log, envelope = WitnessedLog(folder), signed_request(by, **changes)
        log.prove(job_statement(), "job")
        request = check_request(custody_policy(), envelope, person(by).signer.public)
        seen = log.record(envelope, "disclosure-request")
        dealt = deal(custody_policy().rule, job_context(JOB_ID))
        return cls(log, dealt, OneJobKey.generate(), request, seen)

    def sealed_share(self, name: str) -> bytes:
        """As it was dealt to somebody."""
        whose = person(name)
        info = dealt_info(self.dealt.sharing, whose.digest)
        return seal_share(self.dealt.shares[whose.digest], whose.identity.recipient, info)

    def approval(self, name: str, **changes: Any) -> Approval:
        """Somebody approves; parts are replaced by the parameter's name."""
        values: dict[str, Any] = {
            "policy": custody_policy(),
            "sharing": self.dealt.sharing,
            "request": self.request,
            "keys": person(name),
            "sealed_share": self.sealed_share(name) if person(name).digest in self.dealt.shares else b"",
            "worker_key": self.worker.public_key,
            "now": ASKED_AT + timedelta(minutes=5),
        }
        return approve(**{**values, **changes})

    def denial(self, name: str, reason: str = "other") -> Envelope:
        """Somebody denies."""
        return deny(custody_policy(), self.request, person(name), reason, ASKED_AT + timedelta(minutes=5))
