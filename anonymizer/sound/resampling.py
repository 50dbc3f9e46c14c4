"""From one sampling rate to another by FFmpeg's resampler, without moving anything in time."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

Samples = npt.NDArray[np.float32]

SPEECH_RATE: Final = 16_000


class Resampler:
    """Takes the samples of one track in order, in pieces of any length."""

    def __init__(self, from_rate: int, to_rate: int, channels: int) -> None:
        """Takes both rates in Hz, and how many channels there are, up to 8."""
        self._from_rate = from_rate
        # FFmpeg's own name for so many channels without a meaning: none is mixed into another.
        self._layout = "mono" if channels == 1 else f"{channels}c"
        self._channels = channels
        self._inner = (
            AudioResampler(format="fltp", layout=self._layout, rate=to_rate) if from_rate != to_rate else None
        )

    def push(self, samples: Samples) -> Samples:
        """Takes and returns (channels, n) samples; what it still holds comes later."""
        if self._inner is None or not samples.shape[1]:
            return samples
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate = self._from_rate
        return self._taken(frame)

    def flush(self) -> Samples:
        """Returns what is left."""
        return self._taken(None) if self._inner is not None else np.zeros((self._channels, 0), np.float32)

    def _taken(self, frame: AudioFrame | None) -> Samples:
        if self._inner is None:
            raise AssertionError("two equal rates need no resampler")
        parts = [np.asarray(part.to_ndarray(), np.float32) for part in self._inner.resample(frame)]
        return np.concatenate([np.zeros((self._channels, 0), np.float32), *parts], axis=1)


def resampled(samples: Samples, from_rate: int, to_rate: int, length: int) -> Samples:
    """Returns a whole piece of one channel (n,) at another rate, with exactly so many samples."""
    whole = Resampler(from_rate, to_rate, 1)
    parts: Samples = np.concatenate([whole.push(samples[None]), whole.flush()], axis=1)[0]
    if len(parts) < length:
        parts = np.pad(parts, (0, length - len(parts)))
    return parts[:length]
