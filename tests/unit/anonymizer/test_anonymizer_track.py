"""The tracker covers whatever nobody looked at, bridges gaps, and ends with the shot."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.boxes import Box
from anonymizer.track.motion import Motion
from anonymizer.track.pairing import shift_of_crowd
from anonymizer.track.scene import SceneCuts
from anonymizer.track.steady import is_steady
from anonymizer.track.tracker import Tracker
from benchmarks import tracking

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
        ((_, box),) = tracker.covers(index, index / FPS)
        assert holds(box, row(100))
        assert holds(box, row(120, 110))


def test_a_cover_does_not_shrink_with_one_smaller_box() -> None:
    tracker = Tracker(0.2, 0.2)
    for index in range(6):
        whole = row(100 + 5 * index)
        tracker.observe(
            index,
            index / FPS,
            boxes([*whole[:2], whole[2] - 20, whole[3] - 15, 0.9] if index == 4 else whole),
        )
    for index in range(6):
        ((_, box),) = tracker.covers(index, index / FPS)
        assert holds(box.scaled(1.1), row(100 + 5 * index))


def test_a_lost_face_is_followed_the_way_it_went_and_the_cover_grows() -> None:
    tracker = Tracker(0.4, 0)
    for index in range(5):
        tracker.observe(index, index / FPS, boxes(row(100 + 5 * index)))
    tracker.observe(5, 5 / FPS, boxes())
    sizes = []
    for index in range(5, 12):
        ((_, box),) = tracker.covers(index, index / FPS)
        assert holds(box, row(120))
        assert holds(box, row(100 + 5 * index))
        sizes.append(box.width * box.height)
    assert sizes == sorted(sizes)


def test_a_fast_face_keeps_its_track() -> None:
    tracker = Tracker(0.2, 0.2)
    for index in range(8):
        tracker.observe(index, index / FPS, boxes(row(100 + 30 * index)))
    assert tracker.count == 1


def test_a_face_keeps_its_number_through_a_gap_while_it_moves() -> None:
    tracker = Tracker(0.5, 0.5)
    numbers = set()
    for index in range(40):
        hidden = 15 <= index < 25
        numbers.update(
            tracker.observe(index, index / FPS, boxes() if hidden else boxes(row(100 + 8 * index)))
        )
    assert numbers == {0}
    assert tracker.count == 1


def test_a_gap_with_looks_in_vain_is_covered_where_the_face_went_and_not_all_over_its_way() -> None:
    tracker = Tracker(0.5, 0.5)
    for index in range(25):
        hidden = 5 <= index < 20
        tracker.observe(index, index / FPS, boxes() if hidden else boxes(row(100 + 10 * index)))
    for index in range(25):
        ((_, box),) = tracker.covers(index, index / FPS)
        assert holds(box, row(100 + 10 * index))
        assert box.width < 2 * 40


def test_a_crowd_that_the_camera_pans_over_keeps_its_numbers() -> None:
    tracker = Tracker(0.5, 0.5)
    owners = {}
    # Faces of 26 pixels, 46 apart, move by 27 from one look to the next: each comes nearer to the next one's
    # place than to its own.
    for index in range(0, 60, 3):
        rows = {(i, j): row(46 * i + 9 * index, 42 * j, 26) for i in range(12) for j in range(6)}
        numbers = tracker.observe(index, index / FPS, boxes(*rows.values()))
        for person, number in zip(rows, numbers, strict=True):
            assert owners.setdefault(person, number) == number
    assert tracker.count == 72


def test_a_few_faces_are_no_crowd_and_random_ones_agree_on_nothing() -> None:
    rng = np.random.default_rng(5)
    few = [Box(*row(100 * i)[:4]) for i in range(5)]
    assert shift_of_crowd(few, [box.moved(30, 0) for box in few]) == (0, 0)
    many, others = ([Box(*row(*rng.uniform(0, 4000, 2))[:4]) for _ in range(60)] for _ in range(2))
    assert shift_of_crowd(many, others) == (0, 0)
    assert shift_of_crowd(many, many) == (0, 0)
    assert shift_of_crowd(many, [box.moved(30, -12) for box in many]) == pytest.approx((30, -12))


def test_faint_false_alarms_are_covered_and_not_counted() -> None:
    tracker = Tracker(0.5, 0.5)
    for index in range(0, 50, 10):
        tracker.observe(index, index / FPS, boxes(row(7 * index, score=0.25)))
    assert tracker.count == 0
    assert covered(tracker, range(50))


def test_speed_is_known_after_a_few_sightings_and_in_both_directions() -> None:
    places = [Box(*row(100 + 5 * i)[:4]) for i in range(12)]
    forwards = Motion.begin(0, places[0])
    for i, box in enumerate(places[1:], 1):
        forwards = forwards.seen(i / FPS, box)
    backwards = Motion.begin(11 / FPS, places[11])
    for i in range(10, -1, -1):
        backwards = backwards.seen(i / FPS, places[i])
    for motion in (forwards, backwards):
        assert (motion.dx, motion.dy) == pytest.approx((5 * FPS, 0), abs=5)
    assert forwards.at(20 / FPS)[0] == pytest.approx(places[0].centre[0] + 100, abs=3)


@pytest.mark.parametrize("stride", [1, 3])
@pytest.mark.parametrize("name", tracking.SCENARIOS)
def test_made_movement(name: str, stride: int) -> None:
    """What the benchmark measures on movement whose truth is known does not get worse unseen."""
    found = tracking.judge(tracking.SCENARIOS[name], stride)
    assert found["open"] < 0.005
    assert found["far"] < 0.06
    assert found["switches"] <= (60 if name.startswith("crowd") else 4)
    assert 0.9 <= found["tracks"] <= 1.1


def test_two_faces_that_cross_are_both_covered() -> None:
    tracker = Tracker(0.2, 0.2)
    for index in range(20):
        tracker.observe(index, index / FPS, boxes(row(100 + 10 * index), row(290 - 10 * index, 105)))
    for index in range(20):
        found = [box for _, box in tracker.covers(index, index / FPS)]
        assert any(holds(box, row(100 + 10 * index)) for box in found)
        assert any(holds(box, row(290 - 10 * index, 105)) for box in found)


def test_a_cut_ends_covers_and_holds_back_new_ones() -> None:
    tracker = Tracker(1, 1)
    tracker.observe(0, 0, boxes(row(100)))
    tracker.observe(4, 4 / FPS, boxes(row(100)))
    tracker.cut(5)
    tracker.observe(5, 5 / FPS, boxes(row(400)))
    assert [round(box.x1) for _, box in tracker.covers(4, 4 / FPS)] == [100]
    assert [round(box.x1) for _, box in tracker.covers(5, 5 / FPS)] == [400]
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
    "a faint one in three looks on end": ({30: 0.15, 31: 0.15, 32: 0.15}, range(26, 37)),
    "a faint one in twenty looks on end": (dict.fromkeys(range(30, 50), 0.15), range(18, 62)),
    "a half-clear one": ({30: 0.5}, range(24, 37)),
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


def seen_at(tracker: Tracker, seen: dict[int, float], looks: range) -> Tracker:
    """Shows a tracker a face that stands still, in those looks in which it is seen, with its score."""
    for index in looks:
        found = boxes(row(100, score=seen[index])) if index in seen else boxes()
        tracker.observe(index, index / FPS, found)
    return tracker


def test_a_face_that_only_every_second_look_can_see_is_not_lost_between() -> None:
    seen = dict.fromkeys(range(20, 40, 4), 0.2)
    in_turn = seen_at(Tracker(0, 0, looks_in_turn=2), seen, range(0, 60, 2))
    assert in_turn.count == 1, "seen in every look that could: firm"
    assert covered(in_turn, range(60)) == list(range(17, 40))
    alike = seen_at(Tracker(0, 0), seen, range(0, 60, 2))
    assert alike.count == 0
    assert len(covered(alike, range(60))) < 20


def test_a_face_is_missed_once_looks_of_every_kind_were_in_vain() -> None:
    tracker = seen_at(Tracker(0, 0, looks_in_turn=4), {20: 0.9}, range(0, 60, 2))
    # From after the look before it that was like it, to before the fourth look in vain.
    assert covered(tracker, range(60)) == list(range(13, 28))


def test_looks_in_turn_do_not_count_a_frame_twice() -> None:
    """A faint face's cover reaches as far as it would with one look in as many frames."""
    tracker = seen_at(
        Tracker(12.5 / FPS, 12.5 / FPS, looks_in_turn=2), {30: 0.15, 31: 0.15, 32: 0.15}, range(75)
    )
    assert covered(tracker, range(75)) == list(range(26, 37))


def test_looks_in_turn_end_with_the_shot() -> None:
    tracker = Tracker(0.5, 0.5, looks_in_turn=4)
    seen_at(tracker, {}, range(0, 20, 2))
    tracker.cut(20)
    seen_at(tracker, {22: 0.9}, range(20, 24, 2))
    assert covered(tracker, range(24)) == [20, 21, 22, 23]
