"""Two signatures over every message, and nothing secret on show."""

from __future__ import annotations

import pytest

from keyvault.errors import KeyvaultError
from keyvault.signing.hybrid import HybridSigner, SigningKeyError
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import SignatureError

SEEDS = bytes(range(32)), bytes(range(100, 132))


def test_both_signatures_verify_under_the_public_keys() -> None:
    signer = HybridSigner.generate()
    signatures = signer.sign(b"message")
    assert [item.algorithm for item in signatures] == ["ed25519", "mldsa65"]
    signer.public.verify(b"message", signatures)
    with pytest.raises(SignatureError):
        signer.public.verify(b"another message", signatures)


def test_another_signer_does_not_pass_for_this_one() -> None:
    signer, other = HybridSigner.generate(), HybridSigner.generate()
    mixed = signer.sign(b"message")[0], other.sign(b"message")[1]
    with pytest.raises(SignatureError):
        signer.public.verify(b"message", mixed)


def test_seeds_give_the_same_keys_each_time_and_each_seed_counts() -> None:
    signer = HybridSigner.from_seeds(*SEEDS)
    assert HybridSigner.from_seeds(bytearray(SEEDS[0]), bytearray(SEEDS[1])).public == signer.public
    other = HybridSigner.from_seeds(SEEDS[0], bytes(32))
    assert other.public.ed25519 == signer.public.ed25519
    assert other.public.mldsa65 != signer.public.mldsa65


@pytest.mark.parametrize("seeds", [(b"", bytes(32)), (bytes(32), bytes(31)), (bytes(33), bytes(32))])
def test_a_seed_of_another_length_is_refused(seeds: tuple[bytes, bytes]) -> None:
    with pytest.raises(SigningKeyError) as refusal:
        HybridSigner.from_seeds(*seeds)
    assert isinstance(refusal.value, KeyvaultError)
    assert refusal.value.code == "signing_key_invalid"


def test_it_signs_envelopes() -> None:
    signer = HybridSigner.generate()
    envelope = sign_envelope(b"{}", signer)
    assert Envelope.from_bytes(envelope.to_bytes()).verify(signer.public) == b"{}"


def test_its_repr_names_a_public_key_and_no_seed() -> None:
    shown = repr(HybridSigner.from_seeds(*SEEDS))
    assert HybridSigner.from_seeds(*SEEDS).public.key_ids[0] in shown
    assert not any(seed.hex() in shown or repr(seed) in shown for seed in SEEDS)
