"""Who a voice sounds like, as 256 numbers: the GE2E speaker encoder (Wan et al., 2018) of Resemblyzer.

The numbers are no less than 0 and of length 1: the cosine of two voices is their dot product. The same
weights serve two ends: telling the speakers of one recording apart, and attacking our own voice effect.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.detect.sessions import Network
from anonymizer.errors import AnonymizerError
from anonymizer.speakers.mel import RATE, STEP, mel_frames
from anonymizer.speakers.weights import WINDOWS

FloatArray = npt.NDArray[np.float32]

DIMENSIONS: Final = 256
WINDOW_FRAMES: Final = 160
"""Frames of one window: what the encoder was trained on, 1.6 s."""
# Windows a second of a whole utterance, and how much of the last one must be there.
_WINDOWS_A_SECOND: Final = 1.3
_LEAST_COVERED: Final = 0.75
# As the encoder was trained: quiet speech is made this loud (dBFS, mean power), loud speech left alone.
_LOUDNESS: Final = -30.0
# Mean power below which there is nothing to make louder: -100 dBFS, under the steps of 16 bits.
_SILENCE: Final = 1e-10
# More at once only takes memory.
_MOST_AT_ONCE: Final = 64


class SpeakerEncoder:
    """An open encoder."""

    def __init__(self, graph: bytes, threads: int) -> None:
        """Opens what `encoder_graph` made. Call it after the fork.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._network = Network(graph, threads)

    def embed(self, speech: FloatArray) -> FloatArray:
        """Gives one voice for a whole utterance: the mean of its windows.

        Args:
            speech: mono, 16 kHz, at least one sample; long silences are best cut first (`voiced`).

        Returns:
            (256,) float32 of length 1; zeros for what is no sound at all.

        Raises:
            AnonymizerError: detector_failed, also for samples that are no finite numbers.
        """
        return normed(self.embed_windows(speech).mean(axis=0))

    def embed_windows(self, speech: FloatArray) -> FloatArray:
        """Gives a voice for each window of an utterance: (N, 256), 1.6 s each, 0.77 s apart.

        Raises:
            AnonymizerError: as for `embed`.
        """
        speech = louder(checked(speech))
        step = round(RATE / _WINDOWS_A_SECOND / STEP)
        frames = -(-(len(speech) + 1) // STEP)
        begins = list(range(0, max(1, frames - WINDOW_FRAMES + step + 1), step))
        covered = (len(speech) - begins[-1] * STEP) / (WINDOW_FRAMES * STEP)
        if covered < _LEAST_COVERED and len(begins) > 1:
            begins.pop()
        wanted = (begins[-1] + WINDOW_FRAMES) * STEP
        mel = mel_frames(np.pad(speech, (0, max(0, wanted - len(speech)))))
        return self.embed_mel(np.stack([mel[begin : begin + WINDOW_FRAMES] for begin in begins]))

    def embed_mel(self, windows: FloatArray) -> FloatArray:
        """Gives a voice for each window of mel frames.

        Args:
            windows: (N, frames, 40), as `mel_frames` gives them.

        Returns:
            (N, 256) float32, each of length 1 or 0.

        Raises:
            AnonymizerError: detector_failed.
        """
        parts = [
            self._network.run({WINDOWS: windows[begin : begin + _MOST_AT_ONCE]})[0]
            for begin in range(0, len(windows), _MOST_AT_ONCE)
        ]
        return normed(np.concatenate(parts)) if parts else np.zeros((0, DIMENSIONS), np.float32)


def normed(voices: FloatArray) -> FloatArray:
    """Gives vectors of length 1, over the last axis; what is zero stays so."""
    lengths = np.linalg.norm(voices, axis=-1, keepdims=True)
    result: FloatArray = (voices / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return result


def louder(speech: FloatArray) -> FloatArray:
    """Makes quiet speech as loud as the encoder was trained on; silence stays silence."""
    return speech * window_gain(speech)


def window_gain(speech: FloatArray) -> np.float32:
    """Gives what `louder` multiplies by; at least 1, and 1 for silence."""
    power = float(np.mean(np.square(speech, dtype=np.float64)))
    return np.float32(max(1.0, 10 ** (_LOUDNESS / 20) / np.sqrt(power)) if power > _SILENCE else 1.0)


def checked(speech: FloatArray) -> FloatArray:
    """Returns the samples, once they are some, in one row, and finite.

    Raises:
        AnonymizerError: detector_failed.
    """
    if speech.ndim != 1 or not len(speech) or not np.isfinite(speech).all():
        raise AnonymizerError("detector_failed", "The sound is no row of finite numbers.")
    return np.asarray(speech, np.float32)
