"""Seeds for voices that are made: the same for one speaker through a job, and for one pseudonym in every job.

Whoever speaks longest has the pseudonym, where one is given; the others are numbered in the order in which
they begin to speak. Nothing of a seed comes from a voice, so a made one tells nothing of the one that it
replaces.
"""

from __future__ import annotations

import hashlib
import hmac
import os

from anonymizer.settings import Settings
from anonymizer.speakers.turns import Turns

SEED_BYTES = 32


class Masks:
    """Who has which voice in one job."""

    def __init__(self, settings: Settings, turns: Turns) -> None:
        """Takes the job's secret and its pseudonym, and who speaks; draws a secret where there is none."""
        secret = settings.personas or os.urandom(SEED_BYTES)
        self._key = _keyed(secret, settings.pseudonym.encode())
        spoken = [sum(turn.seconds for turn in turns.of(speaker)) for speaker in range(turns.speakers)]
        first = spoken.index(max(spoken)) if spoken else 0
        others = [speaker for speaker in range(turns.speakers) if speaker != first]
        self._places = {speaker: place for place, speaker in enumerate([first, *others])}

    def __repr__(self) -> str:
        """Tells nothing."""
        return "Masks()"

    def seed_of(self, speaker: int) -> bytes:
        """Returns the 32 bytes of a speaker; where nobody was found to speak, of the first one."""
        return _keyed(self._key, self._places.get(speaker, 0).to_bytes(8, "big"))


def _keyed(key: bytes, message: bytes) -> bytes:
    # Another label than that of faces (effects/identities.py): one secret gives both, and neither the other.
    return hmac.new(key, b"bauta.voice/v1:" + message, hashlib.sha256).digest()
