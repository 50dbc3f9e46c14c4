"""What an attacker learns from anonymized recordings of other people: which differences tell persons apart.

A two-covariance model (Brümmer and de Villiers 2010, "The speaker partitioning problem"): a vector is its
person's, drawn from one normal distribution, plus the recording's, drawn from another. Both are estimated
from recordings of known people that went through the same system; the score is the logarithm of how much
more likely a trial and an enrolment are as one person than as two. What all keys of the system change is in
the second distribution, so the discriminant looks past it: that is what makes the attacker informed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError

Vectors = npt.NDArray[np.float64]
# Of the total variance of the training set, this much is kept before anything is inverted.
KEPT_DIMENSIONS: Final = 64
# A covariance of few recordings is drawn towards its diagonal, which is sure; not towards one level for all,
# which would drown a quiet direction that tells persons apart in a loud one that does not.
SHRINKAGE: Final = 0.2


@dataclass(frozen=True)
class Discriminant:
    """A trained discriminant. In its own coordinates, within-person covariance is the identity.

    Attributes:
        mean: (size,) of the training vectors.
        projection: (size, dimensions) into the coordinates in which both covariances are diagonal.
        between: (dimensions,) variance between persons, where that within a person is 1.
    """

    mean: Vectors
    projection: Vectors
    between: Vectors

    def scores(self, trials: Vectors, enrolled: Vectors, counts: Vectors) -> Vectors:
        """Returns log-likelihood ratios.

        Args:
            trials: (trials, size).
            enrolled: (trials, candidates, size): for each trial, each candidate's mean vector.
            counts: (trials, candidates): of how many recordings that is the mean.

        Returns:
            (trials, candidates).
        """
        trial = ((trials - self.mean) @ self.projection)[:, None, :]
        model = (enrolled - self.mean) @ self.projection
        # Given the enrolment's mean, what is expected of another recording of the same person.
        gain = self.between / (self.between + 1 / counts[:, :, None])
        expected = gain * model
        same = 1 + self.between * (1 - gain)
        anybody = 1 + self.between
        ratio = np.log(anybody / same) + trial**2 / anybody - (trial - expected) ** 2 / same
        return np.asarray(0.5 * ratio.sum(axis=-1))


def learn(vectors: Vectors, persons: npt.NDArray[np.int64]) -> Discriminant:
    """Trains a discriminant.

    Args:
        vectors: (recordings, size).
        persons: (recordings,) who each is. At least two persons, and two recordings of at least two.

    Raises:
        EvaluationError: training_too_small.
    """
    labels, members, counts = np.unique(persons, return_inverse=True, return_counts=True)
    spare = len(vectors) - len(labels)
    if len(labels) < 2 or spare < 2:
        raise EvaluationError("training_too_small")
    mean = vectors.mean(axis=0)
    means = np.zeros((len(labels), vectors.shape[1]))
    np.add.at(means, members, vectors)
    means /= counts[:, None]
    # Into the directions in which anything varies at all.
    _, sizes, directions = np.linalg.svd(vectors - mean, full_matrices=False)
    used = min(KEPT_DIMENSIONS, spare, int((sizes > sizes[0] * 1e-6).sum()) if sizes[0] > 0 else 0)
    if used == 0:
        raise EvaluationError("training_too_small")
    reduced = directions[:used].T
    inner = (vectors - means[members]) @ reduced
    within = _shrunk(inner.T @ inner / spare)
    values, axes = np.linalg.eigh(within)
    whitening = reduced @ axes / np.sqrt(values)
    centred = (means - mean) @ whitening
    # The means of few recordings vary by themselves; that part is not between persons.
    spread = centred.T @ centred / (len(labels) - 1) - np.eye(used) * float(np.mean(1 / counts))
    strengths, turn = np.linalg.eigh(spread)
    telling = strengths > 1e-3
    if not telling.any():
        telling[-1] = True
    return Discriminant(mean, whitening @ turn[:, telling], np.maximum(strengths[telling], 1e-3))


def _shrunk(covariance: Vectors) -> Vectors:
    own = np.diag(covariance)
    # Nothing is known for certain: in no direction may people be told apart without limit.
    sure = np.diag(np.maximum(own, 1e-6 * own.max() + 1e-12))
    return np.asarray((1 - SHRINKAGE) * covariance + SHRINKAGE * sure)
