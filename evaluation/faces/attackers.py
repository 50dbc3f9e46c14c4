"""Who attacks, what each of them knows, and what they do before they compare.

By knowledge, each with pictures in which they know who is who:

original   other pictures, uncovered. They do not know the system.
alike      other pictures, sent through the same system under other keys (the parrot attack of Newton, Sweeney
           and Malin 2005, "Preserving privacy by de-identifying face images").
known_key  the same under the key of the result: whoever holds a pseudonym's key, or made it out.

Those with originals first restore what they were given: by formulas (restoring.py), by an average of frames,
by a network that learned from pairs of other people (reversal.py), and by all of it together. Those with a
gallery treated alike learn from other people what still tells persons apart. What learns does so from half
of the people, and is used on the other half.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError
from evaluation.faces.averaging import averaged, halves
from evaluation.faces.comparing import Compared, together
from evaluation.faces.gathering import OnProgress, Sample, chips_of, has_view
from evaluation.faces.pairing import View
from evaluation.faces.recognizers import Pixels, Recognizer, Vectors
from evaluation.faces.restoring import ways
from evaluation.faces.reversal import learned, reversed_
from evaluation.figures.attacked import Attacked
from evaluation.figures.discriminant import learn

Knowledge = Literal["original", "alike", "known_key"]

AS_IT_IS: Final = "as it is"
AVERAGED: Final = "frames averaged"
REVERSED: Final = "reversed by a trained network"
TRAINED: Final = "trained on other people"
ENSEMBLE: Final = "all of these together"
RECOGNIZERS: Final = "all recognizers together"

SECONDS_APART: Final = 1.0
LEAST_PEOPLE_TO_LEARN: Final = 4
LEAST_PAIRS_TO_LEARN: Final = 8


@dataclass(frozen=True)
class Attack:
    """What one attacker achieved.

    Attributes:
        knowledge: what they had.
        preparation: what they did first.
        recognizer: with which they compared; several by a word.
        figures: how often they were right.
    """

    knowledge: Knowledge
    preparation: str
    recognizer: str
    figures: Attacked


def attacks(
    samples: Sequence[Sample],
    recognizers: Sequence[Recognizer],
    *,
    has_many_files: bool,
    is_robust: bool,
    resamples: int,
    on_progress: OnProgress,
    by_recording: bool = False,
) -> Iterator[Attack]:
    """Yields every attack that the samples allow.

    Args:
        samples: all of them; every one has the same views.
        recognizers: who compares.
        has_many_files: without a view "alike", other results stand for it, where there are any.
        is_robust: whether anything is restored and learned first.
        resamples: how often persons are drawn anew for an interval.
        on_progress: told of each attack.
        by_recording: of who is in several recordings, no two pictures of one are compared (see apart).

    Raises:
        EvaluationError: too_few_persons, recognizer_failed.
    """
    plain: dict[Knowledge, list[Compared]] = {}
    allowed = apart(samples, by_recording=by_recording)
    done = 0
    for recognizer in recognizers:
        attacker = _Attacker(samples, recognizer, allowed, has_many_files=has_many_files)
        for knowledge, preparation, make in attacker.plans(is_robust=is_robust):
            on_progress("attacks", done, 0)
            done += 1
            compared = make()
            if compared is None:
                continue
            if preparation == AS_IT_IS:
                plain.setdefault(knowledge, []).append(compared)
            try:
                figures = compared.attacked(resamples)
            except EvaluationError as error:
                # Averages need films of several people; the plain attack needs people at all.
                if error.code == "too_few_persons" and preparation != AS_IT_IS:
                    continue
                raise
            yield Attack(knowledge, preparation, recognizer.name, figures)
    for knowledge, each in plain.items():
        if len(each) > 1:
            yield Attack(knowledge, AS_IT_IS, RECOGNIZERS, together(each).attacked(resamples))


Allowed = npt.NDArray[np.bool_]
_Plan = tuple[Knowledge, str, Callable[[], Compared | None]]


class _Attacker:
    """One recognizer's attacks. What was embedded once is kept."""

    def __init__(
        self, samples: Sequence[Sample], recognizer: Recognizer, allowed: Allowed, *, has_many_files: bool
    ) -> None:
        self._samples = samples
        self._recognizer = recognizer
        self._allowed = allowed
        self._has_many_files = has_many_files
        self._persons = [sample.person for sample in samples]
        self._vectors: dict[View, Vectors] = {}
        self._restored: list[Compared] = []
        people = sorted(set(self._persons))
        folds = {person: place % 2 for place, person in enumerate(people)}
        self._folds = np.array([folds[person] for person in self._persons])
        self._can_learn = len(people) >= LEAST_PEOPLE_TO_LEARN and all(
            (self._folds == fold).sum() >= LEAST_PAIRS_TO_LEARN for fold in (0, 1)
        )

    def plans(self, *, is_robust: bool) -> Iterator[_Plan]:
        """Yields each attack by what is known and done first, and how it is made."""
        yield "original", AS_IT_IS, lambda: self._restore(None)
        if is_robust:
            for name, way in ways().items():
                yield "original", name, partial(self._restore, way)
            if self._can_learn:
                yield "original", REVERSED, self._reverse
            yield "original", ENSEMBLE, lambda: together(self._restored)
            yield "original", AVERAGED, self._average
        alike = self._alike()
        if alike is not None:
            yield "alike", AS_IT_IS, lambda: self._compare(self._of("anonymized"), self._of(alike))
            if is_robust and self._can_learn:
                yield "alike", TRAINED, lambda: self._train(alike)
        if has_view(self._samples, self._recognizer, "known_key"):
            yield "known_key", AS_IT_IS, lambda: self._compare(self._of("anonymized"), self._of("known_key"))

    def _alike(self) -> View | None:
        if has_view(self._samples, self._recognizer, "alike"):
            return "alike"
        return "anonymized" if self._has_many_files else None

    def _of(self, view: View) -> Vectors:
        if view not in self._vectors:
            self._vectors[view] = self._recognizer.vectors(chips_of(self._samples, self._recognizer, view))
        return self._vectors[view]

    def _compare(self, trials: Vectors, gallery: Vectors) -> Compared:
        return self._scored(trials @ gallery.T)

    def _scored(self, scores: Vectors) -> Compared:
        return Compared(scores, self._persons, self._persons, self._allowed)

    def _restore(self, way: Callable[[Pixels], Pixels] | None) -> Compared:
        if way is None:
            trials = self._of("anonymized")
        else:
            chips = chips_of(self._samples, self._recognizer, "anonymized")
            trials = self._recognizer.vectors([way(chip) for chip in chips])
        compared = self._compare(trials, self._of("original"))
        self._restored.append(compared)
        return compared

    def _reverse(self) -> Compared:
        covered = chips_of(self._samples, self._recognizer, "anonymized")
        uncovered = chips_of(self._samples, self._recognizer, "original")
        pairs = list(zip(covered, uncovered, self._folds, strict=True))
        if has_view(self._samples, self._recognizer, "alike"):
            again = chips_of(self._samples, self._recognizer, "alike")
            pairs += list(zip(again, uncovered, self._folds, strict=True))
        made: list[Pixels] = list(covered)
        for fold in (0, 1):
            others = [(chip, original) for chip, original, its in pairs if its != fold]
            network = learned([chip for chip, _ in others], [original for _, original in others])
            places = np.flatnonzero(self._folds == fold)
            for place, picture in zip(
                places, reversed_(network, [covered[at] for at in places]), strict=True
            ):
                made[place] = picture
        compared = self._compare(self._recognizer.vectors(made), self._of("original"))
        self._restored.append(compared)
        return compared

    def _average(self) -> Compared | None:
        groups = halves(self._samples)
        if not groups:
            return None
        chips = chips_of(self._samples, self._recognizer, "anonymized")
        trials = self._recognizer.vectors([averaged([chips[at] for at in each.members]) for each in groups])
        # A picture that may not be used against one of the frames may not be used against their mean.
        allowed = np.array([self._allowed[list(group.members)].all(axis=0) for group in groups])
        scores = trials @ self._of("original").T
        return Compared(scores, [group.person for group in groups], self._persons, allowed)

    def _train(self, alike: View) -> Compared | None:
        trials, gallery = self._of("anonymized"), self._of(alike)
        numbers = np.unique(self._persons, return_inverse=True)[1].astype(np.int64)
        scores = np.zeros((len(trials), len(gallery)))
        for fold in (0, 1):
            mine, others = self._folds == fold, self._folds != fold
            seen = (
                trials[others] if alike == "anonymized" else np.concatenate([trials[others], gallery[others]])
            )
            whose = numbers[others] if alike == "anonymized" else np.tile(numbers[others], 2)
            try:
                discriminant = learn(seen, whose)
            except EvaluationError:
                return None
            for row in np.flatnonzero(mine):
                each = discriminant.scores(trials[row : row + 1], gallery[None], np.ones((1, len(gallery))))
                scores[row] = each[0]
        return self._scored(scores)


def apart(samples: Sequence[Sample], *, by_recording: bool = False) -> Allowed:
    """(n, n): which picture may be used against which: never one of the same face at about the same time.

    Args:
        samples: all of them.
        by_recording: of who is in several recordings, no other picture of the same one either, as Market-1501
            has it with cameras: clothes and light of one afternoon tell who somebody is without any attack.
    """
    sources, persons = (
        np.unique(names, return_inverse=True)[1]
        for names in ([sample.source for sample in samples], [sample.person for sample in samples])
    )
    times = np.array([sample.time for sample in samples])
    same_person = persons[:, None] == persons[None, :]
    same_recording = same_person & (sources[:, None] == sources[None, :])
    near = np.abs(times[:, None] - times[None, :]) < SECONDS_APART
    if by_recording:
        near |= (same_person & ~same_recording).any(axis=1)[:, None]
    return np.asarray(~(near & same_recording))
