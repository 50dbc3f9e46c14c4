"""Whose voice it becomes: everything that is keyed, drawn from 32 bytes.

One pseudonym has one mask in every file. Two masks differ in all that a listener, or a trained ear, goes by:
which donors are mixed, how each phone is coloured, how the spectrum is bent, how high and how lively the
voice is, and how it hurries and lingers.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

SEED_BYTES: Final = 32
_LABEL: Final = b"bauta.voice/v1:"
# Speech between a deep and a high voice, in hertz.
_DEEPEST_HZ: Final = 85.0
_HIGHEST_HZ: Final = 235.0
# How much of the intonation is left, as a factor on steps of about a third.
_LIVELINESS: Final = (0.6, 1.4)
_BENDS: Final = (0.86, 1.16)
# Seconds: the slowest and the fastest of the waves that make the tempo.
_WAVES: Final = (0.9, 0.35)
TEMPO_WAVES: Final = 3


@dataclass(frozen=True)
class VoiceMask:
    """A voice that belongs to nobody.

    Attributes:
        pitch_hz: the middle of its intonation.
        liveliness: how far it goes up and down, 1 is usual.
        bend: what frequencies of the spectrum are multiplied by.
        tempo: (TEMPO_WAVES, 3): length in seconds, phase, and share of each wave of hurry and lingering.
    """

    pitch_hz: float = field(repr=False)
    liveliness: float = field(repr=False)
    bend: float = field(repr=False)
    tempo: NDArray[np.float64] = field(repr=False)
    _seed: bytes = field(repr=False)

    @classmethod
    def of(cls, seed: bytes) -> VoiceMask:
        """Returns the mask of 32 secret bytes.

        Raises:
            ValueError: there are not 32 of them.
        """
        if len(seed) != SEED_BYTES:
            raise ValueError("The seed of a voice has 32 bytes.")
        pitch, lively, bend = _uniform(seed, b"voice", 3)
        waves = _uniform(seed, b"tempo", 3 * TEMPO_WAVES).reshape(TEMPO_WAVES, 3)
        waves[:, 0] = _WAVES[0] * (_WAVES[1] / _WAVES[0]) ** waves[:, 0]
        waves[:, 1] *= 2 * np.pi
        waves[:, 2] = 0.5 + waves[:, 2]
        waves[:, 2] /= waves[:, 2].sum()
        return cls(
            pitch_hz=float(_DEEPEST_HZ * (_HIGHEST_HZ / _DEEPEST_HZ) ** pitch),
            liveliness=float(_LIVELINESS[0] + (_LIVELINESS[1] - _LIVELINESS[0]) * lively),
            bend=float(_BENDS[0] * (_BENDS[1] / _BENDS[0]) ** bend),
            tempo=waves,
            _seed=seed,
        )

    def donors(self, count: int, classes: int) -> NDArray[np.float32]:
        """Returns how this voice mixes the donors, for each part of each phone.

        Args:
            count: of donors.
            classes: of parts of phones; three in a row are one phone.

        Returns:
            (classes, count) float32; each row sums to 1. All rows share a heart, of the clearest donors, and
            a tint of the others; each phone leans a little to one more.
        """
        hearts = min(HEARTS, count)
        drawn = _uniform(self._seed, b"donors", count)
        chosen = np.concatenate([HEART * _mix(drawn[:hearts]), (1 - HEART - ACCENT) * _mix(drawn[hearts:])])
        phones = -(-classes // 3)
        leaning = _uniform(self._seed, b"accent", phones)
        rows = np.tile(chosen, (phones, 1))
        rows[np.arange(phones), (leaning * count).astype(int)] += 1 - rows[0].sum()
        result: NDArray[np.float32] = np.repeat(rows, 3, axis=0)[:classes].astype(np.float32)
        return result

    def colour(self, bands: int) -> NDArray[np.float32]:
        """Returns (bands,) float32: what this voice adds to the logarithm of every envelope."""
        drawn = 2 * _uniform(self._seed, b"colour", COLOURS) - 1
        positions = (np.arange(bands) + 0.5) / bands
        waves = np.stack([np.cos(np.pi * (ripple + 1) * positions) for ripple in range(COLOURS)])
        result: NDArray[np.float32] = (COLOUR * drawn @ waves).astype(np.float32)
        return result

    def noise(self) -> np.random.Generator:
        """Returns where this voice's breath comes from: the same for the same words."""
        return np.random.Generator(np.random.PCG64(int.from_bytes(self._drawn(b"noise", 16))))

    def _drawn(self, purpose: bytes, length: int) -> bytes:
        return _expanded(self._seed, purpose, length)


# How many donors, the first ones, speak clearly enough to be the heart of a voice; its share, and how far
# each phone leans to another donor. How many ripples colour the spectrum, and how much (natural logarithm of
# power).
HEARTS: Final = 4
HEART: Final = 0.65
ACCENT: Final = 0.25
COLOURS: Final = 5
COLOUR: Final = 0.9


def _mix(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns shares of the two highest of what was drawn: the more alike they are, the more alike."""
    shares = np.zeros_like(drawn)
    if len(drawn) == 0:
        return shares
    second, first = np.argsort(drawn)[-2:] if len(drawn) > 1 else (0, 0)
    lean = min(0.5, 2 * float(drawn[first] - drawn[second]))
    shares[second] += 0.5 - lean
    shares[first] += 0.5 + lean
    return shares


def _uniform(seed: bytes, purpose: bytes, count: int) -> NDArray[np.float64]:
    """Returns (count,) numbers from 0 up to 1."""
    return np.frombuffer(_expanded(seed, purpose, 8 * count), ">u8") / 2.0**64


def _expanded(seed: bytes, purpose: bytes, length: int) -> bytes:
    return hashlib.shake_256(_LABEL + purpose + b":" + seed).digest(length)
