"""Speech that nobody spoke: espeak-ng's voices, out of the library that the package espeakng_loader ships.

The package is needed by tests alone; where it is absent, they are skipped and say so.
"""

from __future__ import annotations

import importlib.util
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

Speech = npt.NDArray[np.float32]

SENTENCES = (
    "the north wind and the sun were arguing which of them was the stronger",
    "a traveller came along wrapped in a warm cloak",
    "they agreed that the one who first made him take it off should be considered stronger",
    "then the north wind blew as hard as he could",
)
# A variant of American English and a pitch of 0 to 99 each.
VOICES = (
    ("m1", 30),
    ("f1", 60),
    ("m3", 55),
    ("f4", 85),
    ("Annie", 45),
    ("Denis", 20),
    ("linda", 70),
    ("rob", 40),
)


@cache
def spoken(voice: str, pitch: int, words: str) -> Speech:
    """Returns words spoken by a made voice: mono, 16,000 Hz."""
    if importlib.util.find_spec("espeakng_loader") is None:
        pytest.skip("espeakng_loader is not installed, which makes speech for tests")
    from evaluation.voice_training.speaking import by_espeak

    return by_espeak(voice, words, pitch=pitch).speech


def made_speakers(people: int = 6, recordings: int = 3) -> dict[str, list[Speech]]:
    """Returns the same sentences by so many made voices."""
    return {
        voice: [spoken(voice, pitch, words) for words in SENTENCES[:recordings]]
        for voice, pitch in VOICES[:people]
    }
