"""An audit: told from the log alone, and whatever is missing or does not hold is found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.audit.outcome import Outcome
from console.audit.page import render
from console.audit.reading import lines_of
from grpc_api.errors import ServiceError
from keyvault.custody.auditing import Whole, check_whole, prove
from keyvault.custody.errors import CustodianError
from keyvault.custody.record import (
    Record,
    entry_line,
    head_line,
    policy_line,
    read_record,
    statement_line,
)
from keyvault.custody.requests import cancel
from keyvault.custody.stories import Told, tell
from keyvault.signing.hybrid import HybridSigner
from provenance.disclosing import verify_disclosure
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.node_statements import verify_node_statement
from provenance.statements import (
    ConsentFacts,
    ConsentWithdrawalFacts,
    DisclosureApprovalFacts,
    DisclosureCountFacts,
    DisclosureReleaseFacts,
    DisclosureWorkerFacts,
    ErasureFacts,
    Facts,
)
from provenance.statements.fields import format_instant
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    Disclosure,
    custody_policy,
    person,
)
from tests.unit.provenance.provenance_makers import TestSigner, hex_of

QUORUM = ("ada", "chloe", "dan")
WALLS = ("landlock_fs", "seccomp")


class Story:
    """A log in which one request is made and answered, step by step; each step can be left out or changed."""

    def __init__(self, folder: Path) -> None:
        self.case = Disclosure.begin(folder)
        self.node = TestSigner("node")
        self.worker = HybridSigner.generate()
        self.signers: dict[bytes, HybridPublicKey] = {}
        asked = self.case.log.statements[-1]
        self.signers[asked.digest] = person("desk").signer.public

    @property
    def name(self) -> str:
        return self.case.request.digest.hex()

    def put(self, facts: Facts, signer: Any, key: HybridPublicKey | None = None) -> Envelope:
        """Signs and records."""
        envelope = sign_envelope(facts.to_statement(), signer)
        self.case.log.prove(envelope, facts.kind())
        if key is not None:
            self.signers[envelope.digest] = key
        return envelope

    def admit(self, **changes: Any) -> None:
        values: dict[str, Any] = {
            "request_sha256": self.name,
            "job_id": JOB_ID.hex(),
            "tier": "process",
            "walls": WALLS,
            "measurement": hex_of("measurement"),
            "trust_sha256": hex_of("trust"),
            "worker_hpke": self.case.worker.public_key,
            "worker_ed25519": self.worker.public.ed25519,
            "worker_mldsa65": self.worker.public.mldsa65,
            "admitted_at": format_instant(ASKED_AT),
        }
        self.put(DisclosureWorkerFacts(**{**values, **changes}), self.node)

    def approve(self, *names: str) -> None:
        for name in names:
            envelope = self.case.approval(name).envelope
            self.case.log.prove(envelope, DisclosureApprovalFacts.kind())
            self.signers[envelope.digest] = person(name).signer.public

    def deny(self, name: str) -> None:
        envelope = self.case.denial(name)
        self.case.log.prove(envelope, "disclosure-denial")
        self.signers[envelope.digest] = person(name).signer.public

    def cancel(self) -> None:
        envelope = cancel(self.case.request, person("desk").signer, ASKED_AT)
        self.case.log.prove(envelope, "disclosure-cancellation")
        self.signers[envelope.digest] = person("desk").signer.public

    def count(self) -> None:
        self.put(DisclosureCountFacts(self.name, bytes(32)), self.worker)

    def release(self, signer: Any = None, **changes: Any) -> Envelope:
        approvals = [
            one.digest.hex()
            for one, entry in zip(self.case.log.statements, self.case.log.entries, strict=True)
            if entry.kind == DisclosureApprovalFacts.kind()
        ]
        values: dict[str, Any] = {
            "request_sha256": self.name,
            "approvals_sha256": tuple(sorted(approvals)),
            "tracks": (2,),
            "stretches": ((5000, 15000),),
            "disclosure_sha256": hex_of("disclosure"),
            "measurement": hex_of("measurement"),
            "tier": "process",
            "walls": WALLS,
            "released_at": format_instant(ASKED_AT + timedelta(hours=2)),
        }
        return self.put(DisclosureReleaseFacts(**{**values, **changes}), signer or self.worker)

    def erase(self, *tracks: int) -> None:
        facts = ErasureFacts(
            JOB_ID.hex(), tracks, (hex_of("wrapped"),), "data_subject_request", format_instant(ASKED_AT)
        )
        self.put(facts, self.node)

    def lines(self) -> list[bytes]:
        """The record, as an honest desk shows it."""
        log = self.case.log
        lines = [head_line(log.log.latest_checkpoint())]
        lines += [entry_line(at, entry) for at, entry in enumerate(log.entries)]
        for envelope, entry in zip(log.statements, log.entries, strict=True):
            if entry.kind != "job":
                lines.append(statement_line(envelope, self.signers.get(envelope.digest)))
        return [*lines, policy_line(custody_policy())]

    def audit(self, lines: list[bytes] | None = None) -> tuple[Record, Whole, Told]:
        record = read_record(self.lines() if lines is None else lines)
        whole = check_whole(record, self.case.log.trust)
        return record, whole, tell(record, whole.placed, self.case.log.trust.node)

    def codes(self, lines: list[bytes] | None = None) -> set[str]:
        _, whole, told = self.audit(lines)
        return {one.code for one in (*whole.findings, *told.findings)}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path)
    yield made
    made.case.log.log.close()


def straight(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.count()
    story.release()


def test_who_saw_what_when_why_and_on_whose_approval(story: Story) -> None:
    straight(story)
    _, whole, told = story.audit()
    assert (whole.findings, told.findings) == ((), [])
    assert whole.witnessed_at == ASKED_AT
    (one,) = told.stories.values()
    assert (one.state, one.policy, one.asked.by) == ("released", "newsroom", "desk")
    assert one.approved_by == QUORUM
    assert (one.asked.says["purpose"], one.asked.says["tracks"]) == ("court_order", [2])
    assert [event.kind for event in one.events] == [
        "disclosure-worker",
        *["disclosure-approval"] * 3,
        "disclosure-count",
        "disclosure-release",
    ]
    outcome = Outcome(whole, told, ASKED_AT)
    assert outcome.is_clean
    assert "on the approval of ada, chloe, dan" in outcome.lines()
    assert outcome.document()["requests"][0]["approved_by"] == list(QUORUM)
    page = render(outcome)
    assert "Nothing is missing" in page
    assert "<script" not in page


def test_every_statement_of_a_whole_record_has_its_proof(story: Story) -> None:
    straight(story)
    story.erase(3)
    record, whole, told = story.audit()
    (one,) = told.stories.values()
    assert one.worker is not None
    worker = record.statements[record.entries[one.worker].envelope_sha256].envelope
    trust = story.case.log.trust
    proof = prove(record, one.events[-1].log_index, worker)
    assert verify_disclosure(proof, trust).facts.request_sha256 == story.name
    erased = prove(record, told.others[0].log_index)
    assert verify_node_statement(erased, trust, ErasureFacts).facts.tracks == (3,)
    del whole


Way = Callable[[Story], None]


def _no_count(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.release()


def _t_minus_one(story: Story) -> None:
    story.admit()
    story.approve("chloe", "dan")
    story.count()
    story.release()


def _no_approval(story: Story) -> None:
    story.admit()
    story.count()
    story.release(approvals_sha256=(hex_of("forged"),))


def _twice(story: Story) -> None:
    straight(story)
    story.release(released_at=format_instant(ASKED_AT + timedelta(hours=3)))


def _after_cancellation(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.cancel()
    story.count()
    story.release()


def _after_erasure(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.erase(2)
    story.count()
    story.release()


def _too_soon(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.count()
    story.release(released_at=format_instant(ASKED_AT + timedelta(minutes=59)))


def _too_much(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.count()
    story.release(tracks=(1, 2))


def _by_no_worker(story: Story) -> None:
    story.admit()
    story.approve(*QUORUM)
    story.count()
    story.release(HybridSigner.generate())


def _by_an_uncertified_worker(story: Story) -> None:
    story.approve(*QUORUM)
    story.release()


def _denied_then_approved(story: Story) -> None:
    story.admit()
    story.deny("dan")
    story.approve(*QUORUM)
    story.count()
    story.release()


def _withdrawn_and_kept(story: Story) -> None:
    giver, now = person("filmed"), format_instant(ASKED_AT)
    given = ConsentFacts(JOB_ID.hex(), (1,), ("medical_care",), giver.digest, now)
    consent = story.put(given, giver.signer, giver.signer.public)
    taken = ConsentWithdrawalFacts(consent.digest.hex(), giver.digest, now)
    story.put(taken, giver.signer, giver.signer.public)


WAYS: dict[str, tuple[Way, str]] = {
    "without a count": (_no_count, "release_without_count"),
    "with one approval too few": (_t_minus_one, "quorum_not_met"),
    "on an approval that nobody gave": (_no_approval, "release_without_approval"),
    "twice": (_twice, "released_after_released"),
    "after it was taken back": (_after_cancellation, "released_after_cancelled"),
    "after an erasure": (_after_erasure, "released_after_erasure"),
    "before the cool-off was over": (_too_soon, "cool_off_short"),
    "of more than was asked for": (_too_much, "scope_exceeded"),
    "by no worker": (_by_no_worker, "signature_false"),
    "by a worker that the log does not know": (_by_an_uncertified_worker, "approval_other_worker"),
    "on an approval after a denial": (_denied_then_approved, "decided_already"),
    "a consent withdrawn and nothing erased": (_withdrawn_and_kept, "withdrawal_without_erasure"),
}


@pytest.mark.parametrize("name", WAYS)
def test_what_should_not_have_happened_is_found(story: Story, name: str) -> None:
    way, code = WAYS[name]
    way(story)
    assert code in story.codes()


Change = Callable[[list[bytes]], list[bytes]]


def _without(part: bytes) -> Change:
    def change(lines: list[bytes]) -> list[bytes]:
        at = next(n for n, line in enumerate(lines) if part in line)
        return lines[:at] + lines[at + 1 :]

    return change


def _without_statement(predicate: str) -> Change:
    def change(lines: list[bytes]) -> list[bytes]:
        def tells(line: bytes) -> bool:
            if not line.startswith(b'{"signer"'):
                return False
            (shown,) = read_record([lines[0], line]).statements.values()
            return predicate.encode() in shown.envelope.payload

        at = next(n for n, line in enumerate(lines) if tells(line))
        return lines[:at] + lines[at + 1 :]

    return change


def _other_entry(lines: list[bytes]) -> list[bytes]:
    at = next(n for n, line in enumerate(lines) if b'"kind":"disclosure-denial"' in line)
    return [*lines[:at], lines[at].replace(b"disclosure-denial", b"intake"), *lines[at + 1 :]]


GAPS: dict[str, tuple[Change, str]] = {
    "an entry": (_without(b'"kind":"disclosure-denial"'), "entry_missing"),
    "the last entry": (_without(b'{"at":9,'), "entry_missing"),
    "the statement of an entry": (
        _without_statement("predicate:disclosure-denial"),
        "statement_missing",
    ),
    "the kind of an entry": (_other_entry, "entries_changed"),
    "the policy": (_without(b'{"custody_policy"'), "policy_missing"),
}


@pytest.mark.parametrize("name", GAPS)
def test_what_is_left_out_of_a_record_is_found(story: Story, name: str) -> None:
    story.admit()
    story.deny("eve")
    story.approve(*QUORUM)
    story.count()
    story.release()
    story.erase(3)
    assert story.codes() == set()
    change, code = GAPS[name]
    assert code in story.codes(change(story.lines()))


def test_a_statement_that_is_in_no_log_is_found(story: Story) -> None:
    straight(story)
    forged = statement_line(story.case.denial("eve"), person("eve").signer.public)
    assert story.codes([*story.lines(), forged]) == {"statement_not_recorded"}


def test_a_record_under_an_end_that_nobody_witnessed_tells_nothing(tmp_path: Path) -> None:
    story = Story(tmp_path)
    straight(story)
    head = story.case.log.log.latest_checkpoint()
    text, _, signatures = head.partition(b"\n\n")
    lines = [line for line in signatures.splitlines(keepends=True) if b"witness.test" not in line]
    with pytest.raises(ProvenanceError) as caught:
        story.audit([head_line(text + b"\n\n" + b"".join(lines)), *story.lines()[1:]])
    assert caught.value.code == "quorum_not_met"


MALFORMED: dict[str, list[bytes]] = {
    "nothing": [],
    "another format": [b'{"checkpoint":"","format":"bauta.record/v2"}\n'],
    "a line without its newline": [head_line(b"x"), b'{"at":0}'],
    "no object": [head_line(b"x"), b"[]\n"],
    "spaces": [head_line(b"x"), b'{"at": 0}\n'],
    "an entry twice": [
        head_line(b"x"),
        b'{"at":0,"kind":"job","sha256":"' + b"0" * 64 + b'"}\n',
        b'{"at":0,"kind":"job","sha256":"' + b"1" * 64 + b'"}\n',
    ],
    "an entry of no kind": [head_line(b"x"), b'{"at":0,"kind":"party","sha256":"' + b"0" * 64 + b'"}\n'],
    "an entry with odd hex": [head_line(b"x"), b'{"at":0,"kind":"job","sha256":"0"}\n'],
    "a signer of one key": [head_line(b"x"), b'{"signer":{"ed25519":""},"statement":{}}\n'],
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_record_is_refused(name: str) -> None:
    with pytest.raises(CustodianError) as caught:
        read_record(MALFORMED[name])
    assert caught.value.code == "record_malformed"


def test_a_line_without_an_end_is_not_gathered() -> None:
    with pytest.raises(ServiceError) as caught:
        list(lines_of(iter([b"x" * (1 << 20)] * 4)))
    assert caught.value.code == "record_too_large"
    assert list(lines_of([b"a\nb", b"\nc"])) == [b"a\n", b"b\n", b"c"]
