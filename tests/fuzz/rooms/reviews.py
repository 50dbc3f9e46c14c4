"""What a review is made of: packages that a worker made, decisions that somebody sent, a submitter's key."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclave.errors import EnclaveError
from enclave.policy import Instructions
from enclave.review.decisions import parse_decisions
from enclave.review.package import parse_package
from enclave.review.signed import SignedDecisions, parse_signed_decisions
from grpc_api.client.review_key import ReviewKey, parse_review_key
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity
from tests.fuzz.rooms import policies
from tests.fuzz.target import Target
from tests.unit.enclave.review_makers import EVERY_DECISION, a_package, some_decisions

TOKENS = (
    b"bauta.review/v1\n",
    b'"do":"draw"',
    b'"do":"whole_frame"',
    b'"do":"role","role":"',
    b'"keys":[{"at_ms":0,"box":[0,0,1,1]}]',
    b'"track":',
    b'"jpeg":"/9j/',
    b'"strip":[]',
    b'"unlisted":{"text":1}',
)


def read_package(untrusted: bytes) -> None:
    """A package that is read encodes back, and its pictures are JPEGs."""
    package = parse_package(untrusted)
    assert package.to_bytes() == untrusted
    pictures = [view.jpeg for view in package.sheet.views]
    assert all(picture.startswith(b"\xff\xd8") for picture in pictures)


def packages() -> tuple[bytes, ...]:
    """A full one and a bare one."""
    bare = a_package(tracks=(), views=(), unlisted={}, effects={}, roles=(), may=())
    return a_package(decisions=EVERY_DECISION).to_bytes(), bare.to_bytes()


def read_decisions(untrusted: bytes) -> None:
    """Decisions that are read have a canonical form that is read to the same."""
    decisions = parse_decisions(untrusted)
    assert parse_decisions(decisions.to_bytes()) == decisions


@cache
def signed() -> SignedDecisions:
    """One of each, signed."""
    return SignedDecisions.sign(some_decisions(), Ed25519PrivateKey.from_private_bytes(bytes(32)))


def read_signed(untrusted: bytes) -> None:
    """Signed decisions that are read encode back."""
    assert parse_signed_decisions(untrusted).to_bytes() == untrusted


def read_key(untrusted: bytes) -> None:
    """A review key that is read encodes back, but for its last newline."""
    assert parse_review_key(untrusted).to_bytes().rstrip(b"\n") == untrusted.rstrip(b"\n")


@cache
def keys() -> tuple[bytes, ...]:
    """One with an identity and a pseudonym, one without either."""
    terms = policies.terms()[0]
    full = ReviewKey(bytes(32), terms, Instructions("Anna", "inquiry"), HybridIdentity(bytes(range(32))))
    return full.to_bytes(), ReviewKey(bytes(32), terms).to_bytes()


TARGETS = (
    Target(
        name="review_package",
        sender="a worker that has parsed a stranger's video",
        parsers=("enclave.review.package.parse_package", "enclave.review.sheet.sheet_from_object"),
        parse=read_package,
        seeds=packages,
        errors=(EnclaveError,),
        tokens=TOKENS,
    ),
    Target(
        name="review_decisions",
        sender="whoever saved a file",
        parsers=(
            "enclave.review.decisions.parse_decisions",
            "enclave.review.decisions.decisions_from_object",
        ),
        parse=read_decisions,
        seeds=lambda: (some_decisions().to_bytes(),),
        errors=(EnclaveError,),
        json=True,
        tokens=TOKENS,
    ),
    Target(
        name="signed_decisions",
        sender="whoever submits, inside the seal",
        parsers=("enclave.review.signed.parse_signed_decisions",),
        parse=read_signed,
        seeds=lambda: (signed().to_bytes(),),
        errors=(EnclaveError,),
        json=True,
        tokens=TOKENS,
    ),
    Target(
        name="review_key",
        sender="the submitter's disk",
        parsers=("grpc_api.client.review_key.parse_review_key",),
        parse=read_key,
        seeds=keys,
        errors=(ServiceError,),
        json=True,
    ),
)
