"""A whole recording in another voice: as long, at the same times, as loud, the same words, nobody's pitch."""

from __future__ import annotations

import numpy as np
import pytest
from made_speech import Speech

from anonymizer.errors import AnonymizerError
from anonymizer.voice import SPEECH_RATE, VoiceMask, VoiceNetworks, VoiceWeights, convert, open_voice
from anonymizer.voice.intonation import pitches
from anonymizer.voice.spectra import around, log_bands, powers

MASK = VoiceMask.of(bytes(range(32)))
OTHER = VoiceMask.of(bytes(range(1, 33)))


def test_length_is_kept_whatever_it_is(networks: VoiceNetworks, speech: Speech) -> None:
    """Also where it is no multiple of anything, and shorter than a window."""
    for length in (0, 1, 192, 320, 12_345, len(speech)):
        assert convert(networks, MASK, speech[:length]).shape == (length,)


def test_a_minute_is_the_most(networks: VoiceNetworks) -> None:
    """A minute goes, a sample more does not."""
    noise = np.random.default_rng(1).normal(0, 0.01, 60 * SPEECH_RATE).astype(np.float32)
    said = convert(networks, MASK, noise)
    assert said.shape == noise.shape
    assert np.isfinite(said).all()
    with pytest.raises(AnonymizerError) as refused:
        convert(networks, MASK, np.zeros(60 * SPEECH_RATE + 1, np.float32))
    assert refused.value.code == "media_too_long"


def test_silence_stays_silence(networks: VoiceNetworks, speech: Speech) -> None:
    """All of it, and the part before somebody speaks."""
    assert not convert(networks, MASK, np.zeros(2 * SPEECH_RATE, np.float32)).any()
    later = np.concatenate([np.zeros(SPEECH_RATE, np.float32), speech])
    said = convert(networks, MASK, later)
    assert np.abs(said[: SPEECH_RATE // 2]).max() < 1e-4
    assert np.abs(said[SPEECH_RATE:]).max() > 0.05


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused(networks: VoiceNetworks, speech: Speech, wrong: float) -> None:
    """Nothing is passed through in its place."""
    broken = speech.copy()
    broken[1000] = wrong
    with pytest.raises(AnonymizerError) as refused:
        convert(networks, MASK, broken)
    assert refused.value.code == "media_corrupt"


def test_networks_that_are_none_are_refused() -> None:
    """With the code of a model."""
    with pytest.raises(AnonymizerError) as refused:
        open_voice(VoiceWeights(b"no network", b"none either"))
    assert refused.value.code == "model_unusable"


def test_networks_in_each_others_place_are_refused(weights: VoiceWeights) -> None:
    """Before anything is converted."""
    with pytest.raises(AnonymizerError) as refused:
        open_voice(VoiceWeights(weights.decoder, weights.encoder))
    assert refused.value.code == "model_unusable"


def test_a_network_that_fails_ends_the_job(weights: VoiceWeights, speech: Speech) -> None:
    """Its past has another shape: the engine refuses, and that has a code. Nothing is passed through."""
    networks = open_voice(weights)
    past = {name: values[:, :1] for name, values in networks.encoder.beginning().items()}
    with pytest.raises(AnonymizerError) as refused:
        networks.encoder.run(past, bands=np.zeros((4, 128), np.float32))
    assert refused.value.code == "detector_failed"


def test_networks_that_answer_with_no_numbers_end_the_job(networks: VoiceNetworks) -> None:
    """Likewise."""
    with pytest.raises(AnonymizerError) as refused:
        networks.encoder.run(networks.encoder.beginning(), bands=np.full((4, 128), np.nan, np.float32))
    assert refused.value.code == "detector_failed"


def test_one_seed_one_voice(networks: VoiceNetworks, speech: Speech) -> None:
    """The same to the last bit with the same seed; with another one not even alike."""
    first = convert(networks, MASK, speech)
    assert np.array_equal(first, convert(networks, VoiceMask.of(bytes(range(32))), speech))
    other = convert(networks, OTHER, speech)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.2


def test_nothing_of_the_waveform_passes(networks: VoiceNetworks, speech: Speech) -> None:
    """At no shift within 40 ms does the result resemble what was said."""
    said = convert(networks, MASK, speech)
    for shift in range(-640, 641):
        moved = np.roll(said, shift)
        likeness = float(moved @ speech / (np.linalg.norm(moved) * np.linalg.norm(speech)))
        assert abs(likeness) < 0.35, shift


def test_the_pitch_is_the_masks(networks: VoiceNetworks, speech: Speech) -> None:
    """Whatever the speaker's own: its middle lies within a fifth of an octave of the mask's."""
    for mask in (MASK, OTHER, VoiceMask.of(b"\x05" * 32)):
        said = convert(networks, mask, speech)
        heard = pitches(said[: len(said) // 320 * 320 - 160])
        middle = float(np.nanmedian(heard))
        assert abs(middle - np.log2(mask.pitch_hz)) < 0.2


def test_it_is_as_loud(networks: VoiceNetworks, speech: Speech) -> None:
    """Within 4 dB, soft or loud; the track's own matching does the rest."""
    for gain in (0.1, 1.0, 3.0):
        said = convert(networks, MASK, speech * np.float32(gain))
        assert abs(10 * np.log10(np.mean(said**2) / np.mean((speech * gain) ** 2))) < 4


def test_the_words_survive(networks: VoiceNetworks, speech: Speech) -> None:
    """The encoder hears in the result, at the same times, far more of the same phones than by chance."""
    original, said = (_phones(networks, each) for each in (speech, convert(networks, MASK, speech)))
    speaking = original != 0
    same = np.mean((original == said)[speaking])
    by_chance = np.mean((original == np.roll(said, 37))[speaking])
    assert same > 0.4
    assert same > 3 * by_chance


def _phones(networks: VoiceNetworks, speech: Speech) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    bands = log_bands(powers(around(speech)))
    bands = bands[: len(bands) // 2 * 2] - bands.mean(axis=0)
    heard, _ = networks.encoder.run(networks.encoder.beginning(), bands=bands.reshape(-1, 128))
    return heard.argmax(axis=1) // 3
