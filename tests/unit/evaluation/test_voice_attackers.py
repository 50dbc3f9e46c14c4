"""Known answers: what attackers must find in open voices, and must not find in what holds no voice."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.voice.acoustics import SIZE, acoustics
from evaluation.voice.attackers import score
from evaluation.voice.trying import attack, seed_of, told
from tests.made_speech import Speech, made_speakers

RATE = 16_000


def persons_of_tones(people: int, recordings: int, seed: int) -> dict[str, list[Speech]]:
    """Speakers who hum: each a fundamental and a slope of its overtones, no two recordings alike."""
    generator = np.random.default_rng(seed)
    times = np.arange(RATE) / RATE
    made: dict[str, list[Speech]] = {}
    for person in range(people):
        pitch, slope = generator.uniform(90, 300), generator.uniform(0.5, 3)
        made[f"person {person}"] = [
            np.sum(
                [
                    np.sin(2 * np.pi * pitch * generator.uniform(0.99, 1.01) * n * times) / n**slope
                    for n in range(1, 12)
                ],
                axis=0,
            ).astype(np.float32)
            * 0.05
            + generator.normal(0, 1e-3, RATE).astype(np.float32)
            for _ in range(recordings)
        ]
    return made


def noise(speech: Speech, seed: bytes) -> Speech:
    return np.random.default_rng(list(seed)).normal(0, 0.1, len(speech)).astype(np.float32)


def tone(speech: Speech, _seed: bytes) -> Speech:
    return np.sin(np.arange(len(speech)) * 0.05).astype(np.float32)


def silence(speech: Speech, _seed: bytes) -> Speech:
    return np.zeros_like(speech)


def copy(speech: Speech, _seed: bytes) -> Speech:
    return speech


PEOPLE = persons_of_tones(12, 3, seed=1)
OTHERS = persons_of_tones(20, 3, seed=2)


def test_open_voices_are_told_apart_by_every_attacker() -> None:
    found = attack(copy, PEOPLE, training=OTHERS, ears=acoustics, resamples=50)
    assert set(found) == {"ignorant", "lazy", "semi", "known_key", "same_pseudonym", "two_scopes"}
    for name, figures in found.items():
        assert figures.eer.value < 0.05, name
        assert figures.rank_1.value > 0.95, name
    assert "semi" in told(found)


@pytest.mark.parametrize("effect", [noise, tone, silence])
def test_what_holds_no_voice_tells_nothing(effect: Callable[[Speech, bytes], Speech]) -> None:
    training = OTHERS if effect is noise else None
    found = attack(effect, PEOPLE, training=training, attackers=("ignorant", "lazy", "semi"), ears=acoustics)
    for name, figures in found.items():
        assert 0.38 < figures.eer.value < 0.62, name
        assert figures.rank_1.value <= 3 * figures.chance_rank_1, name


def test_identical_results_are_exactly_chance() -> None:
    found = attack(tone, PEOPLE, attackers=("lazy",), ears=acoustics)["lazy"]
    assert found.eer.value == pytest.approx(0.5)
    assert found.rank_1.value == pytest.approx(1 / 12)


def test_learning_from_others_sees_through_a_key_that_only_covers() -> None:
    """An effect that adds something loud of its key and leaves the voice as it is under it."""
    generator = np.random.default_rng(4)
    voice = {f"{p}": generator.normal(size=6) for p in range(40)}

    def ears(speech: Speech) -> np.ndarray:
        return speech.astype(np.float64)

    def recordings(names: range) -> dict[str, list[Speech]]:
        return {
            str(name): [
                np.concatenate([voice[str(name)] + generator.normal(0, 0.3, 6), np.zeros(3)]).astype(
                    np.float32
                )
                for _ in range(3)
            ]
            for name in names
        }

    def covered(speech: Speech, seed: bytes) -> Speech:
        loud = np.random.default_rng(list(seed)).normal(0, 30, 3)
        return np.concatenate([speech[:6], loud]).astype(np.float32)

    found = attack(
        covered, recordings(range(12)), training=recordings(range(12, 40)),
        attackers=("lazy", "semi"), ears=ears, resamples=50,
    )  # fmt: skip
    assert found["lazy"].eer.value > 0.3
    assert found["semi"].eer.value < 0.05


def test_a_pseudonym_stays_itself_where_the_key_makes_the_voice() -> None:
    def keyed(speech: Speech, seed: bytes) -> Speech:
        pitch = np.random.default_rng(list(seed)).uniform(100, 400)
        return np.sin(2 * np.pi * pitch * np.arange(len(speech)) / RATE).astype(np.float32)

    found = attack(keyed, PEOPLE, attackers=("same_pseudonym", "two_scopes"), ears=acoustics, resamples=50)
    assert found["same_pseudonym"].rank_1.value == 1.0
    assert found["two_scopes"].rank_1.value <= 3 / 12


def test_a_recording_is_never_compared_with_its_own_words() -> None:
    """Each recording has words that only it has: an attacker who saw them would be right every time."""
    trials = {str(p): {str(w): np.eye(12)[3 * p + w] for w in range(3)} for p in range(4)}
    assert score(trials, trials).scores.max() == 0.0


def test_the_enrolment_may_be_of_other_recordings_and_other_people_too() -> None:
    trials = {"a": {"1": np.array([1.0, 0, 0])}, "b": {"1": np.array([0, 1.0, 0])}}
    enrolment = {
        "a": {"7": np.array([1.0, 0.1, 0]), "8": np.array([1.0, 0, 0.1])},
        "b": {"7": np.array([0, 1.0, 0]), "8": np.array([0.1, 1.0, 0])},
        "c": {"7": np.array([0, 0, 1.0]), "8": np.array([0, 0, 1.0])},
    }
    table = score(trials, enrolment)
    assert (table.trials, table.candidates) == (2, 3)
    assert table.scores.argmax(axis=1).tolist() == [0, 1] == table.persons.tolist()


@pytest.mark.parametrize(
    "enrolment",
    [
        pytest.param({}, id="nobody"),
        pytest.param({"a": {"1": np.ones(2), "2": np.ones(2)}}, id="one person"),
        pytest.param({"a": {"1": np.ones(2)}, "b": {"1": np.ones(2)}}, id="one recording each"),
    ],
)
def test_too_few_people_are_refused(enrolment: dict[str, dict[str, np.ndarray]]) -> None:
    with pytest.raises(EvaluationError) as refused:
        score({"a": {"1": np.ones(2)}, "b": {"1": np.ones(2)}}, enrolment)
    assert refused.value.code == "too_few_persons"


def test_keys_differ_by_purpose_person_and_recording_and_can_be_had_again() -> None:
    words = [
        ("trial", "a", "1"),
        ("trial", "a", "2"),
        ("trial", "b", "1"),
        ("enrolment", "a", "1"),
        ("tria", "la", "1"),
    ]
    assert len({seed_of(*each) for each in words}) == len(words)
    assert seed_of("trial", "a", "1") == seed_of("trial", "a", "1")


def test_the_figures_of_a_voice() -> None:
    speech = next(iter(made_speakers(1, 1).values()))[0]
    vector = acoustics(speech)
    assert vector.shape == (SIZE,)
    assert np.isfinite(vector).all()
    assert np.abs(vector).max() < 20
    assert not acoustics(np.zeros(RATE, np.float32)).any()
    assert not acoustics(np.zeros(10, np.float32)).any()


@pytest.mark.parametrize("hertz", [90, 150, 260])
def test_it_hears_the_pitch(hertz: int) -> None:
    pulses = np.zeros(RATE, np.float32)
    pulses[:: round(RATE / hertz)] = 0.5
    level = acoustics(pulses)[4 * 20]
    assert level == pytest.approx(2 * np.log2(hertz / 150), abs=0.05)
