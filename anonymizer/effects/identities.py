"""Seeds for faces that are made: the same for one person through a job, and for one pseudonym in every job.

People are told apart by the order in which they appear; the first of them has the pseudonym, where one is
given. Nothing of a seed comes from the picture, so a made face tells nothing of the one that it covers.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence

from anonymizer.effects.operator import Cover
from anonymizer.settings import Effect, Settings

SEED_BYTES = 32
MOST_KNOWN = 10_000


class Identities:
    """Who is who in one job, for one effect."""

    def __init__(self, settings: Settings, effect: Effect) -> None:
        """Takes the job's secret and its pseudonym; draws a secret where there is none."""
        secret = settings.personas or os.urandom(SEED_BYTES)
        self._key = _keyed(_keyed(secret, effect.encode()), settings.pseudonym.encode())
        self._places: dict[int, int] = {}
        self._met = 0

    def __repr__(self) -> str:
        """Tells nothing."""
        return "Identities()"

    def meet(self, covers: Sequence[Cover]) -> None:
        """Takes whoever is seen in a frame; of several new ones the largest is first."""
        for cover in sorted(covers, key=lambda each: -each.box.height):
            self._place_of(cover.track)

    def seed_of(self, track: int) -> bytes:
        """Returns the 32 bytes of whoever is followed under this number."""
        return _keyed(self._key, self._place_of(track).to_bytes(8, "big"))

    def _place_of(self, track: int) -> int:
        if track not in self._places:
            self._places[track] = self._met
            self._met += 1
            # Numbers of tracks do not come again: who was met long ago is gone.
            if len(self._places) > MOST_KNOWN:
                del self._places[next(iter(self._places))]
        return self._places[track]


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, b"bauta.face/v1:" + message, hashlib.sha256).digest()
