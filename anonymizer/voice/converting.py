"""One recording of one speaker, whole: what can be known of it beforehand is, otherwise as live."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.errors import AnonymizerError
from anonymizer.voice.hearing import decibels
from anonymizer.voice.intonation import USUAL_OCTAVE, pitches
from anonymizer.voice.live import USUAL, Foreknown, LiveVoice
from anonymizer.voice.loudness import USUAL_LEVEL
from anonymizer.voice.mask import VoiceMask
from anonymizer.voice.networks import VoiceNetworks
from anonymizer.voice.rates import SPEECH_RATE, STEP
from anonymizer.voice.spectra import around, log_bands, powers

MOST_SECONDS: Final = 60
# What is listened to beforehand.
_SECONDS_KNOWN: Final = 20
# Less says too little of its speaker.
_LEAST_SECONDS: Final = 0.5
_LEAST_VOICED_STEPS: Final = 10
_PITCH_WINDOW: Final = 800
# Frames within 20 dB of the loudest are speech.
_SPEAKING: Final = 0.01
_NOTHING: Final = 1e-12


def convert(networks: VoiceNetworks, mask: VoiceMask, speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lets the mask say what a speaker said.

    Args:
        networks: opened by open_voice.
        mask: whose voice it shall be.
        speech: (n,) float32, 16 kHz, -1 to 1, at most a minute.

    Returns:
        (n,) float32, as long and at the same times.

    Raises:
        AnonymizerError: media_corrupt for what is not a number, media_too_long, detector_failed.
    """
    if speech.ndim != 1 or not np.isfinite(speech).all():
        raise AnonymizerError("media_corrupt")
    if len(speech) > MOST_SECONDS * SPEECH_RATE:
        raise AnonymizerError("media_too_long")
    voice = LiveVoice(networks, mask, foreknown(speech))
    said = np.concatenate([voice.push(speech), voice.flush()])
    return said[voice.delay_samples :]


def foreknown(speech: NDArray[np.float32]) -> Foreknown:
    """Returns what the beginning of a recording tells of all of it."""
    start = speech[: _SECONDS_KNOWN * SPEECH_RATE]
    if len(start) < _LEAST_SECONDS * SPEECH_RATE:
        return USUAL
    whole = len(start) - len(start) % STEP
    octaves = pitches(np.concatenate([np.zeros(_PITCH_WINDOW - STEP, np.float32), start[:whole]]))
    octaves = octaves[~np.isnan(octaves)]
    spectra = powers(around(start))
    power = 10 ** (decibels(spectra) / 10)
    speaking = power[power > np.max(power) * _SPEAKING]
    return Foreknown(
        log_bands(spectra).mean(axis=0),
        float(np.median(octaves)) if len(octaves) >= _LEAST_VOICED_STEPS else USUAL_OCTAVE,
        float(10 * np.log10(np.mean(speaking) + _NOTHING)) if len(speaking) else USUAL_LEVEL,
    )
