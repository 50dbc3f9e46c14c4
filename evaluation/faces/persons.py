"""Who is who, where no folder says it: by the recognizer itself, on the originals.

So nobody is counted who cannot be told apart in the original: of them an attacker learns nothing by faces.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evaluation.faces.recognizers import Vectors


def grouped(
    vectors: Vectors, same_above: float, moments: Sequence[tuple[str, float]]
) -> npt.NDArray[np.int64]:
    """Groups vectors: again and again the two groups that are most alike become one (average linkage).

    Args:
        vectors: (n, size), of length one.
        same_above: groups are joined while their mean cosine is above it.
        moments: of each, its recording and time: two faces of one moment are of two people.

    Returns:
        (n,) a number for each group, in the order of its first member.
    """
    groups = np.arange(len(vectors))
    # Sums of cosines between groups, and how many they are of.
    sums = vectors @ vectors.T
    sums[[[mine == other for other in moments] for mine in moments]] = -np.inf
    sizes = np.ones(len(vectors))
    alive = np.ones(len(vectors), bool)
    while alive.sum() > 1:
        means = sums / np.outer(sizes, sizes)
        means[~alive] = means[:, ~alive] = -np.inf
        np.fill_diagonal(means, -np.inf)
        kept, joined = sorted(int(at) for at in np.unravel_index(np.argmax(means), means.shape))
        if means[kept, joined] <= same_above:
            break
        sums[kept] += sums[joined]
        sums[:, kept] += sums[:, joined]
        sizes[kept] += sizes[joined]
        alive[joined] = False
        groups[groups == joined] = kept
    return np.asarray(np.unique(groups, return_inverse=True)[1], np.int64)
