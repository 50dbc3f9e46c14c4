"""A submitter and the review package: a front desk can keep it back, and can do nothing else with it."""

from __future__ import annotations

import hashlib
import io
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from enclave.errors import EnclaveError
from enclave.policy import Instructions, Terms, shipped
from enclave.review.decisions import Decision, Decisions, Mute, OnSpeaker, OnTrack
from enclave.review.package import ReviewPackage
from enclave.review.signed import parse_signed_decisions
from grpc_api.client import review
from grpc_api.client.connection import Connection
from grpc_api.client.review import fetch_package, open_package, require_allowed, require_no_package
from grpc_api.client.review_key import ReviewKey, parse_review_key
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity, SealWriter
from keyvault.errors import KeyvaultError
from keyvault.submitter.submission_key import SubmissionKey
from protos.bauta.v1 import jobs_pb2
from provenance.canonical import dumps
from provenance.statements import JobFacts
from tests.unit.enclave.review_makers import RECORD, a_package, a_track, some_decisions
from tests.unit.provenance.provenance_makers import job_facts

IDENTITY = HybridIdentity(bytes(range(32)))


def sealed(package: bytes, identity: HybridIdentity = IDENTITY) -> bytes:
    """A package as a worker seals it."""
    sink = io.BytesIO()
    with SealWriter(sink, [identity.recipient]) as writer:
        writer.write(package)
    return sink.getvalue()


@dataclass
class Desk:
    """A front desk that says what a test wants: the job, and the bytes that it hands out."""

    facts: JobFacts
    job: jobs_pb2.Job
    content: bytes

    @property
    def connection(self) -> Connection:
        """What the client talks to."""
        jobs = SimpleNamespace(FetchReview=self._fetch)
        return cast(Connection, SimpleNamespace(jobs=jobs, tries=1))

    def _fetch(self, request: jobs_pb2.FetchReviewRequest) -> Iterator[jobs_pb2.FetchReviewResponse]:
        left = self.content[request.offset :]
        for start in range(0, len(left), 1000):
            yield jobs_pb2.FetchReviewResponse(chunk=left[start : start + 1000])


def a_desk(content: bytes | None = None, package: ReviewPackage | None = None) -> Desk:
    """A desk as it should be, on a job whose package is this one."""
    sheet = (package or a_package()).sheet
    content = sealed((package or a_package()).to_bytes()) if content is None else content
    facts = job_facts(
        policy_sha256=sheet.policy_sha256,
        frames=sheet.frames,
        frames_with_faces=10,
        review_sha256=hashlib.sha256(content).hexdigest(),
    )
    digest = hashlib.sha256(content).digest()
    job = jobs_pb2.Job(job_id=facts.job_id, review_bytes=len(content), review_sha256=digest)
    return Desk(facts, job, content)


def announce(desk: Desk, content: bytes) -> None:
    """Lets the desk hand out other bytes and say so, all of one piece."""
    desk.content = content
    desk.job.review_bytes = len(content)
    desk.job.review_sha256 = hashlib.sha256(content).digest()


def test_a_package_arrives(tmp_path: Path) -> None:
    desk = a_desk()
    path = tmp_path / "review"
    assert fetch_package(desk.connection, desk.job, desk.facts, IDENTITY, path) == a_package()
    assert path.read_bytes() == desk.content
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def withhold(desk: Desk) -> None:
    desk.job.review_bytes = 0
    desk.job.review_sha256 = b""


def swap(desk: Desk) -> None:
    announce(desk, a_desk(package=a_package(job="f" * 32)).content)


def replay(desk: Desk) -> None:
    """The package of an earlier run of the same job's terms: sound, and sealed to the same person."""
    announce(desk, a_desk(package=a_package(tracks=())).content)


def seal_again(desk: Desk) -> None:
    """The same package, sealed anew: whoever knows the recipient can do that."""
    announce(desk, sealed(a_package().to_bytes()))


def cut(desk: Desk) -> None:
    announce(desk, desk.content[:-1])


def send_less(desk: Desk) -> None:
    desk.content = desk.content[:-1]


def send_without_end(desk: Desk) -> None:
    desk.content += bytes(1 << 20)


def bend(desk: Desk) -> None:
    desk.content = desk.content[:-1] + bytes([desk.content[-1] ^ 1])


def announce_too_much(desk: Desk) -> None:
    desk.job.review_bytes = review.MAX_SEALED_BYTES + 1


LIES: dict[str, tuple[Callable[[Desk], None], set[str]]] = {
    "the package is withheld": (withhold, {"review_missing"}),
    "that of another job": (swap, {"review_of_other_job"}),
    "that of an earlier run": (replay, {"review_of_other_job"}),
    "the same, sealed by somebody else": (seal_again, {"review_of_other_job"}),
    "cut, and told as if it were whole": (cut, {"age_payload_truncated", "age_payload_corrupt"}),
    "cut on the way": (send_less, {"result_digest_wrong"}),
    "one bit": (bend, {"result_digest_wrong"}),
    "more than announced": (send_without_end, {"result_digest_wrong"}),
    "more than any package": (announce_too_much, {"review_too_large"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_front_desk_that_lies_is_found_out(lie: str, tmp_path: Path) -> None:
    tell, codes = LIES[lie]
    desk = a_desk()
    tell(desk)
    with pytest.raises((ServiceError, KeyvaultError)) as caught:
        fetch_package(desk.connection, desk.job, desk.facts, IDENTITY, tmp_path / "review")
    assert caught.value.code in codes
    path = tmp_path / "review"
    assert not path.exists() or path.stat().st_size <= len(a_desk().content) + 1000


def test_a_worker_that_speaks_of_another_job_is_found_out(tmp_path: Path) -> None:
    """Statement and bytes agree; the sheet inside does not."""
    for number, changes in enumerate(({"job": "f" * 32}, {"frames": 9}, {"mode": "fast"})):
        desk = a_desk(content=sealed(a_package(**cast(Any, changes)).to_bytes()))
        with pytest.raises(ServiceError) as caught:
            fetch_package(desk.connection, desk.job, desk.facts, IDENTITY, tmp_path / str(number))
        assert caught.value.code == "review_of_other_job"


def test_what_is_no_package_inside_its_seal_is_refused(tmp_path: Path) -> None:
    desk = a_desk(content=sealed(b"bauta.review/v1\n{}\nx"))
    with pytest.raises(EnclaveError) as caught:
        fetch_package(desk.connection, desk.job, desk.facts, IDENTITY, tmp_path / "review")
    assert caught.value.code == "review_package_invalid"


def test_a_package_that_nobody_asked_for_is_refused() -> None:
    require_no_package(job_facts())
    with pytest.raises(ServiceError) as caught:
        require_no_package(job_facts(review_sha256="ab" * 32))
    assert caught.value.code == "review_not_asked"


def test_nobody_else_opens_a_package(tmp_path: Path) -> None:
    path = tmp_path / "review"
    path.write_bytes(sealed(a_package().to_bytes()))
    assert open_package(path, IDENTITY) == a_package()
    with pytest.raises(KeyvaultError) as caught:
        open_package(path, HybridIdentity.generate())
    assert caught.value.code == "age_no_identity_matches"


def test_a_file_beyond_any_package_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "review"
    path.write_bytes(sealed(a_package().to_bytes()))
    monkeypatch.setattr(review, "MAX_SEALED_BYTES", 1000)
    with pytest.raises(ServiceError) as caught:
        open_package(path, IDENTITY)
    assert caught.value.code == "review_too_large"


REFUSED: dict[str, tuple[Decision, dict[str, Any], str]] = {
    "a word that the policy does not have": (
        OnTrack("keep", 1),
        {"may": ("cover",)},
        "decision_not_allowed",
    ),
    "a track that is not there": (OnTrack("keep", 99), {}, "decision_of_no_track"),
    "a speaker who is not there": (OnSpeaker("effect", 2, "bleep"), {}, "decision_of_no_speaker"),
    "a voice that may not be heard": (OnSpeaker("effect", 0, "keep"), {}, "decision_not_allowed"),
    "a voice where nothing may be chosen": (
        OnSpeaker("effect", 0, "bleep"),
        {"effects": {}},
        "decision_not_allowed",
    ),
    "a voice in a role that is not there": (OnSpeaker("role", 0, "headmaster"), {}, "decision_not_allowed"),
    "a voice in a role where none is given": (
        OnSpeaker("role", 0, "teacher"),
        {"may": ("cover",)},
        "decision_not_allowed",
    ),
    "a muted stretch where none may be": (
        Mute(0, 9, "bleep"),
        {"may": ("cover",)},
        "decision_not_allowed",
    ),
    "a role that is not there": (OnTrack("role", 1, "headmaster"), {}, "decision_not_allowed"),
    "an effect that is not allowed": (OnTrack("effect", 1, "blur"), {}, "decision_not_allowed"),
    "an effect of another kind": (OnTrack("effect", 8, "mosaic"), {}, "decision_not_allowed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_decision_that_cannot_be_carried_out_costs_no_upload(case: str) -> None:
    decision, changes, code = REFUSED[case]
    with pytest.raises(ServiceError) as caught:
        require_allowed(some_decisions(decision), a_package(**changes))
    assert caught.value.code == code


def test_decisions_about_another_sheet_are_refused() -> None:
    other = Decisions("00" * 32, some_decisions().decisions)
    with pytest.raises(ServiceError) as caught:
        require_allowed(other, a_package())
    assert caught.value.code == "decisions_of_other_review"


def test_decisions_about_this_sheet_are_taken() -> None:
    require_allowed(some_decisions(), a_package(tracks=tuple(a_track(number) for number in range(1, 9))))


def some_terms() -> Terms:
    """Terms of a shipped policy, for the identity."""
    policy = shipped()["street"]
    return Terms(policy, policy.modes[0], (str(IDENTITY.recipient),))


KEYS = {
    "with an identity and a pseudonym": ReviewKey.new(some_terms(), IDENTITY, Instructions("Anna", "trial")),
    "bare": ReviewKey.new(some_terms(), None),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS.keys())
def test_a_review_key_comes_back_as_it_went(key: ReviewKey) -> None:
    read = parse_review_key(key.to_bytes())
    assert read.to_bytes() == key.to_bytes()
    assert (read.seed, read.terms, read.named) == (key.seed, key.terms, key.named)
    assert (read.identity and read.identity.seed) == (key.identity and key.identity.seed)


def test_a_review_key_shows_no_secret() -> None:
    key = KEYS["with an identity and a pseudonym"]
    assert key.identity is not None
    for secret in (key.seed.hex(), repr(key.seed), "Anna", key.identity.encode()):
        assert secret not in repr(key)
        assert secret not in repr(key.first())


def test_both_runs_name_the_same_key_and_pseudonym() -> None:
    key = KEYS["with an identity and a pseudonym"]
    first, again = key.first(), key.again(key.sign(some_decisions()), RECORD)
    assert first.review is not None
    assert again.review is not None
    assert (first.pseudonym, first.scope) == (again.pseudonym, again.scope) == ("Anna", "trial")
    assert first.review.key == again.review.key
    assert (first.review.record_bytes, again.review.record_bytes) == (0, len(RECORD))
    signed = parse_signed_decisions(again.review.decisions)
    assert signed.verify(first.review.key) == some_decisions()


def test_the_next_round_has_a_recipient_of_its_own() -> None:
    key = KEYS["with an identity and a pseudonym"]
    following = key.renewed()
    assert following.identity is not None
    assert following.terms.recipients == (str(following.identity.recipient),)
    assert following.terms.digest != key.terms.digest
    assert (following.seed, following.named) == (key.seed, key.named)
    assert (following.terms.policy, following.terms.mode) == (key.terms.policy, key.terms.mode)


def test_whoever_has_an_identity_of_their_own_keeps_it() -> None:
    assert KEYS["bare"].renewed() == KEYS["bare"]


def test_two_jobs_of_one_review_have_no_source_in_common() -> None:
    first, second = SubmissionKey.of_nobody(), SubmissionKey.of_nobody()
    for key in KEYS.values():
        kept = parse_review_key(replace(key, terms=replace(key.terms, submitter=first)).to_bytes())
        assert kept.terms.submitter == first
        assert kept.renewed().terms.submitter is None
        assert kept.renewed(second).terms.submitter == second


def test_each_review_has_a_key_of_its_own() -> None:
    assert ReviewKey.new(some_terms(), None).seed != ReviewKey.new(some_terms(), None).seed


def changed(**members: Any) -> bytes:
    """A key file that says something else."""
    key = KEYS["bare"]
    said = {
        "format": "bauta.review-key/v1",
        "identity": None,
        "instructions": {},
        "seed": key.to_bytes().decode().split('"seed":"')[1].split('"')[0],
        "terms": key.terms.to_object(),
    }
    return dumps({name: value for name, value in {**said, **members}.items() if value != "gone"})


BAD_KEYS = {
    "nothing": b"",
    "another format": changed(format="bauta.review-key/v2"),
    "a member too few": changed(seed="gone"),
    "a member too many": changed(name="x"),
    "a short seed": changed(seed="AAAA"),
    "an identity that is none": changed(identity="AGE-SECRET-KEY-PQ-1X"),
    "a classic identity": changed(identity="AGE-SECRET-KEY-1" + "Q" * 58),
    "an identity that is a number": changed(identity=7),
    "no terms": changed(terms={}),
    "a pseudonym without a scope": changed(instructions={"pseudonym": "Anna"}),
    "instructions that are a list": changed(instructions=[]),
}


@pytest.mark.parametrize("content", BAD_KEYS.values(), ids=BAD_KEYS.keys())
def test_what_is_no_review_key_is_refused(content: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        parse_review_key(content)
    assert caught.value.code == "review_key_invalid"
    assert "Anna" not in str(caught.value)


def test_the_unchanged_key_is_taken() -> None:
    assert replace(parse_review_key(changed()), identity=None).terms == some_terms()
