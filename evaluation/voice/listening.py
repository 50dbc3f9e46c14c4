"""An attacker's ears: speech in, a vector of the voice out.

Two pairs, because an effect that fools one need not fool the other. `Resemblyzer` is a network that was trained
to tell speakers apart (Wan et al. 2018, GE2E) on original speech. `acoustics` (acoustics.py) is what a
phonetician would measure.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

Speech = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
Ears = Callable[[Speech], Vector]
"""Takes speech, (samples,) float32, 16,000 Hz, and gives a vector, always of the same size."""

RATE: Final = 16_000
WINDOW: Final = 400
STEP: Final = 160
MELS: Final = 40
PARTIAL_FRAMES: Final = 160
PARTIAL_STEP: Final = 80
TARGET_LEVEL: Final = 10 ** (-30 / 20)


class Resemblyzer:
    """Resemblyzer's network, from the weights in its package."""

    def __init__(self) -> None:
        torch.set_num_threads(1)
        package = importlib.util.find_spec("resemblyzer")
        assert package is not None and package.submodule_search_locations
        path = Path(package.submodule_search_locations[0]) / "pretrained.pt"
        state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
        self._lstm = torch.nn.LSTM(MELS, 256, 3, batch_first=True)
        self._linear = torch.nn.Linear(256, 256)
        self._lstm.load_state_dict({k[5:]: v for k, v in state.items() if k.startswith("lstm.")})
        self._linear.load_state_dict({k[7:]: v for k, v in state.items() if k.startswith("linear.")})
        self._filters = _mel_filters()

    def __call__(self, speech: Speech) -> Vector:
        """Returns the embedding, (256,), of unit length."""
        level = float(np.sqrt(np.mean(speech.astype(np.float64) ** 2)))
        loud = speech * (TARGET_LEVEL / level) if 0 < level < TARGET_LEVEL else speech
        frames = -(-(len(loud) + 1) // STEP)
        starts = range(0, max(1, frames - PARTIAL_FRAMES + PARTIAL_STEP + 1), PARTIAL_STEP)
        starts = [s for s in starts if s == 0 or (len(loud) / STEP - s) / PARTIAL_FRAMES >= 0.75]
        need = (starts[-1] + PARTIAL_FRAMES) * STEP
        mel = self._mel(np.pad(loud, (0, max(0, need - len(loud)))))
        batch = torch.from_numpy(np.stack([mel[s : s + PARTIAL_FRAMES] for s in starts]))
        with torch.inference_mode():
            _, (hidden, _) = self._lstm(batch)
            out = torch.relu(self._linear(hidden[-1])).double().numpy()
        out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)
        mean = out.mean(axis=0)
        return mean / max(float(np.linalg.norm(mean)), 1e-9)

    def _mel(self, speech: Speech) -> npt.NDArray[np.float32]:
        padded = np.pad(speech, WINDOW // 2)
        frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
        power = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2
        return (power @ self._filters.T).astype(np.float32)


def _mel_filters() -> npt.NDArray[np.float64]:
    """Slaney's mel filters, (40, 201), as librosa makes them."""

    def mel(f):
        return np.where(f < 1000, f * 3 / 200, 15 + 27 * np.log(np.maximum(f, 1) / 1000) / np.log(6.4))

    def hertz(m):
        return np.where(m < 15, m * 200 / 3, 1000 * np.exp(np.log(6.4) * (m - 15) / 27))

    edges = hertz(np.linspace(mel(0.0), mel(8000.0), MELS + 2))
    bins = np.linspace(0, 8000, WINDOW // 2 + 1)
    ramps = edges[:, None] - bins[None]
    widths = np.diff(edges)
    lower = -ramps[:-2] / widths[:-1, None]
    upper = ramps[2:] / widths[1:, None]
    return np.maximum(0, np.minimum(lower, upper)) * (2 / (edges[2:] - edges[:-2]))[:, None]
