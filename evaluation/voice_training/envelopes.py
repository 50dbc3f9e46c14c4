"""What the decoder shall say: a donor's envelope by WORLD (Morise et al. 2016), and where it is voiced."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyworld
from numpy.typing import NDArray

from anonymizer.voice.rates import FRAME, SPEECH_RATE
from anonymizer.voice.spectra import BANDS, band_weights
from evaluation.voice_training.networks import FRAME_OUT

FLOOR: Final = 1e-9


def envelope_of(speech: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """Analyses synthetic speech.

    Returns:
        (frames, FRAME_OUT) float32: the natural logarithm of the envelope's power in each band, brought to
        one level for every donor, then 1 where the frame is voiced and 0 where not.
    """
    # The middles of the frames lie half a frame after WORLD's.
    shifted = np.concatenate([speech[FRAME // 2 :], np.zeros(FRAME // 2 + FRAME, np.float32)]).astype(
        np.float64
    )
    shifted = shifted + np.random.default_rng(0).normal(0, 1e-5, len(shifted))
    period = FRAME / SPEECH_RATE * 1000
    pitch, times = pyworld.dio(shifted, SPEECH_RATE, f0_floor=60.0, f0_ceil=400.0, frame_period=period)
    pitch = pyworld.stonemask(shifted, pitch, times, SPEECH_RATE)
    spectra = pyworld.cheaptrick(shifted, pitch, times, SPEECH_RATE, fft_size=1024)[:, ::2]
    bands = np.log(spectra @ band_weights() + FLOOR)
    loud = np.mean(np.exp(bands), axis=1)
    speaking = loud > 0.05 * np.quantile(loud, 0.9)
    bands -= np.log(np.mean(loud[speaking]))
    result = np.zeros((frames, FRAME_OUT), np.float32)
    count = min(frames, len(bands))
    result[:count, :BANDS] = np.maximum(bands[:count], -14.0)
    result[count:, :BANDS] = -14.0
    result[:count, BANDS] = pitch[:count] > 0
    return result
