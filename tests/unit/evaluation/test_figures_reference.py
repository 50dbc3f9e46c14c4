"""Our figures are those that others publish: on the same vectors, by their own definitions and programs.

The reference for Rank-k, CMC and mAP is written down here from what Market-1501 defines (Zheng et al. 2015,
"Scalable person re-identification: a benchmark", section 5) and torchreid counts: of each query the pictures
of the same person by the same camera are taken out, the rest is put in order; a query counts from the place
on at which the first picture of its person stands, and a query whose person is not left in the gallery does
not count. Nothing of it is shared with what is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from evaluation.faces.comparing import Compared
from evaluation.figures.identification import average_precision, first_within
from evaluation.figures.verification import operating_points

Values = npt.NDArray[np.float64]
metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")

RESAMPLES = 20


@dataclass(frozen=True)
class World:
    """Queries and a gallery of vectors, each of a person before a camera."""

    queries: Values
    gallery: Values
    query_persons: list[int]
    gallery_persons: list[int]
    query_cameras: list[int]
    gallery_cameras: list[int]


def world(seed: int) -> World:
    """Fourteen people, two of whom nobody asks for and one of whom the gallery has one camera only."""
    generator = np.random.default_rng(seed)
    people = generator.normal(size=(14, 24))
    cameras = 0.5 * generator.normal(size=(4, 24))
    gallery_persons = [int(who) for who in generator.integers(0, 13, 90)] + [13, 13]
    gallery_cameras = [int(which) for which in generator.integers(0, 4, 90)] + [1, 1]
    query_persons = [int(who) for who in generator.integers(2, 13, 40)] + [13, 13]
    query_cameras = [int(which) for which in generator.integers(0, 4, 40)] + [1, 2]

    def seen(persons: list[int], before: list[int]) -> Values:
        drawn = people[persons] + cameras[before] + 1.1 * generator.normal(size=(len(persons), 24))
        return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))

    return World(
        seen(query_persons, query_cameras),
        seen(gallery_persons, gallery_cameras),
        query_persons,
        gallery_persons,
        query_cameras,
        gallery_cameras,
    )


def as_market_1501(seen: World, most: int) -> tuple[list[float], float]:
    """The CMC up to so many places, and the mAP, counted one picture after the other."""
    hits, precisions, counted = [0] * most, [], 0
    for query, person, camera in zip(seen.queries, seen.query_persons, seen.query_cameras, strict=True):
        distances = [float(((query - other) ** 2).sum()) for other in seen.gallery]
        ranking = []
        for at in sorted(range(len(distances)), key=distances.__getitem__):
            if (seen.gallery_persons[at], seen.gallery_cameras[at]) != (person, camera):
                ranking.append(seen.gallery_persons[at] == person)
        if True not in ranking:
            continue
        counted += 1
        for place in range(ranking.index(True), most):
            hits[place] += 1
        found, at_hits = 0, []
        for place, is_right in enumerate(ranking, 1):
            if is_right:
                found += 1
                at_hits.append(found / place)
        precisions.append(sum(at_hits) / len(at_hits))
    return [hit / counted for hit in hits], sum(precisions) / len(precisions)


def compared(seen: World) -> Compared:
    same_person = np.array(seen.query_persons)[:, None] == np.array(seen.gallery_persons)
    same_camera = np.array(seen.query_cameras)[:, None] == np.array(seen.gallery_cameras)
    return Compared(
        seen.queries @ seen.gallery.T,
        [f"{who:02}" for who in seen.query_persons],
        [f"{who:02}" for who in seen.gallery_persons],
        ~(same_person & same_camera),
    )


@pytest.mark.parametrize("seed", range(6))
def test_rank_k_cmc_and_map_are_those_of_market_1501(seed: int) -> None:
    seen = world(seed)
    found = compared(seen).attacked(RESAMPLES)
    assert found.retrieved is not None
    cmc, mean_average_precision = as_market_1501(seen, len(found.retrieved.cmc.up))
    assert found.trials < len(seen.queries), "a query without its person in the gallery does not count"
    assert 0.2 < cmc[0] < 0.98, "neither too easy nor too hard to tell anything"
    assert cmc[4] > cmc[0]
    assert found.retrieved.cmc.up.tolist() == pytest.approx(cmc)
    assert found.rank_1.value == pytest.approx(cmc[0])
    assert found.retrieved.rank_1.value == pytest.approx(cmc[0])
    assert found.retrieved.rank_5.value == pytest.approx(cmc[4])
    assert found.mean_average_precision.value == pytest.approx(mean_average_precision)
    assert found.rank_5.value >= found.retrieved.rank_5.value, "of one person several pictures take places"


def test_the_cameras_rule_changes_the_figures() -> None:
    """Or the agreement above would say nothing of it."""
    seen = world(1)
    free = Compared(
        compared(seen).scores,
        compared(seen).trial_persons,
        compared(seen).gallery_persons,
        np.ones((len(seen.queries), len(seen.gallery)), bool),
    )
    by_rule, without = compared(seen).attacked(RESAMPLES), free.attacked(RESAMPLES)
    assert abs(by_rule.mean_average_precision.value - without.mean_average_precision.value) > 0.01


@pytest.mark.parametrize("seed", range(8))
def test_average_precision_is_scikit_learns(seed: int) -> None:
    """Without equal scores; with them it takes another convention, of thresholds."""
    generator = np.random.default_rng(seed)
    scores, relevant = generator.normal(size=50), generator.random(50) < 0.2
    relevant[seed] = True
    theirs = metrics.average_precision_score(relevant, scores)
    assert average_precision(scores, relevant) == pytest.approx(theirs)


@pytest.mark.parametrize("digits", [8, 1], ids=["no ties", "ties"])
def test_the_roc_is_scikit_learns(digits: int) -> None:
    generator = np.random.default_rng(4)
    genuine = generator.random(400) < 0.3
    scores = (generator.normal(size=400) + 1.3 * genuine).round(digits)
    ours = operating_points(scores, genuine)
    false, true, _ = metrics.roc_curve(genuine, scores, drop_intermediate=False)
    assert ours.false_positives[0].tolist() == pytest.approx(false.tolist())
    assert ours.true_positives[0].tolist() == pytest.approx(true.tolist())
    # Where both errors cross on scikit-learn's own curve.
    eer = np.interp(0, false - (1 - true), false)
    assert ours.equal_error_rate()[0][0] == pytest.approx(eer, abs=1e-3)


@pytest.mark.parametrize("separation", [0.5, 1.0, 3.0])
def test_the_eer_of_two_normal_distributions_is_known(separation: float) -> None:
    """Quantiles instead of draws: Φ(-d / 2), without chance."""
    normal = pytest.importorskip("scipy.stats", reason="scipy is not installed").norm
    quantiles = normal.ppf((np.arange(2000) + 0.5) / 2000)
    scores = np.concatenate([quantiles + separation, quantiles])
    rates, thresholds = operating_points(scores, np.arange(4000) < 2000).equal_error_rate()
    assert rates[0] == pytest.approx(normal.cdf(-separation / 2), abs=1e-3)
    assert thresholds[0] == pytest.approx(separation / 2, abs=0.01)


def test_equal_scores_are_in_every_order_at_once() -> None:
    """Six candidates of one score, two of them right: places are drawn as from an urn."""
    relevant = np.array([1, 0, 0, 1, 0, 0], bool)
    assert first_within(np.zeros(6), relevant, 6).tolist() == pytest.approx(
        [2 / 6, 1 - 4 / 6 * 3 / 5, 1 - 4 / 6 * 3 / 5 * 2 / 4, 1 - 4 * 3 * 2 * 1 / (6 * 5 * 4 * 3), 1, 1]
    )
    ahead = np.array([0, 9, 9, 0, 0, 0], float)
    assert first_within(ahead, relevant, 3).tolist() == pytest.approx([0, 0, 2 / 4])
    assert first_within(ahead, relevant, 1).tolist() == [0]
