"""Where somebody speaks: the silero-vad network, block by block, its state carried.

What it misses is masked all the same (anonymizer/sound): it only says where a speaker is worth looking for.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.detect.sessions import Network
from anonymizer.speakers.encoder import checked

FloatArray = npt.NDArray[np.float32]

CHUNK: Final = 512
"""Samples that get one probability: 32 ms."""
# The network sees the end of the chunk before.
_CONTEXT: Final = 64
_UNITS: Final = 128
# More at once only takes memory: 16 s.
_MOST_AT_ONCE: Final = 512


class VoiceActivity:
    """Listens to one recording from its beginning."""

    def __init__(self, graph: bytes, threads: int) -> None:
        """Opens the network. Call it after the fork.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._network = Network(graph, threads)
        self._state = [np.zeros((1, 1, _UNITS), np.float32)] * 2
        self._context = np.zeros(_CONTEXT, np.float32)
        self._waiting = np.zeros(0, np.float32)

    def push(self, speech: FloatArray) -> FloatArray:
        """Takes more of the recording.

        Args:
            speech: mono, 16 kHz, any length.

        Returns:
            How probable speech is, 0 to 1, for each further whole chunk of 512 samples.

        Raises:
            AnonymizerError: detector_failed, also for samples that are no finite numbers.
        """
        if not len(speech):
            return np.zeros(0, np.float32)
        heard = np.concatenate([self._waiting, checked(speech)])
        whole = len(heard) // CHUNK
        self._waiting = heard[whole * CHUNK :]
        chunks = heard[: whole * CHUNK].reshape(whole, CHUNK)
        parts = [
            self._probabilities(chunks[begin : begin + _MOST_AT_ONCE])
            for begin in range(0, whole, _MOST_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def finish(self) -> FloatArray:
        """Gives the probability of the last, incomplete chunk: one or none.

        Raises:
            AnonymizerError: detector_failed.
        """
        missing = -len(self._waiting) % CHUNK
        return self.push(np.zeros(missing, np.float32))

    def _probabilities(self, chunks: FloatArray) -> FloatArray:
        before = np.vstack([self._context, chunks[:-1, -_CONTEXT:]])
        self._context = chunks[-1, -_CONTEXT:].copy()
        feeds = (np.hstack([before, chunks]), *self._state)
        probabilities, *self._state = self._network.run(dict(zip(self._network.inputs, feeds, strict=True)))
        return probabilities.reshape(-1)
