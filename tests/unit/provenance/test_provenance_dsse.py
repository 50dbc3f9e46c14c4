"""Envelopes and hybrid keys: both signatures, in order, by the named keys, or nothing."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from provenance_makers import TestSigner

from provenance import canonical
from provenance.dsse import MAX_PAYLOAD_BYTES, PAYLOAD_TYPE, Envelope, pae, sign_envelope
from provenance.errors import FormatError, SignatureError
from provenance.keys import HybridPublicKey, Signature

PAYLOAD = b'{"a":1}'


def test_pae_is_that_of_the_specification() -> None:
    # The example of github.com/secure-systems-lab/dsse, protocol.md.
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()


def test_a_signed_envelope_round_trips_and_verifies() -> None:
    signer = TestSigner("worker")
    envelope = sign_envelope(PAYLOAD, signer)
    again = Envelope.from_bytes(envelope.to_bytes())
    assert again == envelope
    assert again.verify(signer.public) == PAYLOAD
    assert again.digest == hashlib.sha256(envelope.to_bytes()).digest()
    assert list(json.loads(envelope.to_bytes())) == ["payload", "payloadType", "signatures"]
    assert [item.key_id for item in envelope.signatures] == [
        "ed25519:" + hashlib.sha256(signer.public.ed25519).hexdigest(),
        "mldsa65:" + hashlib.sha256(signer.public.mldsa65).hexdigest(),
    ]


def test_another_key_another_payload_another_order_fail() -> None:
    signer, stranger = TestSigner("worker"), TestSigner("stranger")
    envelope = sign_envelope(PAYLOAD, signer)
    with pytest.raises(SignatureError) as caught:
        envelope.verify(stranger.public)
    assert caught.value.code == "wrong_signer"
    with pytest.raises(SignatureError):
        Envelope(PAYLOAD + b" ", envelope.signatures).verify(signer.public)
    message = pae(PAYLOAD_TYPE, PAYLOAD)
    first, second = envelope.signatures
    for signatures in ((second, first), (first,), (second,), (), (first, second, second), (first, first)):
        with pytest.raises(SignatureError):
            signer.public.verify(message, signatures)
    with pytest.raises(SignatureError):
        signer.public.verify(PAYLOAD, envelope.signatures)


@pytest.mark.parametrize("position", [0, 1], ids=["Ed25519", "ML-DSA-65"])
def test_each_signature_is_checked_by_itself(position: int) -> None:
    signer = TestSigner("worker")
    message = pae(PAYLOAD_TYPE, PAYLOAD)
    signatures = list(signer.sign(message))
    signatures[position] = signer.sign(b"something else")[position]
    with pytest.raises(SignatureError) as caught:
        signer.public.verify(message, signatures)
    assert caught.value.code == "bad_signature"


def test_half_of_one_key_and_half_of_another_fail() -> None:
    first, second = TestSigner("first"), TestSigner("second")
    mixed = HybridPublicKey(first.public.ed25519, second.public.mldsa65)
    with pytest.raises(SignatureError):
        sign_envelope(PAYLOAD, first).verify(mixed)


def envelope_object() -> dict[str, Any]:
    return json.loads(sign_envelope(PAYLOAD, TestSigner("worker")).to_bytes())


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.pop("payload"),
        lambda content: content.pop("payloadType"),
        lambda content: content.pop("signatures"),
        lambda content: content.update(extra=1),
        lambda content: content.update(payloadType="text/plain"),
        lambda content: content.update(payloadType=[]),
        lambda content: content.update(payload=None),
        lambda content: content.update(payload=content["payload"].rstrip("=") + "\n"),
        lambda content: content.update(signatures={}),
        lambda content: content.update(signatures=[]),
        lambda content: content["signatures"].append(content["signatures"][0]),
        lambda content: content["signatures"].reverse(),
        lambda content: content["signatures"][0].pop("keyid"),
        lambda content: content["signatures"][0].update(cert="x"),
        lambda content: content["signatures"][0].update(keyid=5),
        lambda content: content["signatures"][0].update(keyid="ed25519:" + "A" * 64),
        lambda content: content["signatures"][0].update(keyid="rsa:" + "a" * 64),
        lambda content: content["signatures"][0].update(sig="AAAA"),
        lambda content: content["signatures"][1].update(sig=content["signatures"][0]["sig"]),
        lambda content: content["signatures"].__setitem__(0, None),
    ],
)
def test_a_malformed_envelope_is_refused(damage: Any) -> None:
    content = envelope_object()
    damage(content)
    with pytest.raises(FormatError):
        Envelope.from_bytes(canonical.dumps(content))


@pytest.mark.parametrize("content", [None, [], "x", 1, {}], ids=repr)
def test_something_else_is_no_envelope(content: Any) -> None:
    with pytest.raises(FormatError):
        Envelope.from_object(content)


def test_a_payload_has_a_largest_size() -> None:
    signer = TestSigner("worker")
    largest = sign_envelope(b"x" * MAX_PAYLOAD_BYTES, signer)
    assert Envelope.from_bytes(largest.to_bytes()) == largest
    with pytest.raises(FormatError):
        sign_envelope(b"x" * (MAX_PAYLOAD_BYTES + 1), signer)


@pytest.mark.parametrize(("ed25519", "mldsa65"), [(31, 1952), (33, 1952), (32, 1951), (32, 1312), (0, 0)])
def test_a_public_key_has_one_length(ed25519: int, mldsa65: int) -> None:
    with pytest.raises(FormatError):
        HybridPublicKey(bytes(ed25519), bytes(mldsa65))


def test_a_signature_has_one_length() -> None:
    with pytest.raises(FormatError):
        Signature("ed25519:" + "a" * 64, bytes(63))
    with pytest.raises(FormatError):
        Signature("mldsa65:" + "a" * 64 + "\n", bytes(3309))
