"""Verification figures agree with definitions that were written down elsewhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from evaluation.errors import EvaluationError
from evaluation.figures.attacked import figures_of
from evaluation.figures.scores import ScoreTable
from evaluation.figures.verification import operating_points

Values = npt.NDArray[np.float64]

# Fawcett 2006, "An introduction to ROC analysis", figure 3: twenty scores and their classes (p and n).
FAWCETT_CLASSES = "ppnpppnnpnpnpnnnpnpn"
FAWCETT_SCORES = (.9, .8, .7, .6, .55, .54, .53, .52, .51, .505,
                  .4, .39, .38, .37, .36, .35, .34, .33, .30, .1)  # fmt: skip


def eer_of(genuine: list[float] | Values, others: list[float] | Values) -> float:
    scores = np.concatenate([np.asarray(genuine, np.float64), np.asarray(others, np.float64)])
    labels = np.arange(len(scores)) < len(genuine)
    return float(operating_points(scores, labels).equal_error_rate()[0][0])


def by_thresholds(genuine: Values, others: Values) -> tuple[float, float]:
    """Both bounds of the EER by trying every threshold: the definition, without a ROC."""
    pairs = [
        (np.mean(others >= threshold), np.mean(genuine < threshold))
        for threshold in [*genuine, *others, np.inf]
    ]
    return max(min(pair) for pair in pairs), min(max(pair) for pair in pairs)


def test_the_roc_of_the_published_example() -> None:
    genuine = np.array([letter == "p" for letter in FAWCETT_CLASSES])
    points = operating_points(np.array(FAWCETT_SCORES), genuine)
    corners = list(
        zip(
            points.false_positives[0].round(2).tolist(),
            points.true_positives[0].round(2).tolist(),
            strict=True,
        )
    )
    # Corners of the paper's figure 3, by the score that stands beside each.
    labelled = {.9: (0, .1), .8: (0, .2), .7: (.1, .2), .54: (.1, .5), .51: (.3, .6), .4: (.4, .7),
                .38: (.5, .8), .34: (.8, .9), .3: (.9, 1), .1: (1, 1)}  # fmt: skip
    for score, corner in labelled.items():
        assert corners[1 + FAWCETT_SCORES.index(score)] == corner, score
    # Between (.4, .6), at .505, and (.4, .7), at .4, lies the point where both errors are .4.
    rate, threshold = points.equal_error_rate()
    assert rate[0] == pytest.approx(0.4)
    assert threshold[0] in (0.505, 0.51, 0.4)


@pytest.mark.parametrize(
    ("genuine", "others", "eer"),
    [
        pytest.param([3.0, 4.0], [1.0, 2.0], 0.0, id="told apart"),
        pytest.param([1.0, 2.0], [3.0, 4.0], 1.0, id="always wrong"),
        pytest.param([5.0, 5.0], [5.0, 5.0, 5.0], 0.5, id="one score for everybody"),
        pytest.param([1.0, 3.0], [0.0, 2.0], 0.5, id="one of two on the wrong side"),
        # From 3 on no stranger and half of the genuine; from 1 on half of the strangers and all genuine.
        pytest.param([3.0, 1.0], [1.0, 0.0], 0.25, id="a tie between both"),
    ],
)
def test_equal_error_rates_by_hand(genuine: list[float], others: list[float], eer: float) -> None:
    assert eer_of(genuine, others) == pytest.approx(eer)


@pytest.mark.parametrize("seed", range(20))
def test_the_equal_error_rate_lies_where_thresholds_say(seed: int) -> None:
    generator = np.random.default_rng(seed)
    genuine = generator.normal(generator.uniform(0, 3), 1, generator.integers(3, 60)).round(seed % 3)
    others = generator.normal(0, 1, generator.integers(3, 200)).round(seed % 3)
    low, high = by_thresholds(genuine, others)
    assert low - 1e-9 <= eer_of(genuine, others) <= high + 1e-9


def test_the_normal_distributions_have_their_equal_error_rate() -> None:
    """Two of them, two standard deviations apart: Φ(-1) = 15.87 %."""
    generator = np.random.default_rng(1)
    assert eer_of(generator.normal(2, 1, 40_000), generator.normal(0, 1, 40_000)) == pytest.approx(
        0.1587, abs=0.004
    )


def test_order_and_scale_do_not_matter() -> None:
    generator = np.random.default_rng(2)
    genuine, others = generator.normal(1, 1, 30), generator.normal(0, 1, 90)
    assert eer_of(genuine, others) == pytest.approx(eer_of(genuine[::-1] * 7 - 3, others * 7 - 3))
    assert eer_of(genuine, others) == pytest.approx(eer_of(np.exp(genuine), np.exp(others)))


def test_true_positives_are_counted_at_thresholds_that_keep_strangers_out() -> None:
    others = np.arange(100.0)
    genuine = np.array([98.5, 99.5, 97.5, 50.0])
    labels = np.arange(104) < 4
    points = operating_points(np.concatenate([genuine, others]), labels)
    # One stranger of a hundred may pass: 99. So 99.5 and 98.5 are accepted, 97.5 would let 98 in.
    assert points.true_positives_at(0.01)[0, 0] == pytest.approx(0.5)
    assert points.true_positives_at(0.0)[0, 0] == pytest.approx(0.25)
    assert points.true_positives_at(1.0)[0, 0] == 1.0


def test_a_weight_of_two_is_the_comparison_twice() -> None:
    generator = np.random.default_rng(3)
    scores, labels = generator.normal(size=40).round(1), np.arange(40) < 15
    times = generator.integers(1, 4, 40)
    weighted = operating_points(scores, labels, times[None].astype(np.float64))
    repeated = operating_points(np.repeat(scores, times), np.repeat(labels, times))
    assert weighted.equal_error_rate()[0][0] == pytest.approx(repeated.equal_error_rate()[0][0])
    assert weighted.true_positives_at(0.05)[0, 0] == pytest.approx(repeated.true_positives_at(0.05)[0, 0])


@pytest.mark.parametrize(
    ("scores", "persons", "code"),
    [
        pytest.param(np.zeros((2, 1)), [0, 0], "too_few_persons", id="one candidate"),
        pytest.param(np.zeros((2, 3)), [1, 1], "too_few_persons", id="trials of one person"),
        pytest.param(np.array([[0.0, np.nan], [0.0, 1.0]]), [0, 1], "scores_invalid", id="not a number"),
        pytest.param(np.zeros((2, 2)), [0, 2], "scores_invalid", id="nobody's column"),
        pytest.param(np.zeros((2, 2)), [0, 1, 1], "scores_invalid", id="more persons than trials"),
    ],
)
def test_what_is_no_table_is_refused(scores: Values, persons: list[int], code: str) -> None:
    with pytest.raises(EvaluationError) as refused:
        ScoreTable(scores, np.array(persons, np.int64))
    assert refused.value.code == code


def test_all_figures_of_an_attacker_who_is_never_wrong_and_of_one_who_guesses() -> None:
    persons = np.repeat(np.arange(8), 4)
    perfect = figures_of(ScoreTable(np.eye(8)[persons], persons), resamples=50)
    assert (perfect.eer.value, perfect.rank_1.value, perfect.tpr_at_1_fpr.value) == (0.0, 1.0, 1.0)
    assert perfect.mean_average_precision.value == 1.0
    guess = figures_of(ScoreTable(np.zeros((32, 8)), persons), resamples=50)
    assert guess.eer.value == pytest.approx(0.5)
    assert guess.rank_1.value == pytest.approx(guess.chance_rank_1) == pytest.approx(1 / 8)
    assert guess.rank_5.value == pytest.approx(guess.chance_rank_5) == pytest.approx(5 / 8)
    assert guess.tpr_at_1_fpr.value == 0.0
    assert guess.cmc.up.tolist() == pytest.approx([place / 8 for place in range(1, 9)])
    assert "Small sample: 8 people, 32 trials" in guess.sample_in_words
