"""Clusters of voices against the plainest way to compute them, and what their bounds do."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.speakers import clustering
from anonymizer.speakers.clustering import clustered
from anonymizer.speakers.encoder import normed


def groups(sizes: list[int], spread: float = 0.05, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Voices around so many middles, in a mixed order, and which middle each has."""
    rng = np.random.default_rng(seed)
    middles = normed(np.abs(rng.normal(0, 1, (len(sizes), 64))).astype(np.float32))
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return normed((middles[truth] + rng.normal(0, spread, (len(truth), 64))).astype(np.float32)), truth


def plainly(voices: np.ndarray, alike: float) -> np.ndarray:
    """Average linkage by its definition: every pair of members, every time."""
    cosines = voices @ voices.T
    parts = [[place] for place in range(len(voices))]
    while len(parts) > 1:
        means = {
            (one, other): cosines[np.ix_(parts[one], parts[other])].mean()
            for one in range(len(parts))
            for other in range(one)
        }
        one, other = max(means, key=means.__getitem__)
        if means[one, other] < alike:
            break
        parts[other] += parts.pop(one)
    labels = np.zeros(len(voices), int)
    for number, part in enumerate(sorted(parts, key=min)):
        labels[part] = number
    return labels


def agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two labellings are the same but for the names."""
    return len(set(zip(one.tolist(), other.tolist(), strict=True))) == len(set(one)) == len(set(other))


@pytest.mark.parametrize("alike", [0.5, 0.7, 0.8, 0.9, 0.95])
@pytest.mark.parametrize("spread", [0.03, 0.1])
def test_they_are_those_of_the_definition(alike: float, spread: float) -> None:
    voices, _ = groups([9, 7, 5, 3, 1], spread)
    assert agree(clustered(voices, alike, 99), plainly(voices, alike))


def test_more_than_a_block_gives_the_same_speakers(monkeypatch: pytest.MonkeyPatch) -> None:
    voices, truth = groups([60, 50, 40, 30], 0.03)
    assert agree(clustered(voices, 0.85, 99), truth)
    monkeypatch.setattr(clustering, "BLOCK", 16)
    assert agree(clustered(voices, 0.85, 99), truth)


def test_there_are_never_more_than_the_most() -> None:
    voices, truth = groups([4] * 12)
    assert agree(clustered(voices, 0.85, 12), truth)
    assert set(clustered(voices, 0.85, 5)) == set(range(5))
    assert set(clustered(voices, 0.85, 1)) == {0}


def test_of_none_and_of_one() -> None:
    assert clustered(np.zeros((0, 64), np.float32), 0.5, 3).tolist() == []
    assert clustered(groups([1])[0], 0.5, 3).tolist() == [0]
