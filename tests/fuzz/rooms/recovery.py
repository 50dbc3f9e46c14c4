"""What lay beneath covers, as bytes; what a worker keeps; what custodians' own processes are asked to do."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError

from anonymizer.effects.region import Plane
from anonymizer.errors import AnonymizerError
from anonymizer.recovery import (
    Beneath,
    Said,
    put_back,
    read_pixels,
    read_sound,
    said_of,
    write_pixels,
    write_sound,
)
from anonymizer.recovery.beneath import Shared
from enclave.errors import HostError
from enclave.host.checks import check_report
from grpc_api.errors import ServiceError
from grpc_api.jobs.keeping import require_named
from grpc_api.jobs.refused import WorkerRefusedError
from keyvault.custody.acting import act
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import deal, job_context
from keyvault.errors import KeyvaultError
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import RecoveryRing
from keyvault.recovery.sheet import VOICE, RecoverySheet, SheetEntry
from keyvault.vault.errors import VaultRequestError
from protos.bauta.internal.v1.worker_pb2 import WorkerRecovery, WorkerReport, WorkerResult
from provenance import canonical
from provenance.encoding import base64_text
from provenance.errors import ProvenanceError
from tests.fuzz.rooms.vault import JOB_ID
from tests.fuzz.rooms.vault import scene as vault_scene
from tests.fuzz.target import Target
from tests.unit.grpc_api.test_recovery_kept import JOB, Scene, stated, told
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    custody_policy,
    custody_text,
    person,
    request_facts,
    signed_request,
)

SIZE = 64


@cache
def regions() -> tuple[Beneath, ...]:
    """Two frames of one thing, a corner of which another one covers too."""
    made = np.random.default_rng(7)
    outline = np.ones((4, 6), np.bool_)
    corner = np.zeros_like(outline)
    corner[2:, 3:] = True
    planes = [made.integers(0, 256, size, np.uint8) for size in ((8, 12), (4, 6), (4, 6))]
    return tuple(
        Beneath(frame, 40_000 * frame, 2, 3, outline, (Shared(9, corner),), tuple(planes)) for frame in (3, 4)
    )


def read_regions(untrusted: bytes) -> None:
    """What is taken encodes back to what means the same, and goes into a frame or is refused."""
    found = list(read_pixels(untrusted))
    again = list(read_pixels(write_pixels(found)))
    for one, two in zip(found, again, strict=True):
        assert (one.frame, one.left, one.top) == (two.frame, two.left, two.top)
        assert all(np.array_equal(*pair) for pair in zip(one.planes, two.planes, strict=True))
        frame = [np.zeros((SIZE // step, SIZE // step), np.uint8) for step in (1, 2, 2)]
        put_back([Plane(p, s, 128) for p, s in zip(frame, (1, 2, 2), strict=True)], [(3, one), (9, two)])


@cache
def said() -> Said:
    """A tenth of a second of noise."""
    return said_of(48_000, 8_000, np.random.default_rng(5).uniform(-1, 1, (2, 800)).astype(np.float32))


def read_voice(untrusted: bytes) -> None:
    """What is taken is a second at most, of 24 bits."""
    heard = read_sound(untrusted)
    assert heard.samples.shape[1] <= 192_000
    assert np.abs(heard.as_float).max() <= 1


@cache
def sheet() -> RecoverySheet:
    """A face and a voice."""
    jpeg = b"\xff\xd8\xff" + bytes(20) + b"\xff\xd9"
    return RecoverySheet(
        "0" * 32,
        (SheetEntry(0, "face", "solid", 0, 900, jpeg), SheetEntry(1 << 31, VOICE, "replaced", 5, 800)),
    )


def read_sheet(untrusted: bytes) -> None:
    """A sheet that is taken encodes back."""
    assert RecoverySheet.from_bytes(untrusted).to_bytes() == untrusted


@cache
def offered_ring() -> bytes:
    """The ring of the job that the vault has open."""
    return RecoveryRing(job_context(JOB_ID), {0: bytes(48), 1: None}).to_bytes()


def offer_ring(untrusted: bytes) -> None:
    """What the vault takes is a ring of that job; its store keeps nothing here."""
    vault_scene().desk.rings.offer(JOB_ID, untrusted)
    assert RecoveryRing.from_bytes(untrusted).to_bytes() == untrusted


def tasks() -> tuple[bytes, ...]:
    """A task of each kind that needs no service."""
    desk = person("desk")
    key = desk.signer.public
    asked = {
        "policy": custody_text(),
        "request": base64_text(signed_request().to_bytes()),
        "requester": base64_text(key.ed25519 + key.mldsa65),
        "reason": "other",
        "do": "deny",
    }
    own = request_facts(requester_key_sha256=person("ada").digest)
    signed = {"do": "sign", "payload": base64_text(own.to_statement())}
    question = {"do": "access", "service": "log", "call": "List", "about": ""}
    sharing = deal(custody_policy().rule, job_context(JOB_ID))
    ada = person("ada")
    info = dealt_info(sharing.sharing, ada.digest)
    redealt = {
        "do": "redeal",
        "policy": custody_text(),
        "new_policy": custody_text(),
        "job": base64_text(JOB_ID),
        "sharing": base64_text(sharing.sharing.to_bytes()),
        "share": base64_text(seal_share(sharing.shares[ada.digest], ada.identity.recipient, info)),
    }
    return tuple(canonical.dumps(task) for task in (asked, signed, question, redealt))


def _text(raw: bytes) -> str:

    return base64_text(raw)


def do_task(untrusted: bytes) -> None:
    """Whatever is done is an answer of words, never a key."""
    answer = act(person("ada"), untrusted, ASKED_AT)
    assert answer.keys() <= {"access", "envelope", "share", "opened", "redealt", "parts"}


def name_kept(untrusted: bytes) -> None:
    """Only what the statement names is taken."""
    reply = _reply(untrusted)
    result = WorkerResult(
        sealed_bytes=1,
        sealed_sha256=bytes(32),
        media_type="video/mp4",
        statement=b"-",
        evidence=b"-",
        recovery=reply,
    )
    check_report(WorkerReport(result=result))
    require_named(JOB, result, stated())
    good = told()
    assert reply.sharing == good.sharing
    assert (reply.package_sha256, reply.ring_sha256) == (good.package_sha256, good.ring_sha256)


def _reply(untrusted: bytes) -> WorkerRecovery:
    """Protobuf's own parser is not ours to attack: what it does not take comes from no worker."""
    try:
        return WorkerRecovery.FromString(untrusted)
    except DecodeError:
        return WorkerRecovery()


def replies() -> tuple[bytes, ...]:
    """What an honest worker says."""
    return (told().SerializeToString(),)


def commit_kept(untrusted: bytes) -> None:
    """Files that are not there, or are others, are kept for nobody."""

    reply = _reply(untrusted)
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        here = Scene(Path(folder))
        here.write()
        here.keeping.commit(JOB, WorkerResult(recovery=reply))
        assert (reply.package_bytes, reply.package_sha256) == (told().package_bytes, told().package_sha256)


TARGETS = (
    Target(
        name="recovery_pixels",
        sender="the worker of a job, whose package a disclosure worker opens",
        parsers=("anonymizer.recovery.pixels.read_pixels",),
        parse=read_regions,
        seeds=lambda: (write_pixels(regions()), write_pixels(regions()[:1])),
        errors=(AnonymizerError,),
    ),
    Target(
        name="recovery_sound",
        sender="the worker of a job, whose package a disclosure worker opens",
        parsers=("anonymizer.recovery.sound.read_sound",),
        parse=read_voice,
        seeds=lambda: (write_sound(said()),),
        errors=(AnonymizerError,),
    ),
    Target(
        name="recovery_sheet",
        sender="the worker of a job",
        parsers=("keyvault.recovery.sheet.RecoverySheet.from_bytes", "keyvault.recovery.sheet._entry"),
        parse=read_sheet,
        seeds=lambda: (sheet().to_bytes(),),
        errors=(RecoveryError,),
        json=True,
    ),
    Target(
        name="offered_ring",
        sender="the worker of a job",
        parsers=("keyvault.vault.rings.Rings.offer",),
        parse=offer_ring,
        seeds=lambda: (offered_ring(),),
        errors=(VaultRequestError,),
        json=True,
    ),
    Target(
        name="custodian_task",
        sender="whoever speaks to a custodian's own process, and the service behind them",
        parsers=("keyvault.custody.acting.act",),
        parse=do_task,
        seeds=tasks,
        errors=(KeyvaultError, ProvenanceError),
        json=True,
        echoes="a custody policy's error names its key",
        examples=40,
    ),
    Target(
        name="kept_reply",
        sender="the worker of a job",
        parsers=(
            "enclave.host.checks._check_recovery",
            "grpc_api.jobs.keeping.require_named",
            "grpc_api.jobs.keeping._named",
        ),
        parse=name_kept,
        seeds=replies,
        errors=(WorkerRefusedError, HostError),
        message=WorkerRecovery,
    ),
    Target(
        name="kept_files",
        sender="the worker of a job",
        parsers=("grpc_api.jobs.keeping.Keeping.commit",),
        parse=commit_kept,
        seeds=replies,
        errors=(WorkerRefusedError, ServiceError),
        message=WorkerRecovery,
        examples=20,
    ),
)
