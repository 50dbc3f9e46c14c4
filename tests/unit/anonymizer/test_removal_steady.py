"""People removed before a real camera: the room behind them, and how readable they stay."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from people_factory import Pixels
from removal_factory import cover_of, scene_of, under

from anonymizer import Models, PeopleSettings
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.removal.remover import open_remover
from anonymizer.people.moving import MovingLooker
from anonymizer.people.pose import PoseLooker
from anonymizer.track.tracker import Tracker

# Nobody is in the room, then a man in black walks in and stands still (tests/people_factory.py).
FIRST, LAST = 205, 270
EMPTY = slice(6, 14)
LOOKED_AT = (45, 55, 64)
LEAST_PSNR = 30.0
PEOPLE = PeopleSettings(effect="remove", detectors=("mediapipe-pose", "steady-camera"))


@pytest.fixture(scope="module")
def walk(models: Models, shared_media: Path) -> tuple[list[Pixels], list[list[Cover]]]:
    """The frames, and the covers that the real detectors ask for."""
    if models.pose is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    lookers = (PoseLooker(models.pose, 640, (1,), PEOPLE.threshold), MovingLooker(alone=False))
    trackers = [Tracker(linger_seconds=1.0, lookahead_seconds=1.0) for _ in lookers]
    frames = []
    with av.open(str(shared_media / "video" / "steady_camera_432p.mp4")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == LAST:
                break
            if number < FIRST:
                continue
            index, picture = len(frames), frame.to_ndarray(format="rgb24")
            frames.append(picture)
            # The networks look at every third frame, as they do in jobs; what moves is looked for in each.
            for looker, tracker in list(zip(lookers, trackers, strict=True))[index % 3 > 0 :]:
                boxes = looker.look(frame.width, frame.height, lambda w, h, p=picture: copy_of(p, w, h))
                tracker.observe(index, index / 10, boxes)
    covers = [
        [
            cover_of(scene_of(frame), box, 2 * track + which, PEOPLE)
            for which, tracker in enumerate(trackers)
            for track, box in tracker.covers(index, index / 10)
            if box.x2 > 0 and box.y2 > 0 and box.x1 < frame.shape[1] and box.y1 < frame.shape[0]
        ]
        for index, frame in enumerate(frames)
    ]
    return frames, covers


def copy_of(picture: Pixels, width: int, height: int) -> Pixels:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def played(walk: Any, models: Models, settings: PeopleSettings, *, silhouettes: bool) -> dict[int, Scene]:
    """Covers the frames; returns those that are looked at."""
    remover = open_remover(models, silhouettes=silhouettes)
    done = {}
    for index, (frame, covers) in enumerate(zip(*walk, strict=True)):
        own = [replace(cover, settings=settings) for cover in covers]
        scene = replace(scene_of(frame, index / 10), hidden=[cover.region for cover in own])
        remover.plan(scene, own)()
        if index in LOOKED_AT:
            done[index] = scene
    return done


@pytest.fixture(scope="module")
def removed(walk: Any, models: Models) -> dict[int, Scene]:
    """The frames that are looked at, with nobody in them."""
    return played(walk, models, PEOPLE, silhouettes=False)


def empty_room(walk: Any, like: Pixels, visible: Any) -> Any:
    """Returns the luma of the room without anybody, in the light of another frame.

    The camera's exposure goes up when a man in black walks in: what can be seen around him tells by how much.
    """
    empty = np.mean([scene_of(frame).planes[0].pixels for frame in walk[0][EMPTY]], axis=0)
    factor, offset = np.polyfit(empty[visible], like[visible].astype(float), 1)
    return empty * factor + offset


@pytest.mark.shared
def test_the_room_behind_a_person_is_the_room(walk: Any, removed: dict[int, Scene]) -> None:
    for index, scene in removed.items():
        assert walk[1][index]
        mask = under(scene, walk[1][index])[0]
        luma = scene.planes[0].pixels
        apart = (luma - empty_room(walk, luma, ~mask))[mask]
        assert mask.mean() > 0.08
        assert 10 * np.log10(255**2 / np.mean(apart**2)) > LEAST_PSNR


@pytest.mark.shared
def test_a_silhouette_stands_where_the_person_stands(
    walk: Any, removed: dict[int, Scene], models: Models
) -> None:
    settings = replace(PEOPLE, effect="silhouette")
    for index, scene in played(walk, models, settings, silhouettes=True).items():
        mask = under(scene, walk[1][index])[0]
        room, luma = removed[index].planes[0].pixels, scene.planes[0].pixels
        original = scene_of(walk[0][index]).planes[0].pixels
        drawn = luma != room
        # He wears black before a white wall and a brown floor.
        person = mask & (original < 45) & (room > 80)
        assert person.mean() > 0.03
        assert drawn[person].mean() > 0.85
        # As large as he, or twice: a smoothed outline, not the whole cover.
        assert drawn.sum() < 2.2 * person.sum()
        # One flat colour: nothing of what he wears.
        assert len(np.unique(luma[drawn & (luma == np.median(luma[drawn]))])) == 1
        assert (luma[drawn] == np.median(luma[drawn])).mean() > 0.9


@pytest.mark.shared
def test_a_skeleton_is_thin_and_within_the_person(
    walk: Any, removed: dict[int, Scene], models: Models
) -> None:
    settings = replace(PEOPLE, overlay="skeleton")
    for index, scene in played(walk, models, settings, silhouettes=False).items():
        drawn = scene.planes[0].pixels != removed[index].planes[0].pixels
        rows, columns = np.nonzero(drawn)
        boxes = np.array([[c.box.x1, c.box.y1, c.box.x2, c.box.y2] for c in walk[1][index]])
        # From the head to the feet, and no more than lines.
        assert rows.min() < boxes[:, 1].min() + 60
        assert np.ptp(rows) > 0.75 * np.ptp(boxes[:, [1, 3]])
        assert 0.01 < drawn.mean() < 0.06
        assert columns.min() >= boxes[:, 0].min() - 10


@pytest.mark.shared
def test_who_stood_there_unnoticed_is_not_painted_over_himself(walk: Any, models: Models) -> None:
    remover = open_remover(models, silhouettes=False)
    for index in range(48, 64):
        remover.plan(scene_of(walk[0][index], index / 10), [])()
    scene, covers = scene_of(walk[0][64], 6.4), walk[1][64]
    original = scene.planes[0].pixels.copy()
    remover.plan(replace(scene, hidden=[cover.region for cover in covers]), covers)()
    black = under(scene, covers)[0] & (original < 45)
    assert black.mean() > 0.03
    assert (scene.planes[0].pixels[black] < 60).mean() < 0.1
