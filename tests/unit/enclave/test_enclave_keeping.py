"""The keeper of a job: seconds apart, memory bounded, two threads, and no more than a package holds."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import Any, cast

import numpy as np
import pytest

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.recovery import read_pixels, read_sound, voice_track
from anonymizer.settings import FaceSettings
from enclave.worker import keeping
from enclave.worker.failures import published_code
from enclave.worker.keeping import PackageKeeper
from keyvault.custody.policy import parse_custody_policy
from keyvault.custody.seals import dealt_info, open_share
from keyvault.custody.sharing import job_context, recovery_key
from keyvault.recovery import ring as rings
from keyvault.recovery import writer
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.reader import Opened, PackageReader
from keyvault.recovery.writer import WrittenPackage
from tests.unit.keyvault.custody.custody_makers import custody_text, person

JOB = bytes(range(16))
CUSTODY = parse_custody_policy(custody_text())
WIDTH, HEIGHT = 64, 48
SMALL = Box(4, 4, 20, 20)


class Kept:
    """A keeper over a file in memory, and what can be had of it again."""

    def __init__(self) -> None:
        self.sink = io.BytesIO()
        self.keeper = PackageKeeper(JOB, CUSTODY, self.sink)
        self.written: WrittenPackage | None = None

    def close(self, result: bytes = b"the result") -> None:
        self.written = self.keeper.package(cast(io.RawIOBase, io.BytesIO(result)))

    def opened(self, track: int, stretches: list[tuple[int, int]] | None = None) -> list[Opened]:
        assert self.written is not None
        keeper: Any = self.keeper
        shares = {
            person(name).digest: open_share(
                keeper._shares[person(name).digest],
                person(name).identity,
                dealt_info(keeper._sharing, person(name).digest),
            )
            for name in ("ada", "chloe", "dan")
        }
        context = job_context(JOB)
        key = recovery_key(keeper._sharing.rebuild(shares), context)
        reader = PackageReader(self.sink)
        scope = reader.narrow(track, self.written.ring.track_key(key, track), stretches or [(0, 1 << 30)])
        return list(reader.open(scope))


def scene_at(time: float) -> Scene:
    shade = int(time * 10) % 256
    planes = [Plane(np.full((HEIGHT // s, WIDTH // s), shade, np.uint8), s, 128) for s in (1, 2, 2)]
    return Scene(planes, WIDTH, HEIGHT, time, 0)


def cover(track: int, box: Box = SMALL) -> Cover:
    region = region_of(box, 1.0, "box", WIDTH, HEIGHT)
    assert region is not None
    return Cover("face", track, box, FaceSettings(), region)


def test_a_second_of_one_thing_is_an_entry_of_its_own() -> None:
    kept = Kept()
    for number in range(25):
        both = [cover(3), cover(5, Box(30, 4, 40, 20))]
        kept.keeper.covered(scene_at(number / 10), both if number != 12 else [])
    kept.close()
    for track in (3, 5):
        entries = kept.opened(track)
        assert [entry.segment for entry in entries] == [0, 1, 2]
        frames = [[region.frame for region in read_pixels(entry.plaintext)] for entry in entries]
        assert frames == [[*range(10)], [10, 11, *range(13, 20)], [*range(20, 25)]]
    [second] = kept.opened(3, [(1000, 2000)])
    assert second.segment == 1
    assert kept.written is not None
    assert sorted(kept.written.ring.wrapped) == [3, 5, RESULT_TRACK]


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, (5 << 20) - 1])
def test_the_result_is_kept_whole_whatever_its_size(size: int) -> None:
    kept, result = Kept(), bytes(range(256)) * (size // 256) + bytes(size % 256)
    kept.close(result)
    entries = kept.opened(RESULT_TRACK)
    assert b"".join(entry.plaintext for entry in entries) == result
    assert {len(entry.plaintext) for entry in entries[:-1]} <= {1 << 20}


def test_memory_is_bounded_within_a_second_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "MOST_OF_A_TRACK", 20_000)
    monkeypatch.setattr(keeping, "MOST_WAITING", 50_000)
    kept, most = Kept(), 0
    keeper: Any = kept.keeper
    for number in range(200):
        covers = [cover(track, Box(0, 0, WIDTH, HEIGHT)) for track in range(5)]
        kept.keeper.covered(scene_at(number / 1000), covers)
        most = max(most, keeper._waiting_bytes)
    assert most < 50_000 + 5 * 2 * WIDTH * HEIGHT * 2
    kept.close()
    frames = [region.frame for entry in kept.opened(0) for region in read_pixels(entry.plaintext)]
    assert frames == [*range(200)]
    assert len(kept.opened(0)) > 10
    assert keeper._waiting_bytes == 0


def test_pictures_and_sound_come_from_two_threads() -> None:
    kept, spoken = Kept(), np.zeros((1, 800), np.float32)

    def speak() -> None:
        for second in range(60):
            kept.keeper.heard(second % 3, second * 8_000, 8_000, spoken)

    thread = threading.Thread(target=speak)
    thread.start()
    for number in range(120):
        kept.keeper.covered(scene_at(number / 2), [cover(7)])
    thread.join()
    kept.close()
    assert len(kept.opened(7)) == 60
    for speaker in range(3):
        heard = [read_sound(entry.plaintext).first for entry in kept.opened(voice_track(speaker))]
        assert heard == [second * 8_000 for second in range(60) if second % 3 == speaker]


TOO_MUCH = {
    "tracks": (writer, "MAX_TRACKS", 5, lambda number: [cover(number)]),
    "entries": (writer, "MAX_ENTRIES", 9, lambda number: [cover(0)]),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_more_than_a_package_holds_is_an_error_with_a_published_code(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, limit, value, covers = TOO_MUCH[name]
    monkeypatch.setattr(room, limit, value)
    kept = Kept()

    def go_on() -> None:
        for number in range(20):
            kept.keeper.covered(scene_at(float(number)), covers(number))

    with pytest.raises(RecoveryError) as refusal:
        go_on()
    assert published_code(refusal.value) == "package_too_large"
    assert rings.MAX_TRACKS == 4096


def test_every_custodian_has_one_share_and_another_in_every_job() -> None:
    keepers: list[Any] = [PackageKeeper(JOB, CUSTODY, io.BytesIO()) for _ in range(2)]
    assert all(keeper._shares.keys() == set(CUSTODY.rule.custodians) for keeper in keepers)
    assert keepers[0]._sharing.root != keepers[1]._sharing.root


def test_nothing_of_what_is_covered_stands_in_the_package() -> None:
    kept = Kept()
    pixels = np.frombuffer(hashlib.sha512(b"a face").digest() * 48, np.uint8).reshape(48, 64)
    planes = [Plane(pixels.copy(), 1, 128), *(Plane(pixels[:24, :32].copy(), 2, 128) for _ in range(2))]
    scene = Scene(planes, 64, 48, 0.0, 0)
    kept.keeper.covered(scene, [cover(0, Box(0, 0, 64, 48))])
    kept.close(b"the coded result")
    raw = kept.sink.getvalue()
    assert b"the coded result" not in raw
    assert pixels[0].tobytes()[:16] not in raw


class Again(io.BytesIO):
    """A file that cannot be cut, as the wall's."""

    def again(self) -> None:
        self.seek(0)


def test_a_second_round_begins_the_package_anew_under_other_keys() -> None:
    sink = Again()
    keeper = PackageKeeper(JOB, CUSTODY, sink)
    inside: Any = keeper
    for number in range(30):
        keeper.covered(scene_at(number / 10), [cover(3), cover(5, Box(30, 4, 40, 20))])
    first = keeper.package(cast(io.RawIOBase, io.BytesIO(b"the first result, which did not hold")))
    sharing, shares, length = inside._sharing, inside._shares, len(sink.getvalue())
    keeper.again()
    for number in range(5):
        keeper.covered(scene_at(number / 10), [cover(3)])
    second = keeper.package(cast(io.RawIOBase, io.BytesIO(b"the result")))
    assert second.size < length
    assert len(sink.getvalue()) == length, "the file is cut by whoever takes it"
    assert inside._sharing.to_bytes() != sharing.to_bytes()
    assert inside._shares.keys() == shares.keys()
    assert first.ring.wrapped[RESULT_TRACK] != second.ring.wrapped[RESULT_TRACK]
    kept = Kept()
    kept.sink, kept.keeper, kept.written = io.BytesIO(sink.getvalue()[: second.size]), keeper, second
    [entry] = kept.opened(3)
    assert [region.frame for region in read_pixels(entry.plaintext)] == [*range(5)]
    assert sorted(second.ring.wrapped) == [3, RESULT_TRACK]
