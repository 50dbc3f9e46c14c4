"""From recordings and programs to what is drawn from: real and synthetic speech with phones and envelopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.voice_training.disguising import Material, material
from evaluation.voice_training.envelopes import envelope_of
from evaluation.voice_training.recordings import Aligner, Spoken, decode
from evaluation.voice_training.speaking import ESPEAK_VOICES, FLITE_VOICES, by_espeak, by_flite

Speak = Callable[[str, np.random.Generator], Spoken]
_PROCESSES: Final = 2
_FLITE_STRETCH: Final = (0.85, 1.1)
_ESPEAK_WORDS_A_MINUTE: Final = (140, 200)
_ESPEAK_PITCH: Final = (30, 70)
# flite's voices sound more like people: they say more.
_SENTENCES: Final = {"flite": 32, "espeak": 6}


def donors() -> list[tuple[str, str]]:
    """Returns every donor, as program and voice, in the order of their numbers."""
    return [("flite", voice) for voice in FLITE_VOICES] + [("espeak", voice) for voice in ESPEAK_VOICES]


def real_speech(paths: Sequence[Path]) -> list[Spoken]:
    """Reads and aligns recordings, two at a time.

    Raises:
        VoiceTrainingError: data_unreadable.
    """
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_read, paths))


def synthetic_speech(texts: Sequence[str], seed: int, share: float = 1.0) -> list[tuple[int, Spoken]]:
    """Lets every donor speak some of the texts.

    Args:
        texts: sentences without punctuation.
        seed: for how fast and how high.
        share: of the usual number of sentences; at least one each.

    Returns:
        The donor's number and what it said.

    Raises:
        VoiceTrainingError: program_missing or program_failed.
    """
    random = np.random.default_rng(seed)
    said, place = [], 0
    for number, (program, voice) in enumerate(donors()):
        for _ in range(max(1, round(share * _SENTENCES[program]))):
            said.append((number, _speak(program, voice, texts[place % len(texts)], random)))
            place += 1
    return said


def real_material(spoken: Sequence[Spoken]) -> list[Material]:
    """Returns what the encoder is fitted to: recordings of which something was aligned."""
    return [material(each.speech, each.soundings) for each in spoken if each.soundings]


def synthetic_material(spoken: Sequence[tuple[int, Spoken]]) -> list[Material]:
    """Returns what both networks are fitted to."""
    return [_with_envelope(number, each.speech, each) for number, each in spoken]


def _with_envelope(number: int, speech: NDArray[np.float32], spoken: Spoken) -> Material:
    frames = -(-len(speech) // 160)
    return material(speech, spoken.soundings, number, envelope_of(speech, frames))


def _speak(program: str, voice: str, words: str, random: np.random.Generator) -> Spoken:
    if program == "flite":
        return by_flite(voice, words, float(random.uniform(*_FLITE_STRETCH)))
    return by_espeak(
        voice, words, int(random.integers(*_ESPEAK_WORDS_A_MINUTE)), int(random.integers(*_ESPEAK_PITCH))
    )


@lru_cache(maxsize=1)
def _aligner() -> Aligner:
    return Aligner()


def _read(path: Path) -> Spoken:
    return _aligner().read(decode(path))
