"""The real recognizer on made voices: found where it is said, not where it is not; and what it cannot do."""

from __future__ import annotations

import shutil
import subprocess
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.words import Recognizer, WordFinder, WordList, load_recognizer
from tests.made_speech import spoken

Speech = npt.NDArray[np.float32]

SENTENCES: dict[str, tuple[str, ...]] = {
    "We met on Monday the third of March at seven.": ("monday", "third", "march", "seven"),
    "Robert told me that the report was ready in September.": ("robert", "september"),
    "They had a long talk about the garden and the old house by the river.": (),
}


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    loaded = load_recognizer()
    if loaded is None:
        pytest.skip("pocketsphinx is not installed")
    return loaded


def found(recognizer: Recognizer, speech: Speech, *words: str) -> tuple[tuple[float, float], ...]:
    hears = WordFinder(recognizer, WordList.of(words))
    for at in range(0, len(speech), 5_000):
        hears.push(speech[at : at + 5_000])
    return hears.finish()


def test_a_word_is_found_where_a_made_voice_says_it(recognizer: Recognizer) -> None:
    speech = spoken("m1", 30, "we met on monday the third of march at seven")
    (span,) = found(recognizer, speech, "third")
    # A third of its length is before the word and a little more than half after it.
    assert 0.7 < span[0] < 1.1
    assert 1.3 < span[1] < 1.7
    assert found(recognizer, speech, "robert", "london") == ()


def test_it_says_which_words_it_can_never_hear(recognizer: Recognizer) -> None:
    assert recognizer.knows("anna")
    assert not recognizer.knows("quxwort")
    assert "anna" not in repr(recognizer)


def test_the_same_again_is_found_again(recognizer: Recognizer) -> None:
    """What was heard before changes nothing: a job of a worker is like its first."""
    speech = spoken("m1", 30, "we met on monday the third of march at seven")
    words = ("third", "going")
    first = found(recognizer, speech, *words)
    assert first != ()
    found(recognizer, 0.1 * spoken("f1", 60, "robert told me that the report was ready"), *words)
    assert found(recognizer, speech, *words) == first


def test_most_words_of_a_clear_voice_are_found_and_no_others(recognizer: Recognizer, tmp_path: Path) -> None:
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed, whose voices are clearer")
    said = heard = 0
    for sentence, words in SENTENCES.items():
        speech = by_flite(sentence, tmp_path)
        for word in words:
            said += 1
            heard += len(found(recognizer, speech, word)) == 1
        others = found(recognizer, speech, "london", "october", "eighteen", "friday")
        assert others == ()
    # Nine in ten over more sentences: docs/sound.md.
    assert heard >= 0.6 * said


def by_flite(sentence: str, folder: Path) -> Speech:
    place = folder / "said.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", sentence, "-o", str(place)], check=True)
    with wave.open(str(place)) as file:
        assert file.getframerate() == 16_000
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float32) / 32_768
