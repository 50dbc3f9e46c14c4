"""How wrapped keys travel from the vault to a disclosure worker: HPKE to its one-job key, for its request."""

from __future__ import annotations

from typing import Final

from keyvault.recovery.ring import RecoveryRing
from keyvault.release import OneJobKey

_LABEL: Final = b"bauta.wrapped-keys.v1"


def wrapped_keys_info(request_sha256: bytes) -> bytes:
    """The context that sealed wrapped keys are bound to."""
    return _LABEL + request_sha256


def open_wrapped_keys(sealed: bytes, one_job_key: OneJobKey, request_sha256: bytes) -> RecoveryRing:
    """Opens what the vault sealed: a ring with the tracks of one request.

    Raises:
        ReleaseSealError: it is for another key or request, or was changed.
        RecoveryError: ring_malformed.
    """
    return RecoveryRing.from_bytes(one_job_key.open(sealed, wrapped_keys_info(request_sha256)))
