"""Faces of a result: what is an open face, what is one under a cover, and what is none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage import data

from anonymizer import Models, Settings
from anonymizer.boxes import Box
from anonymizer.leaks.covered import DRAWN, Covered, small_picture
from anonymizer.leaks.eyes import Attackers, open_attackers
from anonymizer.leaks.likeness import is_still_there
from anonymizer.leaks.shares import share_outside
from anonymizer.leaks.squares import Pyramid, cut, parts
from anonymizer.models import BLAZEFACE, CENTERFACE, FACE_MESH, FULL_RANGE
from anonymizer.settings import FaceSettings, PeopleSettings, Role
from tests.media_factory import face_picture

Pixels = npt.NDArray[np.uint8]
Paint = Callable[[Pixels, Box], None]

# The face of the portrait, as CenterFace's box has it, in 512 x 512 pixels.
FACE = Box(176, 66, 270, 190)
GREY = 128


@pytest.fixture(scope="module")
def attackers(models: Models) -> Attackers:
    if models.full_range is None or models.blazeface is None or models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    return open_attackers(models, Settings(), threads=1)


def portrait(size: tuple[int, int] = (960, 540), height: int = 124) -> tuple[Pixels, Box]:
    """A face in a wide picture, and where."""
    share = height / FACE.height
    small = face_picture((round(512 * share), round(512 * share)))
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    rows, columns = min(small.shape[0], size[1]), min(small.shape[1], size[0])
    picture[:rows, 100 : 100 + columns] = small[:rows, :columns]
    box = Box(*(edge * share for edge in (FACE.x1, FACE.y1, FACE.x2, FACE.y2)))
    return picture, box.moved(100, 0)


def solid(scale: float) -> Paint:
    def paint(picture: Pixels, box: Box) -> None:
        grown = box.scaled(scale)
        middle = tuple(round(v) for v in grown.centre)
        cv2.ellipse(
            picture, middle, (round(grown.width / 2), round(grown.height / 2)), 0, 0, 360, (GREY,) * 3, -1
        )

    return paint


def mosaic(blocks: int) -> Paint:
    def paint(picture: Pixels, box: Box) -> None:
        part = _part(picture, box.scaled(1.3))
        across = round(blocks * 1.3)
        size = across, round(across * part.shape[0] / part.shape[1])
        coarse = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        part[:] = cv2.resize(coarse, part.shape[1::-1], interpolation=cv2.INTER_NEAREST)

    return paint


def blur(share_of_width: float) -> Paint:
    def paint(picture: Pixels, box: Box) -> None:
        part = _part(picture, box.scaled(1.3))
        part[:] = cv2.GaussianBlur(part, (0, 0), share_of_width * box.width)

    return paint


def nothing(picture: Pixels, box: Box) -> None:
    """A cover that was never painted."""


def _part(picture: Pixels, box: Box) -> Pixels:
    x1, y1, x2, y2 = (max(0, round(edge)) for edge in (box.x1, box.y1, box.x2, box.y2))
    return picture[y1:y2, x1:x2]


def covered(box: Box, *, scale: float = 1.3, effect: Any = "solid", kind: Any = "face") -> Covered:
    return Covered(kind, 1, effect, box, box if effect == "keep" else box.scaled(scale), None)


# What was painted, at which scale the cover is said to lie; open faces, covers attacked, faces under them.
COVERS: dict[str, tuple[Paint, float, tuple[int, int, int]]] = {
    "nothing was painted": (nothing, 1.3, (0, 1, 1)),
    "a solid cover": (solid(1.3), 1.3, (0, 1, 0)),
    "a tight solid cover": (solid(1.0), 1.0, (0, 1, 0)),
    "a cover at the nose alone": (solid(0.3), 0.3, (1, 1, 1)),
    "a fine mosaic": (mosaic(32), 1.3, (0, 1, 1)),
    "a coarse mosaic": (mosaic(6), 1.3, (0, 1, 0)),
    "a soft blur": (blur(0.025), 1.3, (0, 1, 1)),
    "a strong blur": (blur(0.4), 1.3, (0, 1, 0)),
}


@pytest.mark.parametrize("case", COVERS.values(), ids=COVERS)
def test_what_a_cover_leaves(case: tuple[Paint, float, tuple[int, int, int]], attackers: Attackers) -> None:
    paint, scale, expected = case
    picture, box = portrait()
    paint(picture, box)
    found = attackers.look(picture, [covered(box, scale=scale)], ())
    assert (found.faces_open, found.faces_attacked, found.faces_under) == expected
    assert found.identities_compared is None, "nobody is here to compare"
    assert found.identities_matched is None
    assert found.texts_open is None, "text may stay"


AWAY = Box(700, 300, 800, 420)
# Where nothing was painted: what was said to be hidden or kept, and whether the face counts as open.
WHO_HIDES: dict[str, tuple[list[Covered], int]] = {
    "nobody": ([], 1),
    "a cover elsewhere": ([covered(AWAY)], 1),
    "it is kept": ([covered(FACE.moved(100, 0), effect="keep")], 0),
    "somebody else is kept": ([covered(AWAY, effect="keep")], 1),
    "a whole person": ([covered(Box(150, 0, 560, 500), kind="person")], 0),
    "what a person drew": ([Covered("person", DRAWN, "solid", AWAY, Box(200, 0, 520, 300), None)], 0),
    "text over half of it, hardly": ([covered(Box(276, 66, 310, 190), kind="text", scale=1.0)], 1),
    "a drawn face": ([covered(FACE.moved(100, 0), effect="persona")], 0),
}


@pytest.mark.parametrize(("said", "is_open"), WHO_HIDES.values(), ids=WHO_HIDES)
def test_an_open_face_is_one_that_nobody_hides(
    said: list[Covered], is_open: int, attackers: Attackers
) -> None:
    picture, _ = portrait()
    found = attackers.look(picture, said, ())
    assert found.faces_open == is_open
    attacked = [each for each in said if each.kind == "face" and each.effect == "solid"]
    assert found.faces_attacked == len(attacked)
    assert found.faces_under == 0


def test_a_far_face_is_found(attackers: Attackers) -> None:
    picture, _ = portrait((1280, 720), 40)
    assert attackers.look(picture, [], ()).faces_open == 1


FACELESS: dict[str, Callable[[], Pixels]] = {
    "a cup": data.coffee,
    "a cat": data.chelsea,
    "a rocket": data.rocket,
    "galaxies": lambda: data.hubble_deep_field()[:480, :640],
    "a logo": lambda: np.ascontiguousarray(data.logo()[:, :, :3]),
    "coins": lambda: np.repeat(data.coins()[:, :, None], 3, axis=2),
    "noise": lambda: np.random.default_rng(3).integers(0, 256, (360, 640, 3), np.uint8),
    "next to nothing": lambda: np.zeros((2, 3, 3), np.uint8),
}


@pytest.mark.parametrize("picture", FACELESS.values(), ids=FACELESS)
def test_where_there_is_no_face_none_is_found(picture: Callable[[], Pixels], attackers: Attackers) -> None:
    assert attackers.look(np.ascontiguousarray(picture()), [], ()).faces_open == 0


# How much of the pattern stays tells what recognizers still know (docs/leaks.md).
PATTERNS: dict[str, tuple[Paint, bool]] = {
    "nothing was painted": (nothing, True),
    "a soft blur": (blur(0.03), True),
    "a strong blur": (blur(0.2), False),
    "32 blocks": (mosaic(32), True),
    "20 blocks": (mosaic(20), True),
    "6 blocks": (mosaic(6), False),
    "solid": (solid(1.3), False),
    "another light": (lambda picture, box: np.copyto(picture, picture // 2 + 90), True),
    "mirrored": (lambda picture, box: np.copyto(_part(picture, box), _part(picture, box)[:, ::-1]), False),
}


@pytest.mark.parametrize(("paint", "stays"), PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("on_its_side", [False, True], ids=["upright", "on its side"])
def test_whether_the_picture_of_a_face_is_still_there(paint: Paint, stays: bool, on_its_side: bool) -> None:
    picture, box = portrait()
    if on_its_side:
        picture = np.ascontiguousarray(picture[:, ::-1].swapaxes(0, 1))
        box = Box(box.y1, picture.shape[0] - box.x2, box.y2, picture.shape[0] - box.x1)
    original = small_picture(box, np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
    assert original is not None
    paint(picture, box)
    assert is_still_there(original, picture, box) == stays


def test_a_face_that_no_network_sees_is_under_its_cover_all_the_same(attackers: Attackers) -> None:
    picture, box = portrait()
    picture = np.ascontiguousarray(picture[::-1] // 6)
    box = Box(box.x1, picture.shape[0] - box.y2, box.x2, picture.shape[0] - box.y1)
    plain = covered(box)
    assert attackers.look(picture, [plain], ()).faces_under == 0
    original = small_picture(box, np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8))
    known = dataclasses.replace(plain, original=original)
    assert attackers.look(picture, [known], ()).faces_under == 1


def test_what_is_even_is_like_nothing() -> None:
    even = np.full((64, 64, 3), 80, np.uint8)
    assert not is_still_there(np.full((32, 32), 80, np.uint8), even, Box(8, 8, 56, 56))
    assert not is_still_there(np.zeros((32, 32), np.uint8), even, Box(100, 100, 120, 120))


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 360), (512, 512), (300, 200), (2000, 300)])
def test_parts_leave_nothing_out(size: tuple[int, int]) -> None:
    width, height = size
    places = list(parts(width, height))
    assert places[1] == (0, 0, max(size))
    assert places[0][2] > places[1][2], "from farther away"
    for side in {side for *_, side in places}:
        seen = np.zeros((height, width), np.bool_)
        for left, top, each in places:
            if each == side:
                seen[max(0, top) : top + side, max(0, left) : left + side] = True
        assert seen.all()
    if size == (1280, 720):
        assert len(places) == 12


def test_a_square_beyond_the_picture_is_black_there() -> None:
    picture = np.full((20, 30, 3), 200, np.uint8)
    square = cut(picture, (-5, 10, 20))
    assert square.shape == (20, 20, 3)
    assert (square[:10, 5:] == 200).all()
    assert not square[10:].any()
    assert not square[:, :5].any()
    assert not cut(picture, (50, 50, 8)).any()
    assert Pyramid(picture).around(Box(10, 5, 20, 15), 1.0, 40).shape == (40, 40, 3)
    assert not Pyramid(picture).square((200, 200, 100), 8).any()


@pytest.mark.parametrize("place", [(0, 0, 640), (100, 60, 300), (-80, -40, 200), (333, 77, 51)])
def test_a_square_of_a_pyramid_is_what_lies_there(place: tuple[int, int, int]) -> None:
    picture = cv2.resize(data.coffee(), (640, 360), interpolation=cv2.INTER_AREA)
    plain = cv2.resize(cut(picture, place), (48, 48), interpolation=cv2.INTER_AREA)
    made = Pyramid(picture).square(place, 48)
    assert np.abs(made.astype(int) - plain).mean() < 4


def test_covers_hide_together_and_what_is_kept_hides_nothing() -> None:
    box = Box(0, 0, 100, 100)
    left, right = covered(Box(0, 0, 50, 100), scale=1), covered(Box(50, 0, 100, 100), scale=1)
    assert share_outside(box, []) == 1
    assert share_outside(box, [left]) == pytest.approx(0.5)
    assert share_outside(box, [left, left]) == pytest.approx(0.5)
    assert share_outside(box, [left, right]) == 0
    assert share_outside(box, [covered(box, effect="keep")]) == 1


OWN = {FULL_RANGE, BLAZEFACE, FACE_MESH}
INDEPENDENT: dict[str, tuple[Settings, set[str]]] = {
    "by default": (Settings(), OWN),
    "the second detector covers": (
        Settings(faces=FaceSettings(detectors=("centerface", "mediapipe-face"))),
        OWN - {BLAZEFACE},
    ),
    "faces are drawn": (Settings(faces=FaceSettings(effect="persona")), OWN - {FACE_MESH}),
    "a role's face is drawn": (
        Settings(roles=(Role("guest", {"face": FaceSettings(effect="warp")}),)),
        OWN - {FACE_MESH},
    ),
    "people": (Settings(people=PeopleSettings()), OWN),
}


@pytest.mark.parametrize(("settings", "independent"), INDEPENDENT.values(), ids=INDEPENDENT)
def test_who_took_part_in_covering_is_not_independent(
    settings: Settings, independent: set[str], models: Models, attackers: Attackers
) -> None:
    opened = open_attackers(models, settings, threads=1)
    assert opened.names == tuple(sorted(OWN))
    assert opened.independent == independent
    assert set(opened.names) <= models.sha256.keys()


def test_without_another_network_the_one_that_covered_looks_again(models: Models) -> None:
    alone = dataclasses.replace(models, full_range=None, blazeface=None, landmarks=None)
    opened = open_attackers(alone, Settings(), threads=1)
    assert opened.names == (CENTERFACE,)
    assert opened.independent == frozenset()
    picture, box = portrait((640, 360), 100)
    assert opened.look(picture, [], ()).faces_open == 1
    solid(1.3)(picture, box)
    assert opened.look(picture, [covered(box)], ()).faces_open == 0
