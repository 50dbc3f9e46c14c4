"""What is left of the words: by a recognizer, and by a measure that needs none.

The recognizer is pocketsphinx, whose package ships its model. It is weak, and it errs on originals as well,
so its word error is relative: its reading of the result against its own reading of the original. STOI (Taal
et al. 2011) compares the envelopes of both, after the result was shifted to where it fits best; it is made
for noise, and misleads where an effect bends time or spectrum. Neither asks a person. Both are optional.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from evaluation.voice.listening import RATE, Speech

RECOGNIZER: Final = "pocketsphinx"
STOI: Final = "pystoi"
# A result is looked for this far before and after where it should be.
MOST_SHIFT_SECONDS: Final = 0.3
ENVELOPE_STEP: Final = 80

Reading = list[str]


def is_installed(package: str) -> bool:
    """Whether an optional package is there."""
    return importlib.util.find_spec(package) is not None


def recognizer() -> Callable[[Speech], Reading]:
    """Returns pocketsphinx with its own American English model, as a function from speech to words."""
    # Optional, and without type hints of its own.
    pocketsphinx: Any = importlib.import_module(RECOGNIZER)
    decoder = pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")

    def read(speech: Speech) -> Reading:
        # It adapts to what it heard; each reading begins anew, or a copy would have word errors.
        decoder.reinit_feat()
        decoder.start_utt()
        decoder.process_raw(_as_int16(speech), full_utt=True)
        decoder.end_utt()
        heard = decoder.hyp()
        return [] if heard is None else heard.hypstr.split()

    return read


def word_errors(reference: Sequence[str], reading: Sequence[str]) -> int:
    """Returns how many words must be put in, left out or changed to make one of the other."""
    row = list(range(len(reading) + 1))
    for at, word in enumerate(reference, 1):
        diagonal, row[0] = row[0], at
        for place, other in enumerate(reading, 1):
            diagonal, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, diagonal + (word != other)),
            )
    return row[-1]


def intelligibility(original: Speech, result: Speech) -> float:
    """Returns the STOI of a result, about 0 to 1, after it was shifted to where it fits best."""
    # Optional, and without type hints of its own.
    pystoi: Any = importlib.import_module(STOI)
    before, after = aligned(original, result)
    return float(pystoi.stoi(before, after, RATE))


def aligned(original: Speech, result: Speech) -> tuple[Speech, Speech]:
    """Returns both, cut to where they lie over each other, by the best match of their envelopes."""
    lag = _lag(original, result)
    before, after = original[max(0, -lag) :], result[max(0, lag) :]
    length = min(len(before), len(after))
    return before[:length], after[:length]


def _lag(original: Speech, result: Speech) -> int:
    """How many samples the result is late."""
    most = round(MOST_SHIFT_SECONDS * RATE / ENVELOPE_STEP)
    length = min(len(original), len(result)) // ENVELOPE_STEP
    before, after = (_envelope(speech, length) for speech in (original, result))
    size = 2 * length
    product = np.fft.irfft(np.conj(np.fft.rfft(before, size)) * np.fft.rfft(after, size), size)
    most = min(most, length - 1)
    shifts = np.arange(-most, most + 1)
    return int(shifts[np.argmax(product[shifts])]) * ENVELOPE_STEP


def _envelope(speech: Speech, length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    blocks = speech[: length * ENVELOPE_STEP].reshape(length, ENVELOPE_STEP).astype(np.float64)
    loudness = np.log(1e-6 + np.sqrt(np.mean(blocks**2, axis=1)))
    return np.asarray(loudness - loudness.mean())


def _as_int16(speech: Speech) -> bytes:
    return np.round(np.clip(speech, -1, 1) * 32767).astype(np.int16).tobytes()
