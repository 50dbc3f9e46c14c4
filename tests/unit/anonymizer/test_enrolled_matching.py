"""When a face counts as somebody's: the rule, over cosines and times alone, and who is looked at when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Plane
from anonymizer.enrolled.embedding import FaceEmbedder, square_by_eyes
from anonymizer.enrolled.gallery import Gallery
from anonymizer.enrolled.manifest import Bounds, Eyes
from anonymizer.enrolled.matching import Candidate, sure
from anonymizer.enrolled.recognizing import MOST_LOOKS, Recognizer, StillRecognizer
from anonymizer.enrolled.remembering import (
    Noting,
    Recognized,
    Remembering,
    packed_recognized,
    parse_recognized,
)
from anonymizer.errors import AnonymizerError
from anonymizer.landmarks.points import EYES

BOUNDS = Bounds(threshold=0.6, least=0.5, margin=0.1)
GOOD, FAIR, POOR = (0.8, 0.2), (0.55, 0.2), (0.45, 0.2)
OTHER, BETWEEN = (0.2, 0.8), (0.8, 0.75)


def seen(*sightings: Sequence[float] | None, apart: float = 0.1) -> Candidate:
    candidate = Candidate()
    for place, cosines in enumerate(sightings):
        said = None if cosines is None else np.array(cosines, np.float32)
        candidate.take(place * apart, said, BOUNDS)
    return candidate


RULE: dict[str, tuple[Candidate, int | None]] = {
    "five good ones": (seen(*[GOOD] * 5), 0),
    "five of the other person": (seen(*[OTHER] * 5), 1),
    "four are too few": (seen(*[GOOD] * 4), None),
    "five within a moment": (seen(*[GOOD] * 5, apart=0.01), None),
    "five, each too long after the one before": (seen(*[GOOD] * 5, apart=1.0), None),
    "all fair, none good": (seen(*[FAIR] * 9), None),
    "two fair ones among good ones": (seen(GOOD, FAIR, GOOD, FAIR, GOOD), 0),
    "three fair ones among good ones": (seen(FAIR, FAIR, GOOD, FAIR, GOOD), None),
    "one under the lower bound": (seen(GOOD, GOOD, POOR, GOOD, GOOD), None),
    "one that nobody could make": (seen(GOOD, GOOD, None, GOOD, GOOD), None),
    "five good ones after that": (seen(POOR, *[GOOD] * 5), 0),
    "as much like the other person": (seen(*[BETWEEN] * 9), None),
    "once as much like the other person": (seen(GOOD, GOOD, BETWEEN, GOOD, GOOD), None),
    "first one person, then the other": (seen(GOOD, GOOD, OTHER, OTHER, OTHER), None),
    "no number": (seen(*[(float("nan"), 0.2)] * 5), None),
    "recognized, then poor": (seen(*[GOOD] * 5, POOR), None),
    "recognized, then fair": (seen(*[GOOD] * 5, FAIR), 0),
    "recognized, then somebody else": (seen(*[GOOD] * 5, OTHER), None),
    "recognized, then as much like somebody else": (seen(*[GOOD] * 5, BETWEEN), None),
    "recognized, then turned away": (seen(*[GOOD] * 5, None), None),
    "recognized, poor, and one good one": (seen(*[GOOD] * 5, POOR, GOOD), None),
}


@pytest.mark.parametrize(("candidate", "who"), RULE.values(), ids=RULE)
def test_who_it_is(candidate: Candidate, who: int | None) -> None:
    assert candidate.who == who


def test_whoever_is_recognized_is_asked_in_every_frame_and_others_ever_more_rarely() -> None:
    known = seen(*[GOOD] * 5)
    assert all(known.is_due(time) for time in (0.401, 0.402, 9.0))
    stranger, waits = Candidate(), []
    time = 0.0
    for _ in range(9):
        stranger.take(time, np.array(POOR, np.float32), BOUNDS)
        assert not stranger.is_due(time)
        waits.append(stranger.due_at - time)
        time = stranger.due_at
    assert waits == pytest.approx(sorted(waits))
    assert waits[0] < 0.2
    assert waits[-1] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("cosines", "who"),
    [((0.7,), 0), ((0.59,), None), ((0.7, 0.61), None), ((0.7, 0.6), 0), ((-1.0, 0.9), 1)],
)
def test_the_best_leads_by_the_margin(cosines: tuple[float, ...], who: int | None) -> None:
    assert sure(np.array(cosines, np.float64), 0.6, 0.1 - 1e-9) == who


class Vectors(FaceEmbedder):
    """Answers with the vector that belongs to where a box is."""

    def __init__(self, at: dict[float, tuple[float, float]]) -> None:
        self.at = at
        self.looks: list[float] = []

    def look(self, planes, width, height, box, *, mirrored=False):  # type: ignore[no-untyped-def]
        self.looks.append(box.x1)
        said = self.at.get(box.x1)
        return None if said is None else np.array(said, np.float32)


def scene(frame: int, shot: int = 0) -> Scene:
    return Scene([Plane(np.zeros((100, 2000), np.uint8), 1, 128)], 2000, 100, frame / 10, shot)


def box(left: float, size: float = 50) -> Box:
    return Box(left, 0, left + size, size)


def recognizer(at: dict[float, tuple[float, float]]) -> Recognizer:
    gallery = Gallery(("host", "guest"), np.eye(2, dtype=np.float32), BOUNDS, Vectors(at))
    return Recognizer(gallery)


def test_two_faces_of_one_person_are_both_covered() -> None:
    one = recognizer({0: GOOD, 900: GOOD})
    assert [one.roles(scene(i), {1: box(0)}) for i in range(5)][-1] == {1: "host"}
    said = [one.roles(scene(i), {1: box(0), 2: box(900)}) for i in range(5, 40)]
    assert said == [{}] * 35


def test_a_face_that_comes_near_ends_it_until_it_is_gone() -> None:
    one = recognizer({0: GOOD})
    faces = {1: box(0)}
    assert [one.roles(scene(i), faces) for i in range(5)][-1] == {1: "host"}
    assert one.roles(scene(5), faces | {2: box(30)}) == {}
    assert one.roles(scene(6), faces) == {}
    assert any(one.roles(scene(i), faces) for i in range(7, 30))


def test_a_face_of_another_size_or_farther_away_does_not() -> None:
    one = recognizer({0: GOOD})
    for i in range(5):
        roles = one.roles(scene(i), {1: box(0), 2: box(100)})
    assert roles == {1: "host"}


@pytest.mark.parametrize(("faces", "shot"), [({}, 0), ({1: box(0)}, 1)], ids=["a loss", "a cut"])
def test_it_is_earned_anew_after(faces: dict[int, Box], shot: int) -> None:
    one = recognizer({0: GOOD})
    assert [one.roles(scene(i), {1: box(0)}) for i in range(5)][-1] == {1: "host"}
    assert one.roles(scene(5, shot), faces) == {}
    assert one.roles(scene(6, shot), {1: box(0)}) == {}
    assert [one.roles(scene(i, shot), {1: box(0)}) for i in range(7, 11)][-1] == {1: "host"}


def test_a_crowd_is_looked_at_a_few_at_a_time() -> None:
    crowd = {number: box(number * 60.0, 50 - number / 10) for number in range(30)}
    one = recognizer({number * 60.0: POOR for number in range(30)})
    embedder = one._gallery.embedder
    assert isinstance(embedder, Vectors)
    for frame in range(20):
        before = len(embedder.looks)
        assert one.roles(scene(frame), crowd) == {}
        assert len(embedder.looks) - before <= MOST_LOOKS
    assert set(embedder.looks) == {number * 60.0 for number in range(30)}


def test_a_still_needs_both_of_its_mirror_images_over_the_threshold() -> None:
    class OneSided(Vectors):
        def look(self, planes, width, height, box, *, mirrored=False):  # type: ignore[no-untyped-def]
            return np.array(FAIR if mirrored and box.x1 == 900 else GOOD, np.float32)

    gallery = Gallery(("host", "guest"), np.eye(2, dtype=np.float32), BOUNDS, OneSided({}))
    one = StillRecognizer(gallery)
    assert one.roles(scene(0), {1: box(0)}) == {1: "host"}
    assert one.roles(scene(0), {1: box(900)}) == {}
    assert one.roles(scene(0), {1: box(0), 2: box(900)}) == {1: "host"}
    assert one.roles(scene(0), {1: box(0), 2: box(300)}) == {}, "one person has one face"
    assert one.roles(scene(0), {1: box(0), 2: box(20)}) == {}, "too near"


STRETCHES = (Recognized(2, 5, 7, "host"), Recognized(2, 9, 8, "guest"), Recognized(6, 7, 7, "host"))
_BOTH, _GUEST = {7: "host", 8: "guest"}, {8: "guest"}
FRAMES = [{}, {}, _BOTH, _BOTH, _BOTH, _GUEST, _BOTH, _GUEST, _GUEST, {}]


def test_what_is_noted_is_told_again_frame_by_frame() -> None:
    noting = Noting()
    for roles in FRAMES:
        noting.note(roles)
    stretches = noting.finish()
    assert stretches == STRETCHES
    assert parse_recognized(packed_recognized(stretches)) == stretches
    again = Remembering(stretches)
    faces = {7: box(0), 8: box(100)}
    assert [again.roles(scene(i), faces) for i in range(len(FRAMES))] == FRAMES


def test_whoever_changes_role_is_noted_twice() -> None:
    noting = Noting()
    for roles in ({7: "host"}, {7: "guest"}, {7: "guest"}):
        noting.note(roles)
    assert noting.finish() == (Recognized(0, 1, 7, "host"), Recognized(1, 3, 7, "guest"))


def test_a_record_of_somebody_who_is_not_there_is_refused() -> None:
    again = Remembering(STRETCHES)
    for i in range(2):
        again.roles(scene(i), {})
    with pytest.raises(AnonymizerError) as caught:
        again.roles(scene(2), {7: box(0)})
    assert caught.value.code == "record_refused"


UNSOUND = {
    "no JSON": b"[[",
    "no list": b"7",
    "too deep": b"[" * 100_000,
    "a row too short": b"[[7,2,5]]",
    "an end before the beginning": b'[[7,5,2,"host"]]',
    "a number below zero": b'[[-1,2,5,"host"]]',
    "a number too large": b'[[7,2,99999999999,"host"]]',
    "truth for a number": b'[[true,2,5,"host"]]',
    "no role": b'[[7,2,5,""]]',
    "a role that is a number": b"[[7,2,5,3]]",
    "out of order": b'[[7,6,7,"host"],[7,2,5,"host"]]',
    "twice": b'[[7,2,5,"host"],[7,2,5,"host"]]',
}


@pytest.mark.parametrize("untrusted", UNSOUND.values(), ids=UNSOUND)
def test_anything_else_is_no_record_of_who_was_recognized(untrusted: bytes) -> None:
    with pytest.raises(AnonymizerError) as caught:
        parse_recognized(untrusted)
    assert caught.value.code == "record_refused"


def test_eyes_lie_where_the_network_expects_them() -> None:
    for turn in (0.0, 0.5, -1.2):
        mesh = np.zeros((468, 3), np.float32)
        middle, along = np.array([300.0, 200.0]), np.array([np.cos(turn), np.sin(turn)])
        for corners, side in zip(EYES, (-1, 1), strict=True):
            mesh[list(corners), :2] = middle + side * 20 * along
        square = square_by_eyes(mesh, Eyes(apart=0.4, down=0.3))
        assert square.side == pytest.approx(100)
        in_crop = np.array([[30, 30], [70, 30]], np.float32)
        assert square.picture_of(in_crop, 100) == pytest.approx(
            np.stack([middle - 20 * along, middle + 20 * along]), abs=1e-3
        )
