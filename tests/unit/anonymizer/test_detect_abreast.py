"""Looks side by side: the same answers in the same order, and no failure is lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from anonymizer.boxes import Boxes
from anonymizer.detect.abreast import Abreast
from anonymizer.detect.contract import Image
from anonymizer.detect.looking import Looker
from anonymizer.errors import AnonymizerError


def test_answers_come_in_the_order_of_the_tasks_whoever_is_done_first() -> None:
    second_is_done = threading.Event()

    def first() -> str:
        assert second_is_done.wait(120), "the second one runs at the same time"
        return "first"

    def second() -> str:
        second_is_done.set()
        return "second"

    assert Abreast(2).answers([first, second]) == ["first", "second"]


def test_with_one_thread_they_run_where_they_are_asked_for() -> None:
    seen = Abreast(1).answers([threading.current_thread] * 3)
    assert seen == [threading.main_thread()] * 3


@pytest.mark.parametrize("threads", [1, 2])
def test_a_failure_comes_out(threads: int) -> None:
    def fail() -> int:
        raise AnonymizerError("detector_failed")

    with pytest.raises(AnonymizerError) as refusal:
        Abreast(threads).answers([lambda: 1, fail, lambda: 2])
    assert refusal.value.code == "detector_failed"


class Corners:
    """Finds one thing, as large as the picture, with a score that tells the picture's size."""

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        height, width = image.shape[:2]
        return np.array([[0, 0, width / 4, height / 4, width / 10_000]], np.float32)


def test_looks_side_by_side_see_what_looks_one_by_one_see() -> None:
    alone, abreast = (
        Looker(Corners(), (320, 640, 960), 0.05, 3, threads).look(
            1280, 720, lambda w, h: np.zeros((h, w, 3), np.uint8)
        )
        for threads in (1, 4)
    )
    assert len(alone) > 1
    np.testing.assert_array_equal(alone, abreast)
