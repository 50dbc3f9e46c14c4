"""Proof of the submitter: what sources, issuers and portals read of one another."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey
from keyvault.submitter.proofs import Proof, prove, verify
from keyvault.submitter.spent import SpentStore
from keyvault.submitter.tokens import TokenRequest, issue
from tests.fuzz.target import Target
from tests.unit.keyvault.submitter.submitter_makers import (
    ALICE,
    CALLS,
    TIPS,
    issuer,
    issuer_key,
    own,
    token,
)

LINK = own(ALICE, TIPS, CALLS)


@cache
def proof() -> bytes:
    """Of a link."""
    return prove(ALICE, LINK).to_bytes()


@cache
def request() -> TokenRequest:
    """A source's."""
    return TokenRequest.draw(issuer_key())


@cache
def good_token() -> bytes:
    """One to redeem."""
    return token().to_bytes()


@cache
def record() -> SpentStore:
    """Of uses; its file is gone when the process is."""
    folder = tempfile.TemporaryDirectory(prefix="bauta-fuzz-")
    store = SpentStore.create(Path(folder.name) / "spent")
    _KEPT.append(folder)
    return store


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def accept(untrusted: bytes) -> None:
    """Only a proof with its owner's secret is taken: this one, byte for byte."""
    with_one_encoding = Proof.from_bytes(untrusted).to_bytes()
    assert with_one_encoding == untrusted
    verify(untrusted, LINK)
    assert untrusted == proof()


def accept_once(untrusted: bytes) -> None:
    """Only this proof gets as far as the record."""
    try:
        record().accept(untrusted, LINK)
    except SubmitterError as refused:
        if refused.code != "proof_used":
            raise
    assert untrusted == proof()


def redeem(untrusted: bytes) -> None:
    """Only a token that was issued gets as far as the record."""
    try:
        record().redeem(untrusted, issuer_key())
    except SubmitterError as refused:
        if refused.code != "token_spent":
            raise
    assert untrusted == good_token()


def sign(untrusted: bytes) -> None:
    """Whatever is signed, the public key undoes."""
    signed = int.from_bytes(issue(issuer(), untrusted), "big")
    assert pow(signed, 65537, issuer_key().modulus) == int.from_bytes(untrusted, "big")


def finish(untrusted: bytes) -> None:
    """Only the issuer's own answer makes a token."""
    request().finish(untrusted)
    assert untrusted == issue(issuer(), request().blinded.message)


def read_key(untrusted: bytes) -> None:
    """A key has one encoding."""
    assert IssuerKey.from_der(untrusted).to_der() == untrusted


SOURCE = "a source, or whoever comes in its name"

TARGETS = (
    Target(
        name="submitter_proof",
        sender=SOURCE,
        parsers=(
            "keyvault.submitter.proofs.verify",
            "keyvault.submitter.proofs.Proof.from_bytes",
            "keyvault.submitter.group.parse_point",
            "keyvault.submitter.group.parse_scalar",
        ),
        parse=accept,
        seeds=lambda: (proof(),),
        errors=(SubmitterError,),
    ),
    Target(
        name="submitter_proof_use",
        sender=SOURCE,
        parsers=("keyvault.submitter.spent.SpentStore.accept",),
        parse=accept_once,
        seeds=lambda: (proof(),),
        errors=(SubmitterError,),
        examples=50,
    ),
    Target(
        name="submitter_token",
        sender=SOURCE,
        parsers=(
            "keyvault.submitter.tokens.Token.from_bytes",
            "keyvault.submitter.tokens.verify_token",
            "keyvault.submitter.blind_rsa.verify",
            "keyvault.submitter.spent.SpentStore.redeem",
        ),
        parse=redeem,
        seeds=lambda: (good_token(),),
        errors=(SubmitterError,),
    ),
    Target(
        name="submitter_blinded",
        sender=SOURCE,
        parsers=("keyvault.submitter.tokens.issue", "keyvault.submitter.blind_rsa.blind_sign"),
        parse=sign,
        seeds=lambda: (request().blinded.message,),
        errors=(SubmitterError,),
        examples=60,
    ),
    Target(
        name="submitter_answer",
        sender="an issuer that somebody has taken over",
        parsers=("keyvault.submitter.tokens.TokenRequest.finish", "keyvault.submitter.blind_rsa.finalize"),
        parse=finish,
        seeds=lambda: (issue(issuer(), request().blinded.message),),
        errors=(SubmitterError,),
    ),
    Target(
        name="submitter_issuer_key",
        sender="whoever publishes an issuer's key",
        parsers=("keyvault.submitter.issuer_keys.IssuerKey.from_der",),
        parse=read_key,
        seeds=lambda: (issuer_key().to_der(),),
        errors=(SubmitterError,),
    ),
)
