"""From envelopes to sound: pulses through minimum-phase filters, and noise.

A vocoder as WORLD is one (Morise et al. 2016), written to go along with a stream: what a block leaves
unfinished is carried into the next, so that it does not matter how speech is cut. How much of each band is
noise follows from how voiced the frame is, never from the original.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.voice.rates import FRAME, SPEECH_RATE
from anonymizer.voice.spectra import BINS, FFT, unfolding

# What comes out of push() lags behind the frames by half of one.
DELAY: Final = FRAME // 2
# Above, even voiced speech is half noise.
_BREATH_HZ: Final = 4200.0
_BREATH_WIDTH_HZ: Final = 700.0
_TAIL: Final = FFT

Values = NDArray[np.float32]
Precise = NDArray[np.float64]


class Synthesizer:
    """Speaks frames, any number at a time."""

    def __init__(self, noise: np.random.Generator) -> None:
        """Takes where the noise comes from."""
        self._noise = noise
        self._phase = 0.0
        self._octave: float | None = None
        # What earlier frames still have to say, from DELAY samples before the frame that comes next.
        self._tail = np.zeros(_TAIL + FRAME, np.float64)
        hertz = np.arange(BINS) * SPEECH_RATE / FFT
        self._breath = 1 / (1 + np.exp((_BREATH_HZ - hertz) / _BREATH_WIDTH_HZ))

    def push(self, envelope: Values, voiced: Values, octave: Values, loudness: Values) -> Values:
        """Speaks frames.

        Args:
            envelope: (n, BANDS), the natural logarithm of the power in each band, at any level.
            voiced: (n,), 0 to 1.
            octave: (n,), the logarithm of the pitch in hertz, base 2.
            loudness: (n,), the root of the mean square that is wanted.

        Returns:
            (n * FRAME,) float32: what was said until DELAY samples before the end of the last frame.
        """
        count = len(envelope)
        if count == 0:
            return np.zeros(0, np.float32)
        power: Precise = np.exp(envelope.astype(np.float64) @ unfolding())
        power /= power.mean(axis=1, keepdims=True)
        shape: Precise = np.sqrt(power) * loudness[:, None].astype(np.float64)
        noisy: Precise = 1 - voiced[:, None].astype(np.float64) * (1 - self._breath)
        said = np.zeros(count * FRAME + len(self._tail))
        said[: len(self._tail)] = self._tail
        self._breathe(said, shape * np.sqrt(noisy))
        self._pulse(said, shape * np.sqrt(1 - noisy), voiced, octave)
        self._tail = said[count * FRAME :]
        result: Values = said[: count * FRAME].astype(np.float32)
        return result

    def _breathe(self, said: NDArray[np.float64], shape: NDArray[np.float64]) -> None:
        # Windows of two frames whose squares sum to one.
        window = np.sin(np.pi * (np.arange(2 * FRAME) + 0.5) / (2 * FRAME))
        fresh = self._noise.standard_normal((len(shape), 2 * FRAME))
        filtered = np.fft.irfft(np.fft.rfft(fresh * window, FFT) * shape, FFT)
        # Filters without a phase ring on both sides: what would sound before the window is cut, it is little.
        filtered[:, -FRAME // 2 :] = 0
        for place, sound in enumerate(filtered):
            said[place * FRAME : place * FRAME + FFT] += sound

    def _pulse(
        self, said: NDArray[np.float64], shape: NDArray[np.float64], voiced: Values, octave: Values
    ) -> None:
        count = len(shape)
        before = octave[0] if self._octave is None else self._octave
        self._octave = float(octave[-1])
        known = np.concatenate([[before], octave])
        octaves = np.interp(np.arange(1, count * FRAME + 1) / FRAME, np.arange(count + 1), known)
        advance = np.exp2(octaves) / SPEECH_RATE
        phases = self._phase + np.cumsum(advance)
        self._phase = float(phases[-1] % 1.0)
        whole = np.floor(phases)
        places = np.flatnonzero(np.diff(whole, prepend=np.floor(phases[0] - advance[0])) > 0)
        # How long ago, in samples, each pulse was due when its sample came.
        late = (phases[places] - whole[places]) / advance[places]
        frames = places // FRAME
        sounding = voiced[frames] > _LEAST_VOICED
        places, late, frames = places[sounding], late[sounding], frames[sounding]
        if len(places) == 0:
            return
        filters = _minimum_phase(shape[frames]) * np.sqrt(1 / advance[places])[:, None]
        turn = np.exp(2j * np.pi * np.arange(BINS)[None] / FFT * late[:, None])
        sounds = np.fft.irfft(filters * turn, FFT)
        for place, sound in zip(places, sounds, strict=True):
            # The middle of its frame lies where the noise's window has its own.
            said[place + DELAY : place + DELAY + FFT] += sound


_LEAST_VOICED: Final = 0.05
_QUIETEST: Final = 1e-9


def _minimum_phase(amplitude: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Returns (n, BINS): spectra of these amplitudes whose sound begins at once (by folding the cepstrum)."""
    cepstrum = np.fft.irfft(np.log(amplitude + _QUIETEST), FFT)
    cepstrum[:, 1 : FFT // 2] *= 2
    cepstrum[:, FFT // 2 + 1 :] = 0
    return np.exp(np.fft.rfft(cepstrum, FFT))
