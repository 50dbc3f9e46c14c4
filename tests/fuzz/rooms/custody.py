"""Custody of recovery keys: what custodians, requesters and the operator's own store hand over."""

from __future__ import annotations

import io
import tempfile
from functools import cache
from pathlib import Path

from keyvault.custody import group
from keyvault.custody.card import CustodianCard
from keyvault.custody.errors import CustodianError
from keyvault.custody.history import read_history
from keyvault.custody.identity_file import CustodianFile
from keyvault.custody.policy import parse_custody_policy
from keyvault.custody.seals import dealt_info, open_in_worker, open_share, seal_share
from keyvault.custody.sharing import Dealt, Share, Sharing, deal, job_context
from keyvault.custody.witnessed import require_witnessed
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.reader import PackageReader
from keyvault.recovery.ring import RecoveryRing
from keyvault.recovery.writer import PackageWriter, WrittenPackage
from keyvault.release import OneJobKey
from provenance.errors import ProvenanceError
from tests.fuzz.rooms.policies import TOML_TOKENS, WHY_ECHOES
from tests.fuzz.target import Target
from tests.unit.keyvault.custody.custody_makers import (
    JOB_ID,
    WitnessedLog,
    custody_policy,
    custody_text,
    person,
    signed_request,
)

KEY = b"r" * 32
CONTEXT = job_context(JOB_ID)
ENTRIES = {(track, second): b"entry %d of %d" % (second, track) for track in (1, 2) for second in (0, 1, 2)}


@cache
def dealt() -> Dealt:
    """One editor and two of three lawyers."""
    return deal(custody_policy().rule, CONTEXT)


@cache
def sealed_share() -> bytes:
    """Ada's."""
    ada = person("ada")
    return seal_share(
        dealt().shares[ada.digest], ada.identity.recipient, dealt_info(dealt().sharing, ada.digest)
    )


@cache
def package() -> tuple[bytes, WrittenPackage]:
    """Two tracks, three entries each."""
    sink = io.BytesIO()
    writer = PackageWriter(sink, KEY, CONTEXT)
    for (track, second), entry in ENTRIES.items():
        writer.add(track, 1000 * second, "pixels", entry)
    written = writer.close()
    return sink.getvalue(), written


@cache
def proof() -> tuple[bytes, WitnessedLog]:
    """A recorded request, and the log that has it."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        log = WitnessedLog(Path(folder))
        try:
            return log.prove(signed_request(), "disclosure-request"), log
        finally:
            log.log.close()


def read_sharing(untrusted: bytes) -> None:
    """What is taken encodes back."""
    assert Sharing.from_bytes(untrusted).to_bytes() == untrusted


def read_share(untrusted: bytes) -> None:
    """A share that is taken encodes back."""
    assert Share.from_bytes(untrusted).to_bytes() == untrusted


def read_point(untrusted: bytes) -> None:
    """A point that is taken stays in the group under addition."""
    point = group.parse_point(untrusted)
    group.parse_point(group.add_points(group.scale(group.small_scalar(2), point), point))


def open_sealed_share(untrusted: bytes) -> None:
    """Only the very bytes open, and only for whom they are."""
    ada = person("ada")
    info = dealt_info(dealt().sharing, ada.digest)
    try:
        open_in_worker(untrusted, OneJobKey.generate(), info)
    except CustodianError:
        assert open_share(untrusted, ada.identity, info) == dealt().shares[ada.digest]
    else:
        raise AssertionError("a share opened under a key that was just drawn")


def read_policy(untrusted: bytes) -> None:
    """A policy that is taken has every custodian in its rule."""
    policy = parse_custody_policy(untrusted.decode("utf-8", "replace"))
    assert set(policy.rule.custodians) == set(policy.custodians)
    assert policy.rule.is_met_by(policy.custodians)
    assert not policy.rule.is_met_by(())


@cache
def custodian_file() -> bytes:
    """A file whose private part nobody can open; reading it does not try."""
    ada = person("ada")
    card = CustodianCard(ada.identity.recipient, ada.signer.public)
    return CustodianFile(card, bytes(16), {"kind": "argon2id", "lanes": 1}, bytes(176)).to_bytes()


def read_file(untrusted: bytes) -> None:
    """A file that is taken encodes back."""
    assert CustodianFile.from_bytes(untrusted).to_bytes() == untrusted


def read_ring(untrusted: bytes) -> None:
    """A ring that is taken encodes back, and a key that it gives is the one that was put there."""
    ring = RecoveryRing.from_bytes(untrusted)
    assert ring.to_bytes() == untrusted
    ours = package()[1].ring
    for track, wrapped in ring.wrapped.items():
        if ring.context == CONTEXT and wrapped is not None:
            assert ring.track_key(KEY, track) == ours.track_key(KEY, track)


def open_package(untrusted: bytes) -> None:
    """Whatever opens is what was written, where it was written."""
    reader = PackageReader(io.BytesIO(untrusted))
    ring = package()[1].ring
    for track in reader.tracks:
        scope = reader.narrow(track, ring.track_key(KEY, track), [(0, 86_400_000)])
        for opened in reader.open(scope):
            assert ENTRIES[track, opened.segment] == opened.plaintext


def take_proof(untrusted: bytes) -> None:
    """What counts as recorded is the request that was."""
    good, log = proof()
    recorded = require_witnessed(untrusted, log.trust, "disclosure-request")
    read_history(untrusted, log.entries, log.statements, log.trust, "disclosure-request")
    assert require_witnessed(good, log.trust, "disclosure-request").log_index == recorded.log_index


CUSTODIAN = "a custodian, or whoever stores their sealed shares"
TARGETS = (
    Target(
        name="sharing",
        sender="whoever stores a job's sharing",
        parsers=(
            "keyvault.custody.sharing.Sharing.from_bytes",
            "keyvault.custody.rule.Gate.from_object",
        ),
        parse=read_sharing,
        seeds=lambda: (dealt().sharing.to_bytes(),),
        errors=(CustodianError,),
        json=True,
        tokens=(b'{"need":1,"of":[', b'"commitments":{"":[', b'"epoch":', b'"1.2":', b'"rule":'),
    ),
    Target(
        name="share",
        sender=CUSTODIAN,
        parsers=("keyvault.custody.sharing.Share.from_bytes", "keyvault.custody.group.parse_scalar"),
        parse=read_share,
        seeds=lambda: tuple(share.to_bytes() for share in dealt().shares.values()),
        errors=(CustodianError,),
        max_bytes=128,
    ),
    Target(
        name="commitment",
        sender="whoever stores a job's sharing",
        parsers=("keyvault.custody.group.parse_point",),
        parse=read_point,
        seeds=lambda: (group.second_base(), dealt().sharing.root),
        errors=(CustodianError,),
        max_bytes=64,
    ),
    Target(
        name="sealed_share",
        sender=CUSTODIAN,
        parsers=("keyvault.custody.seals.open_share", "keyvault.custody.seals.open_in_worker"),
        parse=open_sealed_share,
        seeds=lambda: (sealed_share(),),
        errors=(CustodianError,),
        max_bytes=2400,
    ),
    Target(
        name="custody_policy",
        sender="whoever submits, and whoever asks",
        parsers=("keyvault.custody.policy.parse_custody_policy",),
        parse=read_policy,
        seeds=lambda: (custody_text().encode(),),
        errors=(CustodianError,),
        tokens=(
            *TOML_TOKENS,
            b"[[groups]]\n",
            b'need = "all"\n',
            b'of = ["ada"]\n',
            b"cool_off_minutes = 0\n",
        ),
        echoes=WHY_ECHOES,
    ),
    Target(
        name="custodian_file",
        sender="a person's file",
        parsers=(
            "keyvault.custody.identity_file.CustodianFile.from_bytes",
            "keyvault.custody.card.CustodianCard.from_object",
        ),
        parse=read_file,
        seeds=lambda: (custodian_file(),),
        errors=(CustodianError,),
    ),
    Target(
        name="disclosure_proof",
        sender="the operator, who would like to release alone",
        parsers=(
            "keyvault.custody.witnessed.require_witnessed",
            "keyvault.custody.history.read_history",
        ),
        parse=take_proof,
        seeds=lambda: (proof()[0],),
        errors=(ProvenanceError,),
        json=True,
        examples=100,
    ),
    Target(
        name="recovery_ring",
        sender="whoever stores the wrapped keys",
        parsers=("keyvault.recovery.ring.RecoveryRing.from_bytes",),
        parse=read_ring,
        seeds=lambda: (package()[1].ring.to_bytes(), package()[1].ring.without([1]).to_bytes()),
        errors=(RecoveryError,),
        json=True,
    ),
    Target(
        name="recovery_package",
        sender="whoever stores recovery packages",
        parsers=(
            "keyvault.recovery.layout.read_frame",
            "keyvault.recovery.reader.PackageReader.__init__",
        ),
        parse=open_package,
        seeds=lambda: (package()[0],),
        errors=(RecoveryError,),
        tokens=(b"bauta.recovery/v1\n", bytes(4), b"\xff" * 8),
    ),
)
