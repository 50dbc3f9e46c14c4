"""Word errors by definition, and results that lie a little late."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from evaluation.voice import words
from tests.made_speech import spoken

NEEDS_RECOGNIZER = pytest.mark.skipif(
    not words.is_installed(words.RECOGNIZER), reason="pocketsphinx is not installed"
)
NEEDS_STOI = pytest.mark.skipif(not words.is_installed(words.STOI), reason="pystoi is not installed")


@cache
def by_definition(reference: tuple[str, ...], reading: tuple[str, ...]) -> int:
    if not reference or not reading:
        return len(reference) + len(reading)
    return min(
        by_definition(reference[1:], reading) + 1,
        by_definition(reference, reading[1:]) + 1,
        by_definition(reference[1:], reading[1:]) + (reference[0] != reading[0]),
    )


@pytest.mark.parametrize(
    ("reference", "reading", "errors"),
    [
        ("the cat sat on the mat", "the cat sat on the mat", 0),
        ("the cat sat on the mat", "the cat sat the mat", 1),
        ("the cat sat on the mat", "the fat cat sat on a mat", 2),
        ("the cat", "", 2),
        ("", "the cat", 2),
    ],
)
def test_word_errors_by_hand(reference: str, reading: str, errors: int) -> None:
    assert words.word_errors(reference.split(), reading.split()) == errors


def test_word_errors_by_definition() -> None:
    generator = np.random.default_rng(1)
    for _ in range(60):
        reference, reading = (
            "".join(generator.choice(list("abc"), size=generator.integers(0, 7))) for _ in "ab"
        )
        assert words.word_errors(reference, reading) == by_definition(tuple(reference), tuple(reading))


@pytest.mark.parametrize("late", [0, 800, -1600, 4000])
def test_a_late_result_is_found(late: int) -> None:
    generator = np.random.default_rng(2)
    loudness = np.repeat(generator.uniform(0, 1, 400), 80).astype(np.float32)
    original = (loudness * generator.normal(0, 0.1, len(loudness))).astype(np.float32)
    result = np.roll(original, late)
    before, after = words.aligned(original, result)
    inner = slice(4000, len(before) - 4000)
    assert np.array_equal(before[inner], after[inner])


@NEEDS_RECOGNIZER
def test_a_copy_has_no_word_errors_and_the_order_of_reading_does_not_matter() -> None:
    read = words.recognizer()
    first, second = (
        spoken("m1", 30, "the north wind and the sun"),
        spoken("f1", 60, "a traveller in a warm cloak"),
    )
    one = read(first)
    assert "wind" in one or "sun" in one or "north" in one
    read(second)
    assert words.word_errors(one, read(first)) == 0


@NEEDS_STOI
def test_stoi_falls_with_noise() -> None:
    speech = spoken("m1", 30, "the north wind and the sun were arguing which of them was the stronger")
    generator = np.random.default_rng(3)
    loud = float(speech.std())
    quiet, noisy = (
        words.intelligibility(
            speech, (speech + generator.normal(0, level * loud, len(speech))).astype(np.float32)
        )
        for level in (0.1, 2.0)
    )
    assert words.intelligibility(speech, speech) == pytest.approx(1, abs=1e-6)
    assert 1 > quiet > 0.8 > noisy
