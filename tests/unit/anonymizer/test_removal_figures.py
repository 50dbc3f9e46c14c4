"""What is told of people who are removed: limbs in sight, smooth outlines, and no more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from people_factory import room
from removal_factory import REMOVE, Told, a_figure, cover_of, scene_of

from anonymizer.boxes import Box
from anonymizer.effects.removal.drawing import COLOURS, colour_of, lay
from anonymizer.effects.removal.figures import Figures, Shown
from anonymizer.effects.removal.silhouette import rounded_box, silhouette_of
from anonymizer.effects.removal.skeleton import skeleton_of
from anonymizer.people.bodies import Figure
from anonymizer.settings import PeopleSettings

WINDOW = (slice(0, 180), slice(0, 320))
BOX = Box(230, 60, 390, 350)


def read(figures: Figures, time: float, settings: PeopleSettings = REMOVE, track: int = 0) -> Shown | None:
    scene = scene_of(room(), time)
    return figures.read(scene, [cover_of(scene, BOX, track, settings)]).get(track)


def shown(lift: float = 0.0, **changed: object) -> Shown:
    found = read(Figures(Told(a_figure(310, 200, 130, lift))), 0.0)
    assert found is not None
    return replace(found, **changed)  # type: ignore[arg-type]  # of the fields by name


def without(figure: Figure, *joints: int) -> Figure:
    sure = figure.sure.copy()
    sure[list(joints)] = 0.1
    return replace(figure, sure=sure)


def test_limbs_join_the_joints() -> None:
    one = shown()
    skeleton = skeleton_of(one, WINDOW)
    for a, b in ((11, 13), (13, 15), (23, 25), (25, 27), (11, 12), (12, 24)):
        x, y = (one.joints[a] + one.joints[b]) / 2
        assert skeleton.limbs[int(y), int(x)] > 0.9
    head = one.joints[:11].mean(axis=0)
    assert skeleton.limbs[int(head[1]), int(head[0])] > 0.9
    # Most of the picture stays empty, and the rim reaches around all of it.
    assert skeleton.limbs.mean() < 0.08
    assert (skeleton.rim >= skeleton.limbs - 1e-6).all()


HIDDEN = {
    "a hand": ((15, 17, 19, 21), (13, 15)),
    "a foot": ((27, 29, 31), (25, 27)),
    "a knee": ((25,), (23, 25)),
}


@pytest.mark.parametrize(("joints", "limb"), HIDDEN.values(), ids=HIDDEN.keys())
def test_what_is_out_of_sight_is_not_drawn(joints: tuple[int, ...], limb: tuple[int, int]) -> None:
    figure = a_figure(310, 200, 130)
    hidden = read(Figures(Told(without(figure, *joints))), 0.0)
    assert hidden is not None
    x, y = hidden.joints[limb[0]] * 0.4 + hidden.joints[limb[1]] * 0.6
    skeleton = skeleton_of(hidden, WINDOW)
    assert skeleton.limbs[int(y), int(x)] == 0
    assert skeleton_of(shown(), WINDOW).limbs[int(y), int(x)] > 0.9


def test_limbs_beyond_the_picture_are_no_harm() -> None:
    far = shown(joints=np.full((33, 2), 1e7, np.float32))
    assert skeleton_of(far, WINDOW).limbs.max() == 0
    # One joint far away: a limb leaves the picture, and nothing else happens.
    joints = shown().joints.copy()
    joints[15] = (-1e6, 1e6)
    assert 0 < skeleton_of(shown(joints=joints), WINDOW).limbs.mean() < 0.2


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.5])
def test_limbs_follow_with_the_time_constant_of_the_policy(seconds: float) -> None:
    reader = Told(a_figure(310, 200, 130, lift=0.0))
    figures, settings = Figures(reader), replace(REMOVE, smooth_seconds=seconds)
    before = read(figures, 0.0, settings)
    reader.figure = a_figure(310, 200, 130, lift=0.6)
    after = read(figures, 0.3, settings)
    assert before is not None
    assert after is not None
    came = float(before.joints[15, 1] - after.joints[15, 1]) / (0.6 * 130)
    expected = 1.0 if seconds == 0 else 1 - np.exp(-0.3 / seconds)
    assert came == pytest.approx(expected, abs=0.02)


def test_a_walk_does_not_leave_its_figure_behind() -> None:
    reader = Told()
    figures, settings = Figures(reader), replace(REMOVE, smooth_seconds=2.0)
    found = None
    for index in range(20):
        reader.figure = a_figure(280 + 4 * index, 200, 130)
        found = read(figures, index * 0.1, settings)
    assert found is not None
    assert abs(found.x - (280 + 4 * 19)) < 8


def test_gait_tells_less_with_a_long_time_constant() -> None:
    """Hands that swing once a second: what is drawn of the swing shrinks with the time constant."""
    swings = {}
    for seconds in (0.0, 0.3, 1.0):
        reader, heights = Told(), []
        figures, settings = Figures(reader), replace(REMOVE, smooth_seconds=seconds)
        for index in range(40):
            reader.figure = a_figure(310, 200, 130, lift=0.3 + 0.3 * float(np.sin(index * 0.1 * 2 * np.pi)))
            found = read(figures, index * 0.1, settings)
            assert found is not None
            heights.append(float(found.joints[15, 1]))
        swings[seconds] = float(np.ptp(heights[20:]))
    assert swings[0.3] < 0.6 * swings[0.0]
    assert swings[1.0] < 0.25 * swings[0.0]


def test_who_is_not_read_any_more_is_not_drawn_any_more() -> None:
    reader = Told(a_figure(310, 200, 130))
    figures = Figures(reader)
    assert read(figures, 0.0) is not None
    reader.figure = None
    assert read(figures, 0.4) is not None
    assert read(figures, 1.2) is None


def test_memory_is_bounded_however_many_come_and_go() -> None:
    figures = Figures(Told(a_figure(310, 200, 130)))
    for index in range(60):
        read(figures, index * 0.5, track=index)
    assert len(figures._known) < 15


def test_two_searches_of_one_person_read_them_once() -> None:
    reader = Told(a_figure(310, 200, 130))
    scene = scene_of(room())
    covers = [cover_of(scene, BOX, 0), cover_of(scene, BOX.moved(6, 2), 1)]
    found = Figures(reader).read(scene, covers)
    assert reader.asked == 1
    assert found[0] is found[1]


def test_a_silhouette_covers_what_was_seen_and_is_round() -> None:
    one = shown()
    sharp, smooth = (silhouette_of(one, share, WINDOW) for share in (0.0, 0.08))
    assert smooth[200, 310] == 1
    assert smooth[200, 310 + 120] == 0
    # The outline of the hands alone, thin and far out, is gone after smoothing.
    arms = replace(one, outline=np.maximum(one.outline, 0))
    arms.outline[62:66, 20:108] = 1
    assert silhouette_of(arms, 0.0, WINDOW)[200, 310 - 80 : 310 - 60].max() > 0.5
    assert silhouette_of(arms, 0.08, WINDOW)[200, 310 - 100 : 310 - 80].max() < 0.5
    assert (sharp > 0.5).sum() < (smooth > 0.5).sum() * 1.6


def test_without_an_outline_there_is_a_rounded_box() -> None:
    share = rounded_box(BOX, WINDOW)
    assert share[205, 310] == 1
    assert share[int(BOX.y1) + 2, int(BOX.x1) + 2] == 0
    assert float(share[:, int(BOX.x2) + 1 :].max()) == 0


def test_colours_are_laid_where_they_may_be_and_are_those_asked_for() -> None:
    scene = scene_of(room())
    within = np.zeros((180, 320), np.bool_)
    within[50:60, 100:120] = True
    before = [plane.pixels.copy() for plane in scene.planes]
    lay(scene.planes, WINDOW, np.ones((360, 640), np.float32), (255, 255, 255), within)
    luma = scene.planes[0].pixels
    assert (luma[100:120, 200:240] == 235).all()
    luma[100:120, 200:240] = before[0][100:120, 200:240]
    assert np.array_equal(luma, before[0])
    assert len({colour_of(track) for track in range(0, 2 * len(COLOURS), 2)}) == len(COLOURS)
