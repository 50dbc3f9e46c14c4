"""A track of sound cut by who speaks, for a keeper: what a plan lets nobody hear any more."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from anonymizer.keeping import Keeper, Samples
from anonymizer.sound.plan import CELLS_PER_SECOND, Plan

KEPT: Final = "keep"


class VoiceKeeper:
    """Takes the samples of a track once, in order, and gives a keeper those that are replaced.

    A piece lasts a second at most and ends with a second of the result. What nobody was heard to say goes
    with whoever the plan gives it to: the beginning of a word is often no turn yet.
    """

    def __init__(self, keeper: Keeper, plan: Plan, rate: int, begins_at: int) -> None:
        """Takes what happens to the track.

        Args:
            keeper: gets the pieces.
            plan: of the track.
            rate: samples a second.
            begins_at: number of its first sample, from the time that is zero.
        """
        self._keeper = keeper
        self._rate = rate
        self._begins_at = begins_at
        self._stretches = deque(plan.stretches)
        self._taken = 0
        self._held: list[Samples] = []
        self._held_samples = 0

    def push(self, samples: Samples) -> None:
        """Takes more, (channels, n)."""
        self._held.append(samples)
        self._held_samples += samples.shape[1]
        while self._held_samples >= (length := self._next_length()):
            self._give(length)

    def finish(self) -> None:
        """Gives what is left."""
        while self._held_samples:
            self._give(min(self._next_length(), self._held_samples))

    def _next_length(self) -> int:
        at = self._begins_at + self._taken
        length = self._rate - at % self._rate
        ends = self._end_of_stretch()
        return length if ends is None else min(length, ends - self._taken)

    def _end_of_stretch(self) -> int | None:
        """Where the stretch that holds the next sample ends; the last one has no end."""
        while len(self._stretches) > 1:
            ends = round(self._stretches[0].end * self._rate / CELLS_PER_SECOND)
            if ends > self._taken:
                return ends
            self._stretches.popleft()
        return None

    def _give(self, length: int) -> None:
        whole = np.concatenate(self._held, axis=1)
        piece, rest = whole[:, :length], whole[:, length:]
        self._held, self._held_samples = [rest], rest.shape[1]
        stretch = self._stretches[0]
        if stretch.effect != KEPT:
            self._keeper.heard(stretch.speaker, self._begins_at + self._taken, self._rate, piece)
        self._taken += length
