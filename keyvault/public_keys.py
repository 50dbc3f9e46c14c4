"""Signers' public keys as they travel between the vault and its neighbours."""

from __future__ import annotations

from protos.bauta.internal.v1.vault_pb2 import SigningKey
from provenance.keys import HybridPublicKey


def to_message(key: HybridPublicKey) -> SigningKey:
    """The protobuf message of a key."""
    return SigningKey(ed25519=key.ed25519, mldsa65=key.mldsa65, slhdsa128s=key.slhdsa128s or b"")


def from_message(untrusted: SigningKey) -> HybridPublicKey:
    """The key in a message.

    Raises:
        FormatError: it is none.
    """
    return HybridPublicKey(
        ed25519=untrusted.ed25519, mldsa65=untrusted.mldsa65, slhdsa128s=untrusted.slhdsa128s or None
    )
