"""Makes the same words sound as if others said them elsewhere: so the encoder learns to hear only the words.

Batches are drawn from spectra: warped in frequency, faster or slower, through a random equalizer, with room
and noise, louder or softer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import lfilter
from torch import Tensor

from anonymizer.voice.hearing import EMA_WEIGHT, TYPICAL, decibels
from anonymizer.voice.rates import FRAMES_A_STEP, STEP_SECONDS
from anonymizer.voice.spectra import BANDS, FLOOR, WINDOW, around, band_weights, log_bands, powers
from evaluation.voice_training.phones import Sounding, classes_of

WARPS: Final = tuple(float(warp) for warp in np.geomspace(0.84, 1.2, 13))
SPEEDS: Final = (0.82, 1.22)
_LEAD_STEPS: Final = 24
_QUIETER_DECIBELS: Final = 30.0


@dataclass(frozen=True)
class Material:
    """One recording, ready to be drawn from.

    Attributes:
        spectra: (frames, BINS) float32 powers.
        classes: (steps,) int64, -1 where nobody knows.
        donor: the number of its voice; -1 for a real speaker.
        envelope: (frames, FRAME_OUT) float32, what the decoder shall say; None for a real speaker.
    """

    spectra: NDArray[np.float32]
    classes: NDArray[np.int64]
    donor: int = -1
    envelope: NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Batch:
    """What one step of training takes.

    Attributes:
        bands: (batch, 2 * BANDS, steps), as the encoder hears them.
        classes: (batch, steps).
        donors: (batch,).
        envelope: (batch, steps, 2, FRAME_OUT), or None.
    """

    bands: Tensor
    classes: Tensor
    donors: Tensor
    envelope: Tensor | None


def material(
    speech: NDArray[np.float32],
    soundings: list[Sounding],
    donor: int = -1,
    envelope: NDArray[np.float32] | None = None,
) -> Material:
    """Returns a recording's spectra with the phone of each step."""
    spectra = powers(around(speech))
    steps = len(spectra) // FRAMES_A_STEP
    if envelope is not None:
        return Material(spectra, classes_of(soundings, steps, STEP_SECONDS), donor, envelope)
    # What nobody aligned may be anything, unless it is quiet.
    classes = classes_of(soundings, steps, STEP_SECONDS, otherwise=-1)
    loud = decibels(spectra)[: steps * FRAMES_A_STEP].reshape(steps, -1).max(axis=1)
    classes[(classes < 0) & (loud < np.quantile(loud, 0.9) - _QUIETER_DECIBELS)] = 0
    return Material(spectra, classes, donor, envelope)


class Disguises:
    """Draws batches of disguised speech."""

    def __init__(self, seed: int, batch: int, steps: int = 300) -> None:
        """Takes the seed, how many pieces are drawn at once, and their length (20 ms each)."""
        self._random = np.random.default_rng(seed)
        self._steps, self._batch = steps, batch

    def draw(self, materials: list[Material], hard: float = 1.0) -> Batch:
        """Returns one batch.

        Args:
            materials: to draw from: longer ones more often.
            hard: 0 to 1, how much of every disguise.
        """
        random = self._random
        lengths = np.array([len(each.classes) for each in materials], float)
        chosen = random.choice(len(materials), self._batch, p=lengths / lengths.sum())
        drawn = [self._piece(materials[number], hard) for number in chosen]
        envelopes = [piece[2] for piece in drawn]
        donors = torch.tensor([materials[number].donor for number in chosen])
        return Batch(
            bands=torch.from_numpy(np.stack([piece[0] for piece in drawn])),
            classes=torch.from_numpy(np.stack([piece[1] for piece in drawn])),
            donors=donors,
            envelope=None
            if any(envelope is None for envelope in envelopes)
            else torch.from_numpy(np.stack([envelope for envelope in envelopes if envelope is not None])),
        )

    def _piece(
        self, source: Material, hard: float
    ) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float32] | None]:
        random = self._random
        # The decoder's envelope keeps its own time: only what nobody speaks again is stretched.
        speed = 1.0 if source.envelope is not None else random.uniform(*SPEEDS) ** hard
        lead = _LEAD_STEPS
        total = self._steps + lead
        span = int(np.ceil(total * FRAMES_A_STEP * speed)) + 2
        begin = int(random.integers(0, max(1, len(source.spectra) - span // 2)))
        begin -= begin % FRAMES_A_STEP
        places = begin + np.arange(total * FRAMES_A_STEP) * speed
        frames = np.minimum(places.astype(int), len(source.spectra) - 1)
        inside = places < len(source.spectra)
        spectra = source.spectra[frames] * inside[:, None]
        bands = self._disguised(spectra, hard)
        steps = np.minimum(frames[::FRAMES_A_STEP] // FRAMES_A_STEP, len(source.classes) - 1)
        classes = np.where(inside[::FRAMES_A_STEP], source.classes[steps], -1)
        mean = TYPICAL if random.random() < 0.5 else bands.mean(axis=0)
        heard = less_its_mean(bands, mean.astype(np.float32))
        flat = heard.reshape(total, FRAMES_A_STEP * BANDS).T
        envelope = None
        if source.envelope is not None:
            envelope = source.envelope[np.minimum(frames, len(source.envelope) - 1)]
            envelope = envelope.reshape(total, FRAMES_A_STEP, -1)
        return np.ascontiguousarray(flat, np.float32), classes, envelope

    def _disguised(self, spectra: NDArray[np.float32], hard: float) -> NDArray[np.float32]:
        random = self._random
        warp = WARPS[int(random.integers(0, len(WARPS)))] if random.random() < hard else 1.0
        bands = spectra @ band_weights(warp) / WINDOW
        level = float(np.mean(bands)) + 1e-9
        # A room: what was said decays behind itself.
        if random.random() < 0.3 * hard:
            decay, share = random.uniform(0.6, 0.9), random.uniform(0.02, 0.25)
            behind = lfilter([0.0, 4 * (1 - decay)], [1.0, -decay], bands, axis=0)
            bands = bands + share * behind
        curve = np.zeros(BANDS)
        positions = np.arange(BANDS) / BANDS
        for ripples in range(1, 5):
            curve += random.normal(0, 0.8 / ripples) * np.cos(
                np.pi * ripples * positions + random.uniform(0, np.pi)
            )
        bands = bands * np.exp(curve * hard)
        if random.random() < 0.5:
            quieter = 10 ** (-random.uniform(8, 45) / 10)
            tilt = np.exp(-positions * random.uniform(0, 4))
            noise = level * quieter * tilt / tilt.mean() * random.gamma(4.0, 0.25, bands.shape)
            bands = bands + noise
        gain = 10 ** (random.uniform(-2.0, 1.0) * hard)
        if random.random() < 0.3 * hard:
            width, place = int(random.integers(2, 9)), int(random.integers(0, BANDS - 9))
            bands[:, place : place + width] = bands[:, place : place + width].mean(axis=1, keepdims=True)
        result: NDArray[np.float32] = np.log(bands * gain + FLOOR).astype(np.float32)
        return result


def undisguised(source: Material) -> tuple[Tensor, Tensor]:
    """Returns a whole recording as it is: (2 * BANDS, steps) for the encoder, and (steps,) classes."""
    bands = log_bands(source.spectra)
    steps = len(source.classes)
    heard = less_its_mean(bands, bands.mean(axis=0))[: steps * FRAMES_A_STEP]
    flat = np.ascontiguousarray(heard.reshape(steps, -1).T)
    return torch.from_numpy(flat), torch.from_numpy(source.classes)


def less_its_mean(bands: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """Takes from each frame the mean of those before it, as anonymizer.voice.hearing does."""
    kept = 1 - EMA_WEIGHT
    means, _ = lfilter([EMA_WEIGHT], [1.0, -kept], bands, axis=0, zi=(kept * mean)[None])
    result: NDArray[np.float32] = (bands - means).astype(np.float32)
    return result


def lead_steps() -> int:
    """Returns how many steps at a piece's begin only prepare the networks' states."""
    return _LEAD_STEPS
