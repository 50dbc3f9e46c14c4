"""One person read closely: what the network's points mean, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from people_factory import with_person

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import Box
from anonymizer.people.bodies import BodyReader, Cutout, square_around
from anonymizer.people.pose_decoding import ANCHORS, BODY_SIDE, ROOM, Body

PART = Cutout(np.zeros((200, 300, 3), np.uint8), left=40, top=20, pixels_each=2.0)
BODY = Body(300, 200, 100, 0.4, 0.9)


SIDES = (1, BODY_SIDE, BODY_SIDE, 1)


class Answers:
    """Networks that answer what a test says."""

    def __init__(self, points: Any = None, presence: float = 1.0, mask: Any = None) -> None:
        self.points = np.zeros((1, 195), np.float32) if points is None else points
        self.presence = presence
        self.mask = np.zeros(SIDES, np.float32) if mask is None else mask

    def places(self, image: Any) -> Any:
        return np.zeros((1, ANCHORS, 12), np.float32), np.full((1, ANCHORS, 1), -20, np.float32)

    def figure(self, image: Any) -> Any:
        return self.points, self.presence, self.mask


def some_points() -> Any:
    points = np.zeros((39, 5), np.float32)
    points[:, :2] = BODY_SIDE / 2
    points[:, 3:] = 8
    points[5, :2] = (BODY_SIDE / 2, 0)
    points[6, 3] = -8
    points[33, :2], points[34, :2] = (BODY_SIDE / 2, BODY_SIDE / 2), (BODY_SIDE / 2, BODY_SIDE / 2 - 96)
    return points.reshape(1, 195)


def test_points_lie_where_the_square_lies() -> None:
    figure = BodyReader(Answers(some_points())).read(PART, BODY)
    assert figure is not None
    assert figure.joints[0] == pytest.approx([300, 200], abs=0.01)
    # The middle of the upper edge of the turned square.
    assert figure.joints[5] == pytest.approx([300 + 100 * math.sin(0.4), 200 - 100 * math.cos(0.4)], abs=0.01)
    assert figure.sure[5] > 0.99
    assert figure.sure[6] < 0.01
    # The next square is told by two points, and leans as this one does.
    assert figure.next_body.turn == pytest.approx(0.4, abs=1e-4)
    assert figure.next_body.radius == pytest.approx(96 / 128 * 100 * ROOM, abs=0.01)


def test_a_square_that_makes_no_sense_is_not_followed() -> None:
    points = some_points()
    points.reshape(39, 5)[34] = points.reshape(39, 5)[33]
    figure = BodyReader(Answers(points)).read(PART, BODY)
    assert figure is not None
    assert figure.next_body == BODY


def test_nobody_is_nobody() -> None:
    assert BodyReader(Answers(some_points(), presence=0.3)).read(PART, BODY) is None
    assert BodyReader(Answers()).find(PART) is None


NONSENSE = {
    "a point that is no number": Answers(np.full((1, 195), np.nan, np.float32)),
    "too few points": Answers(np.zeros((1, 190), np.float32)),
    "an infinite mask": Answers(some_points(), mask=np.full(SIDES, np.inf, np.float32)),
    "a small mask": Answers(some_points(), mask=np.zeros((1, 64, 64, 1), np.float32)),
    "nonsense where nobody is": Answers(np.full((1, 195), np.inf, np.float32), presence=0.0),
}


@pytest.mark.parametrize("answers", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_the_job(answers: Answers) -> None:
    with pytest.raises(AnonymizerError) as refused:
        BodyReader(answers).read(PART, BODY)
    assert refused.value.code == "detector_failed"


def test_a_square_stays_within_the_picture() -> None:
    for box in (Box(-50, -50, 20, 20), Box(600, 300, 700, 500), Box(0, 0, 640, 360), Box(5, 5, 6, 6)):
        left, top, right, bottom = square_around(box, 640, 360)
        assert 0 <= left <= right <= 640
        assert 0 <= top <= bottom <= 360
        assert left % 2 == top % 2 == 0


def test_a_real_person_has_a_head_above_her_shoulders(models: Models) -> None:
    if models.pose is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    picture, _ = with_person(640, 360, 200, 30, 300)
    reader, part = BodyReader(models.pose), Cutout(picture, 0, 0, 1.0)
    body = reader.find(part)
    assert body is not None
    figure = reader.read(part, body)
    assert figure is not None
    nose, shoulders = figure.joints[0], figure.joints[[11, 12]]
    # Where she is in the photograph: skimage's astronaut looks out of its upper middle.
    assert nose == pytest.approx([200 + 0.45 * 300, 30 + 0.25 * 300], abs=25)
    assert (shoulders[:, 1] > nose[1] + 15).all()
    assert shoulders[0, 0] > nose[0] > shoulders[1, 0]
    assert figure.sure[[0, 11, 12]].min() > 0.8
    assert figure.likely[BODY_SIDE // 2, BODY_SIDE // 2] > 0.3
