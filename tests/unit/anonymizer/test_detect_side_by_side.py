"""Tasks side by side: every result arrives, nothing of them stays, and each sees one processor."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from anonymizer import AnonymizerError
from anonymizer.detect.side_by_side import MOST_AT_ONCE, side_by_side


def threads() -> set[str]:
    return {path.name for path in Path("/proc/self/task").iterdir()}


def test_results_arrive_and_no_thread_is_left() -> None:
    before, processors = threads(), os.sched_getaffinity(0)
    for _ in range(20):
        with side_by_side() as beside:
            results = [beside.start(lambda number=number: number * number) for number in range(10)]
        assert threads() <= before, "a fork would lose it"
        assert [result() for result in results] == [number * number for number in range(10)]
    assert os.sched_getaffinity(0) == processors


def test_each_task_sees_one_processor_and_not_all_the_same() -> None:
    allowed = os.sched_getaffinity(0)
    together = min(len(allowed), MOST_AT_ONCE)
    meeting = threading.Barrier(together, timeout=120)

    def look() -> frozenset[int]:
        meeting.wait()
        return frozenset(os.sched_getaffinity(0))

    with side_by_side() as beside:
        seen = [beside.start(look) for _ in range(together)]
    assert {len(each()) for each in seen} == {1}
    assert len({each() for each in seen}) == together


def test_what_goes_wrong_is_raised_where_it_is_asked_for_after_all_have_ended() -> None:
    ended = []

    def fail() -> None:
        raise AnonymizerError("detector_failed")

    def work() -> None:
        with side_by_side() as beside:
            failed = beside.start(fail)
            beside.start(lambda: ended.append(1))
            failed()

    before = threads()
    with pytest.raises(AnonymizerError):
        work()
    assert ended == [1]
    assert threads() <= before


def test_it_stays_on_the_processors_that_it_was_given() -> None:
    allowed = os.sched_getaffinity(0)
    one = {min(allowed)}
    os.sched_setaffinity(0, one)
    try:
        with side_by_side() as beside:
            seen = [beside.start(lambda: os.sched_getaffinity(0)) for _ in range(3)]
        assert [each() for each in seen] == [one] * 3
    finally:
        os.sched_setaffinity(0, allowed)
