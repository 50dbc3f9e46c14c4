"""Faces that a recognizer still knows under their covers, by portraits of the original."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import Models, Settings
from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.enrolled.manifest import FACE_EMBEDDING
from anonymizer.leaks.covered import DRAWN, Covered
from anonymizer.leaks.eyes import open_attackers
from anonymizer.leaks.portraits import APART_SECONDS, MOST_OF_TRACK, MOST_TRACKS, Portraits, planes_of
from anonymizer.settings import FaceSettings
from tests import enrolled_faces

Pixels = npt.NDArray[np.uint8]

# Where both heads lie in the picture, and their faces in it.
ANA, BEN = (30, 40), (340, 40)
LEFT = Box(ANA[0] + 56, ANA[1] + 46, ANA[0] + 150, ANA[1] + 170)
RIGHT = LEFT.moved(BEN[0] - ANA[0], 0)
TRACKS = {1: LEFT, 2: RIGHT}


@pytest.fixture(scope="module")
def with_network(models: Models) -> Models:
    if models.landmarks is None or models.full_range is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    content = enrolled_faces.network()
    return enrolled_faces.with_network(models, content, enrolled_faces.manifest_text(content))


def both() -> Pixels:
    """Ana at the left, Ben at the right."""
    picture = np.full((360, 640, 3), 100, np.uint8)
    for (x, y), head in ((ANA, enrolled_faces.ana()), (BEN, enrolled_faces.ben())):
        picture[y : y + head.shape[0], x : x + head.shape[1]] = head
    return picture


def scene_of(picture: Pixels, time: float = 0.0) -> Scene:
    return Scene(planes_of(picture), picture.shape[1], picture.shape[0], time, 0)


def cover(track: int, box: Box) -> Cover:
    region = region_of(box, 1.3, "ellipse", 4000, 4000)
    assert region is not None
    return Cover("face", track, box, FaceSettings(), region)


def covered(track: int, box: Box, effect: str = "solid") -> Covered:
    named = {"solid": "solid", "keep": "keep", "persona": "persona"}[effect]
    return Covered("face", track, named, box, box.scaled(1.3), None)  # type: ignore[arg-type]  # one of three


def painted(picture: Pixels, box: Box) -> Pixels:
    made = picture.copy()
    middle = round(box.centre[0]), round(box.centre[1])
    cv2.ellipse(made, middle, (round(box.width * 0.65), round(box.height * 0.65)), 0, 0, 360, (128,) * 3, -1)
    return made


def exchanged(picture: Pixels) -> Pixels:
    """Each with the other's head."""
    made = picture.copy()
    height, width = enrolled_faces.ana().shape[:2]
    for (x, y), head in ((BEN, enrolled_faces.ana()), (ANA, enrolled_faces.ben())):
        made[y : y + height, x : x + width] = head
    return made


RESULTS: dict[str, tuple[Callable[[Pixels], Pixels], int]] = {
    "nothing was painted": (lambda picture: picture, 2),
    "one of two was painted": (lambda picture: painted(picture, LEFT), 1),
    "both were": (lambda picture: painted(painted(picture, LEFT), RIGHT), 0),
    "each looks like the other": (exchanged, 0),
    "nothing is left but one colour": (lambda picture: np.full_like(picture, 77), 0),
}


@pytest.mark.parametrize(("change", "matched"), RESULTS.values(), ids=RESULTS)
def test_who_is_known_under_a_cover(
    change: Callable[[Pixels], Pixels], matched: int, with_network: Models
) -> None:
    attackers = open_attackers(with_network, Settings(), threads=1)
    assert FACE_EMBEDDING in attackers.names
    assert FACE_EMBEDDING in attackers.independent
    attackers.portraits.see(scene_of(both()), [cover(*each) for each in TRACKS.items()])
    found = attackers.look(change(both()), [covered(*each) for each in TRACKS.items()], ())
    assert (found.identities_compared, found.identities_matched) == (2, matched)


def test_a_drawn_face_that_gives_somebody_away_is_matched(with_network: Models) -> None:
    attackers = open_attackers(with_network, Settings(), threads=1)
    attackers.portraits.see(scene_of(both()), [cover(1, LEFT)])
    found = attackers.look(both(), [covered(1, LEFT, "persona")], ())
    assert (found.faces_attacked, found.identities_compared, found.identities_matched) == (0, 1, 1)


def test_a_face_is_known_where_it_has_moved_to(with_network: Models) -> None:
    attackers = open_attackers(with_network, Settings(), threads=1)
    attackers.portraits.see(scene_of(both()), [cover(1, LEFT)])
    moved = np.ascontiguousarray(np.roll(both(), (20, 30), (0, 1)))
    found = attackers.look(moved, [covered(1, LEFT.moved(30, 20))], ())
    assert (found.identities_compared, found.identities_matched) == (1, 1)


def test_who_is_kept_drawn_over_or_never_seen_is_not_compared(with_network: Models) -> None:
    attackers = open_attackers(with_network, Settings(), threads=1)
    attackers.portraits.see(scene_of(both()), [cover(1, LEFT)])
    small = Box(*LEFT.centre, LEFT.centre[0] + 30, LEFT.centre[1] + 30)
    said = [
        covered(1, LEFT, "keep"),
        covered(7, RIGHT),
        covered(1, small),
        Covered("person", DRAWN, "solid", LEFT, LEFT, None),
    ]
    assert attackers.look(both(), said, ()).identities_compared == 0


def test_without_a_recognizer_nobody_is_compared_and_nothing_is_kept(models: Models) -> None:
    attackers = open_attackers(models, Settings(), threads=1)
    attackers.portraits.see(scene_of(both()), [cover(1, LEFT)])
    assert attackers.portraits.of(1) == ()
    found = attackers.look(both(), [covered(1, LEFT)], ())
    assert found.identities_compared is None
    assert found.identities_matched is None


def test_portraits_are_few_and_the_largest() -> None:
    portraits = Portraits()
    picture = both()
    for step, scale in enumerate((0.8, 0.6, 1.0, 0.9, 0.7)):
        portraits.see(scene_of(picture, step * APART_SECONDS), [cover(1, LEFT.scaled(scale))])
    kept = sorted(each.pixels / LEFT.height for each in portraits.of(1))
    assert kept == pytest.approx([0.9, 1.0])
    assert len(kept) == MOST_OF_TRACK


def test_a_track_is_looked_at_now_and_then_only() -> None:
    portraits = Portraits()
    for step in range(3):
        portraits.see(scene_of(both(), step * APART_SECONDS / 4), [cover(1, LEFT)])
    assert len(portraits.of(1)) == 1


def test_there_are_so_many_tracks_and_no_more() -> None:
    portraits = Portraits()
    covers = [cover(track, LEFT) for track in range(MOST_TRACKS + 5)]
    portraits.see(scene_of(both()), covers)
    assert portraits.of(MOST_TRACKS - 1)
    assert portraits.of(MOST_TRACKS) == ()


def test_other_kinds_and_small_faces_have_no_portrait() -> None:
    portraits = Portraits()
    region = region_of(LEFT, 1.3, "ellipse", 640, 360)
    assert region is not None
    portraits.see(
        scene_of(both()),
        [Cover("person", 1, LEFT, FaceSettings(), region), cover(2, LEFT.scaled(0.2))],
    )
    assert portraits.of(1) == portraits.of(2) == ()


def test_a_portrait_shows_the_face_where_its_box_says() -> None:
    portraits = Portraits()
    picture = np.zeros((360, 640, 3), np.uint8)
    picture[round(LEFT.y1) : round(LEFT.y2), round(LEFT.x1) : round(LEFT.x2)] = (250, 20, 90)
    planes = [Plane(np.ascontiguousarray(picture[:, :, i]), 1, 128) for i in (2, 1, 0)]
    portraits.see(Scene(planes, 640, 360, 0.0, 0), [cover(1, LEFT)])
    (portrait,) = portraits.of(1)
    x, y = (round(v) for v in portrait.box.centre)
    assert portrait.picture[y, x] == pytest.approx((250, 20, 90), abs=2)
    assert portrait.picture[4, 4].max() == 0
    assert portrait.pixels == pytest.approx(LEFT.height)
