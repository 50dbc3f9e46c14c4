"""People by their pose: what the networks' answers mean, who is found where, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from people_factory import Pixels, room, somebody_is_there, with_person

from anonymizer import AnonymizerError, Limits, Models, PeopleSettings, Settings, anonymize
from anonymizer.boxes import Box, Boxes
from anonymizer.detect import compiled_engine, tflite
from anonymizer.models import BODY, POSE
from anonymizer.people import pose_networks
from anonymizer.people.joining import joined
from anonymizer.people.pose import MOST_BODIES, PoseLooker
from anonymizer.people.pose_decoding import (
    ANCHORS,
    BODY_SIDE,
    DETECTION_SIDE,
    ROOM,
    Body,
    anchor_centres,
    bodies_from,
    mask_in_picture,
    square_of,
)
from anonymizer.settings import DETECTORS

UNLIKELY, LIKELY = -20.0, 20.0


@pytest.fixture(scope="session")
def networks(models: Models) -> pose_networks.PoseNetworks:
    if models.pose is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    return models.pose


def look(networks: Any, picture: Pixels, threshold: float = 0.3) -> Boxes:
    height, width = picture.shape[:2]

    def copy_at(across: int, down: int) -> Pixels:
        return np.asarray(cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA), np.uint8)

    return PoseLooker(networks, 640, (1,), threshold).look(width, height, copy_at)


def answer(*seen: tuple[int, tuple[float, float], tuple[float, float]]) -> tuple[Any, Any]:
    """What the first network says when it sees bodies: an anchor, the hips and the reach, in its pixels."""
    places, logits = np.zeros((1, ANCHORS, 12), np.float32), np.full((1, ANCHORS, 1), UNLIKELY, np.float32)
    for anchor, hips, reach in seen:
        places[0, anchor, 4:8] = np.array([*hips, *reach]) - np.tile(
            anchor_centres()[anchor] * DETECTION_SIDE, 2
        )
        logits[0, anchor] = LIKELY
    return places, logits


class Told:
    """Networks that answer what a test says."""

    def __init__(self, places: Any, presence: float = 1.0, mask: float = LIKELY) -> None:
        self._places, self._presence, self._mask = places, presence, mask

    def places(self, image: Pixels) -> Any:
        assert image.shape == (DETECTION_SIDE, DETECTION_SIDE, 3)
        return self._places

    def body(self, image: Pixels) -> Any:
        assert image.shape == (BODY_SIDE, BODY_SIDE, 3)
        return self._presence, np.full((1, BODY_SIDE, BODY_SIDE, 1), self._mask, np.float32)


def test_there_is_an_anchor_for_every_answer() -> None:
    assert anchor_centres().shape == (ANCHORS, 2) == (2254, 2)
    assert anchor_centres().min() > 0
    assert anchor_centres().max() < 1


LEANING = {"upright": (0, -40, 0.0), "to the right": (40, 0, math.pi / 2), "head down": (0, 40, math.pi)}


@pytest.mark.parametrize(("across", "down", "turn"), LEANING.values(), ids=LEANING.keys())
def test_two_points_give_a_turned_square(across: float, down: float, turn: float) -> None:
    (body,) = bodies_from(*answer((700, (112, 100), (112 + across, 100 + down))), 0.5, pixels_each=2.0)
    assert (round(body.x), round(body.y)) == (224, 200)
    assert body.radius == pytest.approx(2 * 40 * ROOM)
    assert body.turn % (2 * math.pi) == pytest.approx(turn)
    head = cv2.transform(np.array([[[224 + 2 * across, 200 + 2 * down]]], np.float32), body.to_square(100))
    # Whichever way the body leans, its head is up in the square.
    assert head[0, 0] == pytest.approx([50, 50 - 50 / ROOM], abs=0.01)


def test_a_mask_goes_back_where_the_square_came_from() -> None:
    body = Body(300, 180, 120, 0.6, 1.0)
    corners = np.array([[[300, 180], [300, 100], [340, 180]]], np.float32)
    picture = np.zeros((360, 640, 3), np.uint8)
    for x, y in corners[0]:
        cv2.circle(picture, (int(x), int(y)), 6, (255, 255, 255), -1)
    logits = np.where(square_of(picture, body)[:, :, :1] > 127, LIKELY, UNLIKELY).astype(np.float32)[None]
    mask = mask_in_picture(logits, body, 640, 360, 0.3)
    assert np.abs(mask.astype(int) - (picture[:, :, 0] > 0)).sum() < 0.1 * (picture[:, :, 0] > 0).sum()


@pytest.mark.parametrize("side", [180, 300])
@pytest.mark.parametrize("left", [10, 240, 330])
def test_a_person_is_found_where_she_is(networks: Any, side: int, left: int) -> None:
    picture, where = with_person(640, 360, left, 40, side)
    rows, columns = np.nonzero(where)
    found = look(networks, picture)
    assert len(found) >= 1
    inside = np.zeros_like(where)
    for x1, y1, x2, y2, _ in found:
        inside[int(y1) : int(y2), int(x1) : int(x2)] = True
    # The photograph shows her from the head to the waist, in its middle and right: most of it is hers.
    middle = np.zeros_like(where)
    top, bottom = rows.min(), rows.max()
    centre = (columns.min() + columns.max()) // 2
    middle[top + side // 20 : bottom - 2, centre - side // 6 : centre + side // 6] = True
    assert inside[middle].mean() > 0.95
    # Not the whole picture: a box may be larger than she is.
    assert inside[~where].mean() < 0.3


def test_who_leans_is_found_too(networks: Any) -> None:
    for degrees in (-40, 40):
        picture, where = with_person(640, 360, 200, 30, 280, degrees)
        found = look(networks, picture)
        assert len(found) >= 1
        x1, y1, x2, y2 = found[0, :4]
        assert where[int((y1 + y2) / 2), int((x1 + x2) / 2)]


def test_two_people_are_two(networks: Any) -> None:
    picture, _ = with_person(640, 360, 10, 40, 280)
    other, where = with_person(640, 360, 350, 40, 280)
    picture[where] = other[where]
    boxes = look(networks, picture)
    assert (boxes[:, 0] < 150).any()
    assert (boxes[:, 0] > 320).any()


def test_an_empty_room_is_empty(networks: Any) -> None:
    assert len(look(networks, room())) == 0
    assert len(look(networks, np.zeros((360, 640, 3), np.uint8))) == 0


def test_a_suspicion_that_is_not_confirmed_is_nobody() -> None:
    seen = answer((700, (112, 100), (112, 60)))
    assert len(look(Told(seen, presence=0.1), room())) == 0
    assert len(look(Told(seen, presence=0.9), room())) >= 1


def test_a_confirmed_person_without_a_mask_is_covered_by_the_square() -> None:
    box = look(Told(answer((700, (112, 60), (112, 40))), mask=UNLIKELY), room())[0]
    # Seen in the whole picture: 640 / 224 pixels each, a radius of 20 of them and room.
    assert box[2] - box[0] == pytest.approx(2 * 20 * ROOM * 640 / 224, rel=0.01)


def test_whoever_comes_after_the_last_close_look_is_covered_unseen() -> None:
    many = [
        (i, (8.0 + 18 * (i % 12), 8.0 + 18 * (i // 12)), (8.0 + 18 * (i % 12), 4.0 + 18 * (i // 12)))
        for i in range(84)
    ]
    looked = 0

    class Counting(Told):
        def body(self, image: Pixels) -> Any:
            nonlocal looked
            looked += 1
            return super().body(image)

    picture = np.zeros((640, 640, 3), np.uint8)
    found = look(Counting(answer(*many)), picture)
    assert looked == MOST_BODIES
    for _, hips, _ in many:
        x, y = (at * 640 / DETECTION_SIDE for at in hips)
        assert ((found[:, 0] <= x) & (found[:, 1] <= y) & (found[:, 2] >= x) & (found[:, 3] >= y)).any()


BROKEN: dict[str, Any] = {
    "places are not finite": lambda p, s: (np.where(p == 0, np.nan, p).astype(np.float32), s),
    "scores are not finite": lambda p, s: (p, np.full_like(s, np.nan)),
    "endless scores": lambda p, s: (p, np.full_like(s, np.inf)),
    "too few anchors": lambda p, s: (p[:, :-1], s[:, :-1]),
    "another shape": lambda p, s: (p[0], s),
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN.keys())
def test_an_answer_that_means_nothing_ends_the_job(breaking: Any) -> None:
    with pytest.raises(AnonymizerError) as caught:
        look(Told(breaking(*answer((700, (112, 100), (112, 60))))), room())
    assert caught.value.code == "detector_failed"


def test_a_mask_that_means_nothing_ends_the_job() -> None:
    with pytest.raises(AnonymizerError) as caught:
        look(Told(answer((700, (112, 100), (112, 60))), mask=math.nan), room())
    assert caught.value.code == "detector_failed"


class Silent:
    """A request of a runtime that fails."""

    def infer(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("SECRET")


def test_a_runtime_that_fails_ends_the_job() -> None:
    failing = pose_networks.PoseNetworks(Silent(), Silent())
    with pytest.raises(AnonymizerError) as caught:
        look(failing, room())
    assert (caught.value.code, "SECRET" in str(caught.value)) == ("detector_failed", False)


def test_nothing_that_a_box_held_is_lost_when_boxes_are_joined() -> None:
    random = np.random.default_rng(5)
    for _ in range(50):
        corners = random.uniform(0, 300, (12, 2))
        sizes = random.uniform(20, 200, (12, 2))
        boxes = np.concatenate([corners, corners + sizes, random.uniform(0.5, 1, (12, 1))], axis=1).astype(
            np.float32
        )
        made = joined(boxes)
        assert len(made) <= len(boxes)
        for box in boxes:
            holds = (made[:, :2] <= box[:2]).all(axis=1) & (made[:, 2:4] >= box[2:4]).all(axis=1)
            assert holds.any()
    assert len(joined(boxes[:0])) == 0


def asked(models: Models, picture: Pixels, *detectors: str) -> Any:
    sink = BytesIO()
    content = bytes(cv2.imencode(".png", np.ascontiguousarray(picture[:, :, ::-1]))[1])
    report = anonymize(
        BytesIO(content),
        sink,
        settings=Settings(people=PeopleSettings(detectors=detectors)),
        models=models,
        limits=Limits(),
    )
    covered = cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    return report, covered


def test_a_still_with_a_person_is_covered(models: Models, networks: Any) -> None:
    picture, _ = with_person(640, 360, 200, 40, 300)
    report, covered = asked(models, picture, POSE)
    assert report.frames_with["person"] == 1
    assert (covered[200:320, 330:400] == 128).all()


MISSING: dict[str, Any] = {
    "no OpenVINO": lambda models: replace(models, pose=None),
    "no network that looks closely": lambda models: replace(
        models, pose=None, files={name: file for name, file in models.files.items() if name != BODY}
    ),
    "no network at all": lambda models: replace(
        models, pose=None, files={n: f for n, f in models.files.items() if n not in (BODY, POSE)}
    ),
}


@pytest.mark.parametrize("lacking", MISSING.values(), ids=MISSING.keys())
@pytest.mark.parametrize("detectors", [(), (POSE,), DETECTORS["person"][:2]], ids=["ours", "pose", "both"])
def test_a_policy_is_refused_where_the_networks_are_not_there(
    models: Models, lacking: Any, detectors: tuple[str, ...]
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        asked(lacking(models), room(), *detectors)
    assert caught.value.code == "model_missing"


def test_without_openvino_there_are_no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite, "import_openvino", lambda: None)
    assert pose_networks.compile_pose(b"nothing", b"to compile") is None


def test_without_a_temporary_folder_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tflite.tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert pose_networks.compile_pose(b"no folder", b"to lie in") is None


def test_what_cannot_be_compiled_stops_the_worker() -> None:
    if compiled_engine.import_openvino() is None:
        pytest.skip("no OpenVINO here")
    with pytest.raises(AnonymizerError) as caught:
        pose_networks.compile_pose(b"TFL3 of no kind", b"nor this")
    assert caught.value.code == "detector_failed"


def test_a_square_is_around_its_middle() -> None:
    assert Body(10, 20, 5, 1, 1).box() == Box(5, 15, 15, 25)


@pytest.mark.shared
def test_people_before_a_real_camera(networks: Any, shared_media: Path) -> None:
    present, absent = [], []
    with av.open(str(shared_media / "video" / "steady_camera_432p.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % 10 == 0:
                where = present if somebody_is_there(index) else absent
                where.append(len(look(networks, frame.to_ndarray(format="rgb24"))) > 0)
            if index == 400:
                break
    assert len(present) >= 25
    assert np.mean(present) >= 0.9
    assert np.mean(absent) <= 0.2


@pytest.mark.shared
def test_cars_from_above_are_seldom_people(networks: Any, shared_media: Path) -> None:
    found = []
    with av.open(str(shared_media / "video" / "cars_from_above_432p.mp4")) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % 20 == 0:
                found.append(len(look(networks, frame.to_ndarray(format="rgb24"))) > 0)
    assert len(found) >= 15
    assert np.mean(found) <= 0.25
