"""A job whose covers were kept, its custodians, a witnessed log, and everything a disclosure worker is shown.

The recovery package is a real one, of a short clip with two drawn people; keys come from fixed seeds.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects import solid
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, apply, region_of
from anonymizer.modes import MODES
from anonymizer.recovery import Beneath, Said, beneath_of, write_pixels, write_sound
from anonymizer.recovery.sound import Integers
from anonymizer.settings import FaceSettings
from anonymizer.video.picture import Picture, plane_array
from anonymizer.video.writing import TICKS_PER_SECOND, Mp4Writer
from enclave.disclosing import DisclosureLimits, DisclosureOrder
from enclave.disclosure.checking import Counting
from enclave.disclosure.materials import Materials as Checked
from enclave.disclosure.materials import read_materials
from enclave.host import Materials
from keyvault.custody.decisions import Approval, approve
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.requests import check_request
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import Dealt, deal, job_context, recovery_key
from keyvault.recovery.result import add_result
from keyvault.recovery.writer import PackageWriter, WrittenPackage
from keyvault.release import OneJobKey
from provenance.dsse import Envelope, sign_envelope
from provenance.entry import Entry
from provenance.proof import ProofFile
from provenance.statements import DisclosureCountFacts, DisclosureRequestFacts
from provenance.statements.fields import format_instant
from provenance.trust import Trust
from tests.drawn_people import BOX, SIDE, photograph
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    WitnessedLog,
    custodian_tables,
    custody_text,
    person,
)
from tests.unit.provenance.provenance_makers import (
    TestSigner,
    hex_of,
    job_facts,
    release_facts,
    worker_release_facts,
)

Pixels = npt.NDArray[np.uint8]

WIDTH, HEIGHT, FPS, SECONDS = 448, 240, 25, 3
RATE, RESULT_RATE = 48_000, 16_000
JOB_ID = bytes(range(16, 32))
NODE, RELEASER, JOB_WORKER = TestSigner("node"), TestSigner("releaser"), TestSigner("job worker")
LATER = ASKED_AT + timedelta(hours=2)
"""When the cool-off is over."""
LIMITS = DisclosureLimits(
    max_memory_bytes=4 << 30,
    max_disclosure_bytes=256 << 20,
    max_wall_seconds=600,
    max_frame_pixels=1920 * 1080,
    max_frames=10_000,
)


@dataclass(frozen=True)
class Clip:
    """Two people, before and after.

    Attributes:
        originals: for each frame its three planes.
        result: the anonymized MP4.
        beneath: for each frame what lay beneath the covers, by track.
        said: what voices said, by track.
    """

    originals: list[list[Pixels]]
    result: bytes
    beneath: list[dict[int, Beneath]]
    said: dict[int, list[Said]] = field(default_factory=dict)


def two_people(index: int) -> Pixels:
    """One frame, (H, W, 3) uint8 RGB: both sway, a little apart from each other."""
    picture = np.full((HEIGHT, WIDTH, 3), (70, 96, 118), np.uint8)
    for who, left in ((0, 24), (1, WIDTH - SIDE - 24)):
        x = left + round(12 * np.sin(index / 6 + who))
        picture[40 : 40 + SIDE, x : x + SIDE] = photograph(who, 0)
    return picture


@cache
def clip(together: bool = False) -> Clip:
    """The clip, its result and what was covered; `together`: the covers of both reach into each other."""
    originals, beneath, sink = [], [], io.BytesIO()
    source = io.BytesIO(_as_mp4([two_people(index) for index in range(FPS * SECONDS)]))
    writer = None
    with av.open(source) as container:
        stream = container.streams.video[0]
        for index, decoded in enumerate(container.decode(stream)):
            frame = decoded.reformat(format="yuv420p")
            own = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            for plane in range(3):
                plane_array(own, plane)[:] = plane_array(frame, plane)
            originals.append([plane_array(own, plane).copy() for plane in range(3)])
            ticks = TICKS_PER_SECOND // FPS
            picture = Picture(own, index * ticks, ticks, index / FPS)
            scene = Scene(picture.planes, WIDTH, HEIGHT, index / FPS, 0)
            covers = covers_at(index, together=together)
            beneath.append(beneath_of(scene, covers, index))
            for cover in covers:
                apply(solid.cover, cover.region, picture.planes)
            writer = writer or Mp4Writer(
                sink,
                own,
                MODES["balanced"],
                source=stream,
                rate=Fraction(FPS),
                sound=None,
                threads=1,
                transposed=False,
            )
            writer.write(picture)
    assert writer is not None
    writer.finish()
    return Clip(originals, sink.getvalue(), beneath)


def covers_at(index: int, *, together: bool = False) -> list[Cover]:
    """What hides both in a frame."""
    covers = []
    for who, left in ((0, 24), (1, WIDTH - SIDE - 24)):
        x = left + round(12 * np.sin(index / 6 + who))
        box = Box(BOX.x1 + x, BOX.y1 + 40, BOX.x2 + x, BOX.y2 + 40)
        settings = FaceSettings(effect="solid")
        region = region_of(box, 4.0 if together else 1.4, "ellipse", WIDTH, HEIGHT)
        assert region is not None
        covers.append(Cover("face", who + 1, box, settings, region))
    return covers


def _as_mp4(pictures: Sequence[Pixels]) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "18", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return sink.getvalue()


def write_package(key: bytes, made: Clip, job_id: bytes = JOB_ID) -> tuple[bytes, WrittenPackage]:
    """The recovery package of a clip."""
    sink = io.BytesIO()
    writer = PackageWriter(sink, key, job_context(job_id))
    for second in range(SECONDS):
        frames = made.beneath[second * FPS : (second + 1) * FPS]
        for track in sorted(set().union(*frames)):
            regions = [frame[track] for frame in frames if track in frame]
            writer.add(track, second * 1000, "pixels", write_pixels(regions))
    for track, pieces in made.said.items():
        for piece in pieces:
            writer.add(track, piece.first * 1000 // piece.rate, "sound", write_sound(piece))
    add_result(writer, io.BytesIO(made.result))  # type: ignore[arg-type]  # any stream that reads and seeks
    written = writer.close()
    return sink.getvalue(), written


@cache
def policy_of(people: Sequence[str], need: int) -> CustodyPolicy:
    """So many of these."""
    names = ", ".join(f'"{name}"' for name in people)
    head = 'schema = "bauta.custody/v1"\nname = "some"\nsummary = "Some of them."\nquorum = "some"\n'
    groups = f'[[groups]]\nname = "some"\nneed = {need}\nof = [{names}]\n'
    return parse_custody_policy(custody_text(head=head, custodians=custodian_tables(people), groups=groups))


CUSTODIANS = ("ada", "ben", "chloe")


@dataclass
class World:
    """One job on record, whose covers were kept.

    Attributes:
        log: with its witnesses.
        policy: the custody policy.
        dealt: the divided recovery key.
        package: the recovery package.
        written: its digest and its ring.
        trust: what an honest worker and every custodian believe.
        job: the job's statement.
        evidence: for the job's worker.
        job_proof, job_release: as the front desk has them.
    """

    log: WitnessedLog
    policy: CustodyPolicy
    dealt: Dealt
    package: bytes
    written: WrittenPackage
    trust: Trust
    job: Envelope
    evidence: Envelope
    job_proof: bytes
    job_release: bytes
    media: Clip

    @classmethod
    def make(
        cls,
        folder: Path,
        policy: CustodyPolicy | None = None,
        made: Clip | None = None,
        **changes: Any,
    ) -> World:
        """Does the job; `changes` are of its facts."""
        log, policy, made = WitnessedLog(folder), policy or policy_of(CUSTODIANS, 2), made or clip()
        trust = dataclasses.replace(log.trust, releases=(RELEASER.public,))
        dealt = deal(policy.rule, job_context(JOB_ID))
        package, written = write_package(recovery_key(dealt.secret, job_context(JOB_ID)), made)
        release = sign_envelope(worker_release_facts().to_statement(), RELEASER)
        job_release = log.prove(release, "worker-release")
        certified = release_facts(JOB_WORKER.public, job_id=JOB_ID.hex())
        evidence = sign_envelope(certified.to_statement(), NODE)
        log.prove(evidence, "release")
        facts = {
            "job_id": JOB_ID.hex(),
            "recovery": {
                "custody_policy": policy.digest.hex(),
                "package": written.sha256.hex(),
                "ring": hex_of("ring"),
                "sharing": dealt.sharing.digest.hex(),
                "sheet": hex_of("sheet"),
            },
            **changes,
        }
        job = sign_envelope(job_facts(made.result, **facts).to_statement(), JOB_WORKER)
        log.prove(job, "job")
        index = log.log.append("job", job.digest)
        job_proof = ProofFile(job, (evidence,), log.log.proof_for(index)).to_bytes()
        return cls(log, policy, dealt, package, written, trust, job, evidence, job_proof, job_release, made)

    def request(self, by: str = "desk", **changes: Any) -> Envelope:
        """Somebody asks for the first two seconds of the first person."""
        values: dict[str, Any] = {
            "job_id": JOB_ID.hex(),
            "job_statement_sha256": self.job.digest.hex(),
            "custody_policy_sha256": self.policy.digest.hex(),
            "tracks": (1,),
            "stretches": ((0, 2000),),
            "purpose": "court_order",
            "legal_basis": "court_order",
            "recipient": str(person("desk").identity.recipient),
            "requester_key_sha256": person(by).digest,
            "requested_at": format_instant(ASKED_AT),
            "expires_at": format_instant(ASKED_AT + timedelta(hours=24)),
        }
        facts = DisclosureRequestFacts(**{**values, **changes})
        return sign_envelope(facts.to_statement(), person(by).signer)

    def proof(self, statement: Envelope, kind: str, *evidence: Envelope) -> bytes:
        """Records a statement; its proof file, with evidence."""
        self.log.prove(statement, kind)
        index = self.log.log.append(kind, statement.digest)
        return ProofFile(statement, evidence, self.log.log.proof_for(index)).to_bytes()

    def sealed_share(self, name: str) -> bytes:
        """As it was dealt to somebody."""
        whose = person(name)
        info = dealt_info(self.dealt.sharing, whose.digest)
        return seal_share(self.dealt.shares[whose.digest], whose.identity.recipient, info)

    def since_job(self) -> tuple[Entry, ...]:
        """The log from the job on."""
        at = next(n for n, entry in enumerate(self.log.entries) if entry.envelope_sha256 == self.job.digest)
        return tuple(self.log.entries[at:])


@dataclass
class Asked:
    """One request on record, and the worker that waits for it.

    Attributes:
        world: the job.
        request: its envelope.
        request_proof: as it was made right after its record.
        worker_key: what shares are sealed to.
        approvals: so far.
    """

    world: World
    request: Envelope
    request_proof: bytes
    worker_key: bytes
    by: str = "desk"
    approvals: list[Approval] = field(default_factory=list)

    @classmethod
    def begin(
        cls,
        world: World,
        worker_key: bytes,
        by: str = "desk",
        request: Envelope | None = None,
        **changes: Any,
    ) -> Asked:
        """Records a request."""
        envelope = request or world.request(by, **changes)
        proof = world.log.prove(envelope, "disclosure-request")
        return cls(world, envelope, proof, worker_key, by)

    def approve(self, *names: str, **changes: Any) -> None:
        """Custodians approve, on record; parts are replaced by the name of the parameter."""
        for name in names:
            values: dict[str, Any] = {
                "policy": self.world.policy,
                "sharing": self.world.dealt.sharing,
                "request": check_request(self.world.policy, self.request, person(self.by).signer.public),
                "keys": person(name),
                "sealed_share": self.world.sealed_share(name),
                "worker_key": self.worker_key,
                "now": ASKED_AT + timedelta(minutes=5),
            }
            approval = approve(**{**values, **changes})
            self.world.log.prove(approval.envelope, "disclosure-approval")
            self.approvals.append(approval)

    def materials(self, **changes: Any) -> Materials:
        """Everything as an honest front desk shows it now; parts are replaced by name."""
        world = self.world
        index = world.log.log.append("job", world.job.digest)
        history_proof = ProofFile(world.job, (), world.log.log.proof_for(index)).to_bytes()
        values: dict[str, Any] = {
            "job_proof": world.job_proof,
            "job_release": world.job_release,
            "history_proof": history_proof,
            "entries": world.since_job(),
            "statements": tuple(world.log.statements),
            "request_proof": self.request_proof,
            "keys": tuple(person(name).signer.public for name in ("desk", *PEOPLE)),
            "sealed_shares": tuple(approval.sealed_share for approval in self.approvals),
            "custody_policies": (world.policy.text,),
            "sharing": world.dealt.sharing.to_bytes(),
        }
        return Materials(**{**values, **changes})


PEOPLE = ("ada", "ben", "chloe", "dan", "eve")


@dataclass
class Counter:
    """A disclosure worker without its wall: the keys, and the count that it signs."""

    order: DisclosureOrder
    one_job_key: OneJobKey
    signer: TestSigner = field(default_factory=lambda: TestSigner("disclosure worker"))

    def count(self, log: WitnessedLog | None = None, nonce: bytes = bytes(32)) -> Counting:
        """Signs a count, and records it where there is a log."""
        facts = DisclosureCountFacts(self.order.request.digest.hex(), nonce)
        counted = sign_envelope(facts.to_statement(), self.signer)
        if log is not None:
            log.prove(counted, DisclosureCountFacts.kind())
        return Counting(self.order, self.one_job_key, counted, 1.0)


def order_of(world: World, request: Envelope, trust: Trust | None = None) -> DisclosureOrder:
    """What a disclosure worker is started with."""
    return DisclosureOrder(request, trust or world.trust, LIMITS)


def as_read(materials: Materials) -> Checked:
    """As a worker reads them off the wire."""
    return read_materials(materials.to_message())


def frames_of(video: bytes) -> list[list[Pixels]]:
    """Every frame of a video as three planes."""
    with av.open(io.BytesIO(video)) as container:
        return [
            [plane_array(frame, plane).copy() for plane in range(3)]
            for frame in container.decode(container.streams.video[0])
        ]


def outline(region: Beneath, plane: int, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The pixels of a region in one plane of a frame."""
    fine = 2 if plane == 0 else 1
    mask = region.outline.repeat(fine, axis=0).repeat(fine, axis=1)
    whole = np.zeros(shape, np.bool_)
    top, left = region.top * fine, region.left * fine
    whole[top : top + mask.shape[0], left : left + mask.shape[1]] = mask
    return whole


def planes_of(planes: Sequence[Pixels]) -> list[Plane]:
    """As effects take them."""
    return [
        Plane(pixels, step, neutral)
        for pixels, step, neutral in zip(planes, (1, 2, 2), (126, 128, 128), strict=True)
    ]


def as_picture(planes: Sequence[Pixels]) -> Pixels:
    """One frame as BGR, to look at."""
    height, width = planes[0].shape
    stacked = np.concatenate([planes[0].reshape(-1), planes[1].reshape(-1), planes[2].reshape(-1)]).reshape(
        height * 3 // 2, width
    )
    return np.asarray(cv2.cvtColor(stacked, cv2.COLOR_YUV2BGR_I420), np.uint8)


def by_number(entries: Sequence[Entry]) -> Mapping[int, Entry]:
    """Entries by place, for tests that take some away."""
    return dict(enumerate(entries))


def voice(first: int, count: int, channels: int = 2) -> Said:
    """Somebody's second, or less: every sample another."""
    generator = np.random.default_rng(first)
    samples = generator.integers(-(1 << 20), 1 << 20, (channels, count), dtype=np.int32)
    return Said(first, RATE, samples)


def heard_in(content: bytes) -> tuple[int, Integers]:
    """Rate and samples of 24 bits of a disclosure."""
    with av.open(io.BytesIO(content)) as container:
        stream = container.streams.audio[0]
        parts = [
            np.asarray(frame.to_ndarray(), np.int32).reshape(-1, stream.codec_context.channels).T >> 8
            for frame in container.decode(stream)
        ]
        return stream.codec_context.sample_rate, np.concatenate(parts, axis=1)


def with_sound(seconds: int, *, pictures: bool) -> bytes:
    """A result with a hum of one channel."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        video = None
        if pictures:
            video = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=RESULT_RATE, layout="mono")
        for second in range(seconds):
            for index in range(FPS if video is not None else 0):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8), format="rgb24")
                frame = frame.reformat(format="yuv420p")
                frame.pts, frame.time_base = second * FPS + index, Fraction(1, FPS)
                container.mux(video.encode(frame))
            times = np.arange(second * RESULT_RATE, (second + 1) * RESULT_RATE) / RESULT_RATE
            hum = (0.2 * np.sin(2 * np.pi * 220 * times)).astype(np.float32)[None]
            for start in range(0, RESULT_RATE, 1000):
                piece = av.AudioFrame.from_ndarray(hum[:, start : start + 1000], "fltp", "mono")
                piece.sample_rate, piece.pts = RESULT_RATE, second * RESULT_RATE + start
                piece.time_base = Fraction(1, RESULT_RATE)
                container.mux(sound.encode(piece))
        for stream in (*([video] if video is not None else []), sound):
            container.mux(stream.encode(None))
    return sink.getvalue()


@cache
def spoken() -> Clip:
    """A clip in which nobody is covered and somebody speaks: two seconds, kept as said."""
    said = {1 << 31: [voice(0, RATE), voice(RATE, RATE)]}
    return Clip([], with_sound(SECONDS, pictures=True), [], said)
