"""Seeds for faces that are made: the same for one person through a job, and for one pseudonym in every job.

People are told apart by the order in which they appear; the first of them has the pseudonym, where one is
given. Nothing of a seed comes from the picture, so a made face tells nothing of the one that it covers.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from anonymizer.settings import Effect, Settings

SEED_BYTES = 32


class Identities:
    """Who is who in one job, for one effect."""

    def __init__(self, settings: Settings, effect: Effect) -> None:
        """Takes the job's secret and its pseudonym; draws a secret where there is none."""
        secret = settings.personas or os.urandom(SEED_BYTES)
        self._key = _keyed(_keyed(secret, effect.encode()), settings.pseudonym.encode())
        self._places: dict[int, int] = {}

    def __repr__(self) -> str:
        """Tells nothing."""
        return "Identities()"

    def seed_of(self, track: int) -> bytes:
        """Returns the 32 bytes of whoever is followed under this number."""
        place = self._places.setdefault(track, len(self._places))
        return _keyed(self._key, place.to_bytes(8, "big"))


def _keyed(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, b"bauta.face/v1:" + message, hashlib.sha256).digest()
