"""What moves before a steady camera: found, covered, and refused where the camera is not steady."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from media_factory import face_clip, face_image
from people_factory import Mask, Pixels, figure, noisy, room, shaken, somebody_is_there, walk

from anonymizer import AnonymizerError, Limits, Models, PeopleSettings, Report, Settings, anonymize
from anonymizer.boxes import Boxes
from anonymizer.people.background import QUIET_FRAMES, SIDE, Background
from anonymizer.people.moving import MOST_UNSTEADY_FRAMES, MovingLooker
from anonymizer.settings import STEADY_CAMERA

ONLY_THE_CAMERA = Settings(
    mode="fast", people=PeopleSettings(detectors=(STEADY_CAMERA,), lookahead_seconds=0.2, linger_seconds=0.2)
)


def look(looker: MovingLooker, picture: Pixels) -> Boxes:
    height, width = picture.shape[:2]

    def copy_at(across: int, down: int) -> Pixels:
        return np.asarray(cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA), np.uint8)

    return looker.look(width, height, copy_at)


def share_in(boxes: Boxes, mask: Mask) -> float:
    inside = np.zeros_like(mask)
    for x1, y1, x2, y2 in boxes[:, :4]:
        inside[int(y1) : int(np.ceil(y2)), int(x1) : int(np.ceil(x2))] = True
    return float(inside[mask].mean())


def small(picture: Pixels) -> Pixels:
    size = (SIDE, round(picture.shape[0] * SIDE / picture.shape[1]))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def job(models: Models, clip: bytes, settings: Settings = ONLY_THE_CAMERA) -> tuple[Report, list[Pixels]]:
    sink = BytesIO()
    report = anonymize(BytesIO(clip), sink, settings=settings, models=models, limits=Limits())
    sink.seek(0)
    with av.open(sink) as container:
        return report, [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def a_clip(folder: Path, frames: Iterable[Pixels]) -> bytes:
    return face_clip(folder / "made.mp4", frames=list(frames), audio=False).read_bytes()


def test_who_walks_is_found_whole_in_every_frame_and_nobody_else() -> None:
    looker = MovingLooker(alone=True)
    shares, boxes = [], []
    for picture, mask in walk(60):
        found = look(looker, picture)
        if mask.any():
            shares.append(share_in(found, mask))
            boxes.append(len(found))
        else:
            assert len(found) == 0
    assert len(shares) == 50
    assert min(shares) > 0.98
    assert max(boxes) == 1


def test_the_mask_follows_the_figure() -> None:
    background = Background()
    for picture, mask in walk(40):
        seen = background.see(small(picture))
        if mask.any():
            truth = (
                cv2.resize(mask.astype(np.uint8), (SIDE, seen.moving.shape[0]), interpolation=cv2.INTER_AREA)
                > 0
            )
            assert seen.moving[truth].mean() > 0.9
            assert (seen.moving & ~truth).sum() < 0.5 * truth.sum()


def test_who_stands_still_for_long_does_not_fade_into_the_background() -> None:
    looker = MovingLooker(alone=True)
    for index in range(10):
        look(looker, noisy(room(), index))
    for index in range(3 * QUIET_FRAMES):
        picture = room()
        mask = figure(picture, 300, 330, 200)
        found = look(looker, noisy(picture, 100 + index))
        assert share_in(found, mask) > 0.95


def test_where_somebody_stood_in_the_first_frame_is_open_again_after_a_while() -> None:
    looker = MovingLooker(alone=True)
    picture = room()
    figure(picture, 300, 330, 200)
    look(looker, noisy(picture, 0))
    counts = [len(look(looker, noisy(room(), index))) for index in range(1, 2 * QUIET_FRAMES)]
    assert counts[0] == 1
    assert counts[-1] == 0


LIGHT: dict[str, tuple[float, bool]] = {
    "a cloud": (0.8, True),
    "the exposure": (0.6, True),
    "brighter": (1.15, True),
    "the lamp goes out": (0.15, False),
}


@pytest.mark.parametrize(("factor", "steady"), LIGHT.values(), ids=LIGHT.keys())
def test_another_light_is_no_movement(factor: float, steady: bool) -> None:
    background = Background()
    for index in range(10):
        background.see(small(noisy(room(), index)))
    darker = np.clip(room() * factor, 0, 255).astype(np.uint8)
    seen = background.see(small(noisy(darker, 99, 1)))
    assert seen.is_steady is steady
    if steady:
        assert seen.moving.mean() < 0.02


NOT_STEADY: dict[str, Callable[[], list[Pixels]]] = {
    "held in a hand": lambda: list(shaken(MOST_UNSTEADY_FRAMES + 20)),
    "it pans": lambda: [np.roll(room(), 6 * i, axis=1) for i in range(MOST_UNSTEADY_FRAMES + 20)],
    "it zooms": lambda: [
        np.asarray(cv2.resize(room(), None, fx=1 + i / 20, fy=1 + i / 20)[:360, :640], np.uint8)
        for i in range(MOST_UNSTEADY_FRAMES + 20)
    ],
    "another shot": lambda: (
        [room(1)] * 5 + [np.ascontiguousarray(room(2)[::-1])] * (MOST_UNSTEADY_FRAMES + 5)
    ),
}


@pytest.mark.parametrize("frames", NOT_STEADY.values(), ids=NOT_STEADY.keys())
def test_a_camera_that_moves_ends_the_job(frames: Callable[[], list[Pixels]]) -> None:
    looker = MovingLooker(alone=True)

    def watch() -> None:
        for picture in frames():
            look(looker, picture)

    with pytest.raises(AnonymizerError) as caught:
        watch()
    assert caught.value.code == "camera_not_steady"


def test_until_then_what_cannot_be_told_apart_is_covered_whole() -> None:
    looker = MovingLooker(alone=True)
    for index in range(10):
        look(looker, noisy(room(), index))
    for picture in list(shaken(5, pixels=30)):
        assert look(looker, picture)[0, :4].tolist() == [0, 0, 640, 360]
    assert len(look(looker, noisy(room(), 50))) == 0


def test_beside_another_detector_a_moving_camera_is_its_business() -> None:
    looker = MovingLooker(alone=False)
    for picture in shaken(3 * MOST_UNSTEADY_FRAMES, pixels=30):
        look(looker, picture)


def test_a_job_covers_who_walks_in_every_frame(models: Models, tmp_path: Path) -> None:
    made = list(walk(50, step=8))
    report, results = job(models, a_clip(tmp_path, [picture for picture, _ in made]))
    assert report.frames == len(results) == 50
    assert report.frames_with["person"] >= 40
    for (picture, mask), result in zip(made, results, strict=True):
        if mask.any():
            grey = np.abs(result[mask].astype(int) - 128).max(axis=1) < 12
            assert grey.mean() > 0.97
        elif mask.sum() == 0 and np.array_equal(picture, made[0][0]):
            assert np.abs(result.astype(int) - picture).mean() < 12


def test_a_job_by_a_moving_camera_leaves_nothing(models: Models, tmp_path: Path) -> None:
    sink = BytesIO()
    clip = a_clip(tmp_path, shaken(MOST_UNSTEADY_FRAMES + 30, pixels=30))
    with pytest.raises(AnonymizerError) as caught:
        anonymize(BytesIO(clip), sink, settings=ONLY_THE_CAMERA, models=models, limits=Limits())
    assert caught.value.code == "camera_not_steady"
    assert sink.getvalue() == b""


def test_a_still_has_no_background(models: Models, tmp_path: Path) -> None:
    picture = face_image(tmp_path / "face.jpg").read_bytes()
    with pytest.raises(AnonymizerError) as caught:
        anonymize(BytesIO(picture), BytesIO(), settings=ONLY_THE_CAMERA, models=models, limits=Limits())
    assert caught.value.code == "camera_not_steady"


@pytest.mark.shared
def test_a_real_steady_camera(shared_media: Path) -> None:
    looker = MovingLooker(alone=True)
    wrong = []
    with av.open(str(shared_media / "video" / "steady_camera_432p.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % 2 == 0:
                found = len(look(looker, frame.to_ndarray(format="rgb24"))) > 0
                wrong += [index] if found is not somebody_is_there(index) else []
            if index == 400:
                break
    # Who comes or goes is seen by the first or the last pixels.
    assert len(wrong) <= 8
