"""Intervals hold the truth about as often as they say, and persons, not trials, are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.figures.attacked import figures_of
from evaluation.figures.resampling import Draws, draw_persons, interval, mean_by_person
from evaluation.figures.scores import ScoreTable
from evaluation.figures.verification import operating_points


def simulated(generator: np.random.Generator, persons: int, trials: int) -> ScoreTable:
    """A world in which some people are easier to recognize than others; its EER is that of a large sample."""
    easy = generator.normal(1.5, 0.6, persons)
    noise = generator.normal(0, 1, (persons * trials, persons))
    which = np.repeat(np.arange(persons), trials)
    noise[np.arange(persons * trials), which] += easy[which]
    return ScoreTable(noise, which)


def test_an_interval_holds_the_true_figure_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(11)
    large = simulated(generator, 400, 4)
    truth = operating_points(large.scores.ravel(), large.genuine.ravel()).equal_error_rate()[0][0]
    held = 0
    for _ in range(80):
        within = figures_of(simulated(generator, 20, 3), resamples=80).eer.within
        held += within.low <= truth <= within.high
    # 76 of 80 are promised; percentiles of so few people lose some of them, and chance up to six more.
    assert 68 <= held <= 80


def test_more_trials_of_the_same_people_make_no_interval_narrower_than_more_people_do() -> None:
    generator = np.random.default_rng(12)
    few_people = figures_of(simulated(generator, 8, 30), resamples=300).eer.within
    many_people = figures_of(simulated(generator, 60, 4), resamples=300).eer.within
    assert few_people.high - few_people.low > many_people.high - many_people.low


def test_the_same_table_has_the_same_intervals() -> None:
    table = simulated(np.random.default_rng(13), 10, 3)
    assert figures_of(table, resamples=50).eer == figures_of(table, resamples=50).eer


def test_persons_are_drawn_with_all_of_their_trials() -> None:
    table = simulated(np.random.default_rng(14), 6, 3)
    draws = draw_persons(table, 40)
    assert (draws.counts.sum(axis=1) == 6).all()
    weights = draws.of_trials(table).reshape(40, 6, 3)
    assert (weights == draws.counts[:, :, None]).all()


def test_a_person_who_is_drawn_twice_is_no_stranger_to_themselves() -> None:
    table = ScoreTable(np.array([[9.0, 1.0], [2.0, 8.0]]), np.array([0, 1]))
    weights = Draws(np.array([[2.0, 1.0]])).of_comparisons(table).reshape(2, 2)
    # Genuine comparisons as often as the person was drawn; strangers for each pair of two that were.
    assert weights.tolist() == [[2, 2], [2, 1]]


def test_small_figures() -> None:
    assert interval(np.linspace(0, 1, 1001)).low == pytest.approx(0.025)
    same = mean_by_person(np.full(6, 0.4), np.array([0, 0, 1, 1, 2, 2]), np.ones(6))
    assert (same.low, same.high) == (pytest.approx(0.4), pytest.approx(0.4))
    spread = mean_by_person(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0, 0, 7, 7]), np.ones(4))
    assert (spread.low, spread.high) == (0.0, 1.0)
