"""Suppresses the sensor's noise in the pictures of one video, or in a still."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

import numpy as np

from anonymizer.camera.bending import Bend
from anonymizer.camera.denoising import noise_deviation, reach_of, smooth
from anonymizer.camera.grain import Grain
from anonymizer.effects.region import Plane

SEED_BYTES: Final = 32
# The noise of a shot changes with the light; frames come in order.
FRAMES_BETWEEN_MEASUREMENTS: Final = 25


class Suppressor:
    """One video's, or one still's. Pictures come in order, covered already."""

    def __init__(self, seed: bytes | None = None) -> None:
        """Takes 32 random bytes that nobody else may know; draws them where none are given."""
        drawn = os.urandom(SEED_BYTES) if seed is None else seed
        self._random = np.random.Generator(np.random.SFC64(int.from_bytes(drawn, "big")))
        self._shot: int | None = None
        self._bend: Bend | None = None
        self._grain: Grain | None = None
        self._reach: list[int] = []
        self._frames = 0

    def apply(self, planes: Sequence[Plane], shot: int, time: float) -> None:
        """Changes all planes of a picture in place.

        Args:
            planes: luma and two colour planes of half the size, or blue, green and red, or grey alone.
            shot: counts the cuts before it.
            time: seconds.
        """
        height, width = planes[0].pixels.shape
        if self._bend is None or shot != self._shot:
            self._shot, self._frames = shot, 0
            self._bend = Bend(self._random, width, height)
        if self._frames % FRAMES_BETWEEN_MEASUREMENTS == 0:
            deviations = [noise_deviation(plane.pixels) for plane in planes]
            self._reach = [reach_of(deviation) for deviation in deviations]
            if self._grain is None:
                self._grain = Grain(self._random, width, height, deviations[0])
        self._frames += 1
        place = self._grain.place() if self._grain is not None else (0, 0)
        for plane, reach in zip(planes, self._reach, strict=True):
            # The channels of a still lie between each other.
            pixels = np.ascontiguousarray(plane.pixels)
            clean = self._bend.apply(smooth(pixels, reach), plane.step, time)
            # Of a video, the grain is grey: it lies in the luma plane alone.
            if self._grain is not None and plane.step == 1:
                clean = self._grain.add(clean, place)
            plane.pixels[:] = clean
