"""Speech in, stretches of time out: when a word on a list is said, and a little before and after.

A recognizer needs whole utterances. A recording of hours is cut where it is quietest, every six to twelve
seconds, so that no more than that is ever held.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.words.classes import WordList
from anonymizer.words.recognizer import Recognizer

Samples = npt.NDArray[np.float32]
Span = tuple[float, float]

RATE: Final = 16_000
MARGIN_SECONDS: Final = 0.15
LONGEST: Final = 12 * RATE
# An utterance is cut between here and its longest.
SHORTEST: Final = 6 * RATE
# Of the stretch whose quiet is compared: as long as the pause between two words.
PAUSE: Final = RATE // 10
FRAMES_A_SECOND: Final = 100
# The recognizer's own marks for silence and noise begin so.
_MARKS: Final = ("<", "[", "+")


class WordFinder:
    """Takes the speech of one track in pieces of any length."""

    def __init__(self, recognizer: Recognizer, words: WordList) -> None:
        """Takes a recognizer that nobody else uses meanwhile, and the words."""
        self._decoder: Any = recognizer.decoder
        self._words = words
        self._held = np.zeros(0, np.float32)
        self._heard_until = 0
        self._spans: list[Span] = []

    def push(self, speech: Samples) -> None:
        """Takes the next samples, (n,) float32, 16,000 a second.

        Raises:
            AnonymizerError: media_corrupt, where a sample is no number; detector_failed.
        """
        if not np.isfinite(speech).all():
            raise AnonymizerError("media_corrupt", "A sample of the sound is no number.")
        for at in range(0, len(speech), LONGEST):
            self._held = np.concatenate([self._held, speech[at : at + LONGEST]])
            while len(self._held) >= LONGEST:
                cut = quietest(self._held[:LONGEST])
                self._hear(self._held[:cut])
                self._held = self._held[cut:].copy()

    def finish(self) -> tuple[Span, ...]:
        """Returns when words on the list are said, in seconds: in order, apart from each other.

        Raises:
            AnonymizerError: detector_failed.
        """
        if len(self._held):
            self._hear(self._held)
            self._held = np.zeros(0, np.float32)
        return united(self._spans, self._heard_until / RATE)

    def _hear(self, utterance: Samples) -> None:
        begins = self._heard_until / RATE
        self._heard_until += len(utterance)
        pulses = np.rint(np.clip(utterance, -1, 1) * 32_767).astype("<i2").tobytes()
        try:
            self._decoder.start_utt()
            self._decoder.process_raw(pulses, full_utt=True)
            self._decoder.end_utt()
            heard = list(self._decoder.seg() or ())
        except (RuntimeError, ValueError):
            raise AnonymizerError("detector_failed") from None
        for each in heard:
            # A second pronunciation is marked by a number: read(2).
            word = each.word.partition("(")[0]
            if not word.startswith(_MARKS) and self._words.holds(word):
                first, last = each.start_frame / FRAMES_A_SECOND, (each.end_frame + 1) / FRAMES_A_SECOND
                self._spans.append((begins + first - MARGIN_SECONDS, begins + last + MARGIN_SECONDS))


def quietest(speech: Samples) -> int:
    """Returns where to cut a full stretch: in the middle of its quietest pause after the first seconds."""
    power = np.square(speech[SHORTEST:], dtype=np.float64)
    sums = np.cumsum(np.concatenate([[0.0], power]))
    return SHORTEST + int(np.argmin(sums[PAUSE:] - sums[:-PAUSE])) + PAUSE // 2


def united(spans: list[Span], seconds: float) -> tuple[Span, ...]:
    """Returns spans in order, those that touch made one, none outside the track."""
    out: list[Span] = []
    for earliest, latest in sorted(spans):
        begin, end = max(0.0, earliest), min(seconds, latest)
        if out and begin <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        elif end > begin:
            out.append((begin, end))
    return tuple(out)
