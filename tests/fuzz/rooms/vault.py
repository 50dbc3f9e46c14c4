"""The vault's doors: its front desk, its worker host, a job's child; and its store on a disk."""

from __future__ import annotations

import socket
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from keyvault.derived import PERSONA, RECORD
from keyvault.release import PUBLIC_KEY_BYTES, OneJobKey, ReleaseSealError, require_one_job_key, seal_file_key
from keyvault.release import ReleaseKeyError as OneJobKeyError
from keyvault.vault.acceptances import Acceptances, parse_upload_header
from keyvault.vault.anchoring import AnchorOrders, load_anchor_desk
from keyvault.vault.announcements import Announcer, WorkerFacts, WorkerPresence
from keyvault.vault.claim_key import load_claim_key
from keyvault.vault.claims import ClaimDesk
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Confirmations
from keyvault.vault.custody.apart import _parse as parse_custodian_answer
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.facts import _custody_of
from keyvault.vault.custody.local import unwrap_under, wrap_under
from keyvault.vault.derived import DerivationDesk, load_master
from keyvault.vault.disclosures import DisclosureDesk
from keyvault.vault.erasures import Erasures
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.follow_ups import FollowUps
from keyvault.vault.frames import ChannelClosedError, parse
from keyvault.vault.frontdesk import FrontDesk
from keyvault.vault.identity import load_identity
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore, _parse_header
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import CheckpointRatchet
from keyvault.vault.register import WorkerRegister
from keyvault.vault.releases import Offer, ReleaseDesk
from keyvault.vault.retirements import Retired
from keyvault.vault.rings import Rings
from keyvault.vault.workers import WorkerChannel, receive_registration
from protos.bauta.internal.v1 import vault_pb2
from protos.bauta.internal.v1.release_pb2 import ClaimRequest, DeriveRequest, KeyAsked, ReleaseRequest
from protos.bauta.internal.v1.vault_pb2 import VaultRequest
from protos.bauta.internal.v1.worker_pb2 import WorkerHello
from provenance import canonical
from provenance.anchors.event import AnchorLine
from provenance.anchors.transaction import AnchorTransaction
from provenance.checkpoint import CheckpointText
from provenance.credentials.labels import BINDING_LABELS
from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.merkle import node_hash
from provenance.tlog_proof import TlogProof
from tests.fuzz.target import Target
from tests.unit.keyvault.vault.harness import (
    MEASUREMENT,
    TERMS_SHA256,
    WALLS,
    Worker,
    header_of,
    hello_of,
    seal_upload,
)

NOW = 1_800_000_000.0
JOB_ID = bytes(range(16))
NONCE = bytes(range(32))
EVIDENCE_SHA256 = bytes(32)
RETIRED = Retired(made_at=1, destroyed_at=2, recipient_sha256=b"r" * 32, successor_sha256=b"")
CONFIG = VaultConfig(hello_wait_seconds=0)
ANCHOR_ORDERS = AnchorOrders(chain_id=31337, contract=b"\x0c" * 20, max_wei=10**18)
HOST = WorkerFacts(
    measurement=MEASUREMENT,
    walls=frozenset(WALLS),
    version="0.1.0",
    models={"centerface": "00" * 32},
    policies={"whistleblower": "00" * 32},
    lock_sha256="00" * 32,
)


@dataclass(frozen=True)
class Scene:
    """A vault in this process, with one accepted upload and one release that waits for the log."""

    store: Keystore
    desk: FrontDesk
    releases: ReleaseDesk
    derivations: DerivationDesk
    claims: ClaimDesk
    worker: Worker
    upload: bytes
    note: bytes


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bauta-fuzz-")


@cache
def scene() -> Scene:
    """The vault; from here on its store takes every write and keeps none, so that no disk is worn."""
    store = open_store(Path(_folder().name) / "vault", None)
    identity, presence = load_identity(store), WorkerPresence()
    presence.arrive(HOST)
    node, keys = identity.node, IntakeKeys(store, CONFIG, _clock)
    register = WorkerRegister(node, [node.public], _clock)
    acceptances = Acceptances(store, keys, CONFIG, _clock)
    ratchet = CheckpointRatchet(store, identity.log, _clock)
    desk = FrontDesk(
        identity=identity,
        ratchet=ratchet,
        announcer=Announcer(node, keys, lambda: presence.wait(0), register.require),
        acceptances=acceptances,
        confirmations=Confirmations(identity.log.origin, identity.log.verifier_keys),
        register=register,
        rings=(rings := Rings(store)),
        erasures=Erasures(store, rings, node, _clock),
        credential_root=b"a certificate",
        wait_for_worker=lambda: presence.wait(0),
        clock=_clock,
        anchors=load_anchor_desk(store, ANCHOR_ORDERS, ratchet, identity.log.origin),
    )
    worker, upload = Worker(JOB_ID), seal_upload(keys.current(MEASUREMENT).recipient, b"sealed")
    note = desk.ratchet.sign(_checkpoint(identity.log.origin).to_bytes(), [])
    register.release(HOST)
    acceptances.accept(JOB_ID, header_of(upload), TERMS_SHA256)
    keep_nothing: Any = lambda *_args, **_options: None  # noqa: E731 - a method is replaced by it
    store.write = keep_nothing  # type: ignore[method-assign]
    releases = ReleaseDesk(node, acceptances, CONFIG, _clock)
    claims = ClaimDesk(load_claim_key(store, Path(_folder().name), _clock), identity.log.origin, releases)
    derivations = DerivationDesk(load_master(store), releases)
    return Scene(store, desk, releases, derivations, claims, worker, upload, note)


def _clock() -> float:
    return NOW


def _checkpoint(origin: str) -> CheckpointText:
    return CheckpointText(origin or "any", 1, Entry("release", EVIDENCE_SHA256).leaf)


def _growth(origin: str) -> vault_pb2.SignCheckpoint:
    """The same tree with one leaf more, and the proof of it."""
    text = CheckpointText(origin, 2, node_hash(_checkpoint(origin).root, bytes(32)))
    return vault_pb2.SignCheckpoint(text=text.to_bytes(), consistency=[bytes(32)])


@cache
def rotation() -> Envelope:
    """What the vault says of one destroyed intake key."""
    announcer = scene().desk.announcer
    announcer._keys._retirements.note([RETIRED])
    [signed] = announcer.rotations()
    return Envelope.from_bytes(signed)


def _destroy_again(announcer: Announcer) -> None:
    announcer._rotations[RETIRED.recipient_sha256] = rotation()
    announcer._keys._retirements.note([RETIRED])


def _proof_of_rotation() -> bytes:
    """That a log of one entry has it, under a checkpoint that the vault's keys signed."""
    log = scene().desk.identity.log
    text = CheckpointText(log.origin, 1, Entry("key-rotation", rotation().digest).leaf)
    return TlogProof(0, (), log.sign_checkpoint(text.to_bytes(), int(NOW))).to_bytes()


def ask(untrusted: bytes) -> None:
    """One request of the front desk. The vault answers whatever comes, and never with a defect of its own."""
    here = scene()
    here.desk.confirmations.expect(JOB_ID, EVIDENCE_SHA256)
    try:
        response = here.desk.answer(untrusted)
    finally:
        here.desk.ratchet._size, here.desk.ratchet._root = 1, _checkpoint("").root
        here.desk.acceptances.retain([JOB_ID])
        here.desk.acceptances.accept(JOB_ID, header_of(here.upload), TERMS_SHA256)
        _destroy_again(here.desk.announcer)
    assert response.error_code != "vault_internal_error"
    if response.error_code:
        raise VaultRequestError(response.error_code, "refused")


def _anchor(origin: str) -> vault_pb2.SignAnchor:
    """The tree that the vault signed, for its own line."""
    desk = scene().desk.anchors
    assert desk is not None
    call = AnchorLine(ANCHOR_ORDERS.contract, desk.anchorer, origin).call_to_anchor(_checkpoint(origin))
    transaction = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, ANCHOR_ORDERS.contract, call)
    return vault_pb2.SignAnchor(transaction=transaction.to_sign())


@cache
def requests() -> tuple[bytes, ...]:
    """One of each kind that the vault says yes to."""
    here, header = scene(), header_of(scene().upload)
    operations: list[dict[str, Any]] = [
        {"describe": vault_pb2.Describe()},
        {"announce_intake": vault_pb2.AnnounceIntake()},
        {
            "sign_checkpoint": vault_pb2.SignCheckpoint(
                text=_checkpoint(here.desk.identity.log.origin).to_bytes()
            )
        },
        {"sign_checkpoint": _growth(here.desk.identity.log.origin)},
        {"sign_anchor": _anchor(here.desk.identity.log.origin)},
        {"sign_failure": vault_pb2.SignFailure(job_id=JOB_ID, code="media_corrupt")},
        {
            "accept_upload": vault_pb2.AcceptUpload(
                job_id=bytes(16), age_header=header, terms_sha256=TERMS_SHA256
            )
        },
        {
            "confirm_release": vault_pb2.ConfirmRelease(
                job_id=JOB_ID, tlog_proof=TlogProof(0, (), here.note).to_bytes()
            )
        },
        {"end_job": vault_pb2.EndJob(job_id=JOB_ID)},
        {"retain_jobs": vault_pb2.RetainJobs(job_ids=[JOB_ID])},
        {"sign_submission": vault_pb2.SignSubmission(job_id=JOB_ID, upload_sha256=bytes(32))},
        {"sign_policies": vault_pb2.SignPolicies()},
        {"announce_rotations": vault_pb2.AnnounceRotations()},
        {
            "confirm_rotation": vault_pb2.ConfirmRotation(
                retired_sha256=RETIRED.recipient_sha256, tlog_proof=_proof_of_rotation()
            )
        },
        {"release_worker": vault_pb2.ReleaseWorker()},
        {"register_worker": vault_pb2.RegisterWorker(release=here.desk.register.release(HOST))},
    ]
    return tuple(VaultRequest(**operation).SerializeToString() for operation in operations)


def greet(untrusted: bytes) -> None:
    """The worker host's first word."""
    _with_channel(_frame(untrusted), lambda end: _worker_channel(end)._read_hello())


def ask_for_key(untrusted: bytes) -> None:
    """A child's request, as far as the signed offer and the sealed key."""
    here = scene()

    def serve(end: socket.socket) -> None:
        request = _worker_channel(end)._read_request(end, None)  # type: ignore[arg-type]  # its end is closed
        here.releases.seal(here.releases.offer(JOB_ID, HOST, NONCE, request))

    _with_channel(_frame(untrusted), serve)


def ask_for_derived_keys(untrusted: bytes) -> None:
    """A child's second question; the first was answered."""
    request = parse(DeriveRequest, untrusted, "derivation_malformed")
    assert len(scene().derivations.derive(released(), request)) == len(request.keys) <= 4


def derivation_of_a_child() -> tuple[bytes, ...]:
    """For nothing, for one key, and for as many as there may be."""
    keys = [KeyAsked(purpose=purpose, context=bytes(32)) for purpose in (PERSONA, RECORD)]
    return tuple(DeriveRequest(keys=asked).SerializeToString() for asked in ([], keys[:1], keys * 2))


@cache
def released() -> Offer:
    """What the vault has offered the child."""
    request = ReleaseRequest.FromString(request_of_a_child()[0])
    return scene().releases.offer(JOB_ID, HOST, NONCE, request)


def ask_for_claim(untrusted: bytes) -> None:
    """A child's third question."""
    offer = released()
    assert len(scene().claims.sign(offer, parse(ClaimRequest, untrusted, "claim_malformed"))) == 64


def claim_of_a_child() -> tuple[bytes, ...]:
    """One of each binding."""
    return tuple(
        ClaimRequest(
            actions_sha256=bytes(32), binding_label=label, binding_sha256=bytes(32)
        ).SerializeToString()
        for label in BINDING_LABELS
    )


def register_job(untrusted: bytes) -> None:
    """A job's number, with one descriptor."""
    given, kept = socket.socketpair()
    ours, theirs = socket.socketpair()
    with given, kept, ours, theirs:
        if untrusted:
            socket.send_fds(theirs, [untrusted[:4096]], [given.fileno()])
        theirs.shutdown(socket.SHUT_WR)
        job_id, channel = receive_registration(ours)
        channel.close()
        assert job_id == untrusted[:16]


def _worker_channel(end: socket.socket) -> WorkerChannel:
    here = scene()
    follow_ups = FollowUps(here.derivations, here.claims, here.releases, here.desk.rings, CONFIG)
    confirmations, register = here.desk.confirmations, here.desk.register
    disclosures = DisclosureDesk(
        here.desk.identity.node,
        here.desk.rings,
        register.require,
        confirmations.require_recorded,
        CONFIG,
        _clock,
    )
    return WorkerChannel(end, WorkerPresence(), here.releases, follow_ups, confirmations, CONFIG, disclosures)


def _with_channel(sent: bytes, serve: Any) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        serve(ours)


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@cache
def one_job_key() -> OneJobKey:
    """A worker's key."""
    return OneJobKey.generate()


@cache
def sealed_key() -> bytes:
    """A file key that was sealed to it."""
    return seal_file_key(b"k" * 16, one_job_key().public_key, JOB_ID, b"header")


def open_sealed_key(untrusted: bytes) -> None:
    """Only what was sealed opens."""
    assert one_job_key().open_file_key(untrusted, JOB_ID, b"header") == b"k" * 16
    assert untrusted == sealed_key()


@cache
def store_header() -> bytes:
    """The header of a store on a disk."""
    assert scene()
    return (Path(_folder().name) / "vault" / "keystore" / "header.json").read_bytes()


def show_custody(untrusted: bytes) -> None:
    """What `bauta doctor` says of a store: words of its own, or a name."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(untrusted)
        file.flush()
        kind, name = _custody_of(Path(file.name))
    assert kind in {"unreadable", "key-file", "argon2id", "pkcs11", "installed"}
    assert isinstance(name, str)


STORE_ID = bytes(16)
WRAPPING_KEY = memoryview(bytearray(b"w" * 32))


@cache
def wrapped_key() -> bytes:
    """A wrapped master key, as JSON keeps it."""
    return canonical.dumps(wrap_under(WRAPPING_KEY, memoryview(b"m" * 32), STORE_ID))


def unwrap_master_key(untrusted: bytes) -> None:
    """Only what was wrapped unwraps."""
    into = memoryview(bytearray(32))
    unwrap_under(
        WRAPPING_KEY, untrusted.decode("latin-1")[1:-1], STORE_ID, into, broken_code="vault_unlock_failed"
    )
    assert into == b"m" * 32


def request_of_a_child() -> tuple[bytes, ...]:
    """An honest request."""
    request = scene().worker.request(header_of(scene().upload))
    request.nonce = NONCE
    return (request.SerializeToString(),)


DISK = "whoever can write to the vault's disk"
REFUSALS = (VaultRequestError, ChannelClosedError)
TARGETS = (
    Target(
        name="vault_request",
        sender="a front desk that somebody has taken over",
        parsers=(
            "keyvault.vault.frontdesk.FrontDesk.answer",
            "keyvault.vault.acceptances.Acceptances.accept",
            "keyvault.vault.confirmations.Confirmations.confirm",
            "keyvault.vault.ratchet.CheckpointRatchet.sign",
            "keyvault.vault.ratchet.CheckpointRatchet.require_signed",
            "keyvault.vault.anchoring.AnchorDesk.sign",
            "keyvault.vault.register.WorkerRegister.register",
        ),
        parse=ask,
        seeds=requests,
        errors=(VaultRequestError,),
        message=VaultRequest,
        examples=500,
    ),
    Target(
        name="upload_header",
        sender="whoever uploads",
        parsers=("keyvault.vault.acceptances.parse_upload_header",),
        parse=lambda untrusted: parse_upload_header(untrusted, CONFIG),
        seeds=lambda: (header_of(scene().upload),),
        errors=(VaultRequestError,),
        tokens=(b"-> X25519 ", b"-> grease-grease\n", b"-> mlkem768x25519 "),
    ),
    Target(
        name="vault_hello",
        sender="a worker host",
        parsers=("keyvault.vault.workers.WorkerChannel._read_hello",),
        parse=greet,
        seeds=lambda: (hello_of().SerializeToString(),),
        errors=REFUSALS,
        message=WorkerHello,
    ),
    Target(
        name="release_request",
        sender="a child that hostile media has taken over",
        parsers=(
            "keyvault.vault.workers.WorkerChannel._read_request",
            "keyvault.vault.releases.ReleaseDesk.offer",
        ),
        parse=ask_for_key,
        seeds=request_of_a_child,
        errors=REFUSALS,
        message=ReleaseRequest,
        examples=400,
    ),
    Target(
        name="derive_request",
        sender="a child that hostile media has taken over",
        parsers=("keyvault.vault.derived.DerivationDesk.derive", "keyvault.vault.derived._names"),
        parse=ask_for_derived_keys,
        # The empty message is a request for nothing, and no seed to mutate.
        seeds=lambda: derivation_of_a_child()[1:],
        errors=(VaultRequestError,),
        message=DeriveRequest,
    ),
    Target(
        name="claim_request",
        sender="a child that hostile media has taken over",
        parsers=("keyvault.vault.claims.ClaimDesk.sign",),
        parse=ask_for_claim,
        seeds=claim_of_a_child,
        errors=(VaultRequestError,),
        message=ClaimRequest,
    ),
    Target(
        name="job_registration",
        sender="a worker host",
        parsers=("keyvault.vault.workers.receive_registration",),
        parse=register_job,
        seeds=lambda: (JOB_ID, JOB_ID + b"more"),
        errors=(ChannelClosedError, OSError),
    ),
    Target(
        name="one_job_key",
        sender="a child that hostile media has taken over",
        parsers=("keyvault.release.require_one_job_key",),
        parse=require_one_job_key,
        seeds=lambda: (one_job_key().public_key,),
        errors=(OneJobKeyError,),
        max_bytes=2 * PUBLIC_KEY_BYTES,
    ),
    Target(
        name="sealed_file_key",
        sender="the vault, past a front desk that somebody has taken over",
        parsers=("keyvault.release.OneJobKey.open_file_key",),
        parse=open_sealed_key,
        seeds=lambda: (sealed_key(),),
        errors=(ReleaseSealError,),
    ),
    Target(
        name="store_header",
        sender=DISK,
        parsers=("keyvault.vault.keystore._parse_header",),
        parse=_parse_header,
        seeds=lambda: (store_header(),),
        errors=(VaultStartError,),
        json=True,
    ),
    Target(
        name="store_header_shown",
        sender=DISK,
        parsers=("keyvault.vault.custody.facts._custody_of",),
        parse=show_custody,
        seeds=lambda: (store_header(),),
        errors=(),
        json=True,
    ),
    Target(
        name="wrapped_master_key",
        sender=DISK,
        parsers=("keyvault.vault.custody.local.unwrap_under", "keyvault.vault.sealing.open_entry"),
        parse=unwrap_master_key,
        seeds=lambda: (wrapped_key(),),
        errors=(CustodyError,),
    ),
    Target(
        name="custodian_answer",
        sender="a vendor's library in a process of its own",
        parsers=("keyvault.vault.custody.apart._parse",),
        parse=parse_custodian_answer,
        seeds=lambda: (canonical.dumps({"parameters": {"key": "00", "label": "bauta"}}),),
        errors=(CustodyError,),
        json=True,
        tokens=(b'{"code":"vault_unlock_failed"}',),
    ),
)
