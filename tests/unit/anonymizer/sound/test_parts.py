"""The parts of a sound track's way: clock, loudness, rates, pieces, rendering, and what is measured."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
import pytest
from av.audio.frame import AudioFrame

from anonymizer import AnonymizerError, Settings
from anonymizer.sound.effects import BY_STRENGTH
from anonymizer.sound.envelope import Envelope, quietest, seconds_off
from anonymizer.sound.figures import is_click
from anonymizer.sound.loudness import Loudness, integrated
from anonymizer.sound.masks import Masks
from anonymizer.sound.pieces import MOST_CELLS, Piece, pieces_of
from anonymizer.sound.plan import Plan, Stretch
from anonymizer.sound.rendering import Renderer
from anonymizer.sound.resampling import Resampler, resampled
from anonymizer.sound.unbroken import Unbroken
from anonymizer.speakers.turns import Turn, Turns
from tests.sound_factory import talk

Samples = npt.NDArray[np.float32]
RATE = 8_000


def frames_of(
    samples: Samples, rate: int, layout: str, starts: int = 0, size: int = 1000
) -> Iterator[AudioFrame]:
    for at in range(0, samples.shape[1], size):
        part = np.ascontiguousarray(samples[:, at : at + size])
        frame = AudioFrame.from_ndarray(part, format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, starts + at, Fraction(1, rate)
        yield frame


def test_holes_become_silence_and_overlaps_are_cut() -> None:
    clock = Unbroken(Fraction(0), 100)
    loud = np.ones((1, 1000), np.float32)
    parts = []
    for starts in (0, 1000, 3000, 3500, 4100):
        for frame in frames_of(loud, RATE, "mono", starts):
            parts += list(clock.push(frame))
    whole = np.concatenate(parts, axis=1)[0]
    # 4100 is 400 samples before the end of what came last, more than what rounding explains.
    assert clock.next == len(whole) == 5100
    assert not whole[2000:3000].any()
    assert whole[:2000].all()
    assert whole[3000:].all()


def test_sound_before_zero_is_cut_and_sound_after_it_begins_later() -> None:
    for starts, begins_at, length in ((-300, 0, 700), (250, 250, 1000)):
        clock = Unbroken(Fraction(0), 100)
        parts = [
            part
            for f in frames_of(np.ones((1, 1000), np.float32), RATE, "mono", starts)
            for part in clock.push(f)
        ]
        assert (clock.begins_at, sum(part.shape[1] for part in parts)) == (begins_at, length)


def test_a_form_that_changes_midway() -> None:
    clock = Unbroken(Fraction(0), 100)
    for frame in frames_of(np.ones((1, 1000), np.float32), RATE, "mono"):
        list(clock.push(frame))
    for rate, layout, channels in ((16_000, "mono", 1), (RATE, "stereo", 2)):
        [frame] = frames_of(np.ones((channels, 1000), np.float32), rate, layout, 1000)
        with pytest.raises(AnonymizerError) as caught:
            list(clock.push(frame))
        assert caught.value.code == "media_unsupported"


@pytest.mark.parametrize(("channels", "layout"), [(1, "mono"), (2, "stereo"), (6, "5.1")])
@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_loudness_agrees_with_ffmpegs_meter(channels: int, layout: str, rate: int) -> None:
    rng = np.random.default_rng(channels * rate)
    wander = np.cumsum(rng.normal(0, 0.01, (channels, rate * 6)), axis=1)
    samples = (wander - wander.mean(axis=1, keepdims=True) + rng.normal(0, 0.05, wander.shape)) * 0.2
    samples[:, 2 * rate : 3 * rate] *= 0.001
    samples = samples.astype(np.float32)
    meter = Loudness(rate, channels)
    for part in np.array_split(samples, 7, axis=1):
        meter.push(part)
    assert meter.integrated() == pytest.approx(ffmpegs(samples, rate, layout), abs=0.1)


def ffmpegs(samples: Samples, rate: int, layout: str) -> float:
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=rate, format="fltp", layout=layout, time_base=Fraction(1, rate))
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    told = ""
    for frame in frames_of(samples, rate, layout):
        graph.push(frame)
        while True:
            try:
                told = graph.pull().metadata.get("lavfi.r128.I", told)
            except (av.error.BlockingIOError, av.error.EOFError):
                break
    return float(told)


def test_silence_has_no_loudness() -> None:
    assert integrated(np.zeros(100)) is None
    assert integrated(np.ones(3)) is None


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_another_rate_moves_nothing(rate: int) -> None:
    time = np.arange(rate) / rate
    tone = (np.sin(2 * np.pi * 440 * time) * np.hanning(rate)).astype(np.float32)
    there = resampled(tone, rate, 16_000, 16_000)
    back = resampled(there, 16_000, rate, rate)
    assert np.abs(back - tone).max() < 1e-3
    parts = Resampler(rate, 16_000, 3)
    pieces = [parts.push(np.stack([part] * 3)) for part in np.array_split(tone, 9)]
    whole = np.concatenate([*pieces, parts.flush()], axis=1)
    assert (whole == whole[0]).all()
    assert np.abs(whole[0, :15_900] - there[:15_900]).max() < 1e-3


def test_a_shift_is_found_and_nothing_is_found_in_nothing() -> None:
    speech = talk()
    levels = []
    for shift in (0, 800, 2400):
        envelope = Envelope(16_000)
        for part in np.array_split(np.concatenate([np.zeros(shift, np.float32), speech]), 13):
            envelope.push(part)
        levels.append(envelope.levels)
    counts = np.ones(len(levels[0]), np.bool_)
    assert seconds_off(levels[0], levels[1], counts) == pytest.approx(0.05, abs=0.005)
    assert seconds_off(levels[2], levels[0], counts) == pytest.approx(-0.15, abs=0.005)
    noise = np.random.default_rng(3).random(len(counts)).astype(np.float32)
    for nothing in (np.zeros_like(levels[0]), noise, levels[0][:5]):
        assert seconds_off(levels[0], nothing, counts) is None
    assert seconds_off(levels[0], levels[1], ~counts) is None


def test_pieces_are_cut_where_it_is_quiet_and_fade_within_the_weaker_one() -> None:
    levels = np.ones(10_000, np.float32)
    levels[1500:1520] = 0
    plan = Plan(
        (Stretch(0, 3000, "keep", 0), Stretch(3000, 3100, "bleep", 0), Stretch(3100, 9000, "anonymize", 1))
    )
    pieces = pieces_of(plan, levels, RATE, 90 * RATE)
    assert quietest(levels, 800, 2000) in range(1504, 1516)
    assert abs(pieces[1].fades_in - 15.1 * RATE) < 0.1 * RATE
    assert all(a.fades_out == b.fades_in and a.ends == b.full for a, b in itertools.pairwise(pieces))
    assert (pieces[0].fades_in, pieces[-1].ends) == (0, 90 * RATE)
    assert all(p.ends - p.fades_in <= (MOST_CELLS / 100 + 0.05) * RATE for p in pieces)
    bleep = next(piece for piece in pieces if piece.effect == "bleep")
    assert bleep.full <= 30 * RATE
    assert bleep.fades_out >= 31 * RATE


def test_rendering_adds_up_and_holds_no_more_than_a_piece() -> None:
    """With a speaker who repeats what is said, nothing tells where pieces meet; and memory has a bound."""
    seconds = 120
    samples = np.resize(resampled(talk(), 16_000, RATE, len(talk()) // 2), seconds * RATE).astype(np.float32)
    stretches = tuple(
        Stretch(at, at + 1000, ("keep", "anonymize")[at // 1000 % 2], at // 1000)  # type: ignore[arg-type]
        for at in range(0, seconds * 100, 1000)
    )
    envelope = Envelope(RATE)
    envelope.push(samples)
    meter = Loudness(RATE, 1)
    meter.push(samples[None])
    heard_at_once: list[int] = []

    def repeat(_: int, speech: Samples) -> Samples:
        heard_at_once.append(len(speech))
        return speech

    pieces = pieces_of(Plan(stretches), envelope.levels, RATE, len(samples))
    renderer = Renderer(pieces, RATE, repeat, lambda count: np.zeros(count, np.float32))
    made = []
    for part in np.array_split(samples, 500):
        made += list(renderer.push(np.stack([part, part]), meter, 1))
        held = renderer._heard.shape[1]
        assert held < 25 * RATE
    renderer.finish()
    whole = np.concatenate(made)
    assert len(whole) == len(samples)
    assert np.abs(whole - samples).max() < 0.05
    assert max(heard_at_once) <= 21 * 16_000


def test_a_track_that_ends_too_early_or_goes_on() -> None:
    meter = Loudness(RATE, 1)
    for length in (RATE - 100, RATE + 100):
        renderer = Renderer(
            [Piece(0, 0, RATE, RATE, "remove", 0)], RATE, lambda _, s: s, lambda n: np.zeros(n, np.float32)
        )
        list(renderer.push(np.zeros((2, length), np.float32), meter, 1))
        with pytest.raises(AnonymizerError) as caught:
            renderer.finish()
        assert caught.value.code == "media_corrupt"


def test_a_click_is_one() -> None:
    time = np.arange(4000) / RATE
    tone = (0.2 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    assert not is_click(tone[:2000], tone[2000:], 160, RATE)
    assert is_click(tone[:2000], tone[2000:] + 0.2, 160, RATE)


def test_who_speaks_longest_has_the_pseudonym() -> None:
    """In whichever order people begin to speak: the seed of the longest is that of the name."""
    one = Turns((Turn(0.0, 1.0, 0, True), Turn(1.0, 5.0, 1, True)), 6.0)
    other = Turns((Turn(0.0, 5.0, 0, True), Turn(5.0, 6.0, 1, True)), 6.0)
    named = Settings(personas=bytes(range(32)), pseudonym="Pantalone")
    first, second = Masks(named, one), Masks(named, other)
    assert first.seed_of(1) == second.seed_of(0)
    assert first.seed_of(0) == second.seed_of(1)
    seeds = {
        Masks(settings, one).seed_of(speaker)
        for settings in (
            named,
            Settings(personas=bytes(range(32)), pseudonym="Colombina"),
            Settings(personas=bytes(32), pseudonym="Pantalone"),
            Settings(),
            Settings(),
        )
        for speaker in (0, 1)
    }
    assert len(seeds) == 10
    assert all(len(seed) == 32 for seed in seeds)


def test_effects_are_the_same_words_everywhere() -> None:
    from anonymizer.sound import effects
    from enclave.policy.results import AUDIO_EFFECTS, MAX_WORD_CHARACTERS, MAX_WORDS

    assert AUDIO_EFFECTS == BY_STRENGTH
    assert (MAX_WORDS, MAX_WORD_CHARACTERS) == (effects.MOST_WORDS, effects.MOST_WORD_CHARACTERS)
