"""Which words are asked for, and which stretches of a track are covered."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.words import CLASSES, Recognizer, WordFinder, WordList
from anonymizer.words import recognizer as recognizers
from anonymizer.words.finder import LONGEST, RATE, SHORTEST, quietest, united

HELD: dict[str, tuple[tuple[str, ...], str, bool]] = {
    "a word": (("anna",), "anna", True),
    "in capitals": (("Anna",), "ANNA", True),
    "its possessive": (("anna",), "anna's", True),
    "its plural": (("numbers",), "nineties", True),
    "a number": (("numbers",), "seventeen", True),
    "an ordinal": (("numbers",), "third", True),
    "a month": (("dates",), "september", True),
    "a day of a month": (("dates",), "third", True),
    "a weekday in the plural": (("dates",), "mondays", True),
    "another word": (("anna", "numbers"), "annals", False),
    "a month where only numbers are asked for": (("numbers",), "september", False),
    "a part of a word": (("anna",), "ann", False),
}


@pytest.mark.parametrize("name", HELD)
def test_what_is_on_a_list(name: str) -> None:
    asked, heard, held = HELD[name]
    assert WordList.of(asked).holds(heard) is held


TOO_MANY = tuple("".join(letters) for letters in islice(product("abcdefgh", repeat=4), 1_001))


@pytest.mark.parametrize(
    "asked",
    [(), ("",), ("two words",), ("a" * 41,), ("naïve",), ("5",), ("-",), ("\n",), TOO_MANY],
    ids=["none", "empty", "two", "long", "not English", "digits", "a dash", "a line", "too many"],
)
def test_lists_that_cannot_be_are_refused_without_their_words(asked: tuple[str, ...]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        WordList.of(asked)
    assert caught.value.code == "settings_invalid"
    assert "two words" not in str(caught.value)


def test_a_list_shows_nothing() -> None:
    assert "anna" not in repr(WordList.of(["anna"]))
    assert "seven" not in repr(WordList.of(["numbers"]))


def test_classes_are_small_letters_that_a_policy_could_write() -> None:
    assert set(CLASSES) == {"numbers", "dates"}
    for words in CLASSES.values():
        assert len(words) > 20
        assert WordList.of(words).words >= words


@dataclass
class Said:
    word: str
    start_frame: int
    end_frame: int


class Scripted:
    """Hears what the test wrote, in each utterance the next line; and counts what it was given."""

    def __init__(self, *lines: list[Said]) -> None:
        self.lines = list(lines)
        self.given: list[np.ndarray[Any, np.dtype[np.int16]]] = []

    def start_utt(self) -> None:
        self.started = True

    def process_raw(self, pulses: bytes, *, full_utt: bool) -> None:
        assert self.started
        assert full_utt
        self.given.append(np.frombuffer(pulses, np.int16))

    def end_utt(self) -> None:
        self.started = False

    def seg(self) -> list[Said] | None:
        return self.lines.pop(0) if self.lines else None


def finder(decoder: Any, *words: str) -> WordFinder:
    return WordFinder(Recognizer(decoder, ""), WordList.of(words))


def noise(seconds: float, seed: int = 1) -> np.ndarray[Any, np.dtype[np.float32]]:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * RATE)).astype(np.float32)


def test_a_word_is_covered_with_a_margin_on_both_sides() -> None:
    decoder = Scripted(
        [Said("<s>", 0, 99), Said("anna(2)", 100, 149), Said("said", 150, 180), Said("<sil>", 181, 300)]
    )
    hears = finder(decoder, "anna")
    hears.push(noise(3))
    (span,) = hears.finish()
    assert span == pytest.approx((0.85, 1.65))


def test_words_that_touch_become_one_stretch_and_none_leaves_the_track() -> None:
    decoder = Scripted([Said("five", 0, 20), Said("six", 40, 60), Said("seven", 190, 200)])
    hears = finder(decoder, "numbers")
    hears.push(noise(2))
    spans = hears.finish()
    assert spans == ((0.0, pytest.approx(0.76)), (pytest.approx(1.75), 2.0))


@pytest.mark.parametrize("piece", [1_000, 16_000, 10**7])
def test_long_tracks_are_cut_where_they_are_quiet_whatever_the_pieces(piece: int) -> None:
    sound = noise(31)
    for pause in (8, 17, 25):
        sound[pause * RATE : pause * RATE + 3_200] = 0
    decoder = Scripted([], [Said("anna", 100, 149)])
    hears = finder(decoder, "anna")
    for at in range(0, len(sound), piece):
        hears.push(sound[at : at + piece])
        assert len(hears._held) < LONGEST
    ((begin, end),) = hears.finish()
    assert sum(map(len, decoder.given)) == len(sound)
    assert max(map(len, decoder.given)) < LONGEST
    assert all(np.abs(given[-800:]).max() == 0 for given in decoder.given[:-1])
    first = len(decoder.given[0]) / RATE
    assert 8.0 <= first <= 8.2
    assert (begin, end) == pytest.approx((first + 0.85, first + 1.65))


def test_a_cut_leaves_an_utterance_of_a_useful_length() -> None:
    for seed in range(5):
        assert SHORTEST < quietest(noise(12, seed)) < LONGEST


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(AnonymizerError) as caught:
        finder(Scripted(), "anna").push(np.array([0, value], np.float32))
    assert caught.value.code == "media_corrupt"


def test_a_recognizer_that_fails_ends_the_job() -> None:
    class Failing(Scripted):
        def end_utt(self) -> None:
            raise RuntimeError("Failed to stop utterance processing")

    hears = finder(Failing(), "anna")
    hears.push(noise(1))
    with pytest.raises(AnonymizerError) as caught:
        hears.finish()
    assert caught.value.code == "detector_failed"


def test_nothing_said_nothing_covered() -> None:
    assert finder(Scripted(), "anna").finish() == ()
    assert united([(1.0, 1.0)], 5.0) == ()


def test_files_that_are_not_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AnonymizerError) as caught:
        recognizers.digest_of(tmp_path)
    assert caught.value.code == "model_digest_mismatch"
    for name in recognizers.FILES:
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(b"another")
    assert recognizers.digest_of(tmp_path) != recognizers.PINNED_SHA256


def test_without_the_package_there_is_no_recognizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recognizers, "PACKAGE", "no_such_package")
    assert recognizers.load_recognizer() is None
