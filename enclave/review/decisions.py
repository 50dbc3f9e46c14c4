"""Decisions: what a person who looked at the sheet wants otherwise. JSON, strictly read.

The form is in this package's docstring. Who said so is `signed.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from enclave.errors import ReviewError
from enclave.review.objects import Reading
from provenance import canonical
from provenance.errors import FormatError

FORMAT = "bauta.decisions/v1"
ON_TRACKS = ("cover", "keep", "stronger", "role", "effect")
ON_SPEAKERS = ("role", "effect")
WORDS = (*ON_TRACKS, "whole_frame", "draw", "mute")
"""All that can be decided. A policy allows some of it."""

CODE = "decisions_invalid"
MAX_DECISIONS = 256
MAX_KEYS = 64
MAX_TRACK = (1 << 31) - 1
MAX_SPEAKERS = 32
VOICE_EFFECTS = ("keep", "anonymize", "bleep", "remove")
"""What can become of a voice, from the weakest to the strongest."""
MUTING = ("bleep", "remove")
"""What can be heard in place of a muted stretch."""
MAX_MILLISECONDS = 24 * 3600 * 1000
WHOLE = 10_000
"""The width and the height of a picture, in the unit of boxes."""
# Signed, they must fit into the instructions (enclave/policy/review.py).
MAX_DECISIONS_BYTES = 40 << 10

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class OnTrack:
    """What becomes of one thing that was followed.

    Attributes:
        do: one of ON_TRACKS.
        track: its number on the sheet.
        name: of the role or the effect; empty with any other word.
        span: with "keep", milliseconds: from the first, and before the second; None to keep it until it could
            be taken for another.
    """

    do: str
    track: int
    name: str = ""
    span: tuple[int, int] | None = None

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        named = {self.do: self.name} if self.name else {}
        spanned = {} if self.span is None else {"from_ms": self.span[0], "to_ms": self.span[1]}
        return {"do": self.do, "track": self.track, **named, **spanned}


@dataclass(frozen=True)
class OnSpeaker:
    """What becomes of one voice, wherever it speaks alone.

    Attributes:
        do: one of ON_SPEAKERS.
        speaker: its number on the sheet.
        name: of the role or the effect.
    """

    do: str
    speaker: int
    name: str

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {"do": self.do, "speaker": self.speaker, self.do: self.name}


@dataclass(frozen=True)
class Mute:
    """Nothing that is said can be understood for a while, whoever says it.

    Attributes:
        from_ms, to_ms: from the first, and before the second.
        effect: one of MUTING.
    """

    from_ms: int
    to_ms: int
    effect: str

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {"do": "mute", "effect": self.effect, "from_ms": self.from_ms, "to_ms": self.to_ms}


@dataclass(frozen=True)
class WholeFrame:
    """The whole picture is covered for a while.

    Attributes:
        from_ms, to_ms: from the first, and before the second.
    """

    from_ms: int
    to_ms: int

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {"do": "whole_frame", "from_ms": self.from_ms, "to_ms": self.to_ms}


@dataclass(frozen=True)
class Key:
    """Where a drawn box stands at a time.

    Attributes:
        at_ms: the time.
        box: left, top, right, bottom; ten-thousandths of the picture.
    """

    at_ms: int
    box: Box

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {"at_ms": self.at_ms, "box": list(self.box)}


@dataclass(frozen=True)
class Draw:
    """A box that a person drew is covered for a while.

    Attributes:
        from_ms, to_ms: from the first, and before the second.
        keys: 1 to 64, in the order of their times.
    """

    from_ms: int
    to_ms: int
    keys: tuple[Key, ...]

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        keys = [key.to_object() for key in self.keys]
        return {"do": "draw", "from_ms": self.from_ms, "to_ms": self.to_ms, "keys": keys}


Decision = OnTrack | WholeFrame | Draw | OnSpeaker | Mute


@dataclass(frozen=True)
class Decisions:
    """Everything that one person decided about one result. None at all is a decision too.

    Attributes:
        record_sha256: of the sealed record in the package that was looked at, hexadecimal: they are about no
            other.
        decisions: in the order in which they were written.
    """

    record_sha256: str
    decisions: tuple[Decision, ...]

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {
            "format": FORMAT,
            "record_sha256": self.record_sha256,
            "decisions": [decision.to_object() for decision in self.decisions],
        }

    def to_bytes(self) -> bytes:
        """Gives the canonical JSON."""
        return canonical.dumps(self.to_object())

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON, 32 bytes. Whoever guesses the decisions can compute it."""
        return hashlib.sha256(self.to_bytes()).digest()

    def commitment(self, salt: bytes) -> bytes:
        """HMAC-SHA256 of what is signed, under the submitter's salt; 32 bytes, for the statement.

        The same decisions are a few words that anybody can guess: without a salt their digest would tell.
        """
        return hmac.new(salt, self.signed_bytes(), hashlib.sha256).digest()

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return FORMAT.encode() + b"\n" + self.to_bytes()

    @property
    def counts(self) -> dict[str, int]:
        """How often each word was decided, without those that never were."""
        return dict(sorted(Counter(decision.to_object()["do"] for decision in self.decisions).items()))


def parse_decisions(untrusted: bytes) -> Decisions:
    """Reads decisions as a page or a person saved them: spacing and the order of keys are free.

    Raises:
        ReviewError: `decisions_invalid`.
    """
    try:
        untrusted_object = canonical.loads_relaxed(untrusted, MAX_DECISIONS_BYTES)
    except FormatError:
        raise ReviewError("the decisions are not JSON of the accepted kind", CODE) from None
    return decisions_from_object(untrusted_object)


def decisions_from_object(untrusted: Any) -> Decisions:
    """Reads the JSON object that `Decisions.to_object` gives.

    Raises:
        ReviewError: `decisions_invalid`.
    """
    reading = Reading(untrusted, ("format", "record_sha256", "decisions"), CODE)
    reading.word("format", (FORMAT,))
    return Decisions(reading.text("record_sha256", _SHA256), decision_list(reading))


def decision_list(reading: Reading) -> tuple[Decision, ...]:
    """Reads the member `decisions` of decisions or of a sheet.

    Raises:
        ReviewError: with the reading's code, or `decisions_invalid`.
    """
    decisions = tuple(map(_decision, reading.items("decisions", MAX_DECISIONS)))
    tracks = [decision.track for decision in decisions if isinstance(decision, OnTrack)]
    speakers = [decision.speaker for decision in decisions if isinstance(decision, OnSpeaker)]
    if len(set(tracks)) != len(tracks) or len(set(speakers)) != len(speakers):
        # What is decided twice, or both ways, is no decision: a person must look again.
        raise ReviewError("review: one decision for a track or a speaker and no more", CODE)
    return decisions


def box(reading: Reading) -> Box:
    """Reads the member `box`: left before right, top before bottom, from 0 to 10000.

    Raises:
        ReviewError: with the reading's code.
    """
    left, top, right, bottom = (
        reading.whole(edge, f"an edge of box must be a whole number from 0 to {WHOLE}", WHOLE)
        for edge in reading.items("box", 4, least=4)
    )
    if left >= right or top >= bottom:
        raise reading.error("box needs left before right and top before bottom")
    return left, top, right, bottom


def _decision(untrusted: Any) -> Decision:
    word = untrusted.get("do") if isinstance(untrusted, dict) else None
    match word:
        case "keep" if untrusted.keys() != {"do", "track"}:
            reading = Reading(untrusted, ("do", "track", "from_ms", "to_ms"), CODE)
            return OnTrack(word, reading.count("track", MAX_TRACK), span=_stretch(reading))
        case "cover" | "keep" | "stronger":
            reading = Reading(untrusted, ("do", "track"), CODE)
            return OnTrack(word, reading.count("track", MAX_TRACK))
        case "role" if "speaker" in untrusted:
            reading = Reading(untrusted, ("do", "speaker", "role"), CODE)
            return OnSpeaker(word, reading.count("speaker", MAX_SPEAKERS - 1), reading.text("role", _NAME))
        case "effect" if "speaker" in untrusted:
            reading = Reading(untrusted, ("do", "speaker", "effect"), CODE)
            speaker = reading.count("speaker", MAX_SPEAKERS - 1)
            return OnSpeaker(word, speaker, reading.word("effect", VOICE_EFFECTS))
        case "mute":
            reading = Reading(untrusted, ("do", "effect", "from_ms", "to_ms"), CODE)
            return Mute(*_stretch(reading), reading.word("effect", MUTING))
        case "role" | "effect":
            reading = Reading(untrusted, ("do", "track", word), CODE)
            return OnTrack(word, reading.count("track", MAX_TRACK), reading.text(word, _NAME))
        case "whole_frame":
            return WholeFrame(*_stretch(Reading(untrusted, ("do", "from_ms", "to_ms"), CODE)))
        case "draw":
            reading = Reading(untrusted, ("do", "from_ms", "to_ms", "keys"), CODE)
            keys = tuple(map(_key, reading.items("keys", MAX_KEYS, least=1)))
            times = [key.at_ms for key in keys]
            if times != sorted(set(times)):
                raise reading.error("keys must be in the order of their times, none twice")
            return Draw(*_stretch(reading), keys)
    raise ReviewError(f"review: do must be one of {', '.join(WORDS)}", CODE)


def _key(untrusted: Any) -> Key:
    reading = Reading(untrusted, ("at_ms", "box"), CODE)
    return Key(reading.count("at_ms", MAX_MILLISECONDS), box(reading))


def _stretch(reading: Reading) -> tuple[int, int]:
    from_ms, to_ms = reading.count("from_ms", MAX_MILLISECONDS), reading.count("to_ms", MAX_MILLISECONDS)
    if from_ms >= to_ms:
        raise reading.error("from_ms must be before to_ms")
    return from_ms, to_ms
