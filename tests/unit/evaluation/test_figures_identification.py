"""Ranks and average precision agree with counting them out."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from evaluation.figures.identification import average_precision, average_precisions, found_within
from evaluation.figures.scores import ScoreTable


def counted_out(scores: list[float], relevant: list[bool]) -> float:
    """Average precision by definition: the mean over every order in which equal scores may come."""
    found = []
    for order in permutations(range(len(scores))):
        ordered = [scores[at] for at in order]
        if ordered != sorted(scores, reverse=True):
            continue
        hits, precisions = 0, []
        for place, at in enumerate(order, 1):
            if relevant[at]:
                hits += 1
                precisions.append(hits / place)
        found.append(sum(precisions) / len(precisions))
    return sum(found) / len(found)


@pytest.mark.parametrize(
    ("scores", "relevant", "expected"),
    [
        # The mean of the precisions at each relevant one (Manning et al., "Introduction to IR", 8.4).
        pytest.param([5, 4, 3, 2, 1], [1, 0, 1, 0, 0], (1 + 2 / 3) / 2, id="first and third"),
        pytest.param([5, 4, 3, 2, 1], [0, 0, 0, 0, 1], 1 / 5, id="last"),
        pytest.param([1, 1], [1, 0], 3 / 4, id="two alike"),
        pytest.param([1, 1, 1], [1, 1, 1], 1.0, id="all relevant, all alike"),
    ],
)
def test_average_precision_by_hand(scores: list[int], relevant: list[int], expected: float) -> None:
    assert average_precision(np.array(scores, float), np.array(relevant, bool)) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(25))
def test_average_precision_by_counting_out(seed: int) -> None:
    generator = np.random.default_rng(seed)
    size = int(generator.integers(2, 7))
    scores = generator.integers(0, 4, size).astype(float)
    relevant = generator.random(size) < 0.5
    relevant[generator.integers(size)] = True
    assert average_precision(scores, relevant) == pytest.approx(
        counted_out(scores.tolist(), relevant.tolist())
    )


def test_with_one_relevant_it_is_the_reciprocal_rank() -> None:
    scores = np.array([[3.0, 2.0, 1.0]] * 3 + [[1.0, 1.0, 1.0], [2.0, 2.0, 3.0]])
    table = ScoreTable(scores, np.array([0, 1, 2, 1, 0]))
    assert average_precisions(table).tolist() == pytest.approx([1, 1 / 2, 1 / 3, 11 / 18, 5 / 12])
    one_by_one = [average_precision(row, own) for row, own in zip(scores, table.genuine, strict=True)]
    assert average_precisions(table).tolist() == pytest.approx(one_by_one)


def test_ranks_by_hand_and_ties_in_any_order() -> None:
    table = ScoreTable(
        np.array([[0.9, 0.1, 0.5], [0.9, 0.1, 0.5], [0.7, 0.7, 0.7], [0.5, 0.5, 0.1]]), np.array([0, 1, 2, 1])
    )
    assert found_within(table) == pytest.approx(
        np.array([[1, 1, 1], [0, 0, 1], [1 / 3, 2 / 3, 1], [1 / 2, 1, 1]])
    )
