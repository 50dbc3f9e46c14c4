"""RFC 9474: its vectors, and what either side tries on the other."""

from __future__ import annotations

import json
import secrets
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyvault.submitter import blind_rsa
from keyvault.submitter.blind_rsa import PSS_RANDOMIZED, Variant
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey, generate_issuer_key
from keyvault.submitter.tokens import Token, TokenRequest, issue, verify_token
from tests.unit.keyvault.submitter.submitter_makers import issuer, issuer_key, token

VARIANTS = {
    variant.name: variant
    for variant in (
        PSS_RANDOMIZED,
        blind_rsa.PSSZERO_RANDOMIZED,
        blind_rsa.PSS_DETERMINISTIC,
        blind_rsa.PSSZERO_DETERMINISTIC,
    )
}


@cache
def published() -> dict[str, Any]:
    """The RFC's appendix A."""
    path = Path(__file__).with_name("rfc9474.json")
    figures: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return figures


@cache
def published_key() -> rsa.RSAPrivateKey:
    """The key of all its vectors."""
    p, q, n, e, d = (int(published()["key"][name], 16) for name in "pqned")
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), rsa.RSAPublicNumbers(e, n)
    )
    return numbers.private_key()


def vector(variant: Variant) -> dict[str, bytes]:
    """One variant's figures."""
    (found,) = (one for one in published()["variants"] if one["name"] == variant.name)
    return {name: bytes.fromhex(value) for name, value in found.items() if name != "name"}


def test_all_four_are_published() -> None:
    assert [one["name"] for one in published()["variants"]] == list(VARIANTS)


@pytest.mark.parametrize("name", VARIANTS)
def test_published_vectors(name: str) -> None:
    variant, figures = VARIANTS[name], vector(VARIANTS[name])
    key = IssuerKey.of(published_key().public_key())
    prepared = figures["prepared"]
    assert prepared == figures["prefix"] + figures["message"]
    assert len(figures["prefix"]) == (32 if variant.is_randomized else 0)
    inverse = int.from_bytes(figures["inverse"], "big")
    blinded = blind_rsa.blind_with(key, prepared, variant, figures["salt"], pow(inverse, -1, key.modulus))
    assert blinded.message == figures["blinded"]
    assert blinded.inverse == inverse
    answer = blind_rsa.blind_sign(published_key(), blinded.message)
    assert answer == figures["blind_signature"]
    assert blind_rsa.finalize(key, prepared, answer, blinded, variant) == figures["signature"]
    blind_rsa.verify(key, prepared, figures["signature"], variant)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_vector_of_one_variant_is_none_of_another(name: str) -> None:
    key = IssuerKey.of(published_key().public_key())
    figures = vector(VARIANTS[name])
    for other in VARIANTS.values():
        if other.salt_bytes != VARIANTS[name].salt_bytes:
            with pytest.raises(SubmitterError) as refused:
                blind_rsa.verify(key, figures["prepared"], figures["signature"], other)
            assert refused.value.code == "token_false"


@pytest.mark.parametrize("name", VARIANTS)
def test_fresh_runs_give_signatures_that_others_verify(name: str) -> None:
    prepared = blind_rsa.prepare(VARIANTS[name], b"message")
    assert prepared.endswith(b"message")
    blinded = blind_rsa.blind(issuer_key(), prepared, VARIANTS[name])
    answer = blind_rsa.blind_sign(issuer(), blinded.message)
    signature = blind_rsa.finalize(issuer_key(), prepared, answer, blinded, VARIANTS[name])
    scheme = padding.PSS(padding.MGF1(SHA384()), VARIANTS[name].salt_bytes)
    issuer().public_key().verify(signature, prepared, scheme, SHA384())


def test_what_the_issuer_sees_fits_every_token() -> None:
    """For each token and each request there is one factor that makes them belong together: so none does."""
    key, first, second = issuer_key(), TokenRequest.draw(issuer_key()), token()
    number = pow(int.from_bytes(second.signature, "big"), 65537, key.modulus)
    seen = int.from_bytes(first.blinded.message, "big")
    signed = int.from_bytes(issue(issuer(), first.blinded.message), "big")
    factor = signed * pow(int.from_bytes(second.signature, "big"), -1, key.modulus) % key.modulus
    assert number * pow(factor, 65537, key.modulus) % key.modulus == seen


def test_one_token_out_of_each_request() -> None:
    request = TokenRequest.draw(issuer_key())
    answer = issue(issuer(), request.blinded.message)
    made = request.finish(answer)
    assert verify_token(made.to_bytes(), issuer_key()) == made
    assert answer not in made.to_bytes()
    assert request.blinded.message not in made.to_bytes()


def test_products_of_tokens_are_none() -> None:
    """Textbook RSA is multiplicative; the encoding is not."""
    n, first, second = issuer_key().modulus, token(), token()
    product = int.from_bytes(first.signature, "big") * int.from_bytes(second.signature, "big") % n
    forged = Token(first.issuer, first.prefix, first.serial, product.to_bytes(256, "big"))
    with pytest.raises(SubmitterError) as refused:
        verify_token(forged.to_bytes(), issuer_key())
    assert refused.value.code == "token_false"


def test_a_token_is_of_every_byte_its_own() -> None:
    whole = token().to_bytes()
    for place in (0, 1, 33, 65, 97, len(whole) - 1):
        spoiled = bytearray(whole)
        spoiled[place] ^= 1
        with pytest.raises(SubmitterError) as refused:
            verify_token(bytes(spoiled), issuer_key())
        assert refused.value.code in {"token_invalid", "token_other_issuer", "token_false"}
    with pytest.raises(SubmitterError) as refused:
        verify_token(whole[:-1], issuer_key())
    assert refused.value.code == "token_invalid"


def test_another_period_is_another_issuer() -> None:
    other = IssuerKey.of(published_key().public_key())
    with pytest.raises(SubmitterError) as refused:
        verify_token(token().to_bytes(), other)
    assert refused.value.code == "token_other_issuer"


def wrong_requests() -> dict[str, bytes]:
    """What a source, or whoever comes in its name, may send to be signed."""
    n = issuer_key().modulus
    return {
        "empty": b"",
        "short": bytes(255),
        "long": bytes(257),
        "zero": bytes(256),
        "the modulus": n.to_bytes(256, "big"),
        "above the modulus": b"\xff" * 256,
    }


@pytest.mark.parametrize("case", ["empty", "short", "long", "zero", "the modulus", "above the modulus"])
def test_what_is_no_blinded_message_is_not_signed(case: str) -> None:
    with pytest.raises(SubmitterError) as refused:
        issue(issuer(), wrong_requests()[case])
    assert refused.value.code == "blind_message_invalid"


def test_an_answer_that_is_none_makes_no_token() -> None:
    request, n = TokenRequest.draw(issuer_key()), issuer_key().modulus
    answer = int.from_bytes(issue(issuer(), request.blinded.message), "big")
    negated = (n - answer).to_bytes(256, "big")
    answers = (b"", bytes(256), b"\xff" * 256, negated, secrets.token_bytes(255), request.blinded.message)
    for wrong in answers:
        with pytest.raises(SubmitterError) as refused:
            request.finish(wrong)
        assert refused.value.code == "blind_signature_invalid"


def test_a_fault_in_the_computation_gives_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature with one wrong half would give the factors away (Boneh, DeMillo and Lipton, 1997)."""
    honest = blind_rsa._blinded_power
    p = issuer().private_numbers().p

    def faulty(base: int, exponent: int, prime: int) -> int:
        return honest(base, exponent, prime) ^ (prime == p)

    monkeypatch.setattr(blind_rsa, "_blinded_power", faulty)
    with pytest.raises(SubmitterError) as refused:
        issue(issuer(), TokenRequest.draw(issuer_key()).blinded.message)
    assert refused.value.code == "signing_failed"


def test_a_factor_that_has_no_inverse_is_no_factor() -> None:
    p = issuer().private_numbers().p
    with pytest.raises(SubmitterError) as refused:
        blind_rsa.blind_with(issuer_key(), bytes(32), PSS_RANDOMIZED, bytes(48), p)
    assert refused.value.code == "blinding_failed"


def test_issuer_keys_have_one_form() -> None:
    encoded = issuer_key().to_der()
    assert IssuerKey.from_der(encoded) == issuer_key()
    foreign = rsa.generate_private_key(3, 2048).public_key()
    der = foreign.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for wrong in (b"", encoded[:-1], encoded + b"\0", bytes(2000), der):
        with pytest.raises(SubmitterError) as refused:
            IssuerKey.from_der(wrong)
        assert refused.value.code == "issuer_key_invalid"
    for modulus in (0, 15, 2**2047, 2**1024 + 1):
        with pytest.raises(SubmitterError) as refused:
            IssuerKey(modulus)
        assert refused.value.code == "issuer_key_invalid"


def test_new_keys_are_taken() -> None:
    assert IssuerKey.of(generate_issuer_key().public_key()).size == 384


def test_nothing_secret_is_shown() -> None:
    request = TokenRequest.draw(issuer_key())
    made = request.finish(issue(issuer(), request.blinded.message))
    shown = repr((request, request.blinded, made, issuer_key()))
    for hidden in (request.serial, request.prefix, made.signature, request.blinded.message):
        assert hidden.hex() not in shown
        assert repr(hidden)[2:-1] not in shown
    assert str(request.blinded.inverse) not in shown
