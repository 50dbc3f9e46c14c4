"""Letters on covers: in order, readable, steady, and nowhere but on a cover."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer import FaceSettings, Settings, load_models
from anonymizer.boxes import Box
from anonymizer.effects.casting import Cast
from anonymizer.effects.labels import LEAST_HEIGHT, Labels, letters
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.settings import Kind

WIDTH, HEIGHT = 320, 240
FACES = FaceSettings(effect="solid", shape="ellipse", scale=1.3)


def scene_at(time: float, value: int = 126) -> Scene:
    planes = [np.full((HEIGHT, WIDTH), value, np.uint8)]
    planes += [np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8) for _ in range(2)]
    return Scene([Plane(p, s, 126) for p, s in zip(planes, (1, 2, 2), strict=True)], WIDTH, HEIGHT, time, 0)


def cover_of(track: int, box: Box, kind: Kind = "face") -> Cover:
    region = region_of(box, 1.3, "ellipse", WIDTH, HEIGHT)
    assert region is not None
    return Cover(kind, track, box, FACES, region)


def painted(labels: Labels, time: float, *covers: Cover) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    scene = scene_at(time)
    labels.paint(scene, covers)
    return scene.planes[0].pixels != 126


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "A"),
        (1, "B"),
        (25, "Z"),
        (26, "AA"),
        (27, "AB"),
        (51, "AZ"),
        (52, "BA"),
        (701, "ZZ"),
        (702, "AAA"),
    ],
)
def test_letters_go_on(number: int, text: str) -> None:
    assert letters(number) == text


LEFT, RIGHT = Box(40, 60, 100, 140), Box(200, 60, 260, 140)


def test_a_letter_comes_after_half_a_second_and_stays() -> None:
    labels = Labels()
    assert not painted(labels, 0.0, cover_of(3, LEFT)).any()
    assert not painted(labels, 0.4, cover_of(3, LEFT)).any()
    first = painted(labels, 0.5, cover_of(3, LEFT))
    assert first.any()
    assert (painted(labels, 9.0, cover_of(3, LEFT)) == first).all()


def test_two_people_have_two_letters_in_order_of_appearance() -> None:
    labels = Labels()
    for time in (0.0, 1.0):
        painted(labels, time, cover_of(9, LEFT))
    both = [scene_at(3.0), scene_at(3.0)]
    painted(labels, 2.0, cover_of(9, LEFT), cover_of(4, RIGHT))
    labels.paint(both[0], [cover_of(9, LEFT), cover_of(4, RIGHT)])
    labels.paint(both[1], [cover_of(4, RIGHT), cover_of(9, LEFT)])
    luma = both[0].planes[0].pixels
    assert (luma == both[1].planes[0].pixels).all(), "the order of covers says nothing"
    # The two badges, of one size and at one place of their covers, differ in what is written.
    assert (luma[:, 20:140] != luma[:, 180:300]).any()
    assert {seen.letter for seen in labels._tracks.values()} == {"A", "B"}


def test_what_is_seen_for_a_moment_uses_up_no_letter() -> None:
    labels = Labels()
    for track in range(10):
        painted(labels, track * 0.2, cover_of(track, LEFT))
    for time in (5.0, 6.0):
        painted(labels, time, cover_of(50, LEFT))
    assert labels._tracks[50].letter == "A"


PLACES = {
    "in the middle": LEFT,
    "at the left edge": Box(-30, 60, 30, 140),
    "at the lower right corner": Box(290, 200, 350, 280),
    "tiny": Box(40, 60, 52, 72),
    "larger than the picture": Box(-100, -100, 420, 340),
}


@pytest.mark.parametrize("box", PLACES.values(), ids=PLACES)
def test_nothing_is_written_outside_a_cover(box: Box) -> None:
    labels, cover = Labels(), cover_of(1, box)
    painted(labels, 0.0, cover)
    scene = scene_at(1.0)
    before = [plane.pixels.copy() for plane in scene.planes]
    labels.paint(scene, [cover])
    rows, columns = cover.region.coarse.shape
    for plane, was in zip(scene.planes, before, strict=True):
        fine = 2 // plane.step
        outside = np.ones(was.shape, np.bool_)
        top, left = cover.region.top * fine, cover.region.left * fine
        view = outside[top : top + rows * fine, left : left + columns * fine]
        view &= ~cover.region.coarse.repeat(fine, 0).repeat(fine, 1)[: view.shape[0], : view.shape[1]]
        assert (plane.pixels[outside] == was[outside]).all()


def test_a_cover_that_is_too_small_has_none() -> None:
    labels = Labels()
    small = cover_of(1, Box(40, 40, 40 + LEAST_HEIGHT / 1.5, 40 + LEAST_HEIGHT / 1.5))
    painted(labels, 0.0, small)
    assert not painted(labels, 1.0, small).any()


def test_a_letter_is_bright_on_dark_and_fills_its_badge() -> None:
    labels, cover = Labels(), cover_of(1, Box(60, 30, 220, 210))
    painted(labels, 0.0, cover)
    scene = scene_at(1.0)
    labels.paint(scene, [cover])
    luma = scene.planes[0].pixels
    badge = luma[luma != 126]
    assert badge.size > 30 * 30
    assert (badge > 190).mean() > 0.06
    assert (badge < 60).mean() > 0.5


def test_text_and_people_have_no_letters() -> None:
    labels = Labels()
    for time in (0.0, 1.0):
        assert not painted(labels, time, cover_of(1, LEFT, "person"), cover_of(2, RIGHT, "text")).any()


def test_memory_is_bounded() -> None:
    labels = Labels()
    for track in range(10_000):
        labels._letter_of(track, float(track))
    assert len(labels._tracks) <= 4096


def test_only_settings_that_ask_for_letters_get_them() -> None:
    models = load_models(device="cpu")
    found = {}
    for asked in ("none", "letters"):
        cast = Cast(models, Settings(faces=FACES, labels=asked))  # type: ignore[arg-type]
        for time in (0.0, 1.0):
            scene = scene_at(time, value=90)
            cast.cover(scene, [cover_of(1, LEFT)])
        found[asked] = set(np.unique(scene.planes[0].pixels))
    assert found["none"] == {90, 126}
    assert len(found["letters"]) > 3
