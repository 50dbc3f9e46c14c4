"""All channels become one: between two of them, a listener hears where in a room somebody stood.

The result is their mean, each with the sign under which it agrees with the loudest: recorders exist that turn
one channel upside down, and their plain mean would be silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.room.gathering import Gathering

Samples = npt.NDArray[np.float32]

# The longest stretch over which channels are compared.
COMPARED_SECONDS: Final = 0.5
# Below this, a channel agrees with the loudest by accident, and keeps the sign that it has.
CLEAR: Final = 0.3
# Seconds over which a channel turns: a sudden turn would click.
TURN_SECONDS: Final = 0.05


class Flattener:
    """Takes all channels of a track in order, and returns one."""

    def __init__(self, rate: int, channels: int) -> None:
        """Takes the sampling rate in Hz and the number of channels."""
        self._comparing = Gathering(round(COMPARED_SECONDS * rate))
        self._signs = np.ones(channels)
        self._turn = round(TURN_SECONDS * rate)
        self._apart = 0.0
        self._together = 0.0

    @property
    def difference_db(self) -> float | None:
        """What the channels had apart from each other, over what they had in common, in decibels.

        None where there was one channel, or no sound.
        """
        if len(self._signs) == 1 or self._together <= 0:
            return None
        return float(10 * np.log10(max(self._apart, 1e-12 * self._together) / self._together))

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Takes (channels, n), and yields (m,) where enough was gathered to compare."""
        return map(self._flat, self._comparing.push(samples))

    def flush(self) -> Iterator[Samples]:
        """Yields the rest."""
        if self._comparing.held:
            yield self._flat(self._comparing.rest())

    def _flat(self, block: Samples) -> Samples:
        if block.shape[0] == 1:
            return np.asarray(block[0])
        signs = self._signs_of(block)
        turn = min(self._turn, block.shape[1])
        weights = np.repeat(signs[:, None], block.shape[1], axis=1)
        weights[:, :turn] = np.linspace(self._signs, signs, turn, axis=1)
        self._signs = signs
        one = np.mean(block * weights, axis=0)
        self._together += float(np.sum(np.square(one)))
        self._apart += float(np.mean(np.sum(np.square(block - one), axis=1)))
        return np.asarray(one, np.float32)

    def _signs_of(self, block: Samples) -> npt.NDArray[np.float64]:
        energies = np.sum(np.square(block, dtype=np.float64), axis=1)
        loudest = int(np.argmax(energies))
        scale = np.sqrt(energies * energies[loudest]) + 1e-12
        agreement = (block.astype(np.float64) @ block[loudest]) / scale
        # The loudest may be another one in each block: the whole must not turn with it.
        agreement *= self._signs[loudest]
        clear = np.abs(agreement) > CLEAR
        return np.where(clear, np.sign(agreement), self._signs)
