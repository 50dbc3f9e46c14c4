"""Which frames are looked at: the riskiest for what they cost, spread, and within the budget."""

from __future__ import annotations

import itertools

import pytest

from anonymizer.leaks.planning import Costs, planned

COSTS = Costs(seek=0.02, decode=0.01, look=0.05)


def frames_of(groups) -> list[int]:
    return sorted(frame for group in groups for frame in group.frames)


def cost_of(groups, costs: Costs = COSTS) -> float:
    decoding = sum(costs.seek + (group.frames[-1] - group.first) * costs.decode for group in groups)
    return decoding + sum(len(group.frames) for group in groups) * costs.look


@pytest.mark.parametrize("seconds", [0.1, 0.5, 2.0, 10.0])
def test_a_plan_keeps_to_its_budget(seconds: float) -> None:
    groups = planned(range(1000), [1.0] * 1000, [0, 250, 500, 750], COSTS, seconds, least=0)
    assert 0 < cost_of(groups) <= seconds
    assert all(group.first <= group.frames[0] < group.first + 250 for group in groups)


def test_some_frames_are_looked_at_whatever_they_cost() -> None:
    groups = planned([100, 110, 120, 130, 140], [1.0] * 5, [0], COSTS, seconds=0.0, least=4)
    assert len(frames_of(groups)) == 4


def test_a_clip_of_fewer_frames_is_looked_at_whole() -> None:
    assert frames_of(planned([0, 1], [1.0, 1.0], [0], COSTS, 0.0, least=4)) == [0, 1]
    assert planned([], [], [0], COSTS, 9.0, least=4) == []


def test_risk_goes_before_cheapness() -> None:
    risks = [1.0] * 100
    risks[60] = 50.0
    first = planned(range(100), risks, [0], COSTS, seconds=0.7, least=0)
    assert 60 in frames_of(first)


def test_of_two_that_are_as_risky_the_one_nearer_behind_its_key_frame_is_taken() -> None:
    (group,) = planned([30, 101], [1.0, 1.0], [0, 100], COSTS, seconds=0.1, least=0)
    assert (group.first, group.frames) == (100, (101,))


def test_frames_spread() -> None:
    frames = frames_of(planned(range(200), [1.0] * 200, [0], Costs(0.0, 0.0, 1.0), seconds=5.0, least=0))
    assert len(frames) == 5
    assert min(b - a for a, b in itertools.pairwise(frames)) > 6


def test_what_was_seen_is_not_looked_at_again() -> None:
    groups = planned([10, 40], [9.0, 1.0], [0], COSTS, seconds=9.0, least=0, seen=[10])
    assert frames_of(groups) == [40]
