"""Sources, occasions and issuers for the tests of this room."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from keyvault.submitter.issuer_keys import IssuerKey
from keyvault.submitter.pseudonyms import SubmitterSecret
from keyvault.submitter.statements import Occasion, Statement
from keyvault.submitter.tokens import Token, TokenRequest, issue

ALICE = SubmitterSecret(bytes(range(32)))
BOB = SubmitterSecret(bytes(range(1, 33)))
OCCASION = Occasion("portal.example", bytes(32), b"\x07" * 32)
TIPS, CALLS = "portal.example/tips", "portal.example/calls"


def own(secret: SubmitterSecret, *scopes: str, occasion: Occasion = OCCASION) -> Statement:
    """That one secret stands behind these scopes."""
    return Statement.about([secret.pseudonym(scope) for scope in scopes], occasion)


@cache
def issuer() -> rsa.RSAPrivateKey:
    """A small one, for speed."""
    return rsa.generate_private_key(65537, 2048)


@cache
def issuer_key() -> IssuerKey:
    """Its public half."""
    return IssuerKey.of(issuer().public_key())


def token() -> Token:
    """A fresh one."""
    request = TokenRequest.draw(issuer_key())
    return request.finish(issue(issuer(), request.blinded.message))
