"""What an evaluation found, as lines, JSON and sections of a page: figures, no name of a file or a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evaluation.figures.attacked import Attacked, Curve, Figure

# What an attacker who was not tried would have needed.
NOT_GIVEN: Final[Mapping[str, str]] = {
    "lazy": "no_enrolment",
    "semi": "no_enrolment_and_training",
}
# The attackers that a floor holds against; to link the results of one pseudonym is meant to be easy.
IDENTIFYING: Final = ("ignorant", "lazy", "semi")


@dataclass(frozen=True)
class Tried:
    """One attacker with one pair of ears.

    Attributes:
        attacker: one of `evaluation.voice.attackers.ATTACKERS`.
        ears: `resemblyzer` or `acoustics`.
        figures: what came of it.
    """

    attacker: str
    ears: str
    figures: Attacked


@dataclass(frozen=True)
class WordsKept:
    """What is left of the words.

    Attributes:
        pairs: originals and results that were compared.
        recognizer: its package; None where it is not installed.
        word_error: of its reading of results against its own reading of originals; may exceed 1. None where
            it is not installed, or read nothing in the originals.
        stoi: mean; None where its package is not installed.
    """

    pairs: int
    recognizer: str | None
    word_error: Figure | None
    stoi: Figure | None


@dataclass(frozen=True)
class Findings:
    """Everything that was found about an effect on voices.

    Attributes:
        speakers: who have originals and results.
        recordings: results that were tried.
        seconds: of them, altogether.
        skipped: how many files were left out, by code.
        unpaired: files without a counterpart.
        tried: what each attacker achieved.
        likeness: of an original and its result, mean cosine by Resemblyzer, where both are at hand.
        words: what is left of them; None where it was not asked for.
    """

    speakers: int
    recordings: int
    seconds: float
    skipped: Mapping[str, int]
    unpaired: int
    tried: Sequence[Tried]
    likeness: Figure | None
    words: WordsKept | None

    def weakest(self) -> Tried | None:
        """The attack by which people were told apart best; None where none was tried."""
        telling = [each for each in self.tried if each.attacker in IDENTIFYING]
        return min(telling, key=lambda each: each.figures.eer.value, default=None)

    def as_json(self) -> dict[str, Any]:
        """Returns the findings as JSON values; shares are 0 to 1, rounded to four digits."""
        return {
            "speakers": self.speakers,
            "recordings": self.recordings,
            "seconds": round(self.seconds, 1),
            "skipped": dict(self.skipped),
            "unpaired": self.unpaired,
            "attackers": [
                {"attacker": each.attacker, "ears": each.ears, **_attacked(each.figures)}
                for each in self.tried
            ],
            "not_tried": {
                name: reason
                for name, reason in NOT_GIVEN.items()
                if all(each.attacker != name for each in self.tried)
            },
            "likeness": _figure(self.likeness),
            "words": None if self.words is None else _words(self.words),
        }


def _attacked(found: Attacked) -> dict[str, Any]:
    return {
        "speakers": found.persons,
        "trials": found.trials,
        "small_sample": found.is_small_sample,
        "eer": _figure(found.eer),
        "eer_threshold": round(found.eer_threshold, 4),
        "tpr_at_1_fpr": _figure(found.tpr_at_1_fpr),
        "rank_1": _figure(found.rank_1),
        "rank_5": _figure(found.rank_5),
        "mean_average_precision": _figure(found.mean_average_precision),
        "chance": {
            "eer": 0.5,
            "rank_1": round(found.chance_rank_1, 4),
            "rank_5": round(found.chance_rank_5, 4),
        },
        "roc": _curve(found.roc),
        "cmc": _curve(found.cmc),
    }


def _words(words: WordsKept) -> dict[str, Any]:
    return {
        "pairs": words.pairs,
        "recognizer": words.recognizer or "not installed",
        "word_error": _figure(words.word_error),
        "stoi": _figure(words.stoi),
    }


def _figure(figure: Figure | None) -> dict[str, Any] | None:
    if figure is None:
        return None
    return {
        "value": round(figure.value, 4),
        "interval": [round(figure.within.low, 4), round(figure.within.high, 4)],
    }


def _curve(curve: Curve) -> list[list[float]]:
    """Points as [across, up, low, high]."""
    columns = zip(curve.across, curve.up, curve.low, curve.high, strict=True)
    return [[round(float(value), 4) for value in point] for point in columns]
