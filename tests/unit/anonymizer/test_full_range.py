"""The third face detector: what its answers mean, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import Box
from anonymizer.detect.full_range import (
    ANCHORS,
    FARTHER_UP,
    NARROWER,
    NUMBERS_OF_AN_ANCHOR,
    SIDE,
    TALLER,
    FullRangeNetwork,
    full_range_faces,
)
from tests.media_factory import face_picture

UNLIKELY = -20.0


@pytest.fixture(scope="module")
def network(models: Models) -> FullRangeNetwork:
    if models.full_range is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    return models.full_range


def silence() -> tuple[Any, Any]:
    """What the network says where there is nobody."""
    places = np.zeros((1, ANCHORS, NUMBERS_OF_AN_ANCHOR), np.float32)
    return places, np.full((1, ANCHORS, 1), UNLIKELY, np.float32)


@pytest.mark.parametrize("anchor", [0, 47, 48, 1000, ANCHORS - 1])
def test_a_box_lies_where_its_anchor_does(anchor: int) -> None:
    places, logits = silence()
    places[0, anchor, :4] = 3, -2, 20, 30
    logits[0, anchor] = math.log(3)
    (box,) = full_range_faces(places, logits, 0.5)
    # 48 cells of 4 pixels in each row.
    x, y = (anchor % 48 + 0.5) * 4 + 3, (anchor // 48 + 0.5) * 4 - 2
    y -= FARTHER_UP * 30
    wide, tall = 20 * NARROWER, 30 * TALLER
    expected = [x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, 0.75]
    assert box == pytest.approx(expected, abs=1e-3)


def test_the_threshold_is_the_least_score() -> None:
    places, logits = silence()
    places[0, :3, 2:4] = 10
    logits[0, :3, 0] = -1, 0, 1
    assert len(full_range_faces(places, logits, 0.5)) == 2
    assert len(full_range_faces(*silence(), 0.01)) == 0


def test_a_box_without_extent_is_none() -> None:
    places, logits = silence()
    logits[0, :2] = 9
    places[0, 0, 2:4] = 5, 0
    places[0, 1, 2:4] = -5, 5
    assert len(full_range_faces(places, logits, 0.5)) == 0


BROKEN = {
    "fewer anchors": lambda places, logits: (places[:, :-1], logits[:, :-1]),
    "other numbers": lambda places, logits: (places[:, :, :4], logits),
    "a place that is no number": lambda places, logits: (places * np.nan, logits),
    "a score that is no number": lambda places, logits: (places, logits * np.inf),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_an_answer_of_another_kind_is_a_failure(broken: Any) -> None:
    with pytest.raises(AnonymizerError) as caught:
        full_range_faces(*broken(*silence()), 0.5)
    assert caught.value.code == "detector_failed"


@pytest.mark.parametrize("shape", [(4, 5, 3), (0, 0, 3), (6, 6)])
def test_only_squares_are_looked_at(shape: tuple[int, ...], network: FullRangeNetwork) -> None:
    with pytest.raises(AnonymizerError) as caught:
        network.faces(np.zeros(shape, np.uint8), 0.5)
    assert caught.value.code == "detector_failed"


@pytest.mark.parametrize("height", [20, 60, 124])
def test_a_face_is_boxed_as_centerface_boxes_it(height: int, network: FullRangeNetwork) -> None:
    share = height / 124
    picture = np.full((SIDE, SIDE, 3), 90, np.uint8)
    side = min(SIDE, round(512 * share))
    whole = (
        face_picture()
        if share == 1
        else cv2.resize(face_picture(), (round(512 * share),) * 2, interpolation=cv2.INTER_AREA)
    )
    left = 0 if share < 0.5 else round(130 * share)
    picture[:side, :side] = whole[:side, left : left + side]
    face = Box(*(edge * share for edge in (176, 66, 270, 190))).moved(-left, 0)
    best = max(network.faces(picture, 0.4), key=lambda box: box[4])
    assert best[:4] == pytest.approx([face.x1, face.y1, face.x2, face.y2], abs=0.2 * height)
