"""One voice turned into another while it speaks.

It goes by whole steps of 20 ms, whatever the sizes of what is pushed, so how a stream is cut changes nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.errors import AnonymizerError
from anonymizer.voice import tempo
from anonymizer.voice.bottleneck import coarse
from anonymizer.voice.hearing import TYPICAL, Hearing
from anonymizer.voice.intonation import USUAL_OCTAVE, Intonation
from anonymizer.voice.loudness import REACH, USUAL_LEVEL, Loudness
from anonymizer.voice.mask import VoiceMask
from anonymizer.voice.networks import DECODER_DELAY, ENCODER_DELAY, VoiceNetworks
from anonymizer.voice.rates import FRAME, FRAMES_A_STEP, STEP
from anonymizer.voice.shaping import Shape
from anonymizer.voice.spectra import AFTER, BANDS, power_of
from anonymizer.voice.synthesis import DELAY as SYNTHESIS_DELAY
from anonymizer.voice.synthesis import Synthesizer

_STEPS_LATE: Final = ENCODER_DELAY + DECODER_DELAY
# The window of the melody ends with its step, and the melody is smoothed: together about three steps.
_MELODY_LATE: Final = _STEPS_LATE - 3
_LEVEL_LATE: Final = _STEPS_LATE * FRAMES_A_STEP - REACH
# A step is spoken once its last sample and the window of its last frame are there.
_WAITING: Final = STEP - 1 + AFTER
DELAY_SAMPLES: Final = _STEPS_LATE * STEP + tempo.DELAY * FRAME + SYNTHESIS_DELAY + _WAITING
# Samples that go through the networks at once: bounds the memory, whatever is pushed.
_MOST_AT_ONCE: Final = 500 * STEP


@dataclass(frozen=True)
class Foreknown:
    """What is known of speech before it is heard; where nothing is, what is usual.

    Attributes:
        mean: (BANDS,) of its bands.
        octave: the mean of the logarithm of its pitch, base 2.
        level: its mean power, in decibels of a full-scale sine.
    """

    mean: NDArray[np.float32]
    octave: float
    level: float


USUAL: Final = Foreknown(TYPICAL, USUAL_OCTAVE, USUAL_LEVEL)


class LiveVoice:
    """Takes one speaker's speech, gives the mask's, delay_samples later."""

    delay_samples: Final = DELAY_SAMPLES

    def __init__(self, networks: VoiceNetworks, mask: VoiceMask, foreknown: Foreknown = USUAL) -> None:
        """Begins in silence."""
        self._networks = networks
        self._encoder_past = networks.encoder.beginning()
        self._decoder_past = networks.decoder.beginning()
        self._hearing = Hearing(foreknown.mean)
        self._intonation = Intonation(foreknown.octave)
        self._melody = _Later(_MELODY_LATE)
        self._loudness, self._level = Loudness(foreknown.level), _Later(_LEVEL_LATE)
        self._shape = Shape(mask)
        self._tempo = tempo.Tempo(mask, BANDS + 3, -_STEPS_LATE * FRAMES_A_STEP)
        self._synthesizer = Synthesizer(mask.noise())
        self._mask = mask
        self._donors: NDArray[np.float32] | None = None
        self._waiting = np.zeros(0, np.float32)
        self._said: deque[NDArray[np.float32]] = deque([np.zeros(_WAITING, np.float32)])
        self._held = _WAITING

    def push(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes any number of samples, returns as many.

        Args:
            speech: (n,) float32, 16 kHz, -1 to 1.

        Raises:
            AnonymizerError: media_corrupt for what is not a number, detector_failed where a network fails.
        """
        if speech.ndim != 1 or not np.isfinite(speech).all():
            raise AnonymizerError("media_corrupt")
        for begin in range(0, len(speech), _MOST_AT_ONCE):
            self._hear(np.clip(speech[begin : begin + _MOST_AT_ONCE], -1, 1).astype(np.float32))
        return self._take(len(speech))

    def flush(self) -> NDArray[np.float32]:
        """Returns the last delay_samples of what was said."""
        return self.push(np.zeros(self.delay_samples, np.float32))

    def _hear(self, speech: NDArray[np.float32]) -> None:
        bands, decibels = self._hearing.push(speech)
        self._waiting = np.concatenate([self._waiting, speech])
        steps = len(bands)
        if steps == 0:
            return
        melody = self._intonation.push(self._waiting[: steps * STEP])
        self._waiting = self._waiting[steps * STEP :]
        phones, self._encoder_past = self._networks.encoder.run(self._encoder_past, bands=bands)
        code = coarse(phones)
        if self._donors is None:
            self._donors = self._mask.donors(self._networks.donors, code.shape[1])
        envelope, self._decoder_past = self._networks.decoder.run(
            self._decoder_past, phones=code, donors=code @ self._donors
        )
        frames = envelope.reshape(steps * FRAMES_A_STEP, BANDS + 1)
        lively = self._mask.liveliness * np.repeat(self._melody.push(melody), FRAMES_A_STEP)[:, None]
        shaped = self._shape(frames[:, :BANDS])
        # The decoder's level is the donor's; what shapes it shall not make it louder.
        loud = self._loudness.push(self._level.push(decibels.reshape(-1)), power_of(frames[:, :BANDS]))
        voiced = 1 / (1 + np.exp(-_FIRM * frames[:, BANDS:]))
        together = np.concatenate([shaped, voiced, lively, loud[:, None]], axis=1)
        moved = self._tempo.push(together.astype(np.float32))
        said = self._synthesizer.push(
            moved[:, :BANDS],
            moved[:, BANDS],
            moved[:, BANDS + 1] + np.float32(np.log2(self._mask.pitch_hz)),
            moved[:, BANDS + 2],
        )
        self._said.append(np.clip(said, -1, 1))
        self._held += len(said)

    def _take(self, count: int) -> NDArray[np.float32]:
        taken = np.concatenate([*self._said, np.zeros(0, np.float32)])
        self._said = deque([taken[count:]])
        self._held -= count
        return taken[:count]


# How firmly a frame is voiced or not.
_FIRM: Final = 2.0


class _Later:
    """Gives values so many values later."""

    def __init__(self, count: int) -> None:
        self._waiting = np.zeros(count, np.float32)

    def push(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        joined = np.concatenate([self._waiting, values])
        self._waiting = joined[len(values) :]
        return joined[: len(values)]
