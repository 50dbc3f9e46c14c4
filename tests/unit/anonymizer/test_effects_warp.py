"""Warp moves features and keeps what a face looks at; where it cannot read a face, nothing of it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np
import pytest
from made_faces import (
    KINDS,
    NEUTRAL,
    FixedReader,
    Kind,
    cover_around,
    masks_of,
    pixels_of,
    reading_of,
    scene_of,
)

from anonymizer import Settings
from anonymizer.effects.identities import Identities
from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.warp.altering import alteration_of, altered
from anonymizer.effects.warp.bending import bent
from anonymizer.effects.warp.operating import Warp
from anonymizer.landmarks.expression import Pose
from anonymizer.landmarks.points import EYES, OUTLINES
from anonymizer.landmarks.reading import FaceReading

WIDTH, HEIGHT = 320, 240
POSE = Pose(150, 120, 120, yaw=0.1, roll=0.1)
SECRET = Settings(personas=bytes(range(32)))


def warp(readings: dict[int, FaceReading], settings: Settings = SECRET) -> Warp:
    return Warp(FixedReader(readings), Identities(settings, "warp"))


def painted(operator: Warp, scene: Scene, covers: Sequence[Cover]) -> list[np.ndarray]:
    operator.plan(scene, covers)()
    return pixels_of(scene)


SIZES = {
    "usual": (WIDTH, HEIGHT, POSE),
    "odd size": (321, 239, POSE),
    "over an edge": (WIDTH, HEIGHT, replace(POSE, x=310)),
    "12 pixels": (64, 48, replace(POSE, x=30, y=20, size=12)),
    "1,500 pixels": (1600, 1900, replace(POSE, x=800, y=950, size=1200)),
    "turned far": (WIDTH, HEIGHT, replace(POSE, yaw=1.2)),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", SIZES)
def test_nothing_beside_the_cover_changes_and_something_under_it_does(kind: Kind, case: str) -> None:
    width, height, pose = SIZES[case]
    reading = reading_of(pose)
    covers = [cover_around(reading, width, height)]
    scene = scene_of(kind, width, height)
    before = pixels_of(scene)
    after = painted(warp({0: reading}), scene, covers)
    for was, now, mask in zip(before, after, masks_of(scene, covers), strict=True):
        assert (was[~mask] == now[~mask]).all()
    assert not (before[0] == after[0]).all()


def test_a_face_that_cannot_be_read_is_grey_at_once_and_stays_so_where_covers_overlap() -> None:
    reading = reading_of(POSE)
    near = reading_of(replace(POSE, x=190))
    covers = [cover_around(reading, WIDTH, HEIGHT), cover_around(near, WIDTH, HEIGHT, 1)]
    scene = scene_of("video", WIDTH, HEIGHT)
    after = painted(warp({1: near}), scene, covers)
    for plane, now, mask in zip(scene.planes, after, masks_of(scene, covers[:1]), strict=True):
        assert (now[mask] == plane.neutral).all()
    assert scene.planes[0].neutral == NEUTRAL


def test_the_alteration_of_a_track_stays_and_another_one_has_another() -> None:
    reading = reading_of(POSE)
    operator = warp({0: reading, 1: reading})

    def seen(track: int, time: float) -> np.ndarray:
        cover = cover_around(reading, WIDTH, HEIGHT, track)
        return painted(operator, scene_of("video", WIDTH, HEIGHT, time), [cover])[0]

    first = seen(0, 0.0)
    assert not (first == seen(1, 0.0)).all()
    assert (first == seen(0, 0.04)).all()


@pytest.mark.parametrize("seed", range(12))
def test_an_alteration_moves_every_feature_and_keeps_the_iris_at_its_place_in_the_eye(seed: int) -> None:
    reading = reading_of(POSE)
    alteration = alteration_of(bytes([seed]) * 32)
    assert all(abs(value) > 0.01 for value in astuple(alteration))
    of, onto = altered(reading.mesh, mean_face(), alteration)
    assert np.linalg.norm(onto - of, axis=1).mean() > 0.01 * POSE.size
    # A dot where each iris is, bent with the picture: it stays where it was between the moved corners.
    for side, corners in enumerate(EYES):
        looking = reading.mesh[list(corners), :2].mean(axis=0) + np.array([4, 0])
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        dot = np.exp(-((columns - looking[0]) ** 2 + (rows - looking[1]) ** 2) / 8)
        picture = (255 * dot).astype(np.uint8)[:, :, None].repeat(3, axis=2)
        whole = np.ones((HEIGHT // 2, WIDTH // 2), np.bool_)
        made = bent(picture, whole, of, onto, reading.size)[:, :, 0].astype(float)
        found = np.array([(made * columns).sum(), (made * rows).sum()]) / made.sum()
        outline = list(OUTLINES[side])
        moved = {number: place for number, place in zip(_numbers(), onto, strict=True) if number in outline}
        ends = [moved[number] for number in corners], [reading.mesh[number, :2] for number in corners]
        now, was = (
            float((place - a) @ (b - a) / ((b - a) @ (b - a)))
            for place, (a, b) in zip((found, looking), ends, strict=True)
        )
        assert now == pytest.approx(was, abs=0.06)


def _numbers() -> list[int]:
    """The numbers of the points, in the order in which `altered` gives them: found by marking each."""
    reading = reading_of(POSE)
    of, _ = altered(reading.mesh, mean_face(), alteration_of(bytes(32)))
    return [int(np.linalg.norm(reading.mesh[:, :2] - place, axis=1).argmin()) for place in of]


def test_a_bend_leaves_the_edge_of_the_cover_where_it_was() -> None:
    reading = reading_of(POSE)
    cover = cover_around(reading, WIDTH, HEIGHT)
    scene = scene_of("grey", WIDTH, HEIGHT)
    before = scene.planes[0].pixels.astype(int)
    after = painted(warp({0: reading}), scene, [cover])[0].astype(int)
    mask = masks_of(scene, [cover])[0]
    inner = mask.copy()
    for shift in (-3, 3):
        inner &= np.roll(mask, shift, axis=0) & np.roll(mask, shift, axis=1)
    rim = mask & ~inner
    assert np.abs(after - before)[rim].mean() < 0.3 * np.abs(after - before)[inner].mean()
