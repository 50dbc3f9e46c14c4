"""Pieces of any length become blocks of one length: what is computed of a block depends on no piece."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]


class Gathering:
    """Holds less than a block between two pieces."""

    def __init__(self, block: int) -> None:
        """Takes the number of samples in a block."""
        self._block = block
        self._waiting: deque[Samples] = deque()
        self._held = 0

    @property
    def held(self) -> int:
        """How many samples wait for the rest of their block."""
        return self._held

    def push(self, piece: Samples) -> list[Samples]:
        """Takes (..., n) samples and returns the whole blocks, each (..., block)."""
        if piece.shape[-1]:
            # A copy: the caller may use its buffer again.
            self._waiting.append(np.array(piece, np.float32))
            self._held += piece.shape[-1]
        if self._held < self._block:
            return []
        joined = self.rest()
        whole = joined.shape[-1] // self._block * self._block
        blocks = [joined[..., at : at + self._block] for at in range(0, whole, self._block)]
        if joined.shape[-1] > whole:
            self._waiting.append(joined[..., whole:].copy())
            self._held = joined.shape[-1] - whole
        return blocks

    def rest(self) -> Samples:
        """Returns what waits, shorter than a block, and forgets it.

        Raises:
            ValueError: nothing waits; ask `held`.
        """
        joined = np.concatenate(list(self._waiting), axis=-1)
        self._waiting.clear()
        self._held = 0
        return joined
