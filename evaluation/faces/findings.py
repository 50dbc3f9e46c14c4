"""What an evaluation of faces, or of whole people, found: figures, and no name of a file or of a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.faces.attackers import Attack, Knowledge
from evaluation.faces.bands import band, is_weak
from evaluation.faces.drift import Path
from evaluation.faces.recognizers import Pixels
from evaluation.faces.subjects import Subject
from evaluation.figures.attacked import Figure
from evaluation.figures.writing import document_of, figure_document


@dataclass(frozen=True)
class Strip:
    """One person as the result shows them.

    Attributes:
        person: a number, from 1.
        pictures: (side, side, 3) uint8 RGB each, of the result alone.
    """

    person: int
    pictures: Sequence[Pixels]


@dataclass(frozen=True)
class Detected:
    """What one detector still finds.

    Attributes:
        detector: its name.
        before: share of the samples that it finds in the originals; of the detector that chose them, all.
        after: share that it finds in the results, in the same places.
    """

    detector: str
    before: Figure
    after: Figure


@dataclass(frozen=True)
class RecognitionFindings:
    """Everything that was found about an effect.

    Attributes:
        subject: on what.
        people: who were attacked.
        samples: faces, or bodies, at moments.
        pictures: that were looked at.
        unreadable: pairs of files that were left out.
        recognizers: the digests of their networks by name.
        attacks: what each attacker achieved.
        not_tried: why there are none, or which attackers there are not; a sentence each.
        detectors: what each of them still finds; first the one that chose the samples.
        drift: the paths of everybody's vector through films.
        strips: some of what the result shows.
    """

    subject: Subject
    people: int
    samples: int
    pictures: int
    unreadable: int
    recognizers: Mapping[str, str]
    attacks: Sequence[Attack]
    not_tried: Sequence[str]
    detectors: Sequence[Detected]
    drift: Sequence[Path]
    strips: Sequence[Strip]

    @property
    def detected(self) -> Figure:
        """The share of the samples in which the first detector still finds somebody."""
        return self.detectors[0].after

    def strongest(self, knowledge: Knowledge | None = None) -> Attack | None:
        """Returns the attack that was right most often, of those who know so much or of all."""
        chosen = [each for each in self.attacks if knowledge in (None, each.knowledge)]
        return max(chosen, key=lambda each: each.figures.rank_1.value, default=None)

    @property
    def weak(self) -> bool:
        """Whether any attack shows the effect to be weak."""
        return any(is_weak(each.figures) for each in self.attacks)

    def document(self) -> dict[str, Any]:
        """Returns the findings as JSON values; shares are 0 to 1."""
        strongest = self.strongest()
        return {
            "people": self.people,
            "samples": self.samples,
            "pictures": self.pictures,
            "unreadable": self.unreadable,
            "recognizers": dict(self.recognizers),
            "band": None if strongest is None else band(strongest.figures),
            "weak": self.weak,
            "attacks": [
                {
                    "knowledge": each.knowledge,
                    "preparation": each.preparation,
                    "recognizer": each.recognizer,
                    "weak": is_weak(each.figures),
                    **document_of(each.figures),
                }
                for each in self.attacks
            ],
            "not_tried": list(self.not_tried),
            "detected": figure_document(self.detected),
            "detectors": [
                {
                    "detector": each.detector,
                    "originals": figure_document(each.before),
                    "results": figure_document(each.after),
                }
                for each in self.detectors
            ],
            "drift": [
                {
                    "person": each.person,
                    "step": round(each.step, 4),
                    "original_step": round(each.original_step, 4),
                    "path": [
                        [round(float(value), 4) for value in moment]
                        for moment in zip(each.seconds, each.to_first, each.original_to_first, strict=True)
                    ],
                }
                for each in self.drift
            ],
        }
