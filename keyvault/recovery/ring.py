"""The ring of wrapped keys, one a track. It lies apart from the package, where something can be destroyed.

Without a track's wrapped key its entries are noise for ever, whoever agrees. So erasing is taking one off the
ring and destroying every copy of the ring as it was; the erasure statement
names what was destroyed by its digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyvault.recovery import schedule
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.schedule import CONTEXT_BYTES, WRAPPED_KEY_BYTES
from provenance import canonical
from provenance.errors import FormatError

FORMAT: Final = "bauta.recovery-ring/v1"
MAX_TRACKS: Final = 4096
MAX_RING_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class RecoveryRing:
    """The wrapped keys of one job.

    Attributes:
        context: what they are bound to, 32 bytes.
        wrapped: 48 bytes for each track; None for one that was erased.

    Raises:
        RecoveryError: ring_malformed.
    """

    context: bytes
    wrapped: Mapping[int, bytes | None]

    def __post_init__(self) -> None:
        if len(self.context) != CONTEXT_BYTES or len(self.wrapped) > MAX_TRACKS:
            raise _malformed()
        for track, wrapped in self.wrapped.items():
            if not 0 <= track <= schedule.MAX_NUMBER:
                raise _malformed()
            if wrapped is not None and len(wrapped) != WRAPPED_KEY_BYTES:
                raise _malformed()

    def track_key(self, recovery_key: bytes, track: int) -> bytes:
        """Opens one track's key.

        Raises:
            RecoveryError: track_unknown, track_erased or package_key_wrong.
        """
        return schedule.unwrap_track_key(recovery_key, self.context, track, self._wrapped(track))

    def digests(self, tracks: Collection[int]) -> tuple[str, ...]:
        """What an erasure of these tracks names: hex SHA-256 of their wrapped keys, sorted.

        Raises:
            RecoveryError: track_unknown or track_erased.
        """
        return tuple(sorted(hashlib.sha256(self._wrapped(track)).hexdigest() for track in tracks))

    def without(self, tracks: Collection[int]) -> RecoveryRing:
        """The ring after an erasure. The caller replaces the stored one by it, and destroys that.

        Raises:
            RecoveryError: track_unknown or track_erased.
        """
        for track in tracks:
            self._wrapped(track)
        left = {track: None if track in tracks else key for track, key in self.wrapped.items()}
        return RecoveryRing(self.context, left)

    def to_bytes(self) -> bytes:
        """Canonical JSON."""
        wrapped = {str(track): key.hex() if key else None for track, key in self.wrapped.items()}
        return canonical.dumps({"context": self.context.hex(), "format": FORMAT, "wrapped": wrapped})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> RecoveryRing:
        """Reads what `to_bytes` gave.

        Raises:
            RecoveryError: ring_malformed.
        """
        try:
            content = canonical.loads(untrusted, MAX_RING_BYTES)
        except FormatError:
            raise _malformed() from None
        if not isinstance(content, dict) or content.keys() != {"context", "format", "wrapped"}:
            raise _malformed()
        if content["format"] != FORMAT or not isinstance(content["wrapped"], dict):
            raise _malformed()
        wrapped = {_number(name): _wrapped_hex(key) for name, key in content["wrapped"].items()}
        return cls(_hex(content["context"]), wrapped)

    def _wrapped(self, track: int) -> bytes:
        if track not in self.wrapped:
            raise RecoveryError("track_unknown", "the package has no such track")
        wrapped = self.wrapped[track]
        if wrapped is None:
            raise RecoveryError("track_erased", "this track was erased; nobody can uncover it any more")
        return wrapped


def _number(untrusted: str) -> int:
    # At most ten digits, and one spelling.
    if not untrusted.isascii() or not untrusted.isdigit() or len(untrusted) > 10:
        raise _malformed()
    if str(int(untrusted)) != untrusted:
        raise _malformed()
    return int(untrusted)


def _wrapped_hex(untrusted: Any) -> bytes | None:
    return None if untrusted is None else _hex(untrusted)


def _hex(untrusted: Any) -> bytes:
    if not isinstance(untrusted, str) or not set(untrusted) <= set("0123456789abcdef") or len(untrusted) % 2:
        raise _malformed()
    return bytes.fromhex(untrusted)


def _malformed() -> RecoveryError:
    return RecoveryError("ring_malformed", "this is no ring of wrapped keys, or not in its one form")
