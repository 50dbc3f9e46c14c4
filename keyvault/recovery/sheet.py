"""The sheet: what custodians see of a job. Covered thumbnails, kinds and times; never content.

Canonical JSON, sealed as an age file to every custodian of the policy. It comes from behind a wall where a
stranger's video was parsed: it is read as strictly as anything else of there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import MAX_TRACKS
from keyvault.recovery.schedule import MAX_NUMBER
from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

FORMAT: Final = "bauta.recovery-sheet/v1"
MAX_SHEET_BYTES: Final = 16 << 20
MAX_THUMBNAIL_BYTES: Final = 16 << 10
VOICE: Final = "voice"
KINDS: Final = ("face", "person", "plate", "text", VOICE)

_WORD = re.compile(r"[a-z]{1,32}")
_JOB = re.compile(r"[0-9a-f]{32}")
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"


@dataclass(frozen=True)
class SheetEntry:
    """One track.

    Attributes:
        track: its number, which a request names.
        kind: one of KINDS.
        effect: what covers it.
        first_ms, last_ms: between which it is there, milliseconds of the result.
        thumbnail: JPEG, covered; empty for a voice, and where there is none.
    """

    track: int
    kind: str
    effect: str
    first_ms: int
    last_ms: int
    thumbnail: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class RecoverySheet:
    """All tracks of one job, by number.

    Attributes:
        job_id: 32 hex digits.
        tracks: by rising number.
    """

    job_id: str
    tracks: Sequence[SheetEntry]

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        return canonical.dumps(
            {
                "format": FORMAT,
                "job": self.job_id,
                "tracks": [
                    {
                        "effect": entry.effect,
                        "first_ms": entry.first_ms,
                        "kind": entry.kind,
                        "last_ms": entry.last_ms,
                        "thumbnail": base64_text(entry.thumbnail),
                        "track": entry.track,
                    }
                    for entry in self.tracks
                ],
            }
        )

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> RecoverySheet:
        """Reads what `to_bytes` gave.

        Raises:
            RecoveryError: sheet_malformed.
        """
        try:
            content = canonical.loads(untrusted, MAX_SHEET_BYTES)
        except FormatError:
            raise _malformed() from None
        if not isinstance(content, dict) or content.keys() != {"format", "job", "tracks"}:
            raise _malformed()
        job, tracks = content["job"], content["tracks"]
        if content["format"] != FORMAT or not isinstance(job, str) or not _JOB.fullmatch(job):
            raise _malformed()
        if not isinstance(tracks, list) or len(tracks) > MAX_TRACKS:
            raise _malformed()
        entries = [_entry(item) for item in tracks]
        numbers = [entry.track for entry in entries]
        if numbers != sorted(set(numbers)):
            raise _malformed()
        return cls(job, tuple(entries))


def _entry(untrusted: Any) -> SheetEntry:
    keys = {"effect", "first_ms", "kind", "last_ms", "thumbnail", "track"}
    if not isinstance(untrusted, dict) or untrusted.keys() != keys:
        raise _malformed()
    numbers = untrusted["track"], untrusted["first_ms"], untrusted["last_ms"]
    if any(type(number) is not int or not 0 <= number < MAX_NUMBER for number in numbers):
        raise _malformed()
    track, first_ms, last_ms = numbers
    effect = untrusted["effect"]
    if first_ms > last_ms or untrusted["kind"] not in KINDS:
        raise _malformed()
    if not isinstance(effect, str) or not _WORD.fullmatch(effect):
        raise _malformed()
    try:
        thumbnail = base64_bytes(untrusted["thumbnail"])
    except FormatError:
        raise _malformed() from None
    if thumbnail and not (thumbnail.startswith(_JPEG) and thumbnail.endswith(_JPEG_END)):
        raise _malformed()
    if len(thumbnail) > MAX_THUMBNAIL_BYTES:
        raise _malformed()
    return SheetEntry(track, untrusted["kind"], effect, first_ms, last_ms, thumbnail)


def _malformed() -> RecoveryError:
    return RecoveryError("sheet_malformed", "this is no sheet of a recovery package, or not in its one form")
