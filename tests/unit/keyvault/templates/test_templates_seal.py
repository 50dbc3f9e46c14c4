"""What stands between us and SEAL: parameters, streams, seeds; and what a result says beyond its scores."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tenseal import sealapi

from keyvault.templates import parameters
from keyvault.templates.hiding import normal
from keyvault.templates.matching import match
from keyvault.templates.parameters import MODULUS_BITS, PRIMES, RING, SCORE_NOISE
from keyvault.templates.scores import EncryptedScores
from keyvault.templates.seal import residues_of
from keyvault.templates.templates import decrypt
from tests.unit.keyvault.templates.template_makers import SMALL, cosines, enrolled, owner, vectors

# Of 4,096 normal numbers the deviation is known to 1.1 %; thirty times that is never reached by chance.
NEAR = 1.35


def test_the_parameters_are_within_the_standard() -> None:
    bits = math.log2(math.prod(PRIMES))
    assert math.ceil(bits) == MODULUS_BITS
    # Homomorphic Encryption Standard, 2018: ring 8192, ternary secret, 128 bits; table 1 and table 2.
    assert bits < 218
    assert bits <= 202
    assert all(prime % (2 * RING) == 1 for prime in PRIMES)
    assert list(PRIMES) == [
        modulus.value() for modulus in sealapi.CoeffModulus.Create(RING, [60, 60, 22, 60])
    ]


def test_seal_refuses_weaker_parameters() -> None:
    """The check that every context of ours goes through is the library's own."""
    weak = sealapi.EncryptionParameters(sealapi.SCHEME_TYPE.CKKS)
    weak.set_poly_modulus_degree(RING)
    weak.set_coeff_modulus(sealapi.CoeffModulus.Create(RING, [60, 60, 60, 60]))
    assert not sealapi.SEALContext(weak, True, sealapi.SEC_LEVEL_TYPE.TC128).parameters_set()
    assert owner()[1].seal.context.parameters_set()


@pytest.mark.parametrize("primes", [1, 2, 3])
def test_numbers_come_out_of_seal_as_they_went_in(primes: int) -> None:
    seal = owner()[1].seal
    draw = np.random.default_rng(primes)
    columns = [draw.integers(0, prime, size=(2, RING), dtype=np.uint64) for prime in PRIMES[:primes]]
    residues = np.stack(columns, axis=1)
    taken = seal.ciphertext(residues, 2.0**30)
    assert np.array_equal(residues_of(taken), residues)
    assert (taken.scale, list(taken.parms_id())) == (2.0**30, seal.parms_id(primes))


def test_the_library_takes_our_keys_for_its_own() -> None:
    context = owner()[1]
    assert np.array_equal(residues_of(context.seal.keeper.data.public_key().data()), context.public)
    galois = context.seal.keeper.data.galois_keys()
    for place, element in enumerate(parameters.GALOIS_ELEMENTS):
        assert galois.has_key(element)
        parts = [residues_of(part.data()) for part in galois.key(element)]
        assert np.array_equal(np.concatenate(parts), np.split(context.galois, 2)[place])
    assert not context.seal.keeper.data.has_secret_key()


def noise_of(told: EncryptedScores, truth: np.ndarray) -> np.ndarray:
    """All slots, less what they should be."""
    slots = decrypt(*owner(), told.context_id, told.ciphertexts[0], told.scale)
    expected = np.zeros_like(slots)
    expected[: told.vectors] = truth
    return slots - expected


def test_every_result_is_hidden_anew_by_noise_as_wide_as_promised() -> None:
    compared = vectors(3, SMALL)
    truth = cosines(vectors(1, SMALL, 9), compared)[0]
    told = [match(owner()[1], [enrolled(SMALL)], compared) for _ in range(2)]
    first, second = (each.ciphertexts[0] for each in told)
    assert (first == second).mean() < 0.001, "both polynomials are drawn anew"
    one, other = (noise_of(each, truth) for each in told)
    for noise in (one, other, (one - other) / math.sqrt(2)):
        assert SCORE_NOISE / NEAR < noise.std() < SCORE_NOISE * NEAR


def test_the_noise_is_as_wide_where_nothing_was_computed() -> None:
    """Slots without a vector, and vectors that differ as much as they can: the noise tells of neither."""
    compared = np.concatenate([vectors(1, SMALL, 9), -vectors(1, SMALL, 9)])
    noise = noise_of(match(owner()[1], [enrolled(SMALL)], compared), np.array([1.0, -1.0]))
    assert np.abs(noise[:2]).max() < 20 * SCORE_NOISE
    assert SCORE_NOISE / NEAR < noise[2:].std() < SCORE_NOISE * NEAR


def test_what_hides_is_drawn_from_the_system() -> None:
    one, other = normal(4096), normal(4096)
    for part in (one.real, one.imag, other.real):
        assert 1 / NEAR < part.std() < NEAR
        assert abs(part.mean()) < 0.2
    assert not (one == other).any()
    assert abs(np.corrcoef(one.real, one.imag)[0, 1]) < 0.2
