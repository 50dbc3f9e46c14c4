"""The plate: what it learns of a room, its light and its camera, and what it never learns."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from people_factory import HEIGHT, WIDTH, Pixels, noisy, room
from removal_factory import cover_of, scene_of

from anonymizer.boxes import Box
from anonymizer.effects.removal.camera import Moved, how_it_moved
from anonymizer.effects.removal.holes import guessed
from anonymizer.effects.removal.masks import coarse_size, drawn, window_of
from anonymizer.effects.removal.plate import Plate
from anonymizer.effects.removal.seams import blended

FRAME = 0.1
NOTHING = np.zeros(coarse_size(WIDTH, HEIGHT), np.bool_)
EVERYWHERE = (slice(0, HEIGHT // 2), slice(0, WIDTH // 2))


def taught(pictures: list[Pixels], hidden: object = NOTHING) -> tuple[Plate, list[bool]]:
    plate = Plate(scene_of(pictures[0]))
    return plate, [plate.see(scene_of(p, i * FRAME), np.asarray(hidden)) for i, p in enumerate(pictures)]


def luma_of(
    plate: Plate, window: tuple[slice, slice] = EVERYWHERE
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    shown = plate.shown(window, 1e3)
    assert shown is not None
    return shown[0]


def shifted(picture: Pixels, across: float, down: float) -> Pixels:
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.uint8)


def brighter(picture: Pixels, factor: float) -> Pixels:
    return np.asarray(np.clip(picture * factor, 0, 255), np.uint8)


def test_noise_is_averaged_out() -> None:
    plate, steady = taught([noisy(room(), i, 4.0) for i in range(25)])
    assert all(steady)
    truth = scene_of(room()).planes[0].pixels
    assert (
        np.abs(luma_of(plate) - truth).mean()
        < 0.4 * np.abs(scene_of(noisy(room(), 3, 4.0)).planes[0].pixels.astype(float) - truth).mean()
    )


def test_under_a_cover_nothing_is_learnt() -> None:
    """What is hidden makes no difference at all, to no pixel of the plate."""
    scene = scene_of(room())
    hidden = drawn([cover_of(scene, Box(200, 50, 400, 300)).region], *NOTHING.shape)
    plates = []
    for seed in (1, 2):
        pictures = [noisy(room(), i) for i in range(12)]
        random = np.random.default_rng(seed)
        for picture in pictures:
            picture[50:300, 200:400] = random.integers(0, 255, (250, 200, 3))
        plate, _ = taught(pictures, hidden)
        plates.append(plate.shown(EVERYWHERE, 2.0))
        assert not plate.knows(EVERYWHERE)[30:145, 105:195].any()
    a, b = plates
    assert a is not None
    assert b is not None
    for one, other in zip(a, b, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("factor", [0.75, 0.9, 1.12])
def test_the_light_changes_under_covers_too(factor: float) -> None:
    scene = scene_of(room())
    hidden = drawn([cover_of(scene, Box(250, 100, 370, 330)).region], *NOTHING.shape)
    plate, _ = taught([noisy(room(), i) for i in range(10)])
    for index in range(10):
        picture = noisy(brighter(room(), factor), index)
        assert plate.see(scene_of(picture, 1 + index * FRAME), hidden)
    truth = scene_of(brighter(room(), factor)).planes[0].pixels
    assert np.abs(luma_of(plate) - truth)[110:320, 260:360].mean() < 6


def test_what_comes_to_stay_is_learnt_and_what_passes_is_not() -> None:
    plate, _ = taught([noisy(room(), i) for i in range(10)])
    for index in range(40):
        picture = noisy(room(), index)
        picture[280:340, 80:140] = (20, 30, 120)
        left = 200 + 10 * index
        picture[100:200, left : left + 40] = (10, 10, 10)
        plate.see(scene_of(picture, 1 + index * FRAME), NOTHING)
    luma = luma_of(plate)
    bag = scene_of(np.full((2, 2, 3), (20, 30, 120), np.uint8)).planes[0].pixels[0, 0]
    assert abs(float(luma[290:330, 90:130].mean()) - float(bag)) < 4
    assert float(luma[110:190, 220:560].min()) > 25


def test_a_nudged_camera_takes_the_plate_with_it() -> None:
    plate, _ = taught([noisy(room(), i) for i in range(10)])
    scene = scene_of(room())
    hidden = drawn([cover_of(scene, Box(250, 100, 370, 330)).region], *NOTHING.shape)
    moved = shifted(room(), 5.5, -3.0)
    for index in range(5):
        assert plate.see(scene_of(noisy(moved, index), 1 + index * FRAME), hidden)
    truth = scene_of(moved).planes[0].pixels
    assert np.abs(luma_of(plate) - truth)[110:320, 260:360].mean() < 3


OTHER_PICTURES: dict[str, Callable[[], Pixels]] = {
    "turned upside down": lambda: np.ascontiguousarray(room()[::-1]),
    "another room": lambda: room(seed=9),
    "zoomed": lambda: np.asarray(cv2.resize(room()[90:270, 160:480], (WIDTH, HEIGHT)), np.uint8),
    "black": lambda: np.zeros((HEIGHT, WIDTH, 3), np.uint8),
}


@pytest.mark.parametrize("other", OTHER_PICTURES.values(), ids=OTHER_PICTURES.keys())
def test_another_picture_is_learnt_anew(other: Callable[[], Pixels]) -> None:
    plate, steady = taught([*(noisy(room(), i) for i in range(8)), other(), other()])
    assert steady == [True] * 8 + [False, True]
    assert np.abs(luma_of(plate) - scene_of(other()).planes[0].pixels).mean() < 1


def test_where_points_lie_beside_a_cover_what_it_hides_does_not_move_the_plate() -> None:
    usual = scene_of(room()).planes[0].pixels
    hidden = drawn([cover_of(scene_of(room()), Box(100, 20, 500, 300)).region], *NOTHING.shape)
    answers = set()
    for seed in range(3):
        luma = scene_of(shifted(room(), 4, 2)).planes[0].pixels
        luma[20:300, 100:500] = np.random.default_rng(seed).integers(0, 255, (280, 400))
        answers.add(how_it_moved(luma, usual.astype(np.float32), ~hidden))
    assert len(answers) == 1
    (moved,) = answers
    assert moved is not None
    assert not moved.is_still


def test_a_blank_wall_is_still() -> None:
    wall = np.full((HEIGHT, WIDTH), 180, np.uint8)
    assert how_it_moved(wall, wall.astype(np.float32), ~NOTHING) == Moved()


def test_a_forgotten_place_is_guessed_until_it_is_seen_again() -> None:
    plate, _ = taught([noisy(room(), i) for i in range(5)])
    window = window_of(cover_of(scene_of(room()), Box(100, 100, 160, 200)).region, *NOTHING.shape)
    seen = luma_of(plate, window)
    plate.forget(window, np.ones(plate.knows(window).shape, np.bool_))
    assert not plate.knows(window).any()
    assert not np.array_equal(luma_of(plate, window), seen)
    plate.see(scene_of(room(), 1.0), NOTHING)
    assert plate.knows(window).all()
    assert np.abs(luma_of(plate, window) - seen).mean() < 3


def test_where_nothing_is_known_nothing_is_guessed() -> None:
    planes = [np.full((20, 30), 77, np.float32)]
    assert guessed(planes, np.zeros((10, 15), np.bool_)) is None
    plate, _ = taught([room()], ~NOTHING)
    assert plate.shown(EVERYWHERE, 0.0) is None


def test_a_seam_reads_what_is_visible_and_nothing_else() -> None:
    patch = np.full((40, 40), 100, np.float32)
    visible = np.zeros((40, 40), np.uint8)
    visible[:, :10] = 1
    outside = np.full((40, 40), 110, np.uint8)
    results = []
    for hidden in (0, 255):
        outside[:, 10:] = hidden
        results.append(blended(patch, outside, visible, 8))
    assert np.array_equal(*results)
    row = results[0][20, 10:]
    # Nearest to the edge it is nearly as outside, and it fades monotonously to the plate.
    assert row[0] > 107
    assert (np.diff(row) <= 0.01).all()
    assert row[-1] == 100
