"""The third signature: made only where it is asked for, and by another key in every child."""

from __future__ import annotations

import os

import pytest

from keyvault.signing.hybrid import HybridSigner, SigningKeyError
from keyvault.signing.slhdsa import PRIVATE_KEY_BYTES, SlhDsaKey
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import SignatureError
from provenance.keys import STATEMENT_SIGNATURES

ALL_THREE = HybridSigner.generate(third=True)


def test_all_three_verify_under_the_public_keys() -> None:
    signatures = ALL_THREE.sign(b"message", STATEMENT_SIGNATURES)
    assert [item.algorithm for item in signatures] == list(STATEMENT_SIGNATURES)
    assert [len(item.signature) for item in signatures] == [64, 3309, 7856]
    ALL_THREE.public.verify(b"message", signatures, STATEMENT_SIGNATURES)
    with pytest.raises(SignatureError):
        ALL_THREE.public.verify(b"another message", signatures)


def test_without_being_asked_it_signs_with_two() -> None:
    signatures = ALL_THREE.sign(b"message")
    assert [item.algorithm for item in signatures] == ["ed25519", "mldsa65"]
    ALL_THREE.public.verify(b"message", signatures)
    with pytest.raises(SignatureError) as caught:
        ALL_THREE.public.verify(b"message", signatures, STATEMENT_SIGNATURES)
    assert caught.value.code == "signature_missing"


def test_a_signer_without_the_third_key_says_so() -> None:
    signer = HybridSigner.generate()
    assert signer.public.slhdsa128s is None
    for algorithms in (STATEMENT_SIGNATURES, ("mldsa44",)):
        with pytest.raises(SigningKeyError):
            signer.sign(b"message", algorithms)


def test_a_stored_key_is_the_same_key() -> None:
    key = SlhDsaKey.generate()
    again = SlhDsaKey(bytes(key.private_bytes()))
    assert again.public_key == key.public_key
    two = (
        HybridSigner.from_seeds(bytes(32), bytes(32), key),
        HybridSigner.from_seeds(bytes(32), bytes(32), again),
    )
    envelope = sign_envelope(b"{}", two[0], STATEMENT_SIGNATURES)
    assert Envelope.from_bytes(envelope.to_bytes()).verify(two[1].public, STATEMENT_SIGNATURES) == b"{}"


@pytest.mark.parametrize("length", [0, 32, PRIVATE_KEY_BYTES - 1, PRIVATE_KEY_BYTES + 1])
def test_a_stored_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(SigningKeyError):
        SlhDsaKey(bytes(length))


def test_its_repr_shows_no_byte_of_it() -> None:
    key = SlhDsaKey.generate()
    assert repr(key) == "SlhDsaKey()"
    assert repr(HybridSigner.from_seeds(bytes(32), bytes(32), key)).count("ed25519:") == 1


def test_children_of_one_warm_process_make_different_keys() -> None:
    """A generator with a state of its own would give every child of a fork the same one-job key."""
    SlhDsaKey.generate()
    made = set()
    for _ in range(3):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writing, SlhDsaKey.generate().public_key)
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            made.add(pipe.read())
        os.waitpid(child, 0)
    assert len(made) == 3
    assert {len(key) for key in made} == {32}
