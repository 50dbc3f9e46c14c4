"""The tracker covers whatever nobody looked at, bridges gaps, and ends with the shot."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.boxes import Box
from anonymizer.track.scene import SceneCuts
from anonymizer.track.steady import is_steady
from anonymizer.track.tracker import Tracker

FPS = 25


def row(x: float, y: float = 100, size: float = 40, score: float = 0.9) -> list[float]:
    return [x, y, x + size, y + size, score]


def boxes(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 5)


def covered(tracker: Tracker, frames: range) -> list[int]:
    return [i for i in frames if tracker.covers(i, i / FPS)]


def holds(outer: Box, inner: list[float]) -> bool:
    return outer.x1 <= inner[0] and outer.y1 <= inner[1] and outer.x2 >= inner[2] and outer.y2 >= inner[3]


# What was seen at which look -> which of frames 0..39 are covered; linger and look-ahead are five frames.
TABLE = {
    "seen throughout": (dict.fromkeys(range(0, 40, 3), 1), range(40)),
    "never seen": (dict.fromkeys(range(0, 40, 3), 0), range(0)),
    "appears at 12, last look at 9: from 7 on": (
        {i: int(i >= 12) for i in range(0, 40, 3)},
        range(7, 40),
    ),
    "lost at 21, last seen at 18: until 23": ({i: int(i <= 18) for i in range(0, 40, 3)}, range(24)),
    "missed at 15 and 18: bridged": ({i: int(i not in {15, 18}) for i in range(0, 40, 3)}, range(40)),
    "seen once": ({i: int(i == 18) for i in range(0, 40, 3)}, range(13, 24)),
}


@pytest.mark.parametrize(("looks", "expected"), TABLE.values(), ids=TABLE)
def test_which_frames_are_covered(looks: dict[int, int], expected: range) -> None:
    tracker = Tracker(linger_seconds=0.21, lookahead_seconds=0.21)
    for index, seen in looks.items():
        tracker.observe(index, index / FPS, boxes(row(100)) if seen else boxes())
    assert covered(tracker, range(40)) == list(expected)


@pytest.mark.parametrize("gap", [2, 5, 12])
def test_without_linger_or_lookahead_frames_between_looks_are_covered_all_the_same(gap: int) -> None:
    tracker = Tracker(linger_seconds=0, lookahead_seconds=0)
    for index in range(0, 10 * gap, gap):
        tracker.observe(index, index / FPS, boxes(row(100)) if 3 * gap <= index <= 6 * gap else boxes())
    assert covered(tracker, range(9 * gap)) == list(range(2 * gap + 1, 7 * gap))


def test_a_cover_between_two_sightings_holds_both_places() -> None:
    tracker = Tracker(0.2, 0.2)
    tracker.observe(0, 0, boxes(row(100)))
    tracker.observe(3, 3 / FPS, boxes(row(120, 110)))
    for index in (1, 2):
        (box,) = tracker.covers(index, index / FPS)
        assert holds(box, row(100))
        assert holds(box, row(120, 110))


def test_a_lost_face_is_followed_the_way_it_went_and_the_cover_grows() -> None:
    tracker = Tracker(0.4, 0)
    for index in range(5):
        tracker.observe(index, index / FPS, boxes(row(100 + 5 * index)))
    tracker.observe(5, 5 / FPS, boxes())
    sizes = []
    for index in range(5, 12):
        (box,) = tracker.covers(index, index / FPS)
        assert holds(box, row(120))
        assert holds(box, row(100 + 5 * index))
        sizes.append(box.width * box.height)
    assert sizes == sorted(sizes)


def test_a_fast_face_keeps_its_track() -> None:
    tracker = Tracker(0.2, 0.2)
    for index in range(8):
        tracker.observe(index, index / FPS, boxes(row(100 + 30 * index)))
    assert tracker.count == 1


def test_two_faces_that_cross_are_both_covered() -> None:
    tracker = Tracker(0.2, 0.2)
    for index in range(20):
        tracker.observe(index, index / FPS, boxes(row(100 + 10 * index), row(290 - 10 * index, 105)))
    for index in range(20):
        found = tracker.covers(index, index / FPS)
        assert any(holds(box, row(100 + 10 * index)) for box in found)
        assert any(holds(box, row(290 - 10 * index, 105)) for box in found)


def test_a_cut_ends_covers_and_holds_back_new_ones() -> None:
    tracker = Tracker(1, 1)
    tracker.observe(0, 0, boxes(row(100)))
    tracker.observe(4, 4 / FPS, boxes(row(100)))
    tracker.cut(5)
    tracker.observe(5, 5 / FPS, boxes(row(400)))
    assert [round(box.x1) for box in tracker.covers(4, 4 / FPS)] == [100]
    assert [round(box.x1) for box in tracker.covers(5, 5 / FPS)] == [400]
    assert tracker.count == 2


def test_memory_does_not_grow_with_the_length() -> None:
    tracker = Tracker(0.5, 0.5)
    for index in range(5000):
        tracker.observe(index, index / FPS, boxes(row(100), row(300 + index % 2)))
        if index > 20:
            tracker.covers(index - 20, (index - 20) / FPS)
    assert sum(len(track.sightings) for track in tracker._tracks) < 60


STEADY = {
    "nothing, nothing": (boxes(), boxes(), True),
    "same place": (boxes(row(100)), boxes(row(102)), True),
    "moved by its size": (boxes(row(100)), boxes(row(140)), False),
    "a sure face appears": (boxes(), boxes(row(100)), False),
    "a sure face is lost": (boxes(row(100)), boxes(), False),
    "a faint one comes and goes": (boxes(row(100, score=0.3)), boxes(row(300, score=0.4)), True),
}


@pytest.mark.parametrize(("before", "after", "expected"), STEADY.values(), ids=STEADY)
def test_steadiness(before: np.ndarray, after: np.ndarray, expected: bool) -> None:
    assert is_steady(before, after) is expected


def scene(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.kron(rng.integers(20, 235, (9, 16)), np.ones((40, 40))).astype(np.uint8)


def test_a_cut_is_seen_and_movement_or_light_is_not() -> None:
    cuts = SceneCuts()
    one, other = scene(1), scene(2)
    assert not cuts.is_cut(one)
    assert not cuts.is_cut(np.roll(one, 6, axis=1))
    assert not cuts.is_cut((np.roll(one, 6, axis=1) * 0.7).astype(np.uint8))
    assert cuts.is_cut(other)
    assert not cuts.is_cut(other)


def test_noise_in_an_even_picture_is_no_cut() -> None:
    cuts = SceneCuts()
    rng = np.random.default_rng(3)
    assert not any(cuts.is_cut(rng.integers(100, 110, (360, 640)).astype(np.uint8)) for _ in range(5))


# What was seen (score) at which frame of 75, all looked at -> which are covered. Look-ahead and linger are
# 0.5 seconds, half a frame apart from any border: twelve frames for a face, four for a faint sighting.
FAINT = {
    "one faint sighting": ({30: 0.15}, range(26, 35)),
    "a faint one now and then": ({10: 0.15, 40: 0.15}, [*range(6, 15), *range(36, 45)]),
    "a faint one now and then, soon again": ({10: 0.15, 30: 0.15}, [*range(6, 15), *range(26, 35)]),
    "a faint one in three looks on end": ({30: 0.15, 31: 0.15, 32: 0.15}, range(18, 45)),
    "a faint one before a clear one": ({20: 0.15, 30: 0.9}, range(8, 43)),
    "one clear sighting": ({30: 0.9}, range(18, 43)),
}


@pytest.mark.parametrize(("scores", "expected"), FAINT.values(), ids=FAINT)
def test_a_faint_sighting_is_covered_but_not_for_long(scores: dict[int, float], expected: list[int]) -> None:
    tracker = Tracker(linger_seconds=12.5 / FPS, lookahead_seconds=12.5 / FPS)
    for index in range(75):
        found = boxes(row(100, score=scores[index])) if index in scores else boxes()
        tracker.observe(index, index / FPS, found)
    assert covered(tracker, range(75)) == list(expected)


def test_frames_that_nobody_looked_at_are_covered_around_a_faint_sighting_too() -> None:
    tracker = Tracker(linger_seconds=0, lookahead_seconds=0)
    for index in range(0, 60, 10):
        seen = boxes(row(100, score=0.15)) if index in {20, 40} else boxes()
        tracker.observe(index, index / FPS, seen)
    assert covered(tracker, range(60)) == [*range(11, 30), *range(31, 50)]


def test_the_most_careful_search_believes_every_sighting() -> None:
    tracker = Tracker(linger_seconds=12.5 / FPS, lookahead_seconds=12.5 / FPS, believes_all=True)
    for index in range(75):
        tracker.observe(index, index / FPS, boxes(row(100, score=0.1)) if index == 30 else boxes())
    assert covered(tracker, range(75)) == list(range(18, 43))
