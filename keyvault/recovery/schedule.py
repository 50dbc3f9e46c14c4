"""The key schedule of a recovery package: HKDF-SHA256 (RFC 5869) and ChaCha20-Poly1305 (RFC 8439).

    recovery key    rebuilt by custodians, one a job
      wrapping key  HKDF(recovery key, "wrap", context, track): wraps a track's key, once
    track key       32 random bytes, one a track; it exists wrapped, in the ring, and nowhere else
      table key     HKDF(track key, "table", context, track)
      segment key   HKDF(track key, "segment", context, track, segment): opens the entries of one segment

A track's key is random and not derived, so that to destroy its wrapped form is to destroy it: no quorum
brings it back. Segment keys lead nowhere: not to the track's key, nor to each other. Every key encrypts one
thing, or entries that are numbered, so that no nonce is used twice.
"""

from __future__ import annotations

import os
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.recovery.errors import RecoveryError

KEY_BYTES: Final = 32
CONTEXT_BYTES: Final = 32
TAG_BYTES: Final = 16
WRAPPED_KEY_BYTES: Final = KEY_BYTES + TAG_BYTES
MAX_NUMBER: Final = (1 << 32) - 1
"""Of tracks and of segments."""

_LABEL = b"bauta.recovery/v1"
_NONCE = struct.Struct(">QI")


def new_track_key() -> bytes:
    """Draws a track's key."""
    return os.urandom(KEY_BYTES)


def wrap_track_key(recovery_key: bytes, context: bytes, track: int, track_key: bytes) -> bytes:
    """Wraps a track's key; 48 bytes. Once for each recovery key and track."""
    return seal(_derive(recovery_key, b"wrap", context, track), 0, track_key, b"")


def unwrap_track_key(recovery_key: bytes, context: bytes, track: int, wrapped: bytes) -> bytes:
    """Opens what `wrap_track_key` gave.

    Raises:
        RecoveryError: package_key_wrong: another recovery key, job or track, or a changed wrapped key.
    """
    try:
        return unseal(_derive(recovery_key, b"wrap", context, track), 0, wrapped, b"")
    except InvalidTag:
        raise RecoveryError(
            "package_key_wrong", "the wrapped key of a track is of another job or recovery key, or changed"
        ) from None


def table_key(track_key: bytes, context: bytes, track: int) -> bytes:
    """What seals a track's table."""
    return _derive(track_key, b"table", context, track)


def segment_key(track_key: bytes, context: bytes, track: int, segment: int) -> bytes:
    """What seals the entries of one segment of a track."""
    return _derive(track_key, b"segment", context, track, segment)


def seal(key: bytes, number: int, plaintext: bytes, associated: bytes) -> bytes:
    """Encrypts what a key has not encrypted under this number before."""
    return ChaCha20Poly1305(key).encrypt(_NONCE.pack(0, number), plaintext, associated)


def unseal(key: bytes, number: int, ciphertext: bytes, associated: bytes) -> bytes:
    """Decrypts.

    Raises:
        InvalidTag: another key, number or associated data, or a changed ciphertext.
    """
    return ChaCha20Poly1305(key).decrypt(_NONCE.pack(0, number), ciphertext, associated)


def _derive(key: bytes, purpose: bytes, context: bytes, *numbers: int) -> bytes:
    if len(key) != KEY_BYTES or len(context) != CONTEXT_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, and a context {CONTEXT_BYTES}")
    # Label and purpose hold no zero byte, the rest has fixed lengths: no two keys are told alike.
    told = b"\0".join((_LABEL, purpose, context)) + b"".join(struct.pack(">I", n) for n in numbers)
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=told).derive(key)
