"""Shares on their way: to their custodian, from a dealer to a new custodian, to a disclosure worker.

HPKE (RFC 9180) with X-Wing, as everywhere in the house, to the same key as the custodian's age recipient.
Where a share belongs is in the seal's info: for another job, sharing, custodian, request or worker it does
not open. Anyone can seal to a public key; that a share is true is for `Sharing.require_true`.
"""

from __future__ import annotations

from typing import Final

from keyvault.age import AgeNoMatchError, AgeRecipientError, HybridIdentity, HybridRecipient
from keyvault.custody.errors import CustodianError
from keyvault.custody.sharing import SHARE_BYTES, Share, Sharing
from keyvault.release import OneJobKey, ReleaseKeyError, ReleaseSealError, seal_to_one_job_key

SEALED_SHARE_BYTES: Final = 1088 + 32 + SHARE_BYTES + 16

_DEALT_LABEL = b"bauta.share.v1"
_REDEALT_LABEL = b"bauta.redealt-share.v1"
_APPROVED_LABEL = b"bauta.approved-share.v1"
_DIGEST_BYTES = 32


def dealt_info(sharing: Sharing, custodian: str) -> bytes:
    """The context of a share in its custodian's keeping."""
    return b"".join((_DEALT_LABEL, sharing.context, sharing.digest, bytes.fromhex(custodian)))


def redealt_info(redealt: Sharing, dealer: str, custodian: str) -> bytes:
    """The context of one dealer's part of a new share."""
    seats = bytes.fromhex(dealer) + bytes.fromhex(custodian)
    return b"".join((_REDEALT_LABEL, redealt.context, redealt.digest, seats))


def approved_info(sharing: Sharing, request_sha256: bytes, custodian: str) -> bytes:
    """The context of a share that its custodian hands to a disclosure worker, for one request."""
    if len(request_sha256) != _DIGEST_BYTES:
        raise ValueError("a request is named by a SHA-256")
    seat = request_sha256 + bytes.fromhex(custodian)
    return b"".join((_APPROVED_LABEL, sharing.context, sharing.digest, seat))


def seal_share(share: Share, recipient: HybridRecipient, info: bytes) -> bytes:
    """Seals a share to a custodian; 1,200 bytes."""
    return recipient.seal(share.to_bytes(), info)


def open_share(untrusted_sealed: bytes, identity: HybridIdentity, info: bytes) -> Share:
    """Opens what `seal_share` gave. The caller checks that it is true.

    Raises:
        CustodianError: sealed_share_invalid, share_seal_broken or share_invalid.
    """
    _require_size(untrusted_sealed)
    try:
        return Share.from_bytes(identity.open(untrusted_sealed, info))
    except AgeNoMatchError:
        raise _broken() from None


def seal_to_worker(share: Share, worker_key: bytes, info: bytes) -> bytes:
    """Seals a share to a disclosure worker's one-job key; 1,200 bytes.

    Raises:
        ReleaseKeyError: the public key is not one.
    """
    try:
        HybridRecipient(worker_key)
    except AgeRecipientError:
        raise ReleaseKeyError("the one-job public key is not an X-Wing key") from None
    return seal_to_one_job_key(share.to_bytes(), worker_key, info)


def open_in_worker(untrusted_sealed: bytes, one_job_key: OneJobKey, info: bytes) -> Share:
    """Opens what `seal_to_worker` gave. The caller checks that it is true.

    Raises:
        CustodianError: sealed_share_invalid, share_seal_broken or share_invalid.
    """
    _require_size(untrusted_sealed)
    try:
        return Share.from_bytes(one_job_key.open(untrusted_sealed, info))
    except ReleaseSealError:
        raise _broken() from None


def _require_size(untrusted_sealed: bytes) -> None:
    if len(untrusted_sealed) != SEALED_SHARE_BYTES:
        raise CustodianError("sealed_share_invalid", f"a sealed share has {SEALED_SHARE_BYTES} bytes")


def _broken() -> CustodianError:
    return CustodianError(
        "share_seal_broken", "the sealed share is for another key, job, sharing or request, or was changed"
    )
