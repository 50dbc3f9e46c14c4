"""A reversible job behind the real wall: what it leaves opens again, bit for bit, and by a quorum alone."""

from __future__ import annotations

import hashlib
import io
import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from media_factory import face_clip
from worker_harness import Finished, Nursery, opened

from anonymizer.effects.region import Plane
from anonymizer.recovery import Beneath, put_back, read_pixels, read_sound, voice_track
from anonymizer.video.picture import plane_array
from enclave.policy import Terms, parse_policy
from keyvault.age import HybridIdentity
from keyvault.custody.policy import parse_custody_policy
from keyvault.custody.seals import dealt_info, open_share
from keyvault.custody.sharing import Sharing, job_context, recovery_key
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.reader import PackageReader
from keyvault.recovery.result import WHOLE, ResultFile
from keyvault.recovery.ring import RecoveryRing
from keyvault.recovery.sheet import RecoverySheet
from provenance.dsse import Envelope
from provenance.statements import JobFacts
from tests.disclosure_world import FPS, two_people
from tests.sound_factory import decoded, ffmpeg, talk, wav
from tests.unit.enclave.enclave_makers import POLICY_TEXT
from tests.unit.keyvault.custody.custody_makers import custody_text, person

ME = HybridIdentity.generate()
QUORUM = ("ben", "chloe", "eve")
KEEPING = POLICY_TEXT.replace('effect = "remove"', 'effect = "bleep"') + '\n[recovery]\nkeep = "covers"\n'
SECONDS = 2

Planes = list[npt.NDArray[np.uint8]]


def terms(policy: str = KEEPING) -> Terms:
    return Terms(parse_policy(policy), "balanced", (str(ME.recipient),), parse_custody_policy(custody_text()))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two people, one of whom speaks."""
    folder = tmp_path_factory.mktemp("clip")
    frames = [two_people(index) for index in range(FPS * SECONDS)]
    silent = face_clip(folder / "silent.mp4", fps=FPS, frames=frames, audio=False)
    sound = wav(folder / "sound.wav", talk()[: 16_000 * SECONDS])
    clip = folder / "clip.mp4"
    ffmpeg("-i", str(silent), "-i", str(sound), "-c:v", "copy", "-ar", "48000", str(clip))
    return clip.read_bytes()


@dataclass(frozen=True)
class Run:
    """A job that kept its covers."""

    job_id: bytes
    finished: Finished
    ring: RecoveryRing

    @property
    def facts(self) -> JobFacts:
        return JobFacts.from_statement(Envelope.from_bytes(self.finished.result.statement).payload)

    def rebuilt_key(self, custodians: tuple[str, ...]) -> bytes:
        """What these custodians open together."""
        told = self.finished.result.recovery
        sharing = Sharing.from_bytes(told.sharing)
        sealed = {share.custodian.hex(): share.sealed for share in told.shares}
        shares = {
            person(name).digest: open_share(
                sealed[person(name).digest],
                person(name).identity,
                dealt_info(sharing, person(name).digest),
            )
            for name in custodians
        }
        return recovery_key(sharing.rebuild(shares), job_context(self.job_id))

    def entries(self, key: bytes, track: int) -> list[bytes]:
        """All of a track in the clear."""
        reader = PackageReader(io.BytesIO(self.finished.package))
        scope = reader.narrow(track, self.ring.track_key(key, track), [(0, 1 << 30)])
        return [entry.plaintext for entry in reader.open(scope)]


@pytest.fixture(scope="module")
def run(nursery: Nursery, media: bytes) -> Run:
    job_id = bytes(range(1, 17))
    asked = terms()
    before = len(nursery.vault.rings)
    running, folder = nursery.start(nursery.seal(media, asked), asked.to_bytes(), job_id=job_id)
    reports = list(running.reports())
    running.close()
    files = ("result", "scratch", "package", "sheet")
    finished = Finished(reports, *((folder / name).read_bytes() for name in files))
    assert finished.result.recovery.package_bytes
    [ring] = nursery.vault.rings[before:]
    return Run(job_id, finished, RecoveryRing.from_bytes(ring))


def planes_of(video: bytes) -> list[Planes]:
    with av.open(io.BytesIO(video)) as container:
        return [
            [plane_array(frame, plane).copy() for plane in range(3)] for frame in container.decode(video=0)
        ]


def test_everything_that_is_kept_is_named_by_the_statement(run: Run) -> None:
    told, finished = run.finished.result.recovery, run.finished
    assert len(finished.package) == told.package_bytes
    assert len(finished.sheet) == told.sheet_bytes
    assert dict(run.facts.recovery) == {
        "custody_policy": hashlib.sha256(custody_text().encode()).hexdigest(),
        "package": hashlib.sha256(finished.package).hexdigest(),
        "ring": hashlib.sha256(run.ring.to_bytes()).hexdigest(),
        "sharing": hashlib.sha256(told.sharing).hexdigest(),
        "sheet": hashlib.sha256(finished.sheet).hexdigest(),
    }
    assert run.ring.context == job_context(run.job_id)


def test_the_result_in_the_package_is_the_one_that_was_delivered(run: Run) -> None:
    key = run.rebuilt_key(QUORUM)
    reader = PackageReader(io.BytesIO(run.finished.package))
    scope = reader.narrow(RESULT_TRACK, run.ring.track_key(key, RESULT_TRACK), WHOLE)
    result = ResultFile(reader, scope)
    assert result.read() == opened(run.finished.sealed, ME)
    assert hashlib.sha256(opened(run.finished.sealed, ME)).hexdigest() == run.facts.result_sha256
    result.seek(-100, 2)
    assert result.read() == opened(run.finished.sealed, ME)[-100:]


def test_one_of_two_people_comes_back_pixel_for_pixel_and_the_other_does_not(run: Run, media: bytes) -> None:
    key, originals = run.rebuilt_key(QUORUM), planes_of(media)
    result = planes_of(opened(run.finished.sealed, ME))
    faces = [track for track in run.ring.wrapped if track < voice_track(0)]
    assert len(faces) == 2
    one, other = (by_frame(run.entries(key, track)) for track in faces)
    assert len(one) > len(originals) * 0.8
    for number, (planes, original) in enumerate(zip(result, originals, strict=True)):
        covered = [plane.copy() for plane in planes]
        regions = one.get(number, [])
        steps = zip(planes, (1, 2, 2), strict=True)
        put_back([Plane(plane, step, 128) for plane, step in steps], [(1, region) for region in regions])
        for plane, was, source, fine in zip(planes, covered, original, (2, 1, 1), strict=True):
            mask = mask_of(regions, plane.shape, fine)
            assert np.array_equal(plane[mask], source[mask])
            assert np.array_equal(plane[~mask], was[~mask])
            assert not (mask & mask_of(other.get(number, []), plane.shape, fine)).any()


def by_frame(entries: list[bytes]) -> dict[int, list[Beneath]]:
    found: defaultdict[int, list[Beneath]] = defaultdict(list)
    for entry in entries:
        for region in read_pixels(entry):
            assert not region.shared
            found[region.frame].append(region)
    return found


def mask_of(regions: list[Beneath], shape: tuple[int, ...], fine: int) -> npt.NDArray[np.bool_]:
    mask = np.zeros(shape, np.bool_)
    for region in regions:
        rows, columns = region.outline.shape
        here = mask[region.top * fine :, region.left * fine :][: rows * fine, : columns * fine]
        here |= region.outline.repeat(fine, axis=0).repeat(fine, axis=1)
    return mask


def test_what_was_said_comes_back_sample_for_sample(run: Run, media: bytes) -> None:
    original, rate = decoded(media)
    said = [read_sound(entry) for entry in run.entries(run.rebuilt_key(QUORUM), voice_track(0))]
    assert run.facts.voices == 1
    assert sum(part.samples.shape[1] for part in said) > 0.9 * original.shape[1]
    for part in said:
        assert part.rate == rate
        there = original[:, part.first : part.first + part.samples.shape[1]]
        assert np.abs(part.as_float[:, : there.shape[1]] - there).max() <= 2**-23


def test_too_few_custodians_open_nothing(run: Run) -> None:
    sharing = Sharing.from_bytes(run.finished.result.recovery.sharing)
    for few in itertools.combinations(QUORUM, 2):
        assert not sharing.rule.is_met_by([person(name).digest for name in few])


def test_custodians_see_covered_thumbnails_and_times(run: Run) -> None:
    sheets = {opened(run.finished.sheet, person(name).identity) for name in ("ada", "dan")}
    [plain] = sheets
    sheet = RecoverySheet.from_bytes(plain)
    assert sheet.job_id == run.job_id.hex()
    assert [entry.track for entry in sheet.tracks] == sorted(set(run.ring.wrapped) - {RESULT_TRACK})
    assert [entry.kind for entry in sheet.tracks] == ["face", "face", "voice"]
    assert all(entry.thumbnail for entry in sheet.tracks[:2])
    assert all(entry.first_ms < entry.last_ms <= SECONDS * 1000 + 100 for entry in sheet.tracks)


def test_a_still_is_kept_too(nursery: Nursery, tmp_path: Path) -> None:
    original = two_people(0)[:, :, ::-1]
    encoded = cv2.imencode(".png", original)[1].tobytes()
    job_id, asked, before = bytes(16), terms(), len(nursery.vault.rings)
    running, folder = nursery.start(nursery.seal(encoded, asked), asked.to_bytes(), job_id=job_id)
    *_, last = running.reports()
    running.close()
    assert last.WhichOneof("report") == "result", last
    ring = RecoveryRing.from_bytes(nursery.vault.rings[before])
    files = ("result", "scratch", "package", "sheet")
    kept = Run(job_id, Finished([last], *((folder / name).read_bytes() for name in files)), ring)
    key = kept.rebuilt_key(QUORUM)
    covered = cv2.imdecode(np.frombuffer(opened(kept.finished.sealed, ME), np.uint8), cv2.IMREAD_UNCHANGED)
    assert not np.array_equal(covered, original)
    entries = [(track, entry) for track in ring.wrapped for entry in kept.entries(key, track)]
    regions = [
        (track, region) for track, entry in entries if track < voice_track(0) for region in read_pixels(entry)
    ]
    put_back([Plane(covered[:, :, channel], 1, 128) for channel in range(3)], regions)
    assert np.array_equal(covered, original)


def test_a_job_that_keeps_nothing_says_so(nursery: Nursery, tmp_path: Path) -> None:
    asked = Terms(parse_policy(POLICY_TEXT), "balanced", (str(ME.recipient),))
    picture = cv2.imencode(".png", two_people(0))[1].tobytes()
    before = len(nursery.vault.rings)
    finished = nursery.run(nursery.seal(picture, asked), asked.to_bytes())
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).payload)
    assert (dict(facts.recovery), finished.package, finished.sheet) == ({}, b"", b"")
    assert not finished.result.HasField("recovery")
    assert len(nursery.vault.rings) == before
    assert not nursery.vault.derivations[-1].hands_over_ring


def test_a_package_beyond_its_limit_fails_the_job(nursery: Nursery, media: bytes) -> None:
    asked = terms()
    finished = nursery.run(nursery.seal(media, asked), asked.to_bytes(), max_recovery_bytes=100_000)
    assert finished.failure_code == "package_too_large"


def test_a_vault_that_takes_no_ring_fails_the_job(nursery: Nursery, media: bytes) -> None:
    def refuse(response: Any) -> None:
        response.error_code = "vault_store_unwritable"

    asked = terms()
    nursery.vault.ring_twist = refuse
    try:
        finished = nursery.run(nursery.seal(media, asked), asked.to_bytes())
    finally:
        nursery.vault.ring_twist = lambda _response: None
    assert finished.failure_code == "ring_refused"


@pytest.mark.parametrize("full", ["package", "sheet"])
def test_a_full_disk_fails_the_job_and_says_so(nursery: Nursery, full: str) -> None:
    asked = terms()
    picture = cv2.imencode(".png", two_people(0))[1].tobytes()
    running, _ = nursery.start(nursery.seal(picture, asked), asked.to_bytes(), {full: Path("/dev/full")})
    *_, last = running.reports()
    running.close()
    assert last.failure.code == "storage_full"
