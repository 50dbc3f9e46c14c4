"""What is kept while a video passes: the risky frames, some of all, and never more than there is room for."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.leaks.checked import Cadence, Checked
from anonymizer.leaks.covered import DRAWN, Covered
from anonymizer.leaks.every import Every
from anonymizer.leaks.gathering import Gatherer, covered_in, with_originals
from anonymizer.leaks.risk import GAP, look_at, risk_of
from anonymizer.leaks.samples import FIRST_STRIDE, LEAST_FRAMES, Sample, Samples
from anonymizer.review.deciding import Decided, Seen
from anonymizer.settings import FaceSettings

WIDTH, HEIGHT = 320, 180
HERE, AWAY = Box(40, 40, 90, 110), Box(200, 40, 250, 110)


class Sure:
    """Looks that saw every frame, clearly."""

    def at(self, index: int, time: float) -> list[float | None]:
        return [0.9]


def cover(track: int, box: Box = HERE, kind="face") -> Cover:
    settings = FaceSettings(effect="mosaic")
    region = region_of(box, settings.scale, settings.shape, WIDTH, HEIGHT)
    assert region is not None
    return Cover(kind, track, box, settings, region)


def decided(*covers: Cover, kept: tuple[Seen, ...] = (), blanked=()) -> Decided:
    return Decided(covers, kept, blanked)


def scene_at(index: int, luma: np.ndarray | None = None, shot: int = 0) -> Scene:
    pixels = np.full((HEIGHT, WIDTH), 90, np.uint8) if luma is None else luma
    chroma = np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8)
    return Scene(
        [Plane(pixels, 1, 126), Plane(chroma, 2, 128), Plane(chroma, 2, 128)], WIDTH, HEIGHT, index / 25, shot
    )


def gathered(frames: list[Decided], keeps_all: bool = False) -> Gatherer:
    gatherer = Gatherer(Sure(), Checked([Cadence(4, 0.16, 0.0)]), keeps_all=keeps_all)
    for index, each in enumerate(frames):
        gatherer.see(scene_at(index), each)
        gatherer.left(index / 25, index * 100)
    return gatherer


def risks(gatherer: Gatherer) -> dict[int, float]:
    return {sample.index: sample.risk for sample in gatherer.samples}


def test_a_cover_that_is_gone_between_two_frames_that_have_it_is_the_riskiest() -> None:
    frames = [decided(cover(1)) for _ in range(40)]
    frames[21] = frames[22] = decided()
    found = risks(gathered(frames))
    assert min(found[21], found[22]) >= GAP
    assert max(risk for index, risk in found.items() if index not in (21, 22)) < GAP


def test_where_things_come_and_go_frames_are_kept() -> None:
    frames = [decided(*([cover(1)] if 9 < index < 30 else [])) for index in range(80)]
    found = risks(gathered(frames))
    # The one before the first, the first, and the one after the last; none of them is a fourth one.
    assert {9, 10, 30} <= found.keys()
    assert all(found[index] > found[40] for index in (9, 10, 30))


def test_a_frame_that_was_never_seen_is_kept_as_the_riskiest_and_counts_as_unchecked() -> None:
    gatherer = Gatherer(Sure(), Checked([Cadence(4, 0.16, 0.0)]), keeps_all=False)
    for index in range(20):
        if index != 13:
            gatherer.see(scene_at(index), decided(cover(1)))
        gatherer.left(index / 25, index)
    assert {sample.index: sample.covered for sample in gatherer.samples}[13] == ()
    assert gatherer.frames_unchecked == 1


def test_kept_and_drawn_regions_are_told_apart() -> None:
    settings = FaceSettings()
    kept = Seen("face", 7, AWAY, settings)
    drawn = region_of(Box(0, 0, 40, 40), 1.0, "box", WIDTH, HEIGHT)
    found = covered_in(decided(cover(1), kept=(kept,), blanked=(drawn,)))
    assert [(each.kind, each.track, each.effect) for each in found] == [
        ("face", 1, "mosaic"),
        ("face", 7, "keep"),
        ("person", DRAWN, "solid"),
    ]
    assert found[0].bounds.x1 <= HERE.scaled(1.3).x1 <= found[0].bounds.x1 + 2
    assert found[0].bounds.x2 >= HERE.scaled(1.3).x2 - 2
    assert found[1].bounds == AWAY
    assert found[2].bounds == Box(0, 0, 40, 40)


def test_originals_are_small_pictures_of_covered_faces_before_they_are_covered() -> None:
    luma = np.full((HEIGHT, WIDTH), 20, np.uint8)
    luma[30:120, 30:100] = 200
    covered = covered_in(
        decided(cover(1), cover(2, AWAY, "person"), kept=(Seen("face", 7, HERE, FaceSettings()),))
    )
    face, person, kept = with_originals(covered, luma)
    assert face.original is not None
    assert face.original.shape == (32, 32)
    assert face.original[16, 16] == 200
    assert person.original is None
    assert kept.original is None
    outside = covered_in(decided(cover(3, Box(-60, -60, 4, 4))))
    assert with_originals(outside, luma)[0].original is not None, "what reaches over the edge is cut off"


RISKIER: dict[str, tuple[list[Covered], list[Covered], list[float | None]]] = {
    "it shrinks": (
        [Covered("face", 1, "blur", HERE, HERE, None)],
        [Covered("face", 1, "blur", HERE, Box(50, 50, 80, 100), None)],
        [0.9],
    ),
    "it jumps": (
        [Covered("face", 1, "blur", HERE, HERE, None)],
        [Covered("face", 1, "blur", AWAY, AWAY, None)],
        [0.9],
    ),
    "it is gone": ([Covered("face", 1, "blur", HERE, HERE, None)], [], [0.9]),
    "it appears": ([], [Covered("face", 1, "blur", HERE, HERE, None)], [0.9]),
    "it was seen faintly": ([], [], [0.2]),
    "nobody looked": ([], [], [None]),
}


@pytest.mark.parametrize("case", RISKIER)
def test_a_frame_is_riskier_where(case: str) -> None:
    before, now, looked = RISKIER[case]
    luma = np.zeros((HEIGHT, WIDTH), np.uint8)
    calm = risk_of(look_at(0, luma, before), look_at(0, luma, before), [0.9])
    assert risk_of(look_at(0, luma, now), look_at(0, luma, before), looked) > calm


def test_cuts_and_motion_are_risks() -> None:
    luma = np.zeros((HEIGHT, WIDTH), np.uint8)
    before = look_at(0, luma, [])
    assert risk_of(look_at(1, luma, []), before, [1.0]) > risk_of(look_at(0, luma, []), before, [1.0])
    assert risk_of(look_at(0, luma + 60, []), before, [1.0]) > risk_of(look_at(0, luma, []), before, [1.0])
    # What somebody chose to keep is no cover that has gone.
    kept = [Covered("face", 1, "keep", HERE, HERE, None)]
    assert risk_of(look_at(0, luma, kept), before, [1.0]) == risk_of(look_at(0, luma, []), before, [1.0])


def test_an_hour_takes_no_more_room_than_a_minute_and_is_kept_evenly() -> None:
    samples = Samples(most_frames=64, most_bytes=1 << 30)
    frames = 100_000
    for index in range(frames):
        samples.take(Sample(index, index, 5.0 if index % 7 == 0 else 0.5, ()), is_risky=index % 7 == 0)
    kept = [sample.index for sample in samples]
    assert 32 <= len(kept) <= 64
    assert kept == sorted(kept)
    assert max(np.diff([0, *kept, frames])) < frames / 8


def test_bytes_bound_what_is_kept() -> None:
    covered = tuple(
        Covered("face", track, "blur", HERE, HERE, np.zeros((32, 32), np.uint8)) for track in range(50)
    )
    samples = Samples(most_frames=1000, most_bytes=4 << 20)
    for index in range(4 * FIRST_STRIDE * 50):
        samples.take(Sample(index, index, 9.0, covered), is_risky=True)
    assert sum(sample.size for sample in samples) <= 4 << 20
    assert len(list(samples)) > 4


def test_of_a_crowd_some_frames_are_kept_whatever_they_take() -> None:
    covered = (Covered("face", 1, "blur", HERE, HERE, None),) * 20_000
    samples = Samples(most_frames=64, most_bytes=1 << 20)
    for index in range(400):
        samples.take(Sample(index, index, 9.0, covered), is_risky=True)
    kept = [sample.index for sample in samples]
    assert 4 <= len(kept) <= 2 * LEAST_FRAMES
    assert kept[-1] - kept[0] > 200


def test_of_neighbours_the_riskier_one_stays() -> None:
    samples = Samples(most_frames=16, most_bytes=1 << 30)
    for index in range(1, 400, 2):
        samples.take(Sample(index, index, 9.0 if index == 201 else 4.0, ()), is_risky=True)
    assert 201 in {sample.index for sample in samples}


def test_every_frame_is_there_where_all_are_to_be_attacked() -> None:
    frames = [decided(*(cover(track) for track in range(index % 3))) for index in range(1100)]
    gatherer = gathered(frames, keeps_all=True)
    samples = list(gatherer.every())
    assert [sample.index for sample in samples] == list(range(1100))
    assert [sample.pts for sample in samples] == [100 * index for index in range(1100)]
    assert [len(sample.covered) for sample in samples] == [index % 3 for index in range(1100)]


def test_a_packed_frame_is_what_was_put_in() -> None:
    every = Every()
    covered = (
        Covered("plate", 3, "solid", Box(1.25, 2, 3, 4), Box(-5, 6, 7, 8), None),
        Covered("person", DRAWN, "keep", HERE, AWAY, None),
    )
    every.put(123456789012, covered)
    (sample,) = every
    assert (sample.index, sample.pts, sample.covered) == (0, 123456789012, covered)
