"""The sensor's noise: taken out, bent off its grid, replaced; and nothing that was covered comes back."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.camera.bending import Bend
from anonymizer.camera.denoising import noise_deviation, reach_of, smooth
from anonymizer.camera.grain import LEAST_DEVIATION, MOST_DEVIATION, Grain
from anonymizer.camera.suppressing import Suppressor
from anonymizer.effects.region import Plane
from benchmarks.fingerprint import estimated, match, match_by_blocks, match_moved
from tests.media_factory import face_clip

Pixels = npt.NDArray[np.uint8]
SEED, OTHER_SEED = bytes(range(32)), bytes(32)


def random_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def ramp(height: int, width: int, slope: int = 8) -> Pixels:
    """Brightness tells the column: where a pixel came from can be read off."""
    return np.tile((np.arange(width) * slope % 256).astype(np.uint8), (height, 1))


def planes_of(luma: Pixels) -> list[Plane]:
    half = tuple(-(-side // 2) for side in luma.shape)
    return [Plane(luma, 1, 126), *(Plane(np.full(half, 128, np.uint8), 2, 128) for _ in range(2))]


def test_fine_noise_goes_and_edges_stay() -> None:
    clean = np.full((120, 160), 100, np.uint8)
    clean[:, 80:] = 180
    noisy = np.clip(clean + random_of(1).normal(0, 2, clean.shape), 0, 255).astype(np.uint8)
    reach = reach_of(noise_deviation(noisy))
    after = smooth(noisy, reach)
    assert after[:, 10:70].std() < 0.5 * noisy[:, 10:70].std()
    # The step is as steep as it was.
    assert (after[:, 82].astype(int) - after[:, 77]).mean() > 76


def test_what_stands_out_is_not_touched() -> None:
    plane = np.full((40, 40), 100, np.uint8)
    plane[20, 20] = 200
    assert smooth(plane, 5)[20, 20] == 200


@pytest.mark.parametrize("deviation", [0.5, 2.0, 3.0])
def test_the_noise_is_measured(deviation: float) -> None:
    noisy = np.rint(128 + random_of(2).normal(0, deviation, (400, 400))).astype(np.uint8)
    assert noise_deviation(noisy) == pytest.approx(deviation, abs=0.8)


def bent_by(bend: Bend, time: float) -> npt.NDArray[np.float64]:
    """Returns by how many columns each pixel of the middle was moved."""
    slope = 8
    plane = ramp(360, 640, slope)
    bent = bend.apply(plane, 1, time).astype(float)
    moved = (bent - plane + 128) % 256 - 128
    # Where the ramp starts anew, nothing can be read off.
    usable = np.abs(np.arange(640) * slope % 256 - 128) < 80
    return np.asarray((moved / slope)[40:-40, usable], np.float64)


def test_the_picture_is_bent_by_a_pixel_or_two_and_unevenly() -> None:
    moved = bent_by(Bend(random_of(3), 640, 360), 1.0)
    assert np.abs(moved).max() <= Bend.farthest + 0.3
    assert moved.std() > 0.3
    # Neighbours stay neighbours.
    assert np.abs(np.diff(moved, axis=0)).max() < 0.3


def test_no_two_shots_and_no_two_distant_moments_are_bent_alike() -> None:
    one = Bend(random_of(3), 640, 360)
    now, soon, later = (bent_by(one, time) for time in (0.0, 0.2, 6.0))
    assert np.abs(soon - now).max() < 0.6
    assert np.abs(later - now).mean() > 0.5
    assert np.abs(bent_by(Bend(random_of(4), 640, 360), 0.0) - now).mean() > 0.3


def test_colours_move_with_the_light() -> None:
    bend = Bend(random_of(5), 640, 360)
    luma = ramp(360, 640, 2)
    halved = np.ascontiguousarray(luma[::2, ::2])
    light, colour = bend.apply(luma, 1, 0.5), bend.apply(halved, 2, 0.5)
    apart = np.abs(light[::2, ::2].astype(int) - colour)[20:-20, 20:230]
    assert np.median(apart) <= 1


def test_the_grain_is_new_in_every_frame_and_adds_no_light() -> None:
    grain = Grain(random_of(6), 320, 180, deviation=2.0)
    flat = np.full((180, 320), 120, np.uint8)
    one, two = (grain.add(flat, grain.place()).astype(float) - 120 for _ in range(2))
    assert LEAST_DEVIATION * 0.8 < one.std() < MOST_DEVIATION * 1.2
    assert abs(one.mean()) < 0.05
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.03


@pytest.mark.parametrize("size", [(2, 2), (12, 12), (180, 322), (361, 203)], ids=str)
def test_every_size_and_every_kind_of_planes(size: tuple[int, int]) -> None:
    luma = random_of(7).integers(0, 256, size, np.uint8)
    for planes in (
        planes_of(luma.copy()),
        [Plane(luma.copy(), 1, 128)],
        [Plane(np.dstack([luma] * 3)[:, :, i], 1, 128) for i in range(3)],
    ):
        Suppressor(SEED).apply(planes, shot=0, time=0.0)
        assert planes[0].pixels.shape == size


def test_it_is_the_seed_alone_that_decides() -> None:
    made = []
    for seed in (SEED, SEED, OTHER_SEED):
        luma = ramp(180, 320)
        Suppressor(seed).apply(planes_of(luma), shot=0, time=0.0)
        made.append(luma)
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    drawn = [ramp(180, 320) for _ in range(2)]
    for luma in drawn:
        Suppressor().apply(planes_of(luma), shot=0, time=0.0)
    assert not np.array_equal(*drawn)


def recorded(pattern: npt.NDArray[np.float64], seed: int, frames: int, *, suppressed: bool) -> list[Pixels]:
    """Records light that changes slowly through a sensor with a pattern."""
    random, seen = random_of(seed), []
    suppressor = Suppressor(SEED)
    y, x = np.mgrid[0:256, 0:320]
    for index in range(frames):
        light = 130 + 40 * np.sin(x / 200 + index / 30) * np.cos(y / 150 + seed)
        noisy = light * (1 + pattern) + random.normal(0, 2, light.shape)
        luma = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
        if suppressed:
            suppressor.apply(planes_of(luma), shot=0, time=index / 25)
        seen.append(luma)
    return seen


def test_a_sensor_is_recognized_before_and_not_after() -> None:
    pattern, foreign = (random_of(seed).normal(0, 0.01, (256, 320)) for seed in (10, 11))
    known = estimated(recorded(pattern, 1, 60, suppressed=False))
    plain = estimated(recorded(pattern, 2, 60, suppressed=False))
    after = estimated(recorded(pattern, 2, 60, suppressed=True))
    other = estimated(recorded(foreign, 3, 60, suppressed=False))
    # The measurement itself: it finds the sensor, and only that one.
    assert match(known, plain).pce > 1000
    assert match(known, other).pce < 60
    assert match_moved(known, np.roll(plain, (3, 5), (0, 1))).pce > 1000
    assert match_by_blocks(known, plain, 64, 4) > 20
    assert match(known, after).pce < 60
    assert match_moved(known, after, (0.99, 1.0, 1.01)).pce < 60


@pytest.mark.parametrize("suffix", [".mp4", ".png"])
def test_what_lies_under_a_cover_does_not_come_back(
    process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr("anonymizer.camera.suppressing.os.urandom", lambda size: SEED[:size])
    if suffix == ".mp4":
        original = face_clip(tmp_path / "in.mp4", 1, 25, (320, 180), audio=False)
    else:
        original = tmp_path / "in.png"
        original.write_bytes(cv2.imencode(".png", first_frame(face_clip(tmp_path / "a.mp4", 1)))[1].tobytes())
    result = tmp_path / f"out{suffix}"
    report = process(original, result, sensor_noise="suppress", shape="box", scale=1.5, lookahead_seconds=0)
    assert report.frames_with_faces > 0
    plain = tmp_path / f"plain{suffix}"
    process(original, plain, shape="box", scale=1.5, lookahead_seconds=0)
    grey = patch_of(first_frame(plain))
    top, bottom, left, right = grey
    inside = first_frame(result)[top + 6 : bottom - 6, left + 6 : right - 6].astype(int)
    # Grain and coding, and no face.
    assert np.abs(inside - 128).max() < 24
    assert inside.std() < 4


def first_frame(path: Path) -> Pixels:
    if path.suffix == ".png":
        return np.asarray(cv2.imread(str(path)), np.uint8)
    with av.open(str(path)) as container:
        return np.asarray(next(container.decode(video=0)).to_ndarray(format="bgr24"), np.uint8)


def patch_of(picture: Pixels) -> tuple[int, int, int, int]:
    is_grey = (np.abs(picture.astype(int) - 128) < 6).all(axis=2).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(is_grey)
    left, top, width, height, _ = max(stats[1:], key=lambda row: row[4])
    return top, top + height, left, left + width
