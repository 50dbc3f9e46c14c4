"""The second face detector: what its answers mean, whom it finds where, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from media_factory import face_picture

from anonymizer import AnonymizerError, FaceSettings, Limits, Models, Settings, anonymize
from anonymizer.boxes import overlaps
from anonymizer.detect import blazeface, compiled_engine, tflite
from anonymizer.detect.blazeface import BlazeFace, squares
from anonymizer.detect.blazeface_decoding import (
    ANCHORS,
    FARTHER_UP,
    NUMBERS_OF_AN_ANCHOR,
    SIDE,
    TALLER,
    faces_from,
)
from anonymizer.detect.engines import open_detector
from anonymizer.models import BLAZEFACE, CENTERFACE

THRESHOLD = 0.2
UNLIKELY = -20.0


@pytest.fixture(scope="session")
def network(models: Models) -> blazeface.BlazeNetwork:
    if models.blazeface is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    return models.blazeface


class Told:
    """A network that answers what a test says."""

    def __init__(self, places: Any, logits: Any) -> None:
        self._answer = places, logits

    def run(self, image: Any) -> Any:
        assert image.shape == (SIDE, SIDE, 3)
        return self._answer


def told(places: Any, logits: Any) -> BlazeFace:
    """A detector whose network answers that."""
    network: Any = Told(places, logits)
    return BlazeFace(network, THRESHOLD)


def silence() -> tuple[Any, Any]:
    """What the network says where there is nobody."""
    places = np.zeros((1, ANCHORS, NUMBERS_OF_AN_ANCHOR), np.float32)
    return places, np.full((1, ANCHORS, 1), UNLIKELY, np.float32)


def slowly(places: Any, logits: Any, threshold: float) -> list[list[float]]:
    """Reads an answer one anchor at a time, counting them as the network's makers lay them out."""
    found = []
    for number in range(ANCHORS):
        # 16 by 16 cells with two anchors each, then 8 by 8 with six.
        if number < 512:
            cell, across, size = number // 2, 16, 8
        else:
            cell, across, size = (number - 512) // 6, 8, 16
        x, y = (cell % across + 0.5) * size, (cell // across + 0.5) * size
        likely = 1 / (1 + math.exp(-float(logits[0, number, 0])))
        # A likelihood of one half counts as a fifth: the odds are four times less.
        odds = likely / (1 - likely) / 4
        score = odds / (1 + odds)
        dx, dy, wide, tall = (float(v) for v in places[0, number, :4])
        if score < threshold or wide <= 0 or tall <= 0:
            continue
        x, y, half = x + dx, y + dy - FARTHER_UP * tall, TALLER * tall / 2
        found.append([x - wide / 2, y - half, x + wide / 2, y + half, score])
    return found


@pytest.mark.parametrize("seed", range(5))
def test_answers_are_read_as_a_slow_reader_reads_them(seed: int) -> None:
    random = np.random.default_rng(seed)
    places = random.normal(8, 12, (1, ANCHORS, NUMBERS_OF_AN_ANCHOR)).astype(np.float32)
    logits = random.normal(0, 2, (1, ANCHORS, 1)).astype(np.float32)
    expected = np.array(slowly(places, logits, THRESHOLD))
    assert 50 < len(expected) < ANCHORS
    np.testing.assert_allclose(faces_from(places, logits, THRESHOLD), expected, rtol=1e-4, atol=1e-3)


def test_a_policys_fifth_is_the_networks_half() -> None:
    places, logits = silence()
    places[0, :, 2:4] = 20
    logits[0, 3], logits[0, 700] = 0.01, -0.01
    found = faces_from(places, logits, THRESHOLD)
    assert len(found) == 1
    assert found[0, 4] == pytest.approx(THRESHOLD, abs=0.01)


NO_ANSWERS: dict[str, Any] = {
    "a score that is no number": lambda places, logits: (places, np.where(logits < 0, np.nan, logits)),
    "one score that is no number": lambda places, logits: (places, _with(logits, (0, 5, 0), np.nan)),
    "an infinite score": lambda places, logits: (places, _with(logits, (0, 5, 0), np.inf)),
    "a place that is no number": lambda places, logits: (_with(places, (0, 9, 1), np.nan), logits),
    "a point that nobody reads": lambda places, logits: (_with(places, (0, 9, 15), -np.inf), logits),
    "too few anchors": lambda places, logits: (places[:, 1:], logits[:, 1:]),
    "too few numbers": lambda places, logits: (places[:, :, 1:], logits),
    "no batch": lambda places, logits: (places[0], logits[0]),
}


def _with(values: Any, place: tuple[int, ...], value: float) -> Any:
    values = values.copy()
    values[place] = value
    return values


@pytest.mark.parametrize("breaking", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
def test_an_answer_that_means_nothing_ends_the_job(breaking: Any) -> None:
    with pytest.raises(AnonymizerError) as caught:
        told(*breaking(*silence())).detect(np.zeros((200, 300, 3), np.uint8))
    assert caught.value.code == "detector_failed"


def test_boxes_without_measure_stay_within_the_picture() -> None:
    places, logits = silence()
    places[0, :, :4] = 3e38
    places[0, ::2, :2] = -3e38
    logits[:] = 3e38
    found = told(places, logits).detect(np.zeros((90, 160, 3), np.uint8))
    assert np.isfinite(found).all()
    assert (found[:, :4] >= 0).all()
    assert (found[:, [0, 2]] <= 160).all()
    assert (found[:, [1, 3]] <= 90).all()


@pytest.mark.parametrize(("width", "height"), [(640, 360), (360, 640), (128, 128), (90, 40), (1920, 1080)])
def test_every_pixel_lies_in_a_square_of_every_size(width: int, height: int) -> None:
    sides: dict[int, Any] = {}
    for left, top, side in squares(width, height):
        seen = sides.setdefault(side, np.zeros((height, width), np.bool_))
        assert min(left, top) >= 0
        seen[top : top + side, left : left + side] = True
    assert max(width, height) in sides
    assert all(seen.all() for seen in sides.values())


@pytest.mark.parametrize("shape", [(0, 10, 3), (10, 10), (10, 10, 4)])
def test_what_is_no_picture_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        told(*silence()).detect(np.zeros(shape, np.uint8))
    assert caught.value.code == "detector_failed"


def with_face(side: int) -> Any:
    """A grey wall of 640 by 360 with the portrait on it, small or large."""
    picture = np.full((360, 640, 3), 128, np.uint8)
    picture[10 : 10 + side, 200 : 200 + side] = face_picture((side, side))
    return picture


@pytest.mark.parametrize("side", [340, 200, 100])
def test_a_real_face_lies_where_centerface_says(models: Models, network: Any, side: int) -> None:
    picture = with_face(side)
    theirs = open_detector(models, 0.5, 1).detect(picture)
    ours = BlazeFace(network, THRESHOLD).detect(picture)
    assert len(theirs) == 1
    assert overlaps(theirs, ours).max() > 0.6


def test_a_face_that_lies_on_its_side_is_found(network: Any) -> None:
    upright = BlazeFace(network, THRESHOLD).detect(with_face(340))[:1]
    turned = np.ascontiguousarray(np.rot90(with_face(340), -1))
    found = BlazeFace(network, THRESHOLD).detect(turned)
    # A quarter turn clockwise: what was left is on top, and what was below is on the left.
    expected = np.stack([360 - upright[:, 3], upright[:, 0], 360 - upright[:, 1], upright[:, 2]], axis=1)
    assert upright[0, 4] > 0.5
    assert overlaps(np.column_stack([expected, upright[:, 4]]).astype(np.float32), found).max() > 0.4


def test_a_picture_of_nothing_holds_no_face(network: Any) -> None:
    for grey in (0, 128, 255):
        assert len(BlazeFace(network, THRESHOLD).detect(np.full((360, 640, 3), grey, np.uint8))) == 0


def asked(models: Models, *detectors: str) -> Any:
    content = bytes(cv2.imencode(".png", np.ascontiguousarray(with_face(300)[:, :, ::-1]))[1])
    sink = BytesIO()
    settings = Settings(faces=FaceSettings(detectors=detectors, shape="box"))
    report = anonymize(BytesIO(content), sink, settings=settings, models=models, limits=Limits())
    return report, cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("detectors", [(BLAZEFACE,), (CENTERFACE, BLAZEFACE)], ids=["alone", "both"])
def test_a_still_is_covered(models: Models, network: Any, detectors: tuple[str, ...]) -> None:
    [face] = open_detector(models, 0.5, 1).detect(with_face(300))
    report, covered = asked(models, *detectors)
    assert report.frames_with_faces == 1
    left, top, right, bottom = (round(float(v)) for v in face[:4])
    changed = (covered[top:bottom, left:right, ::-1] != with_face(300)[top:bottom, left:right]).any(axis=2)
    assert changed.mean() > 0.97


MISSING: dict[str, Any] = {
    "no OpenVINO": lambda models: replace(models, blazeface=None),
    "no network": lambda models: replace(
        models, blazeface=None, files={n: file for n, file in models.files.items() if n != BLAZEFACE}
    ),
}


@pytest.mark.parametrize("lacking", MISSING.values(), ids=MISSING.keys())
@pytest.mark.parametrize("detectors", [(BLAZEFACE,), (CENTERFACE, BLAZEFACE)], ids=["alone", "both"])
def test_a_policy_is_refused_where_the_network_is_not_there(
    models: Models, lacking: Any, detectors: tuple[str, ...]
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        asked(lacking(models), *detectors)
    assert caught.value.code == "model_missing"
    assert BLAZEFACE in str(caught.value)


class Silent:
    """A request of a runtime that fails."""

    def infer(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("SECRET")


def test_a_runtime_that_fails_ends_the_job() -> None:
    with pytest.raises(AnonymizerError) as caught:
        BlazeFace(blazeface.BlazeNetwork(Silent()), THRESHOLD).detect(with_face(100))
    assert (caught.value.code, "SECRET" in str(caught.value)) == ("detector_failed", False)


def test_without_openvino_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tflite, "import_openvino", lambda: None)
    assert blazeface.compile_blazeface(b"nothing to compile") is None


def test_without_a_temporary_folder_there_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tflite.tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert blazeface.compile_blazeface(b"no folder to lie in") is None


def test_what_cannot_be_compiled_stops_the_worker() -> None:
    if compiled_engine.import_openvino() is None:
        pytest.skip("no OpenVINO here")
    with pytest.raises(AnonymizerError) as caught:
        blazeface.compile_blazeface(b"TFL3 of no kind")
    assert caught.value.code == "detector_failed"
