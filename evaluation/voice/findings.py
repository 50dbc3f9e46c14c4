"""What an evaluation of voices found: figures, and no name of a file or of a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evaluation.figures.attacked import Attacked, Figure
from evaluation.figures.writing import document_of, figure_document
from evaluation.voice.recordings import Skipped

# The attackers that a floor holds against; to link the results of one pseudonym is meant to be easy.
IDENTIFYING: Final = ("ignorant", "lazy", "semi")
# What an attacker who was not tried would have needed.
NEEDED: Final[Mapping[str, str]] = {"lazy": "enrolment", "semi": "enrolment and training"}


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
class VoiceFindings:
    """Everything that was found about an effect on voices.

    Attributes:
        people: who have originals and results; 1 where two files were given.
        recordings: results that were tried.
        seconds: of them, altogether; of each the first ten minutes.
        skipped: files that were left out.
        unpaired: results without an original of the same name.
        tried: what each attacker achieved; nothing where two files were given.
        likeness: of an original and its result, mean cosine of the two voices by Resemblyzer.
        words: what is left of them; None where that was not asked for.
    """

    people: int
    recordings: int
    seconds: float
    skipped: Sequence[Skipped]
    unpaired: int
    tried: Sequence[Tried]
    likeness: Figure | None
    words: WordsKept | None

    def weakest(self) -> Tried | None:
        """Returns the attack that told people apart best; None where none was tried."""
        telling_apart = [each for each in self.tried if each.attacker in IDENTIFYING]
        return min(telling_apart, key=lambda each: each.figures.eer.value, default=None)

    def not_tried(self) -> dict[str, str]:
        """Returns the attackers that were not tried, with what they would have needed."""
        done = {each.attacker for each in self.tried}
        return {name: needed for name, needed in NEEDED.items() if name not in done}

    def document(self) -> dict[str, Any]:
        """Returns the findings as JSON values; shares are 0 to 1."""
        return {
            "people": self.people,
            "recordings": self.recordings,
            "seconds": round(self.seconds, 1),
            "skipped": dict(Counter(each.code for each in self.skipped)),
            "unpaired": self.unpaired,
            "attackers": [
                {"attacker": each.attacker, "ears": each.ears, **document_of(each.figures)}
                for each in self.tried
            ],
            "not_tried": self.not_tried(),
            "likeness": figure_document(self.likeness),
            "words": None if self.words is None else _words(self.words),
        }


def _words(words: WordsKept) -> dict[str, Any]:
    return {
        "pairs": words.pairs,
        "recognizer": words.recognizer or "not installed",
        "word_error": figure_document(words.word_error),
        "stoi": "not installed" if words.stoi is None else figure_document(words.stoi),
    }
