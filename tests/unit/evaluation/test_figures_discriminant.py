"""What an attacker learns: the likelihood ratio of two normal distributions, and which differences count."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.figures.discriminant import Discriminant, learn


def log_normal(point: np.ndarray, covariance: np.ndarray) -> float:
    """The logarithm of a normal density of mean 0."""
    _, size = np.linalg.slogdet(2 * np.pi * covariance)
    return float(-0.5 * (size + point @ np.linalg.solve(covariance, point)))


@pytest.mark.parametrize("count", [1, 4])
def test_a_score_is_the_logarithm_of_the_likelihood_ratio(count: int) -> None:
    """Against the joint density of trial and enrolment, dimension by dimension, as the model defines it."""
    between = np.array([2.0, 0.5])
    trained = Discriminant(np.zeros(2), np.eye(2), between)
    trial, model = np.array([0.7, -1.1]), np.array([0.4, 0.9])
    expected = 0.0
    for dimension, strength in enumerate(between):
        pair = np.array([trial[dimension], model[dimension]])
        own = np.diag([strength + 1, strength + 1 / count])
        expected += log_normal(pair, own + strength * (1 - np.eye(2))) - log_normal(pair, own)
    score = trained.scores(trial[None], model[None, None], np.array([[float(count)]]))
    assert score[0, 0] == pytest.approx(expected)


def test_it_looks_past_what_the_system_changes() -> None:
    """One coordinate tells persons; another, ten times as loud, is the system's key."""
    generator = np.random.default_rng(1)
    persons = np.repeat(np.arange(60), 4)
    person = generator.normal(0, 1, 60)[persons]
    vectors = np.stack([person, generator.normal(0, 10, 240)], axis=1) + generator.normal(0, 0.2, (240, 2))
    trained = learn(vectors, persons)
    trials = np.array([[1.5, 20.0]])
    candidates = np.array([[[1.5, -20.0], [-1.5, 20.0]]])
    scores = trained.scores(trials, candidates, np.ones((1, 2)))
    assert scores[0, 0] > 0 > scores[0, 1]
    cosine = candidates[0] @ trials[0]
    assert cosine[0] < cosine[1], "without learning, the key decides"


def test_where_nothing_tells_persons_apart_scores_stay_near_nothing() -> None:
    generator = np.random.default_rng(2)
    trained = learn(generator.normal(size=(200, 5)), np.repeat(np.arange(50), 4))
    scores = trained.scores(generator.normal(size=(9, 5)), generator.normal(size=(9, 3, 5)), np.ones((9, 3)))
    assert np.abs(scores).max() < 2


@pytest.mark.parametrize(
    ("vectors", "persons"),
    [
        pytest.param(np.random.default_rng(3).normal(size=(6, 3)), [0] * 6, id="one person"),
        pytest.param(np.random.default_rng(3).normal(size=(4, 3)), [0, 1, 2, 3], id="one recording each"),
        pytest.param(np.ones((8, 3)), [0, 0, 1, 1, 2, 2, 3, 3], id="all the same"),
    ],
)
def test_what_is_too_little_to_learn_from_is_refused(vectors: np.ndarray, persons: list[int]) -> None:
    with pytest.raises(EvaluationError) as refused:
        learn(vectors, np.array(persons, np.int64))
    assert refused.value.code == "training_too_small"
