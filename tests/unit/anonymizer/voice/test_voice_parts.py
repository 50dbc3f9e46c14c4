"""Masks that tell nothing, a bottleneck that is one, a melody and a tempo within their bounds."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from anonymizer.models import PINNED_SHA256, VOICE_DECODER, VOICE_ENCODER
from anonymizer.voice import VoiceMask, VoiceNetworks, VoiceWeights
from anonymizer.voice.bottleneck import KEPT, LEVELS, coarse
from anonymizer.voice.intonation import MOST_STEPS, OCTAVES_A_STEP, Intonation, pitches
from anonymizer.voice.spectra import BANDS, band_weights, bend_weights, unfolding
from anonymizer.voice.tempo import FARTHEST, Tempo


def test_the_weights_are_the_pinned_ones(weights: VoiceWeights) -> None:
    """What is committed is what a worker takes; together they are a few megabytes."""
    assert hashlib.sha256(weights.encoder).hexdigest() == PINNED_SHA256[VOICE_ENCODER]
    assert hashlib.sha256(weights.decoder).hexdigest() == PINNED_SHA256[VOICE_DECODER]
    assert len(weights.encoder) + len(weights.decoder) < 5_000_000


def test_a_mask_tells_nothing() -> None:
    """Neither its seed nor what was drawn from it."""
    mask = VoiceMask.of(b"\xab" * 32)
    assert repr(mask) == "VoiceMask()"
    assert "171" not in str(mask)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_seed_has_32_bytes(length: int) -> None:
    """Any other is refused."""
    with pytest.raises(ValueError, match="32"):
        VoiceMask.of(bytes(length))


def test_masks_differ_in_everything_keyed(networks: VoiceNetworks) -> None:
    """Twenty masks: no two alike in donors, pitch, bend, colour or tempo, and all within their bounds."""
    masks = [VoiceMask.of(bytes([number]) * 32) for number in range(20)]
    for drawn in (
        [mask.pitch_hz for mask in masks],
        [mask.bend for mask in masks],
        [mask.liveliness for mask in masks],
        [float(mask.tempo[0, 0]) for mask in masks],
        [float(mask.colour(BANDS)[3]) for mask in masks],
        [mask.donors(networks.donors, 120).tobytes() for mask in masks],
    ):
        assert len(set(drawn)) == len(masks)
    for mask in masks:
        shares = mask.donors(networks.donors, 120)
        assert (shares >= 0).all()
        assert np.allclose(shares.sum(axis=1), 1, atol=1e-5)
        assert 80 < mask.pitch_hz < 240


def test_the_bottleneck_leaves_a_few_coarse_levels() -> None:
    """Of 1,000 random distributions: at most KEPT phones in steps, and the likeliest always among them."""
    drawn = np.random.default_rng(3).normal(0, 3, (1000, 120)).astype(np.float32)
    code = coarse(drawn)
    assert (np.count_nonzero(code, axis=1) <= KEPT).all()
    assert np.allclose(code.sum(axis=1), 1)
    assert (np.take_along_axis(code, drawn.argmax(axis=1)[:, None], axis=1) > 0).all()
    # Levels are counted before they are brought to a sum of one.
    assert len(np.unique(np.round(code, 4))) <= (LEVELS + 1) ** 2
    # How sure the network is does not pass: sure and very sure are alike.
    sure, surer = drawn.copy(), drawn.copy()
    sure[:, 7], surer[:, 7] = drawn.max(axis=1) + 3, drawn.max(axis=1) + 30
    assert np.array_equal(coarse(sure), coarse(surer))


@pytest.mark.parametrize("hertz", [80.0, 118.0, 210.0, 330.0])
def test_pitch_is_found(hertz: float) -> None:
    """Of a made voice with ten harmonics, within a twentieth of an octave."""
    times = np.arange(16_480) / 16_000
    voice = sum(np.sin(2 * np.pi * hertz * number * times) / number for number in range(1, 11))
    heard = pitches(np.asarray(voice, np.float32)[: 480 + 320 * 50])
    assert abs(float(np.nanmedian(heard)) - np.log2(hertz)) < 0.05


def test_the_melody_is_bounded_whatever_is_said() -> None:
    """A voice that leaps by octaves leaves no more than the steps that there are."""
    times = np.arange(64_000) / 16_000
    leaping = np.sign(np.sin(2 * np.pi * np.where(times % 1 < 0.5, 90, 360) * times)).astype(np.float32)
    melody = Intonation().push(leaping)
    assert np.abs(melody).max() <= MOST_STEPS * OCTAVES_A_STEP + 1e-6
    assert np.abs(melody).max() > 0.5 * OCTAVES_A_STEP


def test_the_tempo_stays_within_lip_sync() -> None:
    """A frame comes out at most 20 ms from its time, under every mask, and no two masks move alike."""
    ramp = np.arange(1000, dtype=np.float32)[:, None]
    moves = []
    for number in range(8):
        moved = Tempo(VoiceMask.of(bytes([number]) * 32), 1, 0).push(ramp)[:, 0]
        moves.append(moved[20:980] - (ramp[20:980, 0] - 2))
        assert np.abs(moves[-1]).max() <= FARTHEST + 1e-3 < 2.0
        assert np.std(moves[-1]) > 0.2
    assert abs(np.corrcoef(moves[0], moves[1])[0, 1]) < 0.9


def test_bands_and_back() -> None:
    """A flat spectrum stays flat through bands, back to bins, and through any bend."""
    assert np.allclose(band_weights().sum(axis=0), 1, atol=1e-5)
    assert np.allclose(unfolding().sum(axis=0), 1, atol=1e-5)
    for bend in (0.86, 1.0, 1.16):
        assert np.allclose(bend_weights(bend).sum(axis=0), 1, atol=1e-6)
    assert np.allclose(bend_weights(1.0), np.eye(BANDS), atol=1e-6)
