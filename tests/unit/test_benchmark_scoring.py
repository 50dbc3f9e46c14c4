"""What the coverage benchmark counts, on pictures small enough to count by hand; how references are made."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from anonymizer.boxes import Box
from benchmarks import plot
from benchmarks.coverage import shortfalls
from benchmarks.reference import Reference, join
from benchmarks.scoring import Score, oval_of

FACE = Box(40, 40, 60, 60)


def score_of(covered: np.ndarray, faces: list[Box], doubtful: list[Box] | None = None) -> dict:
    score = Score()
    score.add(covered, faces, doubtful or [])
    return score.figures()


def rectangle(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros((100, 200), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def test_an_oval_is_what_its_formula_says_and_stays_in_the_picture() -> None:
    oval, _ = oval_of(FACE, 200, 100)
    assert oval.sum() == pytest.approx(np.pi * 10 * 10, rel=0.03)
    half, (rows, columns) = oval_of(FACE.moved(-50, 0), 200, 100)
    assert half.sum() == pytest.approx(oval.sum() / 2, rel=0.01)
    assert (rows, columns) == (slice(40, 60), slice(0, 10))
    assert oval_of(FACE.moved(500, 0), 200, 100)[0].size == 0


COVERED = {
    "the box": (rectangle(40, 40, 60, 60), 1.0, 0.0),
    "nothing": (rectangle(0, 0, 0, 0), 0.0, 1.0),
    "the left half": (rectangle(40, 40, 50, 60), 0.0, 0.5),
    "all but a sliver": (rectangle(40, 40, 59, 60), 1.0, 0.02),
    "only the corners are open": (rectangle(40, 40, 60, 60) & ~rectangle(40, 40, 42, 42), 1.0, 0.0),
}


@pytest.mark.parametrize(("covered", "recall", "open_area"), COVERED.values(), ids=COVERED)
def test_which_faces_are_covered(covered: np.ndarray, recall: float, open_area: float) -> None:
    figures = score_of(covered, [FACE])
    assert figures["recall"] == recall
    assert figures["frames_open"] == 1 - recall
    assert figures["open_face_area"] == pytest.approx(open_area, abs=0.02)
    assert figures["recall_by_size"]["16-24"] == {"faces": 1, "recall": recall}


def test_false_area_lies_outside_the_faces_and_far_area_outside_their_surroundings() -> None:
    picture = 100 * 200
    near = score_of(rectangle(35, 40, 60, 60), [FACE])
    assert (near["false_area"], near["far_area"]) == (5 * 20 / picture, 0)
    far = score_of(rectangle(150, 0, 160, 10), [FACE])
    assert far["false_area"] == far["far_area"] == 100 / picture


def test_what_is_doubtful_is_neither_asked_for_nor_false() -> None:
    figures = score_of(rectangle(150, 0, 160, 10), [], [Box(150, 0, 160, 10)])
    assert (figures["faces"], figures["false_area"], figures["frames_open"]) == (0, 0, 0)


def test_faces_at_the_edge_are_counted_among_their_size_and_on_their_own() -> None:
    figures = score_of(rectangle(0, 0, 0, 0), [Box(-5, 40, 15, 60)])
    assert figures["recall_by_size"]["edge"] == {"faces": 1, "recall": 0.0}
    assert figures["recall_by_size"]["16-24"]["faces"] == 1


def look(*rows: tuple[float, float, float]) -> np.ndarray:
    """Boxes of 20 pixels at x, y with a score."""
    return np.array([[x, y, x + 20, y + 20, score] for x, y, score in rows], np.float32).reshape(-1, 5)


def joined(looks: list[np.ndarray], cuts: set[int] | None = None, pan: float = 0.0) -> Reference:
    return join(looks, cuts or set(), [(pan, 0.0)] * len(looks), 200, 100)


def test_a_missed_face_is_filled_in_between() -> None:
    looks = [look((50 + i, 40, 0.8)) if i not in {4, 5} else look() for i in range(10)]
    (person,) = joined(looks).people
    assert sorted(person) == list(range(10))
    assert person[4].x1 == pytest.approx(54, abs=0.1)


def test_what_is_never_sure_is_doubtful_and_what_is_seen_twice_is_nothing() -> None:
    looks = [look((50, 40, 0.3)) if i < 8 else look((150, 40, 0.9)) for i in range(10)]
    reference = joined(looks)
    assert (len(reference.people), len(reference.doubtful)) == (0, 1)


def test_a_cut_ends_a_face() -> None:
    looks = [look((50, 40, 0.8))] * 12
    assert [sorted(p) for p in joined(looks, {6}).people] == [list(range(6)), list(range(6, 12))]


def test_a_face_that_leaves_is_carried_on_while_half_of_it_shows() -> None:
    # It is seen until it touches the edge; of 20 pixels, 15 and 10 show in the two frames after.
    looks = [look((140 + 5 * i, 40, 0.8)) if i < 9 else look() for i in range(14)]
    (person,) = joined(looks).people
    assert sorted(person) == list(range(11))
    assert person[10].x2 == pytest.approx(210, abs=0.5)


def test_faces_that_the_camera_pans_over_are_not_handed_on_to_their_neighbours() -> None:
    # Each moves by more than half of the way to the next one's place.
    looks = [look(*((200 - 13 * i + 24 * k, 40, 0.8) for k in range(12))) for i in range(10)]
    for person in joined(looks, pan=-13).people:
        steps = {round(person[i + 1].x1 - person[i].x1) for i in person if i + 1 in person}
        assert steps == {-13}


def test_a_reference_is_read_as_it_was_written(tmp_path: Path) -> None:
    reference = Reference(200, 100, 3, ({0: FACE, 2: FACE.moved(1, 0)},), ({1: FACE},))
    reference.save(tmp_path / "reference.json")
    assert Reference.load(tmp_path / "reference.json") == reference


def test_the_committed_reference_of_the_made_clip_shows_one_face_that_leaves_and_comes_back() -> None:
    reference = Reference.load(Path(__file__).parents[2] / "benchmarks" / "data" / "made_720p.json")
    assert (reference.width, reference.height, reference.frames) == (1280, 720, 200)
    assert [(min(p), max(p)) for p in reference.people] == [(0, 99), (127, 199)]


def figures(recall: float, false_area: float, small: float | None = 1.0) -> dict:
    return {
        "recall": recall,
        "frames_open": 0.1,
        "false_area": false_area,
        "recall_by_size": {"16-24": {"faces": 3, "recall": small}},
    }


AIMS = {
    "all reached": (figures(0.999, 0.01), 0),
    "recall": (figures(0.99, 0.01), 1),
    "one size below deface": (figures(0.999, 0.01, small=0.5), 1),
    "false area": (figures(0.999, 0.03), 1),
    "nothing reached": (figures(0.5, 0.03, small=0.5), 3),
}


@pytest.mark.parametrize(("ours", "missed"), AIMS.values(), ids=AIMS)
def test_shortfalls_are_named(ours: dict, missed: int) -> None:
    assert len(shortfalls(ours, figures(0.9, 0.04, small=0.9))) == missed


def test_the_plot_is_a_picture_with_a_bar_for_every_share_and_no_markup_from_names() -> None:
    reports = [{"clip": "<a>&.mp4", "methods": {"deface": figures(0.9, 0.04), "bauta": figures(1.0, 0.0)}}]
    root = ElementTree.fromstring(plot.coverage(reports))
    assert len(root.findall("{*}rect")) == 1 + 2 * 2 * 3
    assert "<a>&.mp4" in [text.text for text in root.findall("{*}text")]
