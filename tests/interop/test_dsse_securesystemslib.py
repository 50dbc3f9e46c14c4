"""Other people's DSSE tool (securesystemslib, of TUF and in-toto) takes our envelope as it is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import VerificationError as OtherVerificationError
from securesystemslib.signer import SSlibKey

from provenance.dsse import PAYLOAD_TYPE, Signature, pae, sign_envelope
from provenance.keys import ED25519, MLDSA65, key_id
from provenance.statements import FailureFacts

ED25519_KEY = Ed25519PrivateKey.from_private_bytes(b"e" * 32)
MLDSA65_KEY = MLDSA65PrivateKey.from_seed_bytes(b"m" * 32)
STATEMENT = FailureFacts(
    job_id="0123456789abcdef" * 2, code="media_corrupt", failed_at="2026-11-21T00:00:00Z"
).to_statement()


class Node:
    """Signs as the vault does."""

    def sign(self, message: bytes, _algorithms: Sequence[str] = ()) -> tuple[Signature, ...]:
        ed25519, mldsa65 = ED25519_KEY.public_key(), MLDSA65_KEY.public_key()
        return (
            Signature(key_id(ED25519, ed25519.public_bytes_raw()), ED25519_KEY.sign(message)),
            Signature(key_id(MLDSA65, mldsa65.public_bytes_raw()), MLDSA65_KEY.sign(message)),
        )


def other_key(private: Ed25519PrivateKey) -> SSlibKey:
    public = private.public_key().public_bytes_raw()
    return SSlibKey(key_id(ED25519, public), "ed25519", "ed25519", {"public": public.hex()})


def as_read_by_others() -> Any:
    content: dict[str, Any] = json.loads(sign_envelope(STATEMENT, Node()).to_bytes())
    return OtherEnvelope.from_dict(content)


def test_their_envelope_holds_the_same_statement_and_type() -> None:
    envelope = as_read_by_others()
    assert envelope.payload == STATEMENT
    assert envelope.payload_type == PAYLOAD_TYPE
    assert len(envelope.signatures) == 2
    assert envelope.pae() == pae(PAYLOAD_TYPE, STATEMENT)


def test_they_accept_our_ed25519_signature_at_threshold_one() -> None:
    key = other_key(ED25519_KEY)
    assert list(as_read_by_others().verify([key], threshold=1)) == [key.keyid]


def test_they_refuse_another_key_and_another_payload() -> None:
    envelope = as_read_by_others()
    with pytest.raises(OtherVerificationError):
        envelope.verify([other_key(Ed25519PrivateKey.from_private_bytes(b"x" * 32))], threshold=1)
    envelope.payload = STATEMENT.replace(b"media_corrupt", b"media_no_video")
    with pytest.raises(OtherVerificationError):
        envelope.verify([other_key(ED25519_KEY)], threshold=1)


def test_the_key_id_is_the_digest_of_the_raw_key() -> None:
    public = ED25519_KEY.public_key().public_bytes_raw()
    assert set(as_read_by_others().signatures) >= {"ed25519:" + hashlib.sha256(public).hexdigest()}
