"""The sheet: what a person is shown of a job. JSON, strictly read; every picture in it shows covered pixels.

The form is in this package's docstring. A sheet is made by a process that parsed a stranger's video: on the
submitter's machine it is as untrusted as that video until it has passed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import ReviewError
from enclave.review.decisions import (
    MAX_MILLISECONDS,
    MAX_TRACK,
    VOICE_EFFECTS,
    WORDS,
    Box,
    Decision,
    box,
    decision_list,
)
from enclave.review.objects import Reading
from enclave.review.speakers import SheetSpeaker, speaker_list
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.statements.vocabulary import EFFECTS, MEDIA_TYPES, MODES

FORMAT = "bauta.sheet/v1"
CODE = "review_package_invalid"
KINDS = ("face", "person", "plate", "text")
VOICE = "voice"
"""Beside them in `effects`: what may be chosen for a speaker."""
MAX_TRACKS = 512
MAX_THUMBNAILS = 8
MAX_VIEWS = 32
MAX_JPEG_BYTES = 256 << 10
MAX_ROLES = 16
MAX_PIXELS = 65535

_MAX_COUNT = (1 << 53) - 1
_JOB = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_TRACK_KEYS = ("track", "kind", "effect", "first_ms", "last_ms", "frames", "width", "height", "strip")
# The first and the last bytes of every JPEG (ITU-T T.81, annex B): a page is never handed anything else.
_JPEG_STARTS, _JPEG_ENDS = b"\xff\xd8\xff", b"\xff\xd9"

# Members that stand in the JSON as they are in the dataclass.
_PLAIN = (
    "job",
    "policy",
    "policy_sha256",
    "mode",
    "media_type",
    "width",
    "height",
    "frames",
    "duration_ms",
    "record_sha256",
)
_SHEET_KEYS = (
    "format",
    *_PLAIN,
    "may",
    "effects",
    "roles",
    "decisions",
    "tracks",
    "unlisted",
    "views",
    "speakers",
)


@dataclass(frozen=True)
class Thumbnail:
    """A small covered picture of one thing and what is around it.

    Attributes:
        at_ms: when.
        box: where the thing's cover is in the thumbnail, ten-thousandths.
        jpeg: the picture.
    """

    at_ms: int
    box: Box
    jpeg: bytes = field(repr=False)

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {"at_ms": self.at_ms, "box": list(self.box), "jpeg": base64_text(self.jpeg)}


@dataclass(frozen=True)
class View:
    """A whole covered picture, small.

    Attributes:
        at_ms: when.
        jpeg: the picture.
    """

    at_ms: int
    jpeg: bytes = field(repr=False)

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {"at_ms": self.at_ms, "jpeg": base64_text(self.jpeg)}


@dataclass(frozen=True)
class SheetTrack:
    """One thing that was followed.

    Attributes:
        track: its number; no other on the sheet has it.
        kind: one of KINDS.
        effect: what covers it in this result; "keep" where it is visible.
        first_ms, last_ms: times of its first and its last frame.
        frames: in which it is.
        width, height: of the biggest it gets, pixels.
        strip: at most 8 thumbnails.
    """

    track: int
    kind: str
    effect: str
    first_ms: int
    last_ms: int
    frames: int
    width: int
    height: int
    strip: tuple[Thumbnail, ...]

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        told: dict[str, Any] = {key: getattr(self, key) for key in _TRACK_KEYS}
        return {**told, "strip": [thumbnail.to_object() for thumbnail in self.strip]}


@dataclass(frozen=True)
class Sheet:
    """What a person is shown of a job.

    Attributes:
        job: 32 hex digits.
        policy, policy_sha256: its name, and the hex SHA-256 of its text.
        mode: of the job.
        media_type: of the result.
        width, height: of the result's picture, pixels; 0 where it is sound alone.
        frames: of the result; likewise.
        duration_ms: of the result.
        record_sha256: hex SHA-256 of the sealed record beside it.
        may: words that the policy allows in decisions, sorted.
        effects: what "effect" may name, by kind; "voice" stands there wherever somebody was heard.
        roles: what "role" may name.
        decisions: those that this result was made by.
        tracks: what was followed.
        unlisted: how many more things were followed than a sheet holds, by kind.
        views: whole covered pictures, now and then.
        speakers: who was heard, by their numbers.
    """

    job: str
    policy: str
    policy_sha256: str
    mode: str
    media_type: str
    width: int
    height: int
    frames: int
    duration_ms: int
    record_sha256: str
    may: tuple[str, ...]
    effects: Mapping[str, tuple[str, ...]]
    roles: tuple[str, ...]
    decisions: tuple[Decision, ...]
    tracks: tuple[SheetTrack, ...]
    unlisted: Mapping[str, int]
    views: tuple[View, ...]
    speakers: tuple[SheetSpeaker, ...] = ()

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {
            "format": FORMAT,
            **{key: getattr(self, key) for key in _PLAIN},
            "may": list(self.may),
            "effects": {kind: list(effects) for kind, effects in self.effects.items()},
            "roles": list(self.roles),
            "decisions": [decision.to_object() for decision in self.decisions],
            "tracks": [track.to_object() for track in self.tracks],
            "unlisted": dict(self.unlisted),
            "views": [view.to_object() for view in self.views],
            "speakers": [speaker.to_object() for speaker in self.speakers],
        }


def sheet_from_object(untrusted: Any) -> Sheet:
    """Reads the JSON object that `Sheet.to_object` gives.

    Raises:
        ReviewError: `review_package_invalid`, or `decisions_invalid` for the decisions in it.
    """
    reading = Reading(untrusted, _SHEET_KEYS, CODE)
    reading.word("format", (FORMAT,))
    may = reading.words("may", WORDS)
    tracks = tuple(map(_track, reading.items("tracks", MAX_TRACKS)))
    if list(may) != sorted(may) or len({track.track for track in tracks}) != len(tracks):
        raise reading.error("may must be sorted, and no two tracks have one number")
    media_type = reading.word("media_type", MEDIA_TYPES)
    least = 0 if media_type.startswith("audio/") else 1
    return Sheet(
        job=reading.text("job", _JOB),
        policy=reading.text("policy", _NAME),
        policy_sha256=reading.text("policy_sha256", _SHA256),
        mode=reading.word("mode", MODES),
        media_type=media_type,
        width=reading.count("width", MAX_PIXELS, least=least),
        height=reading.count("height", MAX_PIXELS, least=least),
        frames=reading.count("frames", _MAX_COUNT, least=least),
        duration_ms=reading.count("duration_ms", MAX_MILLISECONDS),
        record_sha256=reading.text("record_sha256", _SHA256),
        may=may,
        effects=_effects(reading.raw("effects")),
        roles=_roles(reading),
        decisions=decision_list(reading),
        tracks=tracks,
        unlisted=_unlisted(reading.raw("unlisted")),
        views=tuple(map(_view, reading.items("views", MAX_VIEWS))),
        speakers=speaker_list(reading),
    )


def _track(untrusted: Any) -> SheetTrack:
    reading = Reading(untrusted, _TRACK_KEYS, CODE)
    return SheetTrack(
        track=reading.count("track", MAX_TRACK),
        kind=reading.word("kind", KINDS),
        effect=reading.word("effect", (*EFFECTS, "keep")),
        first_ms=reading.count("first_ms", MAX_MILLISECONDS),
        last_ms=reading.count("last_ms", MAX_MILLISECONDS),
        frames=reading.count("frames", _MAX_COUNT, least=1),
        width=reading.count("width", MAX_PIXELS, least=1),
        height=reading.count("height", MAX_PIXELS, least=1),
        strip=tuple(map(_thumbnail, reading.items("strip", MAX_THUMBNAILS))),
    )


def _thumbnail(untrusted: Any) -> Thumbnail:
    reading = Reading(untrusted, ("at_ms", "box", "jpeg"), CODE)
    return Thumbnail(reading.count("at_ms", MAX_MILLISECONDS), box(reading), _jpeg(reading))


def _view(untrusted: Any) -> View:
    reading = Reading(untrusted, ("at_ms", "jpeg"), CODE)
    return View(reading.count("at_ms", MAX_MILLISECONDS), _jpeg(reading))


def _jpeg(reading: Reading) -> bytes:
    try:
        jpeg = base64_bytes(reading.raw("jpeg"))
    except FormatError:
        raise reading.error("jpeg must be base64") from None
    whole = jpeg.startswith(_JPEG_STARTS) and jpeg.endswith(_JPEG_ENDS)
    if not whole or len(jpeg) > MAX_JPEG_BYTES:
        raise reading.error(f"jpeg must be a JPEG of at most {MAX_JPEG_BYTES} bytes")
    return jpeg


def _effects(untrusted: Any) -> dict[str, tuple[str, ...]]:
    kinds = [kind for kind in (*KINDS, VOICE) if isinstance(untrusted, dict) and kind in untrusted]
    reading = Reading(untrusted, kinds, CODE)
    return {kind: reading.words(kind, VOICE_EFFECTS if kind == VOICE else EFFECTS) for kind in kinds}


def _unlisted(untrusted: Any) -> dict[str, int]:
    kinds = [kind for kind in KINDS if isinstance(untrusted, dict) and kind in untrusted]
    reading = Reading(untrusted, kinds, CODE)
    return {kind: reading.count(kind, _MAX_COUNT, least=1) for kind in kinds}


def _roles(reading: Reading) -> tuple[str, ...]:
    roles = reading.items("roles", MAX_ROLES)
    if not all(isinstance(role, str) and _NAME.fullmatch(role) for role in roles):
        raise ReviewError("review: roles must be short names", CODE)
    if len(set(roles)) != len(roles):
        raise ReviewError("review: no role is named twice", CODE)
    return tuple(roles)
