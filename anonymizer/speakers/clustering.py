"""Which voices are one: agglomerative clustering by average linkage (Sokal and Michener, 1958).

For vectors of length 1, the mean cosine between the members of two clusters is the product of their means:
a cluster is its sum and its size, and nothing else of it need be kept.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Labels = npt.NDArray[np.intp]

BLOCK: Final = 600
"""Voices that are compared each with each. Time grows with its square, and with the length of a recording
only evenly: blocks are clustered by themselves first, and then their clusters."""


def clustered(voices: FloatArray, alike: float, most: int) -> Labels:
    """Says of each voice in which cluster it is.

    Args:
        voices: (N, D), each of length 1.
        alike: clusters become one while the mean cosine between their members is at least this.
        most: so many clusters at most; beyond, those most alike become one all the same.

    Returns:
        (N,), from 0.
    """
    labels = np.zeros(len(voices), np.intp)
    sums: list[FloatArray] = []
    counts: list[int] = []
    for begin in range(0, len(voices), BLOCK):
        block = voices[begin : begin + BLOCK].astype(np.float32)
        within = joined(block, np.ones(len(block)), alike, BLOCK)
        labels[begin : begin + BLOCK] = len(sums) + within
        for number in range(within.max() + 1):
            sums.append(block[within == number].sum(axis=0))
            counts.append(int((within == number).sum()))
    if not sums:
        return labels
    return joined(np.stack(sums), np.array(counts, float), alike, most)[labels]


def joined(sums: FloatArray, counts: npt.NDArray[np.float64], alike: float, most: int) -> Labels:
    """Clusters clusters.

    Args:
        sums: (N, D), the sum of each one's members.
        counts: (N,), how many they are.
        alike, most: as for `clustered`.

    Returns:
        (N,), the number of the cluster that each is in, from 0 in order of their first members.
    """
    means = sums / counts[:, None]
    likeness = (means @ means.T).astype(np.float64)
    np.fill_diagonal(likeness, -np.inf)
    counts = counts.copy()
    into = np.arange(len(sums))
    # The one most alike each; only rows that it touches change when two become one.
    nearest = likeness.argmax(axis=1)
    for left in range(len(sums), 1, -1):
        one = int(likeness[np.arange(len(sums)), nearest].argmax())
        other = int(nearest[one])
        if likeness[one, other] < alike and left <= most:
            break
        one, other = sorted((one, other))
        weights = counts[[one, other]] / counts[[one, other]].sum()
        row = weights @ likeness[[one, other]]
        row[[one, other]] = -np.inf
        likeness[one], likeness[:, one] = row, row
        likeness[other], likeness[:, other] = -np.inf, -np.inf
        counts[one] += counts[other]
        into[into == other] = one
        stale = (nearest == one) | (nearest == other)
        stale[[one, other]] = True
        nearest[stale] = likeness[stale].argmax(axis=1)
        closer = row > likeness[np.arange(len(sums)), nearest]
        nearest[closer] = one
    return np.unique(into, return_inverse=True)[1]
