"""The recognizer opens no file after the fork: behind the wall it hears what it hears outside."""

from __future__ import annotations

import pytest
from wall_trial import MEBIBYTE, attempt

from anonymizer.words import WordFinder, WordList, load_recognizer
from tests.made_speech import spoken


def test_words_are_found_behind_the_wall() -> None:
    recognizer = load_recognizer()
    if recognizer is None:
        pytest.skip("pocketsphinx is not installed")
    speech = spoken("m1", 30, "we met on monday the third of march at seven")

    def find() -> object:
        hears = WordFinder(recognizer, WordList.of(["third"]))
        hears.push(speech)
        return hears.finish()

    outside = find()
    behind = attempt(find, memory_bytes=512 * MEBIBYTE, wall_seconds=100)
    # Whoever opens a file under it dies (test_wall_attacks.py).
    assert "seccomp" in behind.walls
    assert behind.said == repr(outside)
    assert outside != ()
