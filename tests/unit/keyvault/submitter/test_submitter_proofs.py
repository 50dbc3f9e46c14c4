"""Pseudonyms and their proofs: what holds, what an attacker tries, what a transcript does not show."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from nacl import bindings

from keyvault.custody import group as scalars
from keyvault.submitter import group
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.proofs import Proof, check, prove, verify
from keyvault.submitter.pseudonyms import Pseudonym, SubmitterSecret
from keyvault.submitter.statements import Occasion, Statement, fiat_shamir
from tests.unit.keyvault.custody import plain_group
from tests.unit.keyvault.submitter.submitter_makers import ALICE, BOB, CALLS, OCCASION, TIPS, own

FRESH = b"\x09" * 32
NEUTRAL = (1).to_bytes(32, "little")
ORDER_EIGHT = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
P = 2**255 - 19


def with_torsion(point: bytes) -> bytes:
    """The point plus one of order eight: on the curve, not in the group."""
    return bindings.crypto_core_ed25519_add(point, ORDER_EIGHT)


def test_keys_are_what_the_page_says() -> None:
    """HKDF by hand (RFC 5869), Pedersen by hand."""

    def hkdf(info: bytes) -> bytes:
        extracted = hmac.digest(bytes(64), ALICE.secret, "sha512")
        return hmac.digest(extracted, info + b"\x01", "sha512")

    x = bindings.crypto_core_ed25519_scalar_reduce(hkdf(b"bauta.submitter.person/v1"))
    r = bindings.crypto_core_ed25519_scalar_reduce(hkdf(b"bauta.submitter.scope/v1\0" + TIPS.encode()))
    base = bindings.crypto_scalarmult_ed25519_base_noclamp(x)
    blind = bindings.crypto_scalarmult_ed25519_noclamp(r, group.second_base())
    assert ALICE.pseudonym(TIPS).key == bindings.crypto_core_ed25519_add(base, blind)


def test_known_answers() -> None:
    """The format is frozen: another implementation meets these bytes."""
    assert group.second_base().hex() == "9aa1c4a25a7c875f3b86a920c5399cb058269b78791ebd8abfc998a077c7b07a"
    assert (
        ALICE.pseudonym(TIPS).key.hex() == "3139a85fcaf08d960ef0040cea392b3137354df3c48bb456c6105d9064c452ed"
    )
    proof = prove(ALICE, own(ALICE, TIPS, CALLS), fresh=FRESH).to_bytes()
    assert (
        hashlib.sha256(proof).hexdigest()
        == "b88c6f382b405d2a13eb5d5897effc71ec8f8876dd60a48caa32a937b63e5bac"
    )


def test_the_challenge_is_what_the_page_says() -> None:
    statement = own(ALICE, TIPS)
    name, scope = OCCASION.verifier.encode(), TIPS.encode()
    transcript = b"".join(
        (
            b"bauta.submitter.proof/v1\0",
            group.second_base(),
            b"bauta.submitter.occasion/v1\0",
            bytes([len(name)]) + name + OCCASION.nonce + OCCASION.message_sha256,
            b"\x01" + bytes([len(scope)]) + scope + ALICE.pseudonym(TIPS).key,
            b"A" * 32,
        )
    )
    expected = int.from_bytes(hashlib.sha512(transcript).digest(), "little") % scalars.ORDER
    assert int.from_bytes(fiat_shamir(statement, [b"A" * 32]), "little") == expected


@pytest.mark.parametrize("scopes", [(TIPS,), (TIPS, CALLS), tuple(f"scope {n}" for n in range(16))])
def test_an_owner_proves(scopes: tuple[str, ...]) -> None:
    statement = own(ALICE, *scopes)
    proof = prove(ALICE, statement).to_bytes()
    assert len(proof) == 32 * (2 * len(scopes) + 1)
    verify(proof, statement)
    assert Proof.from_bytes(proof).to_bytes() == proof


OTHER_STATEMENTS: dict[str, Callable[[], Statement]] = {
    "another nonce": lambda: own(ALICE, TIPS, CALLS, occasion=replace(OCCASION, nonce=b"\x01" * 32)),
    "another verifier": lambda: own(ALICE, TIPS, CALLS, occasion=replace(OCCASION, verifier="other")),
    "another message": lambda: own(ALICE, TIPS, CALLS, occasion=replace(OCCASION, message_sha256=bytes(32))),
    "another scope": lambda: own(ALICE, TIPS, "portal.example/other"),
    "another person": lambda: own(BOB, TIPS, CALLS),
    "one key renamed to another scope": lambda: Statement.about(
        [ALICE.pseudonym(TIPS), Pseudonym("z", ALICE.pseudonym(CALLS).key)], OCCASION
    ),
    "two keys swapped": lambda: Statement.about(
        [Pseudonym(TIPS, ALICE.pseudonym(CALLS).key), Pseudonym(CALLS, ALICE.pseudonym(TIPS).key)], OCCASION
    ),
}


@pytest.mark.parametrize("case", OTHER_STATEMENTS)
def test_a_proof_holds_for_its_own_statement_alone(case: str) -> None:
    proof = prove(ALICE, own(ALICE, TIPS, CALLS)).to_bytes()
    with pytest.raises(SubmitterError) as refused:
        verify(proof, OTHER_STATEMENTS[case]())
    assert refused.value.code == "proof_false"


def test_two_people_cannot_agree_to_be_one() -> None:
    """Both know their own key's secrets and pool them; each equation wants one s."""
    statement = Statement.about([ALICE.pseudonym(TIPS), BOB.pseudonym(CALLS)], OCCASION)
    with pytest.raises(SubmitterError) as refused:
        prove(ALICE, statement)
    assert refused.value.code == "statement_invalid"
    nonces = [scalars.random_scalar() for _ in range(3)]
    first, second = statement.pseudonyms
    owners = {TIPS: ALICE, CALLS: BOB}
    commitments = tuple(group.commit(nonces[0], nonce) for nonce in nonces[1:])
    c = fiat_shamir(statement, commitments)
    blindings = tuple(
        group.respond(nonce, c, owners[one.scope].blinding(one.scope))
        for nonce, one in zip(nonces[1:], (first, second), strict=True)
    )
    for liar in (ALICE, BOB):
        pooled = Proof(commitments, group.respond(nonces[0], c, liar.person()), blindings)
        with pytest.raises(SubmitterError) as refused:
            verify(pooled.to_bytes(), statement)
        assert refused.value.code == "proof_false"


def test_a_link_does_not_come_out_of_two_proofs_of_ownership() -> None:
    first, second = (prove(ALICE, own(ALICE, scope)) for scope in sorted((TIPS, CALLS)))
    spliced = Proof(first.commitments + second.commitments, first.person, first.blindings + second.blindings)
    with pytest.raises(SubmitterError) as refused:
        verify(spliced.to_bytes(), own(ALICE, TIPS, CALLS))
    assert refused.value.code == "proof_false"


def fitting(statement: Statement, c: bytes) -> Proof:
    """Answers first, then the commitment that fits the statement's one key under a challenge."""
    person, blinding = scalars.random_scalar(), scalars.random_scalar()
    minus_c = scalars.subtract(bytes(32), c)
    commitment = group.add_multiple(group.commit(person, blinding), minus_c, statement.pseudonyms[0].key)
    return Proof((commitment,), person, (blinding,))


def test_the_challenge_cannot_be_known_before_the_commitments() -> None:
    statement = own(ALICE, TIPS)
    guesses = (fiat_shamir(statement, ()), fiat_shamir(statement, (ALICE.pseudonym(TIPS).key,)))
    for c in guesses:
        proof = fitting(statement, c)
        check(proof, statement, lambda _statement, _commitments, c=c: c)
        with pytest.raises(SubmitterError) as refused:
            verify(proof.to_bytes(), statement)
        assert refused.value.code == "proof_false"


def test_a_key_cannot_be_chosen_to_fit_a_proof() -> None:
    """What goes wrong where a challenge leaves the statement out (Bernhard, Pereira and Warinschi, 2012)."""
    person, blinding = scalars.random_scalar(), scalars.random_scalar()
    commitment = group.commit(scalars.random_scalar(), scalars.random_scalar())
    c = fiat_shamir(own(ALICE, TIPS), (commitment,))
    over_c = bindings.crypto_core_ed25519_scalar_invert(c)
    difference = bindings.crypto_core_ed25519_sub(group.commit(person, blinding), commitment)
    fitted = Pseudonym(TIPS, bindings.crypto_scalarmult_ed25519_noclamp(over_c, difference))
    statement = Statement.about([fitted], OCCASION)
    proof = Proof((commitment,), person, (blinding,))
    check(proof, statement, lambda _statement, _commitments: c)
    with pytest.raises(SubmitterError) as refused:
        verify(proof.to_bytes(), statement)
    assert refused.value.code == "proof_false"


def test_a_second_opinion_takes_the_proof() -> None:
    """The verifier's equations in plain integers, with no code of libsodium's."""
    statement = own(ALICE, TIPS, CALLS)
    raw = prove(ALICE, statement).to_bytes()
    numbers = [int.from_bytes(raw[place : place + 32], "little") for place in range(64, 160, 32)]
    text = statement.to_bytes() + raw[:64]
    c = int.from_bytes(hashlib.sha512(text).digest(), "little") % plain_group.L
    second_base = plain_group.decode(group.second_base())
    assert second_base is not None
    for place, one in enumerate(statement.pseudonyms):
        commitment = plain_group.decode(raw[32 * place : 32 * (place + 1)])
        key = plain_group.decode(one.key)
        assert commitment is not None
        assert key is not None
        left = plain_group.add(
            plain_group.times(numbers[0], plain_group.BASE),
            plain_group.times(numbers[1 + place], second_base),
        )
        assert left == plain_group.add(commitment, plain_group.times(c, key))


def simulated(statement: Statement) -> tuple[Proof, bytes]:
    """A proof from nobody's secret: answers first, commitments to fit, the challenge chosen before both."""
    c = scalars.random_scalar()
    minus_c = scalars.subtract(bytes(32), c)
    person = scalars.random_scalar()
    blindings = tuple(scalars.random_scalar() for _ in statement.pseudonyms)
    commitments = tuple(
        group.add_multiple(group.commit(person, blinding), minus_c, one.key)
        for blinding, one in zip(blindings, statement.pseudonyms, strict=True)
    )
    return Proof(commitments, person, blindings), c


@pytest.mark.parametrize("scopes", [(TIPS,), (TIPS, CALLS)])
def test_transcripts_can_be_simulated_without_any_secret(scopes: tuple[str, ...]) -> None:
    """The same verifier takes them under a programmed challenge: so a proof shows nothing but itself."""
    statement = own(ALICE, *scopes)
    proof, challenge = simulated(statement)

    def programmed(asked: Statement, commitments: Sequence[bytes]) -> bytes:
        assert (asked, tuple(commitments)) == (statement, proof.commitments)
        return challenge

    check(Proof.from_bytes(proof.to_bytes()), statement, programmed)
    with pytest.raises(SubmitterError) as refused:
        verify(proof.to_bytes(), statement)
    assert refused.value.code == "proof_false"


def test_even_a_false_link_can_be_simulated() -> None:
    """So whoever shows a transcript with its own challenge has shown nobody anything."""
    statement = Statement.about([ALICE.pseudonym(TIPS), BOB.pseudonym(CALLS)], OCCASION)
    proof, challenge = simulated(statement)
    check(proof, statement, lambda _statement, _commitments: challenge)


def test_two_answers_to_one_commitment_give_the_secret_away() -> None:
    """Special soundness, run: it is why a proof proves anything, and why nonces never repeat."""
    statement = own(ALICE, TIPS)
    nonces = scalars.random_scalar(), scalars.random_scalar()
    challenges = scalars.random_scalar(), scalars.random_scalar()
    commitments = (group.commit(*nonces),)
    answers = []
    for c in challenges:
        proof = Proof(
            commitments,
            group.respond(nonces[0], c, ALICE.person()),
            (group.respond(nonces[1], c, ALICE.blinding(TIPS)),),
        )
        check(proof, statement, lambda _statement, _commitments, c=c: c)
        answers.append(proof)
    inverse = bindings.crypto_core_ed25519_scalar_invert(scalars.subtract(*challenges))
    person = scalars.multiply(scalars.subtract(answers[0].person, answers[1].person), inverse)
    assert person == ALICE.person()


def test_nonces_differ_although_the_random_source_is_stuck() -> None:
    statements = (
        own(ALICE, TIPS),
        own(ALICE, CALLS),
        own(ALICE, TIPS, CALLS),
        own(ALICE, TIPS, occasion=replace(OCCASION, nonce=b"\x01" * 32)),
    )
    stuck = [point for one in statements for point in prove(ALICE, one, fresh=FRESH).commitments]
    assert len(set(stuck)) == 5
    assert prove(ALICE, statements[0], fresh=FRESH) == prove(ALICE, statements[0], fresh=FRESH)


def test_fresh_randomness_makes_each_proof_another() -> None:
    statement = own(ALICE, TIPS)
    assert prove(ALICE, statement).commitments != prove(ALICE, statement).commitments


def test_differences_of_keys_tie_nothing_together() -> None:
    """Were a blinding the scope's alone, two people would differ alike in every scope; or the reverse."""
    keys = {(who, scope): who.pseudonym(scope).key for who in (ALICE, BOB) for scope in (TIPS, CALLS)}
    minus = bindings.crypto_core_ed25519_sub
    assert minus(keys[ALICE, TIPS], keys[BOB, TIPS]) != minus(keys[ALICE, CALLS], keys[BOB, CALLS])
    assert minus(keys[ALICE, TIPS], keys[ALICE, CALLS]) != minus(keys[BOB, TIPS], keys[BOB, CALLS])


BAD_POINTS = {
    "the neutral element": NEUTRAL,
    "a point of order eight": ORDER_EIGHT,
    "a sum with one": with_torsion(ALICE.pseudonym(TIPS).key),
    "y not reduced": (P + 1).to_bytes(32, "little"),
    "zero with a sign": bytes(31) + b"\x80",
    "not on the curve": (2).to_bytes(32, "little"),
    "too short": bytes(31),
}


@pytest.mark.parametrize("case", BAD_POINTS)
def test_points_outside_the_group_are_refused(case: str) -> None:
    with pytest.raises(SubmitterError) as refused:
        Pseudonym(TIPS, BAD_POINTS[case])
    assert refused.value.code == "point_invalid"
    if len(BAD_POINTS[case]) == 32:
        proof = prove(ALICE, own(ALICE, TIPS)).to_bytes()
        with pytest.raises(SubmitterError) as refused:
            verify(BAD_POINTS[case] + proof[32:], own(ALICE, TIPS))
        assert refused.value.code == "point_invalid"


def test_scalars_have_one_encoding() -> None:
    statement = own(ALICE, TIPS)
    proof = prove(ALICE, statement).to_bytes()
    for start in (32, 64):
        value = int.from_bytes(proof[start : start + 32], "little")
        for forged in (value + scalars.ORDER, 0, scalars.ORDER):
            spoiled = proof[:start] + forged.to_bytes(32, "little") + proof[start + 32 :]
            with pytest.raises(SubmitterError) as refused:
                verify(spoiled, statement)
            assert refused.value.code == "scalar_invalid"


def test_every_changed_byte_is_refused() -> None:
    statement = own(ALICE, TIPS)
    proof = prove(ALICE, statement).to_bytes()
    for place in range(len(proof)):
        spoiled = bytearray(proof)
        spoiled[place] ^= 1
        with pytest.raises(SubmitterError):
            verify(bytes(spoiled), statement)


@pytest.mark.parametrize("size", [0, 32, 64, 95, 97, 128, 32 * 35])
def test_other_lengths_are_refused(size: int) -> None:
    with pytest.raises(SubmitterError) as refused:
        Proof.from_bytes(bytes(size))
    assert refused.value.code == "proof_invalid"


def test_a_proof_about_another_number_of_keys_is_refused() -> None:
    with pytest.raises(SubmitterError) as refused:
        verify(prove(ALICE, own(ALICE, TIPS)).to_bytes(), own(ALICE, TIPS, CALLS))
    assert refused.value.code == "proof_invalid"


@pytest.mark.parametrize("scope", ["", "a\nb", "x" * 256, "é" * 128, "e\u0301", "\ud800"])
def test_scopes_have_one_form(scope: str) -> None:
    with pytest.raises(SubmitterError) as refused:
        ALICE.pseudonym(scope)
    assert refused.value.code == "scope_invalid"


def test_statements_have_one_form() -> None:
    one, other = ALICE.pseudonym(TIPS), ALICE.pseudonym(CALLS)
    for wrong in ((), (one, one), tuple(sorted((one, other), key=lambda p: p.scope, reverse=True))):
        with pytest.raises(SubmitterError) as refused:
            Statement(wrong, OCCASION)
        assert refused.value.code == "statement_invalid"
    with pytest.raises(SubmitterError) as refused:
        Occasion("portal.example", bytes(31), bytes(32))
    assert refused.value.code == "occasion_invalid"


def test_nothing_secret_is_shown() -> None:
    secret = SubmitterSecret(os.urandom(32))
    statement = own(secret, TIPS)
    shown = repr((secret, statement, prove(secret, statement), secret.pseudonym(TIPS)))
    for hidden in (secret.secret, secret.person(), secret.blinding(TIPS), secret.pseudonym(TIPS).key):
        assert hidden.hex() not in shown
        assert repr(hidden)[2:-1] not in shown
    assert TIPS not in shown
