"""From what was heard to turns, on voices that are made up: what is sure, and what may not be."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.speakers import labelling
from anonymizer.speakers.labelling import (
    CHUNK_MS,
    STEP_SECONDS,
    WINDOW_SECONDS,
    Heard,
    runs,
    spoken,
    turns_of,
)
from anonymizer.speakers.mel import RATE

ONE, OTHER = np.eye(256, dtype=np.float32)[:2]


def voice(own: float, axis: int = 5) -> np.ndarray:
    """A voice that is like the first speaker's by this cosine, and else like nobody's."""
    return own * ONE + np.sqrt(1 - own**2) * np.eye(256, dtype=np.float32)[axis]


def heard(seconds: float, voices: list[np.ndarray], pauses: tuple[tuple[float, float], ...] = ()) -> Heard:
    """A recording of speech but for pauses, with a voice for each window."""
    chunks = int(np.ceil(seconds * 1000 / CHUNK_MS))
    speech = np.full(chunks, 0.9, np.float32)
    for begin, end in pauses:
        speech[int(begin * 1000 / CHUNK_MS) : int(end * 1000 / CHUNK_MS)] = 0.02
    windows = 1 + max(0, int(np.ceil((seconds - WINDOW_SECONDS) / STEP_SECONDS)))
    assert len(voices) == windows
    return Heard(speech, np.stack(voices), int(seconds * RATE))


def test_one_voice_is_sure_from_end_to_end() -> None:
    (turn,) = turns_of(heard(9.6, [ONE] * 17)).turns
    assert (turn.begin, turn.speaker, turn.sure) == (0, 0, True)
    assert turn.end == pytest.approx(9.6, abs=0.04)


def test_where_a_window_is_less_like_its_speaker_nobody_is_sure() -> None:
    """Somebody says a word in between: too little for a voice of their own, enough not to be let through."""
    voices = [ONE] * 17
    voices[8] = voice(0.7)
    turns = turns_of(heard(9.6, voices)).turns
    assert [(turn.speaker, turn.sure) for turn in turns] == [(0, True), (0, False), (0, True)]
    middle = 8 * STEP_SECONDS + WINDOW_SECONDS / 2
    assert turns[1].begin <= middle - 0.45
    assert middle + 0.45 <= turns[1].end


def test_where_two_are_nearly_as_likely_nobody_is_sure() -> None:
    between = (ONE * 0.81 + OTHER * 0.78).astype(np.float32)
    between /= np.linalg.norm(between)
    turns = turns_of(heard(19.6, [ONE] * 18 + [between] + [OTHER] * 18)).turns
    assert {turn.speaker for turn in turns} == {0, 1}
    change = 18 * STEP_SECONDS + WINDOW_SECONDS / 2
    assert not any(turn.sure for turn in turns if turn.begin <= change < turn.end)


def test_who_speaks_first_is_the_first() -> None:
    turns = turns_of(heard(19.6, [OTHER] * 9 + [ONE] * 19 + [OTHER] * 9))
    assert [turn.speaker for turn in turns.turns if turn.sure] == [0, 1, 0]


def test_a_pause_is_nobodys_and_what_is_beside_a_long_one_is_unsure() -> None:
    turns = turns_of(heard(9.6, [ONE] * 17, pauses=((4.0, 5.0),))).turns
    assert [turn.sure for turn in turns] == [True, False, False, True]
    assert turns[1].end == pytest.approx(4.0, abs=0.04)
    assert turns[2].begin == pytest.approx(5.0, abs=0.04)


def test_too_little_speech_for_a_window_is_a_turn_and_never_sure() -> None:
    pauses = ((0.0, 4.0), (4.6, 9.6))
    (turn,) = turns_of(heard(9.6, [ONE] * 17, pauses)).turns
    assert not turn.sure
    assert turn.seconds == pytest.approx(0.6, abs=0.07)


def test_voices_beyond_the_most_go_with_another_and_are_unsure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelling, "MOST_SPEAKERS", 2)
    axes = np.eye(256, dtype=np.float32)
    voices = [axes[number] for number in range(4) for _ in range(9)] + [axes[3]]
    turns = turns_of(heard(19.6, voices))
    assert turns.speakers == 2
    assert sum(turn.seconds for turn in turns.turns if not turn.sure) > 8


def test_short_pauses_are_none_and_short_sounds_no_speech() -> None:
    probabilities = np.zeros(100, np.float32)
    probabilities[10:20] = probabilities[25:40] = probabilities[70:72] = 0.9
    probabilities[40:44], probabilities[80:90] = 0.4, 0.4
    assert runs(spoken(probabilities)) == [(10, 44)]


def test_an_hour_takes_bounded_time_and_gives_the_speakers_of_it() -> None:
    """Twenty people, two thousand windows: each is found once."""
    rng = np.random.default_rng(8)
    middles = np.linalg.qr(rng.normal(0, 1, (256, 20)))[0].T
    windows = 2000
    who = np.repeat(rng.permutation(np.arange(200) % 20), 10)[:windows]
    voices = middles[who] + rng.normal(0, 0.01, (windows, 256))
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    seconds = (windows - 1) * STEP_SECONDS + WINDOW_SECONDS
    turns = turns_of(heard(seconds, list(voices.astype(np.float32))))
    assert turns.speakers == 20
