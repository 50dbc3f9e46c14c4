"""Whether a classifier of actions still sees the same being done: a user's own, by manifest.

Of each film a few clips are cut out, at the same places in original and result; the mean of the answers is
the film's class. Told are how often both have one class, and, where folders are named by the classifier's
labels, how often each is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import numpy as np

from evaluation.errors import EvaluationError
from evaluation.faces.gathering import OnProgress, films, readable
from evaluation.faces.pairing import Pairing
from evaluation.figures.attacked import SMALL_SAMPLE_PERSONS, Figure
from evaluation.figures.means import share_of
from evaluation.networks.manifests import ActionClassifier, Values
from evaluation.networks.opening import OpenNetwork, of_shape, read_network
from evaluation.pictures.likeness import Pixels

MOST_CLIPS: Final = 8


@dataclass(frozen=True)
class ActionsKept:
    """What a classifier of actions sees.

    Attributes:
        classifier, sha256: which.
        films: that were long enough for a clip.
        agreement: share of them in which the result has the original's class.
        named: of them, in a folder that is called by a label.
        before, after: share of those that the classifier puts there, by original and by result; None of none.
    """

    classifier: str
    sha256: str
    films: int
    agreement: Figure
    named: int
    before: Figure | None
    after: Figure | None

    @property
    def is_small_sample(self) -> bool:
        """Whether there are too few films to believe small differences."""
        return self.films < SMALL_SAMPLE_PERSONS


class Classifier:
    """The open network."""

    def __init__(self, path: Path) -> None:
        """Reads the manifest and opens the network beside it.

        Raises:
            EvaluationError: model_manifest_invalid, model_missing, model_digest_mismatch, model_unusable.
        """
        self.manifest, model = read_network(path, ActionClassifier)
        takes, frames = self.manifest.takes, self.manifest.frames
        axes = (3, frames) if self.manifest.layout == "NCTHW" else (frames, 3)
        self._network = OpenNetwork(self.manifest, model, (1, *axes, takes.height, takes.width))

    def answers(self, clip: Sequence[Pixels]) -> Values:
        """Returns (labels,) of the frames of one clip, each as the network's input wants it (fitted).

        Raises:
            EvaluationError: model_unusable.
        """
        # Frames, colours, rows, columns.
        values = np.stack([self.manifest.takes.values(frame) for frame in clip])
        if self.manifest.layout == "NCTHW":
            values = values.transpose(1, 0, 2, 3)
        answer = self._network.answer(np.ascontiguousarray(values[None]))
        return np.asarray(of_shape(answer, (1, len(self.manifest.labels)))[0])

    def label(self, pictures: Iterable[Pixels], expected: int) -> str | None:
        """Returns what a film shows; None of one that is shorter than a clip.

        Args:
            pictures: all of it.
            expected: how many they probably are, to spread the clips over them.

        Raises:
            EvaluationError: model_unusable.
        """
        frames, step = self.manifest.frames, self.manifest.step
        length = (frames - 1) * step + 1
        hop = max(length, expected // MOST_CLIPS)
        clip: list[Pixels] = []
        found: list[Values] = []
        for number, picture in enumerate(pictures):
            place = number % hop
            if place < length and place % step == 0:
                clip.append(self.manifest.takes.fitted(picture))
            if len(clip) == frames:
                found.append(self.answers(clip))
                clip = []
            if len(found) == MOST_CLIPS:
                break
        if not found:
            return None
        return self.manifest.labels[int(np.argmax(np.mean(found, axis=0)))]


def actions_kept(
    pairs: Sequence[Pairing], classifier: Classifier, on_progress: OnProgress
) -> ActionsKept | None:
    """Looks at every film; None where none is long enough.

    Raises:
        EvaluationError: model_unusable; where there is but one pair, also what is wrong with it.
    """
    on_progress("actions", 0, len(pairs))
    before, after, wanted = [], [], []
    for number, pair in enumerate(pairs, 1):
        try:
            with readable():
                shown = [
                    classifier.label((each.pixels for each in film.pictures()), film.reader.frames_expected)
                    for film in films(pair)
                ]
        except EvaluationError as error:
            if len(pairs) == 1 or error.code == "model_unusable":
                raise
            continue
        if len(shown) == 2 and shown[0] is not None and shown[1] is not None:
            before.append(shown[0])
            after.append(shown[1])
            wanted.append(PurePosixPath(pair.person).name)
        on_progress("actions", number, len(pairs))
    if not before:
        return None
    each = [str(number) for number in range(len(before))]
    named = [place for place in range(len(before)) if wanted[place] in classifier.manifest.labels]

    def right(said: Sequence[str]) -> Figure | None:
        hits = [said[place] == wanted[place] for place in named]
        return share_of(hits, [each[place] for place in named]) if named else None

    return ActionsKept(
        classifier=classifier.manifest.name,
        sha256=classifier.manifest.sha256,
        films=len(before),
        agreement=share_of([one == other for one, other in zip(before, after, strict=True)], each),
        named=len(named),
        before=right(before),
        after=right(after),
    )
