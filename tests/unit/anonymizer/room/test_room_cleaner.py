"""What a room tells, before and after: each test has its control, the same attack on what was not cleaned."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.sound.room import ComfortNoise, RoomCleaner, RoomFigures
from anonymizer.sound.room.comfort import LOUDEST_DBFS, QUIETEST_DBFS, level_for
from tests.unit.anonymizer.room.made_rooms import (
    db,
    echoing,
    level_dbfs,
    matched_grid,
    speechlike,
    wandering_grid,
    with_hum,
)

Samples = npt.NDArray[np.float32]
SEED = bytes(16)


def clean(
    sound: Samples, rate: int, piece: int = 40_000, top_hz: float = 16_000.0
) -> tuple[Samples, RoomFigures]:
    sound = np.atleast_2d(sound).astype(np.float32)
    cleaner = RoomCleaner(rate, len(sound), top_hz, SEED)
    out = [cleaner.push(sound[:, at : at + piece]) for at in range(0, sound.shape[1], piece)]
    out.append(cleaner.flush())
    return np.concatenate(out, axis=1), cleaner.figures


def test_the_grid_is_found_by_its_hum_before_and_not_after() -> None:
    """Forty courses of a grid, one of them true: the attacker says which one fits best."""
    rate, seconds = 8_000, 100
    ranks_before, ranks_after = [], []
    for trial, level_db in enumerate((-20.0, -35.0, -50.0)):
        courses = [wandering_grid(seconds, 50.0, 100 * trial + each) for each in range(40)]
        sound = with_hum(speechlike(rate, seconds, trial), rate, courses[0], level_db)
        cleaned, figures = clean(sound, rate)
        ranks_before.append(matched_grid(sound, rate, 50.0, courses))
        ranks_after.append(matched_grid(cleaned[0], rate, 50.0, courses))
        assert figures.hum_before_db is not None
        assert figures.hum_after_db is not None
        assert figures.hum_after_db < 6.0
    assert ranks_before == [1, 1, 1]
    # By chance, the true one would be first once in forty, and among the first five once in eight.
    assert sorted(ranks_after)[1] > 3
    assert max(ranks_after) > 8


@pytest.mark.parametrize("mains", [50.0, 60.0])
def test_hum_goes_with_all_its_harmonics(mains: float) -> None:
    rate, seconds = 16_000, 40
    hum = with_hum(speechlike(rate, seconds, 4), rate, wandering_grid(seconds, mains, 3), -10.0)
    _, figures = clean(hum, rate)
    assert figures.hum_before_db is not None
    assert figures.hum_after_db is not None
    assert figures.hum_before_db > 25
    assert figures.hum_after_db < 6


@pytest.mark.parametrize("hertz", [5.0, 20.0, 45.0, 75.0, 16_600.0, 18_500.0, 22_000.0])
def test_what_nobody_hears_goes(hertz: float) -> None:
    rate = 48_000
    times = np.arange(10 * rate) / rate
    tone = 0.1 * np.sin(2 * np.pi * hertz * times)
    sound = speechlike(rate, 10, 5) + tone.astype(np.float32)
    cleaned, figures = clean(sound, rate)
    assert heard_at(sound, rate, hertz) > -24
    assert heard_at(cleaned[0], rate, hertz) < -80
    before, after = (
        (figures.below_before_dbfs, figures.below_after_dbfs)
        if hertz < 80
        else (figures.above_before_dbfs, figures.above_after_dbfs)
    )
    assert before is not None
    assert after is not None
    assert after < before - 30


def heard_at(sound: Samples, rate: int, hertz: float) -> float:
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / rate)
    return db(2 * abs(np.mean(sound * wave * np.hanning(len(sound)) * 2)) ** 2)


@pytest.mark.parametrize(("low", "high"), [(10.0, 70.0), (17_000.0, 23_000.0)])
def test_a_mark_hidden_where_nobody_hears_is_gone(low: float, high: float) -> None:
    """A spread-spectrum watermark, found by whoever has its key."""
    rate, seconds = 48_000, 12
    mark = in_band(np.random.default_rng(8).standard_normal(rate * seconds), rate, low, high)
    others = [
        in_band(np.random.default_rng(80 + each).standard_normal(rate * seconds), rate, low, high)
        for each in range(12)
    ]
    sound = (speechlike(rate, seconds, 6) + 0.003 * mark / mark.std()).astype(np.float32)
    cleaned, _ = clean(sound, rate)
    assert likeness(sound, mark) > 5 * max(likeness(sound, other) for other in others)
    assert likeness(cleaned[0], mark) < 0.001


def in_band(noise: npt.NDArray[np.float64], rate: int, low: float, high: float) -> npt.NDArray[np.float64]:
    spectrum = np.fft.rfft(noise)
    hertz = np.fft.rfftfreq(len(noise), 1 / rate)
    return np.asarray(np.fft.irfft(np.where((hertz > low) & (hertz < high), spectrum, 0), len(noise)))


def likeness(sound: Samples, mark: npt.NDArray[np.float64]) -> float:
    return float(abs(sound @ mark) / np.linalg.norm(sound) / np.linalg.norm(mark))


def test_rooms_of_many_sizes_echo_alike_afterwards() -> None:
    rate = 16_000
    dry = speechlike(rate, 30, 7)
    before, after = [], []
    for seconds in (0.4, 0.8, 1.4):
        _, figures = clean(echoing(dry, rate, seconds, 9), rate)
        assert figures.echo_before_seconds is not None
        assert figures.echo_after_seconds is not None
        before.append(figures.echo_before_seconds)
        after.append(figures.echo_after_seconds)
    assert before == sorted(before)
    assert before[-1] > 1.6 * before[0]
    assert max(after) < 1.3 * min(after)
    assert max(after) < before[1]


def test_channels_become_equal_and_an_inverted_one_does_not_silence_the_others() -> None:
    rate = 16_000
    voice = speechlike(rate, 8, 11)
    late = np.concatenate([np.zeros(9, np.float32), voice[:-9]])
    cleaned, figures = clean(np.stack([voice, -0.9 * late]), rate)
    assert np.array_equal(cleaned[0], cleaned[1])
    assert figures.channels_apart_db is not None
    assert figures.channels_apart_db > -12
    assert level_dbfs(cleaned[0]) > level_dbfs(voice) - 8


def test_where_nobody_speaks_nothing_of_the_room_is_left() -> None:
    """The room's own noise is known to the attacker, sample by sample."""
    rate, seconds = 16_000, 12
    room = 0.004 * np.random.default_rng(12).standard_normal(rate * seconds)
    sound = room.astype(np.float32)
    sound[: 4 * rate] += speechlike(rate, 4, 13)
    cleaned, figures = clean(sound, rate)
    quiet = slice(6 * rate, 11 * rate)
    assert likeness(sound[quiet], room[quiet]) > 0.99
    assert likeness(cleaned[0][quiet], room[quiet]) < 0.02
    assert figures.silence_seconds > 5
    assert QUIETEST_DBFS - 2 < level_dbfs(cleaned[0][quiet]) < LOUDEST_DBFS + 2


def test_two_rooms_of_equal_speech_get_equal_noise() -> None:
    rate = 16_000
    levels = []
    for noise in (0.0005, 0.004):
        sound = speechlike(rate, 10, 14)
        sound[5 * rate :] = 0
        sound += noise * np.random.default_rng(15).standard_normal(len(sound)).astype(np.float32)
        cleaned, _ = clean(sound, rate)
        levels.append(level_dbfs(cleaned[0][7 * rate : 9 * rate]))
    assert levels[0] == pytest.approx(levels[1], abs=0.5)


def test_the_words_stay_where_they_were() -> None:
    rate = 16_000
    voice = speechlike(rate, 8, 16)
    cleaned, _ = clean(voice, rate)
    envelopes = [np.convolve(np.square(each), np.ones(160), "same")[::16] for each in (voice, cleaned[0])]
    shifts = range(-40, 41)
    alike = [np.corrcoef(envelopes[0][99:-99], np.roll(envelopes[1], by)[99:-99])[0, 1] for by in shifts]
    assert shifts[int(np.argmax(alike))] == 0
    assert max(alike) > 0.9


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize("seconds", [0.0, 0.001, 0.4, 3.3])
def test_as_many_samples_come_out_as_went_in(rate: int, seconds: float) -> None:
    sound = speechlike(rate, 4, 17)[: round(seconds * rate)]
    cleaned, figures = clean(sound, rate)
    assert cleaned.shape == (1, len(sound))
    assert figures.seconds == pytest.approx(seconds, abs=0.001)
    assert np.isfinite(cleaned).all()


def test_pieces_of_any_length_give_the_same() -> None:
    sound = np.stack([speechlike(16_000, 21, 18), speechlike(16_000, 21, 19)])
    whole, figures = clean(sound, 16_000, piece=10**9)
    for piece in (997, 16_000):
        again, figures_again = clean(sound, 16_000, piece)
        assert np.array_equal(whole, again)
        assert figures_again == figures


@pytest.mark.parametrize("rate", [8_000, 16_400])
def test_what_is_held_does_not_grow_with_the_track(rate: int) -> None:
    cleaner = RoomCleaner(rate, 1, noise_seed=SEED)
    piece = speechlike(rate, 5, 21)[None]
    out, held = 0, []
    for pushed in range(1, 13):
        out += cleaner.push(piece).shape[1]
        held.append((pushed * piece.shape[1] - out) / rate)
    # Of sixty seconds; five of them are the last piece.
    assert max(held) < 16


UGLY: dict[str, Callable[[Samples], Samples]] = {
    "silence": np.zeros_like,
    "clipped": lambda sound: np.clip(30 * sound, -1, 1),
    "beyond full scale": lambda sound: 1e30 * np.sign(sound),
    "an offset": lambda sound: sound * 0.3 + 0.6,
    "clicks": lambda sound: np.where(np.arange(len(sound)) % 4_001 == 0, 1, sound).astype(np.float32),
    "denormal": lambda sound: sound * 1e-42,
}


@pytest.mark.parametrize("name", UGLY)
def test_ugly_sound_is_harmless(name: str) -> None:
    sound = UGLY[name](speechlike(16_000, 3, 20)).astype(np.float32)
    cleaned, figures = clean(sound, 16_000)
    assert np.isfinite(cleaned).all()
    assert float(np.abs(cleaned).max()) <= 1.0
    assert abs(float(cleaned.mean())) < 0.001
    assert set(figures.as_facts()) >= {"hum_after_db", "echo_after_seconds"}


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    cleaner = RoomCleaner(16_000, 2)
    sound = np.zeros((2, 1_000), np.float32)
    sound[1, 500] = value
    with pytest.raises(AnonymizerError) as caught:
        cleaner.push(sound)
    assert caught.value.code == "media_corrupt"


@pytest.mark.parametrize(("rate", "channels"), [(7_999, 1), (96_001, 1), (48_000, 0), (48_000, 9)])
def test_absurd_forms_are_refused(rate: int, channels: int) -> None:
    with pytest.raises(AnonymizerError) as caught:
        RoomCleaner(rate, channels)
    assert caught.value.code == "media_unsupported"


def test_a_change_of_channels_is_refused() -> None:
    cleaner = RoomCleaner(16_000, 2)
    with pytest.raises(AnonymizerError) as caught:
        cleaner.push(np.zeros((1, 10), np.float32))
    assert caught.value.code == "media_unsupported"


def test_comfort_noise_is_new_each_time_and_does_not_depend_on_how_it_is_taken() -> None:
    assert likeness(ComfortNoise(16_000).take(16_000), ComfortNoise(16_000).take(16_000).astype(float)) < 0.1
    noise, in_pieces = ComfortNoise(16_000, SEED), ComfortNoise(16_000, SEED)
    whole = noise.take(10_000, -60.0)
    assert np.array_equal(whole, np.concatenate([in_pieces.take(n, -60.0) for n in (1, 255, 4_000, 5_744)]))
    assert level_dbfs(ComfortNoise(44_100, SEED).take(200_000, -60.0)) == pytest.approx(-60, abs=0.5)


def test_the_ladder_of_levels_is_coarse_and_has_ends() -> None:
    assert level_for(-120) == QUIETEST_DBFS
    assert level_for(0) == LOUDEST_DBFS
    assert len({level_for(speech) for speech in np.arange(-100, 1, 0.5)}) <= 6
