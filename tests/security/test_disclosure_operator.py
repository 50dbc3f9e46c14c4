"""An operator who owns database, object store, front desk and log cannot have a cover taken off.

Each trick is one test. The worker is what it is behind its wall, `enclave.disclosure.checking`, with all that
it is shown made by the operator: who has all of that, but no custodian's keys, no witness's, and neither the
node's nor the log's (those are the vault's; an operator with these too is at the end of this file).
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enclave.disclosure.checking import Granted, check
from enclave.disclosure.scope import open_scope, require_package
from enclave.errors import WorkerError
from enclave.host import Materials
from keyvault.age import HybridIdentity
from keyvault.custody.decisions import deny
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import keys_sha256
from keyvault.custody.requests import cancel, check_request
from keyvault.custody.seals import approved_info, seal_to_worker
from keyvault.custody.sharing import Share, deal, job_context, recovery_key
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.reader import PackageReader
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from provenance.checklist import VerificationError
from provenance.disclosing import trust_digest, verify_disclosure, verify_worker
from provenance.dsse import Envelope, sign_envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError, SignatureError
from provenance.log import TransparencyLog
from provenance.proof import ProofFile
from provenance.statements import (
    DisclosureApprovalFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
    ErasureFacts,
    JobFacts,
)
from provenance.statements.fields import format_instant
from tests.disclosure_world import (
    CUSTODIANS,
    JOB_ID,
    JOB_WORKER,
    LATER,
    NODE,
    RELEASER,
    Asked,
    Counter,
    World,
    as_read,
    clip,
    order_of,
    policy_of,
    write_package,
)
from tests.unit.keyvault.custody.custody_makers import ASKED_AT, WitnessedLog, person
from tests.unit.provenance.provenance_makers import (
    TestLogKeys,
    TestSigner,
    hex_of,
    job_facts,
    release_facts,
    worker_release_facts,
)
from tests.unit.provenance.witness_makers import WITNESSES, cosigned

Refused = (CustodianError, ProvenanceError, WorkerError, RecoveryError)


@dataclasses.dataclass
class Case:
    """One request in one world, with a worker that waits."""

    world: World
    asked: Asked
    worker: Counter

    @classmethod
    def begin(cls, world: World, **changes: Any) -> Case:
        """On record, and nothing decided."""
        key = OneJobKey.generate()
        asked = Asked.begin(world, key.public_key, **changes)
        return cls(world, asked, Counter(order_of(world, asked.request), key))

    def try_it(self, change: Callable[[Materials], Materials] | None = None, **changes: Any) -> Granted:
        """The worker counts, on record, and is shown all as it stands, but for what the operator changes."""
        counting = self.worker.count(self.world.log)
        materials = self.asked.materials(**changes)
        return check(counting, as_read(change(materials) if change else materials))

    def code_of(self, change: Callable[[Materials], Materials] | None = None, **changes: Any) -> str:
        """As `try_it`, which must be refused."""
        with pytest.raises(Refused) as refused:
            self.try_it(change, **changes)
        return refused.value.code


@pytest.fixture(scope="module")
def one_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One job on record; every test has a request of its own."""
    return World.make(tmp_path_factory.mktemp("world"))


@pytest.fixture
def world(one_world: World) -> World:
    one_world.log.now = ASKED_AT
    return one_world


@pytest.fixture
def case(world: World) -> Case:
    """Two of three have agreed, and the cool-off is over: nothing but the trick stands in the way."""
    made = Case.begin(world)
    made.asked.approve("ada", "ben")
    world.log.now = LATER
    return made


def test_without_a_trick_it_opens(case: Case) -> None:
    granted = case.try_it()
    assert granted.request.tracks == (1,)
    assert len(granted.approvals_sha256) == 2
    assert granted.recovery_key == recovery_key(case.world.dealt.secret, job_context(JOB_ID))


# Forged approvals.


def test_one_approval_and_a_forged_one(world: World) -> None:
    case = Case.begin(world)
    case.asked.approve("ada")
    share = bytes(1200)
    facts = DisclosureApprovalFacts(
        request_sha256=case.asked.request.digest.hex(),
        custodian_key_sha256=person("ben").digest,
        sharing_sha256=world.dealt.sharing.digest.hex(),
        worker_key_sha256=hex_of("worker"),
        share_sha256=hex_of("share"),
        approved_at=format_instant(ASKED_AT),
    )
    # Signed by keys of the operator's own, since it has none of Ben's.
    forged = sign_envelope(facts.to_statement(), HybridSigner.generate())
    world.log.prove(forged, "disclosure-approval")
    world.log.now = LATER
    shares = (*(one.sealed_share for one in case.asked.approvals), share)
    assert case.code_of(sealed_shares=shares) == "quorum_not_met"


def test_keys_of_the_operators_shown_as_a_custodians(world: World) -> None:
    case, mine = Case.begin(world), HybridSigner.generate()
    case.asked.approve("ada")
    facts = dataclasses.replace(
        DisclosureApprovalFacts.from_statement(case.asked.approvals[0].envelope.payload),
        custodian_key_sha256=keys_sha256(mine.public),
    )
    world.log.prove(sign_envelope(facts.to_statement(), mine), "disclosure-approval")
    world.log.now = LATER
    keys = (person("desk").signer.public, person("ada").signer.public, mine.public)
    assert case.code_of(keys=keys) == "quorum_not_met"


def test_one_approval_shown_twice(world: World) -> None:
    case = Case.begin(world)
    case.asked.approve("ada")
    case.asked.approve("ada")
    world.log.now = LATER
    assert case.code_of() == "quorum_not_met"


def test_approvals_of_another_request(case: Case) -> None:
    """What was approved once is not approved for what is asked next."""
    case.world.log.now = ASKED_AT
    second = Case.begin(case.world, tracks=(2,))
    case.world.log.now = LATER
    second.asked.worker_key = case.asked.worker_key
    second.asked.approvals = case.asked.approvals
    later = Counter(order_of(case.world, second.asked.request), case.worker.one_job_key)
    counting = later.count(case.world.log)
    with pytest.raises(CustodianError) as refused:
        check(counting, as_read(second.asked.materials()))
    assert refused.value.code == "quorum_not_met"


def test_shares_for_one_worker_given_to_another(case: Case) -> None:
    other = Counter(case.worker.order, OneJobKey.generate())
    with pytest.raises(CustodianError) as refused:
        check(other.count(case.world.log), as_read(case.asked.materials()))
    assert refused.value.code == "quorum_not_met"


def test_a_share_put_in_anothers_place(case: Case) -> None:
    info = approved_info(case.world.dealt.sharing, case.asked.request.digest, person("ben").digest)
    mine = seal_to_worker(Share(bytes([1]) + bytes(31), bytes([2]) + bytes(31)), case.asked.worker_key, info)
    shares = (case.asked.approvals[0].sealed_share, mine)
    assert case.code_of(sealed_shares=shares) == "quorum_not_met"


def test_a_custodian_who_lies_is_named_and_the_others_suffice(world: World) -> None:
    case = Case.begin(world)
    case.asked.approve("ada", "chloe")
    false = Share(bytes([1]) + bytes(31), bytes([2]) + bytes(31))
    info = approved_info(world.dealt.sharing, case.asked.request.digest, person("ben").digest)
    sealed = seal_to_worker(false, case.asked.worker_key, info)
    true = DisclosureApprovalFacts.from_statement(case.asked.approvals[0].envelope.payload)
    lie = dataclasses.replace(true, custodian_key_sha256=person("ben").digest, share_sha256=_sha256(sealed))
    world.log.prove(sign_envelope(lie.to_statement(), person("ben").signer), "disclosure-approval")
    world.log.now = LATER
    shares = (*(one.sealed_share for one in case.asked.approvals), sealed)
    assert case.try_it(sealed_shares=shares).blamed == {person("ben").digest: "share_false"}


# Left out of what is shown.


def test_a_denial_that_is_left_out(world: World) -> None:
    """Ben denies, and is made to approve after all; the operator would rather not show the denial."""
    case = Case.begin(world)
    request = check_request(world.policy, case.asked.request, person("desk").signer.public)
    denial = deny(world.policy, request, person("ben"), "other", ASKED_AT)
    world.log.prove(denial, "disclosure-denial")
    case.asked.approve("ada", "ben")
    world.log.now = LATER
    assert case.code_of() == "quorum_not_met"
    statements = tuple(one for one in world.log.statements if one.digest != denial.digest)
    assert case.code_of(statements=statements) == "history_incomplete"
    kept = tuple(entry for entry in world.since_job() if entry.envelope_sha256 != denial.digest)
    assert case.code_of(entries=kept) == "history_incomplete"


@pytest.mark.parametrize("shown", [True, False], ids=["shown", "left out"])
def test_a_cancellation(case: Case, shown: bool) -> None:
    request = check_request(case.world.policy, case.asked.request, person("desk").signer.public)
    taken_back = cancel(request, person("desk").signer, ASKED_AT + timedelta(minutes=30))
    case.world.log.prove(taken_back, "disclosure-cancellation")
    if shown:
        assert case.code_of() == "request_cancelled"
    else:
        kept = tuple(one for one in case.world.log.statements if one.digest != taken_back.digest)
        assert case.code_of(statements=kept) == "history_incomplete"


def test_a_second_release_of_one_approval(case: Case) -> None:
    released = DisclosureReleaseFacts(
        request_sha256=case.asked.request.digest.hex(),
        approvals_sha256=case.try_it().approvals_sha256,
        tracks=(1,),
        stretches=((0, 2000),),
        disclosure_sha256=hex_of("sealed"),
        measurement=hex_of("measurement"),
        tier="process",
        walls=("seccomp",),
        released_at=format_instant(LATER),
    )
    case.world.log.prove(sign_envelope(released.to_statement(), case.worker.signer), "disclosure-release")
    assert case.code_of() == "request_released"


def test_a_person_who_was_erased(tmp_path: Path) -> None:
    case = Case.begin(World.make(tmp_path))
    case.asked.approve("ada", "ben")
    case.world.log.now = LATER
    erasure = ErasureFacts(
        job_id=JOB_ID.hex(),
        tracks=(1,),
        wrapped_keys_sha256=case.world.written.ring.digests((1,)),
        reason="data_subject_request",
        erased_at=format_instant(LATER),
    )
    envelope = sign_envelope(erasure.to_statement(), NODE)
    case.world.log.prove(envelope, "erasure")
    assert case.code_of() == "request_erased"
    kept = tuple(one for one in case.world.log.statements if one.digest != envelope.digest)
    assert case.code_of(statements=kept) == "history_incomplete"


def test_a_quorum_cannot_bring_an_erased_person_back(case: Case) -> None:
    """Also where nothing in the log says so: the key is gone, and no agreement makes another."""
    granted = case.try_it()
    reader = PackageReader(io.BytesIO(case.world.package))
    with pytest.raises(RecoveryError) as refused:
        open_scope(reader, case.world.written.ring.without((1,)), granted)
    assert refused.value.code == "track_erased"


# Forged, rolled back and split logs.


def test_a_log_under_keys_of_the_operators_own(case: Case, tmp_path: Path) -> None:
    own = TestLogKeys(name="the operator's")
    log = TransparencyLog(
        tmp_path / "own.sqlite",
        own.origin,
        own.sign_checkpoint,
        lambda note, _: cosigned(note, WITNESSES, int(LATER.timestamp())),
    )
    release = sign_envelope(worker_release_facts().to_statement(), RELEASER)
    at = log.append("worker-release", release.digest)
    job_release = ProofFile(release, (), log.proof_for(at)).to_bytes()
    index = log.append("job", case.world.job.digest)
    proof = ProofFile(case.world.job, (case.world.evidence,), log.proof_for(index)).to_bytes()
    assert case.code_of(job_proof=proof) == "wrong_signer"
    assert case.code_of(job_release=job_release) == "wrong_signer"
    bare = ProofFile(case.world.job, (), log.proof_for(index)).to_bytes()
    assert case.code_of(history_proof=bare) == "wrong_signer"


def test_a_rolled_back_log(case: Case) -> None:
    """A cancellation is hidden by showing the log as it was before: witnessed, signed, and too old."""
    before = case.asked.materials()
    request = check_request(case.world.policy, case.asked.request, person("desk").signer.public)
    taken_back = cancel(request, person("desk").signer, ASKED_AT + timedelta(minutes=30))
    case.world.log.prove(taken_back, "disclosure-cancellation")
    assert case.code_of(lambda _: before) == "history_stale"


def test_an_old_count_does_not_make_an_old_log_new(case: Case) -> None:
    counting = case.worker.count(case.world.log, nonce=bytes(32))
    before = case.asked.materials()
    assert check(counting, as_read(before)).request.tracks == (1,)
    # The same materials, for a worker that has drawn another nonce since.
    fresh = case.worker.count(None, nonce=bytes([1]) * 32)
    with pytest.raises(WorkerError) as refused:
        check(fresh, as_read(before))
    assert refused.value.code == "history_stale"


def test_an_expired_request_in_a_log_whose_clock_was_set_back(case: Case) -> None:
    """The log's own clock is the operator's; the witnesses' are not."""
    case.world.log.now = ASKED_AT + timedelta(hours=25)
    assert case.code_of() == "request_expired"


def test_the_cool_off_is_not_over(case: Case) -> None:
    case.world.log.now = ASKED_AT + timedelta(minutes=30)
    assert case.code_of() == "cool_off_running"


def test_a_view_of_the_log_that_no_witness_has_seen(case: Case, tmp_path: Path) -> None:
    """Split view: the log's own keys sign a second tree, for this worker alone."""
    keys = TestLogKeys(name="log")
    second = TransparencyLog(
        tmp_path / "second.sqlite", keys.origin, keys.sign_checkpoint, lambda note, _: note
    )
    materials = case.asked.materials()
    counting = case.worker.count(None)
    entries = [*materials.entries, Entry("disclosure-count", counting.counted.digest)]
    second.append_all((entry.kind, entry.envelope_sha256) for entry in entries)
    proof = ProofFile(case.world.job, (), second.proof_for(0)).to_bytes()
    shown = dataclasses.replace(materials, entries=tuple(entries), history_proof=proof)
    with pytest.raises(VerificationError) as refused:
        check(counting, as_read(shown))
    assert (refused.value.step, refused.value.code) == ("checkpoint_witnessed", "quorum_not_met")


def test_a_view_that_one_witness_of_three_signs(case: Case, tmp_path: Path) -> None:
    keys = TestLogKeys(name="log")
    second = TransparencyLog(
        tmp_path / "second.sqlite",
        keys.origin,
        keys.sign_checkpoint,
        lambda note, _: cosigned(note, WITNESSES[:1], int(LATER.timestamp())),
    )
    counting = case.worker.count(None)
    materials = case.asked.materials()
    entries = [*materials.entries, Entry("disclosure-count", counting.counted.digest)]
    second.append_all((entry.kind, entry.envelope_sha256) for entry in entries)
    proof = ProofFile(case.world.job, (), second.proof_for(0)).to_bytes()
    shown = dataclasses.replace(materials, entries=tuple(entries), history_proof=proof)
    with pytest.raises(VerificationError) as refused:
        check(counting, as_read(shown))
    assert refused.value.code == "quorum_not_met"


def test_a_request_that_is_in_no_log(world: World) -> None:
    key = OneJobKey.generate()
    asked = Asked(world, world.request(), b"", key.public_key)
    other = world.request(tracks=(2,))
    proof = world.log.prove(other, "disclosure-request")
    counting = Counter(order_of(world, asked.request), key).count(world.log)
    with pytest.raises(WorkerError) as refused:
        check(counting, as_read(asked.materials(request_proof=proof)))
    assert refused.value.code == "facts_disagree"


def test_decisions_that_are_in_another_log(case: Case, tmp_path: Path) -> None:
    """The approvals are real, and stand in a log that the witnesses of this one have never seen."""
    (tmp_path / "elsewhere").mkdir()
    world = World.make(tmp_path / "elsewhere")
    again = Case.begin(world, request=case.asked.request)
    again.asked.approvals = case.asked.approvals
    again.worker = case.worker
    world.log.now = LATER
    assert again.code_of() in {"quorum_not_met", "facts_disagree", "history_incomplete"}


# Swapped things.


def test_a_trust_file_without_witnesses(case: Case) -> None:
    alone = dataclasses.replace(case.world.trust, witness_policy="")
    worker = Counter(order_of(case.world, case.asked.request, alone), case.worker.one_job_key)
    with pytest.raises(SignatureError) as refused:
        check(worker.count(case.world.log), as_read(case.asked.materials()))
    assert refused.value.code == "witnesses_not_named"


def test_a_swapped_recipient_is_another_request(case: Case) -> None:
    """The operator has the worker seal to a key of its own: then what was approved is something else."""
    mine = str(HybridIdentity.generate().recipient)
    facts = DisclosureRequestFacts.from_statement(case.asked.request.payload)
    swapped = dataclasses.replace(facts, recipient=mine)
    tampered = Envelope(swapped.to_statement(), case.asked.request.signatures)
    proof = case.world.log.prove(tampered, "disclosure-request")
    worker = Counter(order_of(case.world, tampered), case.worker.one_job_key)
    with pytest.raises(CustodianError) as refused:
        check(worker.count(case.world.log), as_read(case.asked.materials(request_proof=proof)))
    assert refused.value.code == "request_invalid"


def test_a_request_in_the_operators_own_name(world: World) -> None:
    mine = HybridSigner.generate()
    facts = DisclosureRequestFacts.from_statement(world.request().payload)
    own = dataclasses.replace(facts, requester_key_sha256=keys_sha256(mine.public))
    case = Case.begin(world, request=sign_envelope(own.to_statement(), mine))
    world.log.now = LATER
    keys = (mine.public, *(person(name).signer.public for name in CUSTODIANS))
    assert case.code_of(keys=keys) == "requester_unknown"


def test_another_custody_policy(case: Case) -> None:
    """One of the operator's own custodians would do, if the worker took the front desk's word for it."""
    weak = policy_of(("dan",), 1)
    assert case.code_of(custody_policies=(weak.text,)) == "custody_policy_changed"


def test_a_request_under_another_policy(world: World) -> None:
    weak = policy_of(("dan",), 1)
    case = Case.begin(world, custody_policy_sha256=weak.digest.hex())
    world.log.now = LATER
    assert case.code_of(custody_policies=(weak.text, world.policy.text)) == "request_other_policy"


def test_another_sharing(case: Case) -> None:
    mine = deal(case.world.policy.rule, job_context(JOB_ID))
    assert case.code_of(sharing=mine.sharing.to_bytes()) == "sharing_changed"


def test_a_job_that_its_operator_made_up(case: Case) -> None:
    """The statement names the operator's own policy, and is signed by keys that nobody certified."""
    forger = TestSigner("the operator's worker")
    facts = JobFacts.from_statement(case.world.job.payload)
    weak = policy_of(("dan",), 1)
    made_up = dataclasses.replace(facts, recovery={**facts.recovery, "custody_policy": weak.digest.hex()})
    forged = sign_envelope(made_up.to_statement(), forger)
    proof = case.world.proof(forged, "job", case.world.evidence)
    assert case.code_of(job_proof=proof) == "wrong_signer"
    own = release_facts(forger.public, job_id=JOB_ID.hex())
    uncertified = sign_envelope(own.to_statement(), TestSigner("no node"))
    proof = case.world.proof(forged, "job", uncertified)
    assert case.code_of(job_proof=proof) == "wrong_signer"


def test_a_job_of_a_worker_version_that_nobody_released(case: Case) -> None:
    release = worker_release_facts(measurement=hex_of("another version"))
    other = case.world.log.prove(sign_envelope(release.to_statement(), RELEASER), "worker-release")
    assert case.code_of(job_release=other) == "worker_not_released"
    own = case.world.log.prove(
        sign_envelope(worker_release_facts().to_statement(), TestSigner("the operator")), "worker-release"
    )
    assert case.code_of(job_release=own) == "release_key_unknown"


def test_a_job_that_kept_nothing(world: World) -> None:
    case = Case.begin(world)
    facts = job_facts(world.media.result, job_id=JOB_ID.hex(), recovery={})
    nothing = sign_envelope(facts.to_statement(), JOB_WORKER)
    proof = world.proof(nothing, "job", world.evidence)
    assert case.code_of(job_proof=proof) == "nothing_kept"


def test_a_swapped_package(case: Case) -> None:
    """One of the operator's own, or the right one with one bit changed: not what the job's worker wrote."""
    granted = case.try_it()
    mine, _ = write_package(b"k" * 32, clip())
    with pytest.raises(WorkerError) as refused:
        require_package(PackageReader(io.BytesIO(mine)), granted)
    assert refused.value.code == "package_changed"
    flipped = bytearray(case.world.package)
    flipped[len(flipped) // 2] ^= 1
    with pytest.raises(WorkerError) as refused:
        require_package(PackageReader(io.BytesIO(bytes(flipped))), granted)
    assert refused.value.code == "package_changed"


def test_a_package_that_is_swapped_after_it_was_checked(case: Case) -> None:
    """The file is the operator's, and is read twice: what was put in between opens under no key."""
    granted, reader = case.try_it(), PackageReader(io.BytesIO(case.world.package))
    released = open_scope(reader, case.world.written.ring, granted)
    entry = released.scopes[0].entries[0]
    changed = bytearray(case.world.package)
    changed[entry.offset] ^= 1
    reader._file = io.BytesIO(bytes(changed))
    with pytest.raises(RecoveryError) as refused:
        list(released.seen()[1])
    assert refused.value.code == "package_entry_damaged"


def test_a_swapped_ring(case: Case) -> None:
    granted, reader = case.try_it(), PackageReader(io.BytesIO(case.world.package))
    _, other = write_package(b"k" * 32, clip())
    with pytest.raises(RecoveryError) as refused:
        open_scope(reader, other.ring, granted)
    assert refused.value.code == "package_key_wrong"
    wrapped = case.world.written.ring.wrapped
    exchanged = RecoveryRing(
        case.world.written.ring.context, {1: wrapped[2], 2: wrapped[1], RESULT_TRACK: wrapped[RESULT_TRACK]}
    )
    with pytest.raises(RecoveryError) as refused:
        open_scope(reader, exchanged, granted)
    assert refused.value.code == "package_key_wrong"


def test_the_keys_of_one_scope_open_nothing_else(case: Case) -> None:
    granted, reader = case.try_it(), PackageReader(io.BytesIO(case.world.package))
    released = open_scope(reader, case.world.written.ring, granted)
    assert [scope.track for scope in released.scopes] == [1]
    assert set(released.scopes[0].keys) == {0, 1}  # Seconds 0 and 1 of three.
    assert {region.frame for region in released.seen()[1]} == set(range(50))


# What custodians check before they give a share: which worker it is, and whom it believes.


@dataclasses.dataclass
class Evidence:
    """A disclosure worker's evidence, as an operator would have it."""

    world: World
    request: Envelope
    key: OneJobKey = dataclasses.field(default_factory=OneJobKey.generate)

    def proof(self, signer: Any = NODE, log: WitnessedLog | None = None, **changes: Any) -> bytes:
        """Recorded; parts are replaced by name."""
        worker = TestSigner("disclosure worker").public
        values: dict[str, Any] = {
            "request_sha256": self.request.digest.hex(),
            "job_id": JOB_ID.hex(),
            "tier": "process",
            "walls": ("seccomp",),
            "measurement": hex_of("measurement"),
            "trust_sha256": trust_digest(self.world.trust),
            "worker_hpke": self.key.public_key,
            "worker_ed25519": worker.ed25519,
            "worker_mldsa65": worker.mldsa65,
            "admitted_at": format_instant(ASKED_AT),
        }
        facts = DisclosureWorkerFacts(**{**values, **changes})
        envelope = sign_envelope(facts.to_statement(), signer)
        return (log or self.world.log).prove(envelope, "disclosure-worker")

    def check(self, proof: bytes, release: bytes | None = None) -> DisclosureWorkerFacts:
        """As a custodian does."""
        return verify_worker(proof, release or self.world.job_release, self.world.trust, self.request.digest)


@pytest.fixture
def evidence(world: World) -> Evidence:
    return Evidence(world, world.request())


def test_a_custodian_takes_a_worker_that_believes_alike(evidence: Evidence) -> None:
    assert evidence.check(evidence.proof()).worker_hpke == evidence.key.public_key


OPERATORS_WORKERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "another trust file": ("worker_believes_alike", "trust_differs", {"trust_sha256": hex_of("mine")}),
    "another request": ("worker_of_request", "facts_disagree", {"request_sha256": hex_of("mine")}),
    "another version": ("worker_released", "worker_not_released", {"measurement": hex_of("mine")}),
    "another node": ("worker_certified", "wrong_signer", {"signer": TestSigner("mine")}),
}


@pytest.mark.parametrize("name", OPERATORS_WORKERS)
def test_a_custodian_gives_no_share_to_a_worker_with(name: str, evidence: Evidence) -> None:
    step, code, changes = OPERATORS_WORKERS[name]
    with pytest.raises(VerificationError) as refused:
        evidence.check(evidence.proof(**changes))
    assert (refused.value.step, refused.value.code) == (step, code)


def test_a_custodian_gives_no_share_to_a_worker_that_is_on_no_record(
    evidence: Evidence, tmp_path: Path
) -> None:
    (tmp_path / "hidden").mkdir()
    hidden = WitnessedLog(tmp_path / "hidden", name="hidden")
    with pytest.raises(VerificationError) as refused:
        evidence.check(evidence.proof(log=hidden))
    assert refused.value.step == "checkpoint_signed"


# What was released is on record, and a requester or an audit sees whether all of it was right.


def test_a_release_is_checked_with_its_worker(evidence: Evidence) -> None:
    world, signer = evidence.world, TestSigner("disclosure worker")
    evidence.proof()
    certified = world.log.statements[-1]
    facts = DisclosureReleaseFacts(
        request_sha256=evidence.request.digest.hex(),
        approvals_sha256=(hex_of("approval"),),
        tracks=(1,),
        stretches=((0, 2000),),
        disclosure_sha256=hex_of("sealed"),
        measurement=hex_of("measurement"),
        tier="process",
        walls=("seccomp",),
        released_at=format_instant(LATER),
    )

    def proof_of(facts: DisclosureReleaseFacts, signer: Any = signer) -> bytes:
        release = sign_envelope(facts.to_statement(), signer)
        return world.proof(release, "disclosure-release", certified)

    request = DisclosureRequestFacts.from_statement(evidence.request.payload)
    assert verify_disclosure(proof_of(facts), world.trust, request).facts == facts
    wider = dataclasses.replace(facts, tracks=(1, 2))
    for proof, step, code in (
        (proof_of(wider), "within_request", "scope_exceeded"),
        (proof_of(facts, TestSigner("mine")), "disclosure_signed", "wrong_signer"),
        (proof_of(dataclasses.replace(facts, measurement=hex_of("mine"))), "facts_agree", "facts_disagree"),
    ):
        with pytest.raises(VerificationError) as refused:
            verify_disclosure(proof, world.trust, request)
        assert (refused.value.step, refused.value.code) == (step, code)


# The operator with the vault's keys too: what is left to the custodians and the witnesses.


def test_an_operator_with_node_and_log_keys_still_needs_witnesses_and_a_quorum(
    world: World,
) -> None:
    case = Case.begin(world)
    case.asked.approve("ada")
    # A job of the operator's own, signed by its node and recorded in its log, with a policy of its own
    # custodian: it opens its own package, and never that of this job, whose key Ada, Ben and Chloe hold.
    weak = policy_of(("dan",), 1)
    own = deal(weak.rule, job_context(JOB_ID))
    facts = JobFacts.from_statement(world.job.payload)
    recovery = {
        **facts.recovery,
        "custody_policy": weak.digest.hex(),
        "sharing": own.sharing.digest.hex(),
    }
    made_up = sign_envelope(dataclasses.replace(facts, recovery=recovery).to_statement(), JOB_WORKER)
    fake = dataclasses.replace(
        world,
        policy=weak,
        dealt=own,
        job=made_up,
        job_proof=world.proof(made_up, "job", world.evidence),
    )
    opened = Case.begin(fake)
    opened.asked.approve("dan")
    world.log.now = LATER
    assert case.code_of() == "quorum_not_met"
    granted = opened.try_it()
    with pytest.raises(RecoveryError) as refused:
        open_scope(PackageReader(io.BytesIO(world.package)), world.written.ring, granted)
    assert refused.value.code == "package_key_wrong"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
