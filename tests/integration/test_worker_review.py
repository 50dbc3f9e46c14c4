"""Reviews behind the real wall: the package that comes out, and what of a second upload is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from media_factory import face_image
from worker_harness import Nursery, opened

from enclave.policy import Instructions, ReviewInstructions, Terms, parse_policy
from enclave.review.decisions import Decisions, OnTrack
from enclave.review.package import ReviewPackage, parse_package
from enclave.review.signed import SignedDecisions
from keyvault.age import HybridIdentity
from provenance.dsse import Envelope
from provenance.statements import JobFacts
from tests.unit.enclave.enclave_makers import POLICY_TEXT

ME = HybridIdentity.generate()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def terms(may: str = "", mode: str = "balanced") -> Terms:
    policy = parse_policy(POLICY_TEXT + may)
    return Terms(policy, mode, (str(ME.recipient),))


KEEP = terms('[review]\nmay = ["keep"]\n')


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@dataclass(frozen=True)
class First:
    """A first run, and all that a second one is made of."""

    picture: bytes
    package: ReviewPackage
    facts: JobFacts
    sealed: bytes


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_image(tmp_path_factory.mktemp("picture") / "face.png", size=(256, 256)).read_bytes()


@pytest.fixture(scope="module")
def first(nursery: Nursery, picture: bytes) -> First:
    running, folder = nursery.start(nursery.seal(picture, KEEP, asking()), KEEP.to_bytes())
    *_, last = running.reports()
    running.close()
    assert last.WhichOneof("report") == "result", last
    sealed = (folder / "review").read_bytes()
    assert len(sealed) == last.result.review_bytes
    assert hashlib.sha256(sealed).digest() == last.result.review_sha256
    facts = JobFacts.from_statement(Envelope.from_bytes(last.result.statement).payload)
    return First(picture, parse_package(opened(sealed, ME)), facts, sealed)


def asking(key: Ed25519PrivateKey = KEY) -> Instructions:
    """The instructions of a first run."""
    return Instructions(review=ReviewInstructions(public(key)))


def test_the_statement_names_the_package_that_was_written(first: First) -> None:
    assert first.facts.review_sha256 == hashlib.sha256(first.sealed).hexdigest()
    assert (first.facts.decided, first.facts.decisions_commitment) == ({}, None)
    sheet = first.package.sheet
    assert (sheet.job, sheet.policy_sha256) == (first.facts.job_id, first.facts.policy_sha256)
    assert [track.kind for track in sheet.tracks] == ["face"]


def test_a_job_that_is_not_asked_writes_no_package(nursery: Nursery, picture: bytes) -> None:
    running, folder = nursery.start(nursery.seal(picture, KEEP), KEEP.to_bytes())
    *_, last = running.reports()
    running.close()
    assert (last.result.review_bytes, last.result.review_sha256) == (0, b"")
    assert (folder / "review").read_bytes() == b""
    facts = JobFacts.from_statement(Envelope.from_bytes(last.result.statement).payload)
    assert facts.review_sha256 is None


def test_a_package_beyond_its_limit_ends_the_job(nursery: Nursery, picture: bytes) -> None:
    upload = nursery.seal(picture, KEEP, asking())
    assert nursery.run(upload, KEEP.to_bytes(), max_review_bytes=1000).failure_code == "review_too_large"


@dataclass(frozen=True)
class Second:
    """What a second upload says."""

    terms: Terms
    media: bytes
    record: bytes
    decisions: Decisions
    signed_by: Ed25519PrivateKey = KEY
    named: Ed25519PrivateKey = KEY
    mended: bool = True

    def upload(self, nursery: Nursery) -> bytes:
        """The upload; its decisions name the record that it carries, unless that is the trial."""
        digest = hashlib.sha256(self.record).hexdigest()
        decisions = replace(self.decisions, record_sha256=digest) if self.mended else self.decisions
        signed = SignedDecisions.sign(decisions, self.signed_by).to_bytes()
        review = ReviewInstructions(public(self.named), len(self.record), signed)
        return nursery.seal(self.record + self.media, self.terms, Instructions(review=review))


def honest(first: First) -> Second:
    """The face is kept visible."""
    track = first.package.sheet.tracks[0].track
    decided = Decisions(first.package.sheet.record_sha256, (OnTrack("keep", track),))
    return Second(KEEP, first.picture, first.package.record, decided)


def test_what_was_decided_is_done(nursery: Nursery, first: First) -> None:
    result = nursery.run(honest(first).upload(nursery), KEEP.to_bytes()).result
    facts = JobFacts.from_statement(Envelope.from_bytes(result.statement).payload)
    assert facts.decided == {"keep": 1}
    assert facts.decisions_commitment is not None
    assert facts.review_sha256 != first.facts.review_sha256


def with_bit(record: bytes, at: int) -> bytes:
    bent = bytearray(record)
    bent[at] ^= 1
    return bytes(bent)


def other_picture(second: Second) -> bytes:
    """A PNG takes what follows its end: the same pixels, and another file."""
    return second.media + b"\0"


LIES: dict[str, tuple[Callable[[Second], Second], str]] = {
    "signed by somebody else": (
        lambda second: replace(second, signed_by=OTHER_KEY),
        "review_signature_invalid",
    ),
    "another review key, and signed by it": (
        lambda second: replace(second, signed_by=OTHER_KEY, named=OTHER_KEY),
        "record_refused",
    ),
    "one bit of the record's tag": (
        lambda second: replace(second, record=with_bit(second.record, -1)),
        "record_refused",
    ),
    "one bit of the record's nonce": (
        lambda second: replace(second, record=with_bit(second.record, 24)),
        "record_refused",
    ),
    "half the record": (lambda second: replace(second, record=second.record[:-20]), "record_refused"),
    "a record of noise": (lambda second: replace(second, record=bytes(500)), "record_refused"),
    "decisions about another record": (
        lambda second: replace(
            second, mended=False, decisions=replace(second.decisions, record_sha256="00" * 32)
        ),
        "decisions_invalid",
    ),
    "another original": (lambda second: replace(second, media=other_picture(second)), "record_refused"),
    "another mode": (
        lambda second: replace(second, terms=replace(second.terms, mode="fast")),
        "record_refused",
    ),
    "a policy that allows more": (
        lambda second: replace(
            second, terms=terms('[review]\nmay = ["keep", "effect"]\n[review.effects]\nface = ["blur"]\n')
        ),
        "record_refused",
    ),
    "a word that the policy does not have": (
        lambda second: replace(
            second, decisions=replace(second.decisions, decisions=(OnTrack("effect", 0, "blur"),))
        ),
        "decision_not_allowed",
    ),
    "a thing that was never seen": (
        lambda second: replace(
            second, decisions=replace(second.decisions, decisions=(OnTrack("keep", 4711),))
        ),
        "decisions_invalid",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_second_upload_that_lies_ends_with_a_code(lie: str, nursery: Nursery, first: First) -> None:
    change, code = LIES[lie]
    second = change(honest(first))
    finished = nursery.run(second.upload(nursery), second.terms.to_bytes())
    assert finished.failure_code == code
    assert finished.sealed == b""
