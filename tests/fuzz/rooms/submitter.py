"""Proof of the submitter: what sources, issuers, portals and the front desk read of one another."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from grpc_api.admission import Admission
from grpc_api.errors import ServiceError
from keyvault.submitter import papers
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey
from keyvault.submitter.proofs import Proof, prove, verify
from keyvault.submitter.spent import SpentStore
from keyvault.submitter.submission_key import SubmissionKey
from keyvault.submitter.tokens import TokenRequest, issue
from provenance import canonical
from provenance.errors import FormatError
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


def read_pem(untrusted: bytes) -> None:
    """A key has one encoding inside, however its lines are broken."""
    assert IssuerKey.from_der(IssuerKey.from_pem(untrusted).to_der())


def read_submission_key(untrusted: bytes) -> None:
    """One form, inside terms that are canonical."""
    untrusted_object = canonical.loads(untrusted)
    assert SubmissionKey.from_object(untrusted_object).to_object() == untrusted_object


def come_in(untrusted: bytes) -> None:
    """Only a token that was issued opens the door."""
    try:
        Admission((issuer_key(),), record()).admit(untrusted, os.urandom(32))
    except ServiceError as refused:
        if refused.code != "token_spent":
            raise
    assert untrusted == good_token()


def read_challenge(untrusted: bytes) -> None:
    """One encoding."""
    assert papers.Challenge.from_bytes(untrusted).to_bytes() == untrusted


def read_answer(untrusted: bytes) -> None:
    """One encoding."""
    assert papers.Answer.from_bytes(untrusted).to_bytes() == untrusted


def read_request(untrusted: bytes) -> None:
    """One encoding."""
    assert papers.BlindRequest.from_bytes(untrusted).to_bytes() == untrusted


def read_reply(untrusted: bytes) -> None:
    """One encoding."""
    assert papers.reply_to_bytes(papers.reply_from_bytes(untrusted)) == untrusted


def read_token_file(untrusted: bytes) -> None:
    """One encoding."""
    assert papers.token_to_bytes(papers.token_from_bytes(untrusted)) == untrusted


def read_pending(untrusted: bytes) -> None:
    """One encoding."""
    assert papers.pending_to_bytes(papers.pending_from_bytes(untrusted)) == untrusted


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
    Target(
        name="submitter_issuer_pem",
        sender="whoever publishes an issuer's key",
        parsers=("keyvault.submitter.issuer_keys.IssuerKey.from_pem",),
        parse=read_pem,
        seeds=lambda: (issuer_key().to_pem(),),
        errors=(SubmitterError,),
    ),
    Target(
        name="submission_key",
        sender=SOURCE,
        parsers=("keyvault.submitter.submission_key.SubmissionKey.from_object",),
        parse=read_submission_key,
        seeds=lambda: (canonical.dumps(SubmissionKey.draw(ALICE).to_object()),),
        errors=(SubmitterError, FormatError),
        json=True,
    ),
    Target(
        name="admission_token",
        sender=SOURCE,
        parsers=("grpc_api.admission.Admission.admit",),
        parse=come_in,
        seeds=lambda: (good_token(),),
        errors=(ServiceError,),
        examples=50,
    ),
    *(
        Target(
            name=f"submitter_paper_{name}",
            sender=sender,
            parsers=(f"keyvault.submitter.papers.{parser}",),
            parse=parse,
            seeds=seeds,
            errors=(SubmitterError,),
            json=True,
            examples=100,
        )
        for name, sender, parser, parse, seeds in (
            (
                "challenge",
                "whoever says that they verify",
                "Challenge.from_bytes",
                read_challenge,
                lambda: (papers.Challenge("portal.example", bytes(32)).to_bytes(),),
            ),
            (
                "answer",
                SOURCE,
                "Answer.from_bytes",
                read_answer,
                lambda: (papers.Answer(bytes(32), proof()).to_bytes(),),
            ),
            (
                "request",
                SOURCE,
                "BlindRequest.from_bytes",
                read_request,
                lambda: (papers.BlindRequest(issuer_key().id, request().blinded.message).to_bytes(),),
            ),
            (
                "reply",
                "an issuer that somebody has taken over",
                "reply_from_bytes",
                read_reply,
                lambda: (papers.reply_to_bytes(issue(issuer(), request().blinded.message)),),
            ),
            (
                "token",
                "the submitter's disk",
                "token_from_bytes",
                read_token_file,
                lambda: (papers.token_to_bytes(good_token()),),
            ),
            (
                "pending",
                "the submitter's disk",
                "pending_from_bytes",
                read_pending,
                lambda: (papers.pending_to_bytes(request()),),
            ),
        )
    ),
)
