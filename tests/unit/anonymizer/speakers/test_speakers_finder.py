"""Who speaks when: made dialogues, real ones, and everything that is no dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.speakers import SpeakerFinder, SpeakerNetworks, Turn, Turns
from anonymizer.speakers.mel import RATE
from tests.made_speech import SENTENCES, spoken

Speech = np.ndarray
# Who speaks which of the made sentences, in their order.
ORDER = (0, 1, 0, 1)
VOICES = (("m1", 30), ("f1", 60))


def found(networks: SpeakerNetworks, speech: Speech, at_once: int = 40_000) -> Turns:
    """The turns of a recording that is pushed piece by piece."""
    finder = SpeakerFinder(networks)
    for begin in range(0, len(speech), at_once):
        finder.push(speech[begin : begin + at_once])
    return finder.finish()


def dialogue(parts: Sequence[tuple[int, Speech]], pause: float = 0.3) -> tuple[Speech, np.ndarray]:
    """Parts one after another over faint noise, and for each sample who speaks in it, -1 for nobody."""
    silence = np.zeros(int(pause * RATE), np.float32)
    loudness = [np.sqrt(np.mean(np.square(speech))) for _, speech in parts]
    speech = np.concatenate(
        [
            piece
            for (_, part), loud in zip(parts, loudness, strict=True)
            for piece in (part * 0.05 / loud, silence)
        ]
    )
    truth = np.concatenate(
        [np.concatenate([np.full(len(part), who), np.full(len(silence), -1)]) for who, part in parts]
    )
    noise = np.random.default_rng(6).normal(0, 1e-4, len(speech))
    return (speech + noise).astype(np.float32), truth


def shares(turns: Turns, truth: np.ndarray) -> tuple[float, float, float]:
    """Of what is somebody's: found at all; of that, found to be another's; and that, although it is sure."""
    who, sure = np.full(len(truth), -1), np.zeros(len(truth), bool)
    for turn in turns.turns:
        part = slice(int(turn.begin * RATE), int(turn.end * RATE))
        who[part], sure[part] = turn.speaker, turn.sure
    both = (who >= 0) & (truth >= 0)
    wrong = both & (who != truth)
    return both.sum() / (truth >= 0).sum(), wrong.sum() / both.sum(), (wrong & sure).sum() / both.sum()


def made_dialogue() -> tuple[Speech, np.ndarray]:
    """Two made voices that take turns."""
    return dialogue([(who, spoken(*VOICES[who], SENTENCES[place])) for place, who in enumerate(ORDER)])


def test_two_who_take_turns_are_told_apart(networks: SpeakerNetworks) -> None:
    speech, truth = made_dialogue()
    turns = found(networks, speech)
    assert turns.speakers == 2
    assert turns.seconds == pytest.approx(len(speech) / RATE, abs=0.001)
    heard, wrong, wrong_and_sure = shares(turns, truth)
    assert heard > 0.75
    assert wrong < 0.05
    assert wrong_and_sure < 0.01
    assert turns.turns[0].speaker == 0


def test_it_does_not_matter_in_which_pieces_sound_comes(networks: SpeakerNetworks) -> None:
    speech, _ = made_dialogue()
    whole = found(networks, speech, len(speech))
    assert whole.turns
    assert found(networks, speech, 4_001) == whole
    assert found(networks, speech, 511) == whole


def test_one_who_speaks_alone_is_one(networks: SpeakerNetworks) -> None:
    speech, _ = dialogue([(0, spoken("m3", 55, sentence)) for sentence in SENTENCES])
    turns = found(networks, speech)
    assert turns.speakers == 1
    assert sum(turn.seconds for turn in turns.turns if turn.sure) > 0.5 * turns.seconds


def tone(seconds: float) -> Speech:
    """Three notes and their harmonics: music enough to have no words."""
    time = np.arange(int(seconds * RATE)) / RATE
    notes = [np.sin(2 * np.pi * note * k * time) / k for note in (220, 277.2, 329.6) for k in (1, 2, 3)]
    return (0.1 * np.sum(notes, axis=0) * (1 + np.sin(2 * np.pi * 2 * time))).astype(np.float32)


NOBODY = {
    "nothing at all": np.zeros(0, np.float32),
    "a sample": np.full(1, 0.5, np.float32),
    "silence": np.zeros(5 * RATE, np.float32),
    "noise": np.random.default_rng(7).normal(0, 0.05, 5 * RATE).astype(np.float32),
    "chords": tone(6),
    "a click": np.eye(1, RATE, 700, dtype=np.float32)[0],
}


@pytest.mark.parametrize("speech", NOBODY.values(), ids=NOBODY.keys())
def test_where_nobody_speaks_there_is_no_turn(networks: SpeakerNetworks, speech: Speech) -> None:
    turns = found(networks, speech)
    assert turns.turns == ()
    assert turns.seconds == pytest.approx(len(speech) / RATE, abs=0.001)


def test_speech_that_is_clipped_has_turns(networks: SpeakerNetworks) -> None:
    turns = found(networks, np.clip(spoken("m1", 30, SENTENCES[0]) * 50, -1, 1))
    assert turns.speakers == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_ends_the_job(networks: SpeakerNetworks, value: float) -> None:
    speech = np.zeros(RATE, np.float32)
    speech[500] = value
    with pytest.raises(AnonymizerError) as refused:
        found(networks, speech)
    assert refused.value.code == "detector_failed"


def test_memory_holds_no_sound(networks: SpeakerNetworks) -> None:
    """Two minutes: what is left grows by voices and chunks alone, 1 KB a second and a little."""
    finder = SpeakerFinder(networks)
    quiet = np.zeros(60 * RATE, np.float32)
    for _ in range(2):
        finder.push(quiet)
    kept = sum(
        array.nbytes
        for value in vars(finder).values()
        for array in (value if isinstance(value, list) else [value])
        if isinstance(array, np.ndarray)
    )
    assert kept < 20 * RATE * 4 + 120 * 1100


REFUSED = {
    "two at once": (Turn(0, 2, 0, True), Turn(1, 3, 1, True)),
    "out of order": (Turn(5, 6, 0, True), Turn(1, 2, 0, True)),
    "no length": (Turn(1, 1, 0, True),),
    "beyond the end": (Turn(8, 11, 0, True),),
    "the second speaker first": (Turn(0, 1, 1, True),),
    "a speaker below zero": (Turn(0, 1, -1, True),),
    "no number": (Turn(float("nan"), 1, 0, True),),
    "too many speakers": tuple(Turn(n / 10, (n + 1) / 10, n, True) for n in range(33)),
}


@pytest.mark.parametrize("turns", REFUSED.values(), ids=REFUSED.keys())
def test_turns_that_cannot_be_are_refused(turns: tuple[Turn, ...]) -> None:
    with pytest.raises(AnonymizerError) as refused:
        Turns(turns, 10.0)
    assert refused.value.code == "record_refused"


def decoded(path: Path) -> Speech:
    """A file's sound, mono at 16 kHz."""
    parts = []
    with av.open(path) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        for frame in [*container.decode(audio=0), None]:
            parts += [made.to_ndarray()[0] for made in resampler.resample(frame)]
    return np.concatenate(parts)


@pytest.mark.shared
def test_three_real_speakers_are_told_apart(networks: SpeakerNetworks, shared_media: Path) -> None:
    people = [sorted((shared_media / "voice" / name).glob("*.flac"))[:2] for name in ("1688", "2033", "3080")]
    assert all(len(recordings) == 2 for recordings in people)
    parts = [
        (who, decoded(recordings[turn])[: 4 * RATE])
        for turn in range(2)
        for who, recordings in enumerate(people)
    ]
    turns = found(networks, dialogue(parts)[0])
    heard, wrong, wrong_and_sure = shares(turns, dialogue(parts)[1])
    assert turns.speakers == 3
    assert heard > 0.6
    assert wrong < 0.1
    assert wrong_and_sure < 0.02
