"""Disclosure workers: what they are ordered and shown, what they say; what vault and custodians are told."""

from __future__ import annotations

import dataclasses
import tempfile
from functools import cache
from pathlib import Path
from typing import cast

from google.protobuf.message import DecodeError

from enclave.disclosing import DisclosureOrder
from enclave.disclosure.checking import Counting, check
from enclave.disclosure.materials import read_materials
from enclave.errors import HostError, OrderError, WorkerError
from enclave.host.disclosure_reports import check_disclosure_report
from keyvault.custody.errors import CustodianError
from keyvault.custody.sharing import job_context, recovery_key
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerFacts
from keyvault.vault.config import VaultConfig
from keyvault.vault.disclosures import Admission, DisclosureDesk
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.frames import parse
from protos.bauta.internal.v1.disclosure_pb2 import (
    DisclosureRefusal,
    DisclosureReport,
    DisclosureResult,
    Proceed,
    Waiting,
)
from protos.bauta.internal.v1.release_pb2 import DisclosureAsked, ReleaseRequest, WrappedKeysRequest
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure
from provenance.disclosing import trust_digest, verify_disclosure, verify_worker
from provenance.dsse import sign_envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.proof import ProofFile
from provenance.statements import DisclosureReleaseFacts, DisclosureWorkerFacts
from provenance.statements.fields import format_instant
from tests.disclosure_world import (
    JOB_ID,
    LATER,
    LIMITS,
    NODE,
    Asked,
    Counter,
    World,
    order_of,
)
from tests.fuzz.target import Target
from tests.unit.keyvault.custody.custody_makers import ASKED_AT
from tests.unit.provenance.provenance_makers import TestSigner, hex_of, seed

WORKER = TestSigner("disclosure worker")
NONCE = bytes(32)
NUMBER_BYTES = 16


@dataclasses.dataclass(frozen=True)
class Scene:
    """One request that two of three have approved, and a worker that counts."""

    world: World
    asked: Asked
    counting: Counting
    shown: Proceed
    worker_proof: bytes
    disclosure_proof: bytes


@cache
def scene() -> Scene:
    """Made once; its log is closed."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        world, key = World.make(Path(folder)), OneJobKey.generate()
        asked = Asked.begin(world, key.public_key)
        asked.approve("ada", "ben")
        world.log.now = LATER
        worker = sign_envelope(_worker_facts(world, asked, key).to_statement(), NODE)
        worker_proof = world.proof(worker, "disclosure-worker")
        release = sign_envelope(_release_facts(asked).to_statement(), WORKER)
        disclosure_proof = world.proof(release, "disclosure-release", worker)
        # The release is of another request's: else nothing would be counted on this one any more.
        counting = Counter(order_of(world, asked.request), key).count(world.log)
        shown = asked.materials().to_message()
        world.log.log.close()
    return Scene(world, asked, counting, shown, worker_proof, disclosure_proof)


def _worker_facts(world: World, asked: Asked, key: OneJobKey) -> DisclosureWorkerFacts:
    return DisclosureWorkerFacts(
        request_sha256=hex_of("another request"),
        job_id=JOB_ID.hex(),
        tier="process",
        walls=("seccomp",),
        measurement=hex_of("measurement"),
        trust_sha256=trust_digest(world.trust),
        worker_hpke=key.public_key,
        worker_ed25519=WORKER.public.ed25519,
        worker_mldsa65=WORKER.public.mldsa65,
        admitted_at=format_instant(ASKED_AT),
    )


def _release_facts(asked: Asked) -> DisclosureReleaseFacts:
    return DisclosureReleaseFacts(
        request_sha256=hex_of("another request"),
        approvals_sha256=tuple(sorted(one.envelope.digest.hex() for one in asked.approvals)),
        tracks=(1,),
        stretches=((0, 2000),),
        disclosure_sha256=hex_of("sealed"),
        measurement=hex_of("measurement"),
        tier="process",
        walls=("seccomp",),
        released_at=format_instant(LATER),
    )


def read_order(untrusted: bytes) -> None:
    """What is taken has one form, and a number that the vault will know."""
    try:
        order = DisclosureOrder.from_message(RunDisclosure.FromString(untrusted))
    except DecodeError:
        return
    assert len(order.number) == NUMBER_BYTES
    assert len(order.trust_sha256) == len(NONCE)


def order() -> tuple[bytes, ...]:
    """An honest one."""
    here = scene()
    message = RunDisclosure(
        request=here.asked.request.to_bytes(), trust=here.world.trust.to_bytes(), **vars(LIMITS)
    )
    return (message.SerializeToString(),)


def show(untrusted: bytes) -> None:
    """Whatever is shown: if it opens anything, then with the one key that there is, for the one scope."""
    here = scene()
    try:
        message = Proceed.FromString(untrusted)
    except DecodeError:
        return
    granted = check(here.counting, read_materials(message))
    assert granted.recovery_key == recovery_key(here.world.dealt.secret, job_context(JOB_ID))
    assert (granted.request.tracks, granted.request.stretches) == ((1,), ((0, 2000),))
    assert len(granted.approvals_sha256) == 2


def read_report(untrusted: bytes) -> None:
    """A worker's word."""
    try:
        check_disclosure_report(DisclosureReport.FromString(untrusted))
    except DecodeError:
        return


def reports() -> tuple[bytes, ...]:
    """One of each kind."""
    refusal = DisclosureRefusal(code="share_false", custodian=bytes(32))
    result = DisclosureResult(
        statement=b"{}", sealed_bytes=1, sealed_sha256=bytes(32), blamed=[refusal, refusal]
    )
    return tuple(
        report.SerializeToString()
        for report in (
            DisclosureReport(admitted=b"{}"),
            DisclosureReport(waiting=Waiting()),
            DisclosureReport(counted=b"{}"),
            DisclosureReport(refused=refusal),
            DisclosureReport(released=result),
            DisclosureReport(header=b"age"),
            DisclosureReport(failure=refusal),
        )
    )


class _Rings:
    def get(self, job_id: bytes) -> RecoveryRing:
        """That of the world's job."""
        assert job_id == JOB_ID
        return scene().world.written.ring


@cache
def vault() -> DisclosureDesk:
    """Says that everything is released; that something is on record it does not take on trust."""

    def require_recorded(leaf: bytes, proof: bytes) -> None:
        here = scene()
        if (leaf, proof) != (Entry("disclosure-request", here.asked.request.digest).leaf, NONCE):
            raise VaultRequestError("entry_proof_invalid", "it is not")

    return DisclosureDesk(
        cast("HybridSigner", NODE),
        _Rings(),
        lambda _measurement: None,
        require_recorded,
        VaultConfig(),
        LATER.timestamp,
    )


def admit(untrusted: bytes) -> None:
    """Evidence is about the request that was registered, or there is none."""
    here = scene()
    request = parse(ReleaseRequest, untrusted, "release_request_malformed")
    admission = _admitted(request)
    assert admission.request_sha256 == here.asked.request.digest


def _admitted(request: ReleaseRequest) -> Admission:
    host = WorkerFacts(measurement=seed("measurement"), walls=frozenset({"seccomp"}))
    return vault().admit(scene().asked.request.digest[:NUMBER_BYTES], host, NONCE, request)


@cache
def request_of_a_worker() -> ReleaseRequest:
    """An honest one."""
    here = scene()
    return ReleaseRequest(
        job_id=here.asked.request.digest[:NUMBER_BYTES],
        worker_hpke_key=here.counting.one_job_key.public_key,
        worker_ed25519_key=WORKER.public.ed25519,
        worker_mldsa65_key=WORKER.public.mldsa65,
        walls=["seccomp"],
        nonce=NONCE,
        disclosure=DisclosureAsked(request=here.asked.request.to_bytes(), trust_sha256=seed("trust")),
    )


def ask_for_keys(untrusted: bytes) -> None:
    """Keys are given for a recorded request alone."""
    assert vault()._respond(_admitted(request_of_a_worker()), untrusted).sealed_ring


def take_worker(untrusted: bytes) -> None:
    """As a custodian does before any share is sealed to it."""
    here = scene()
    another = bytes.fromhex(hex_of("another request"))
    release = here.world.job_release
    facts = verify_worker(untrusted, release, here.world.trust, another)
    assert facts.trust_sha256 == trust_digest(here.world.trust)


def take_release(untrusted: bytes) -> None:
    """The other file that a custodian is shown."""
    here = scene()
    another = bytes.fromhex(hex_of("another request"))
    verify_worker(here.worker_proof, untrusted, here.world.trust, another)


def take_disclosure(untrusted: bytes) -> None:
    """As whoever got it does, and an audit."""
    verified = verify_disclosure(untrusted, scene().world.trust)
    good = ProofFile.from_bytes(scene().disclosure_proof).statement
    assert verified.facts == DisclosureReleaseFacts.from_statement(good.payload)


FRONT_DESK = "the front desk"
TARGETS = (
    Target(
        name="disclosure_order",
        sender=FRONT_DESK,
        parsers=("enclave.disclosing.DisclosureOrder.from_message",),
        parse=read_order,
        seeds=order,
        errors=(OrderError,),
        message=RunDisclosure,
    ),
    Target(
        name="disclosure_materials",
        sender=FRONT_DESK,
        parsers=(
            "enclave.disclosure.materials.read_materials",
            "enclave.disclosure.in_force._sharing",
        ),
        parse=show,
        seeds=lambda: (scene().shown.SerializeToString(),),
        errors=(WorkerError, CustodianError, ProvenanceError),
        message=Proceed,
        examples=40,
        max_bytes=1 << 20,
    ),
    Target(
        name="disclosure_report",
        sender="a disclosure worker",
        parsers=(
            "enclave.host.disclosure_reports.check_disclosure_report",
            "enclave.host.disclosure_reports._check_refusal",
        ),
        parse=read_report,
        seeds=reports,
        errors=(HostError,),
        message=DisclosureReport,
    ),
    Target(
        name="disclosure_admission",
        sender="a disclosure worker",
        parsers=("keyvault.vault.disclosures.DisclosureDesk.admit",),
        parse=admit,
        seeds=lambda: (request_of_a_worker().SerializeToString(),),
        errors=(VaultRequestError,),
        message=ReleaseRequest,
        examples=60,
    ),
    Target(
        name="wrapped_keys",
        sender="a disclosure worker",
        parsers=(
            "keyvault.vault.disclosures.DisclosureDesk._respond",
            "keyvault.vault.disclosures.DisclosureDesk.wrapped_keys",
        ),
        parse=ask_for_keys,
        seeds=lambda: (WrappedKeysRequest(request_proof=NONCE).SerializeToString(),),
        errors=(VaultRequestError,),
        message=WrappedKeysRequest,
        examples=60,
    ),
    Target(
        name="disclosure_worker",
        sender=FRONT_DESK,
        parsers=(
            "provenance.disclosing.verify_worker",
            "provenance.disclosing._witnessed",
            "provenance.certified.read_disclosure_worker",
        ),
        parse=take_worker,
        seeds=lambda: (scene().worker_proof,),
        errors=(ProvenanceError,),
        json=True,
        examples=60,
    ),
    Target(
        name="disclosure_worker_release",
        sender=FRONT_DESK,
        parsers=("provenance.disclosing.verify_worker",),
        parse=take_release,
        seeds=lambda: (scene().world.job_release,),
        errors=(ProvenanceError,),
        json=True,
        examples=40,
    ),
    Target(
        name="disclosure_release_proof",
        sender=FRONT_DESK,
        parsers=("provenance.disclosing.verify_disclosure",),
        parse=take_disclosure,
        seeds=lambda: (scene().disclosure_proof,),
        errors=(ProvenanceError,),
        json=True,
        examples=60,
    ),
)
