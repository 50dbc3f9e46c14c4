"""What a worker takes: no record but its own, of this original; no decision but the submitter's."""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from enclave_makers import POLICY_TEXT, a_policy, some_terms
from review_makers import a_jpeg

from anonymizer import Report, Review
from anonymizer.boxes import no_boxes
from anonymizer.detect.finders import Finder, Sought
from anonymizer.review import sheet as seen
from anonymizer.review.recording import Recorder
from anonymizer.settings import FaceSettings, TextSettings
from enclave.errors import WorkerError
from enclave.policy import Instructions, ReviewInstructions, Terms, upload_preamble
from enclave.review.decisions import Decision, Decisions, Draw, Key, Mute, OnSpeaker, OnTrack, WholeFrame
from enclave.review.package import parse_package
from enclave.review.signed import SignedDecisions
from enclave.worker.failures import published_code
from enclave.worker.opening import OpenedUpload, open_upload
from enclave.worker.record import MAGIC, About, open_record, seal_record
from enclave.worker.review import ReviewedJob, begin_review
from keyvault.age import HybridIdentity, PayloadReader, SealWriter, read_header, unwrap_file_key

SALT, MEASUREMENT, RECORD_KEY = bytes(range(32)), b"\x07" * 32, b"\x08" * 32
MEDIA = b"the original" * 999
IDENTITY = HybridIdentity.generate()
OWN, STRANGER = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))

REVIEW = """
[[roles]]
name = "teacher"
faces = { effect = "keep" }

[review]
may = ["keep", "role", "effect"]
effects = { face = ["mosaic"] }
"""
COVERING_ONLY = some_terms(a_policy())
ALL = some_terms(
    a_policy(
        POLICY_TEXT.replace(
            "[audio]",
            '[text]\neffect = "solid"\nshape = "box"\nscale = 1.2\n'
            "threshold = 0.3\nlinger_seconds = 0\nlookahead_seconds = 0\n\n[audio]",
        )
        + REVIEW
    )
)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def a_record() -> bytes:
    """Of one face (number 0) and one text (number 1)."""
    sought = (Sought("face", FaceSettings()), Sought("text", TextSettings()))
    recorder = Recorder((Finder(sought, lambda *_: {}),))
    recorder.look(0, 0, {"face": np.ones((1, 5), np.float32), "text": no_boxes()})
    return recorder.finish(640, 360, 25, [(1, 1)]).to_bytes()


@dataclass(frozen=True)
class Second:
    """A second upload, as somebody makes it."""

    terms: Terms = ALL
    media: bytes = MEDIA
    measurement: bytes = MEASUREMENT
    record_key: bytes | None = RECORD_KEY
    key: Ed25519PrivateKey = OWN
    signer: Ed25519PrivateKey = OWN
    record: bytes = b""
    about_record: str = ""
    taken: tuple[Decision, ...] = (OnTrack("keep", 0),)
    changed: Callable[[bytes], bytes] = bytes

    def begin(self) -> ReviewedJob:
        record = self.record or first_record()
        about = self.about_record or hashlib.sha256(record).hexdigest()
        signed = SignedDecisions.sign(Decisions(about, self.taken), self.signer)
        asked = ReviewInstructions(public(self.key), len(record), self.changed(signed.to_bytes()))
        begun = begin_review(
            upload(self.terms, asked, self.media, record), self.terms, self.measurement, self.record_key
        )
        assert begun is not None
        return begun


def upload(
    terms: Terms, asked: ReviewInstructions | None, media: bytes = MEDIA, record: bytes = b""
) -> OpenedUpload:
    sink = io.BytesIO()
    with SealWriter(sink, [IDENTITY.recipient]) as writer:
        writer.write(upload_preamble(terms, SALT, Instructions(review=asked)) + record + media)
    stream = io.BytesIO(sink.getvalue())
    header = read_header(stream)
    payload = PayloadReader(stream, unwrap_file_key(header, [IDENTITY]), len(header.raw))
    return open_upload(payload, terms.to_bytes())


def first_run(terms: Terms = ALL, media: bytes = MEDIA, key: Ed25519PrivateKey = OWN) -> ReviewedJob:
    begun = begin_review(
        upload(terms, ReviewInstructions(public(key)), media), terms, MEASUREMENT, RECORD_KEY
    )
    assert begun is not None
    return begun


def first_record(**about: Any) -> bytes:
    return seal_record(a_record(), RECORD_KEY, replace(first_run().about, **about))


def test_a_job_without_a_review_has_none() -> None:
    assert begin_review(upload(ALL, None), ALL, MEASUREMENT, None) is None


def test_a_first_run_decides_nothing() -> None:
    begun = first_run()
    assert begun.decisions is None
    assert begun.decided_facts(SALT) == {}


def test_a_second_run_replays_and_says_what_was_decided() -> None:
    taken = (
        OnTrack("keep", 0),
        WholeFrame(0, 40),
        OnTrack("cover", 1),
        Draw(0, 9, (Key(0, (0, 0, 1, 1)),)),
        OnSpeaker("effect", 0, "remove"),
        OnSpeaker("role", 1, "teacher"),
        Mute(3, 9, "bleep"),
    )
    begun = Second(taken=taken).begin()
    assert begun.review.kind_of(0) == "face"
    assert begun.review.kind_of(1) == "text"
    facts = begun.decided_facts(SALT)
    counted = {"cover": 1, "draw": 1, "effect": 1, "keep": 1, "mute": 1, "role": 1, "whole_frame": 1}
    assert facts["decided"] == counted
    assert begun.decisions is not None
    message = b"bauta.decisions/v1\n" + begun.decisions.to_bytes()
    assert facts["decisions_commitment"] == hmac.new(SALT, message, hashlib.sha256).hexdigest()


def test_reading_a_review_leaves_the_media_at_its_start() -> None:
    opened = upload(ALL, ReviewInstructions(public(OWN)))
    begin_review(opened, ALL, MEASUREMENT, RECORD_KEY)
    assert opened.media.read() == MEDIA
    assert first_run().about.original_sha256 == hashlib.sha256(MEDIA).digest()


OTHER_MODE = replace(ALL, mode="fast")
OTHER_POLICY = some_terms(a_policy(ALL.policy.text.replace("threshold = 0.2", "threshold = 0.3")))
flipped = first_record()
REFUSED: dict[str, tuple[Second, str]] = {
    "another original": (Second(media=MEDIA + b"!"), "record_refused"),
    "another policy": (Second(terms=OTHER_POLICY), "record_refused"),
    "another mode": (Second(terms=OTHER_MODE), "record_refused"),
    "another worker, other models": (Second(measurement=b"\x09" * 32), "record_refused"),
    "another vault, or another purpose": (Second(record_key=b"\x0a" * 32), "record_refused"),
    "no key from the vault": (Second(record_key=None), "release_refused"),
    "a changed bit": (Second(record=flipped[:-1] + bytes([flipped[-1] ^ 1])), "record_refused"),
    "another nonce": (Second(record=MAGIC + bytes(12) + flipped[len(MAGIC) + 12 :]), "record_refused"),
    "a record cut short": (Second(record=flipped[: len(MAGIC) + 5]), "record_refused"),
    "a record that is none": (Second(record=b"bauta.record/v1\n" + bytes(99)), "record_refused"),
    "a plain record": (Second(record=a_record()), "record_refused"),
    "a record of another review of this original": (
        Second(record=first_record(review_key=public(STRANGER))),
        "record_refused",
    ),
    "a stranger's key, who learnt the package": (Second(key=STRANGER, signer=STRANGER), "record_refused"),
    "a stranger's signature": (Second(signer=STRANGER), "review_signature_invalid"),
    "decisions about another record": (Second(about_record="ab" * 32), "decisions_invalid"),
    "decisions changed after they were signed": (
        Second(changed=lambda signed: signed.replace(b'"keep"', b'"cover"')),
        "review_signature_invalid",
    ),
    "no signature": (
        Second(changed=lambda signed: signed[: signed.index(b',"signature"')] + b"}"),
        "decisions_invalid",
    ),
    "an effect that the policy does not name": (
        Second(taken=(OnTrack("effect", 0, "blur"),)),
        "decision_not_allowed",
    ),
    "an effect on another kind of thing": (
        Second(taken=(OnTrack("effect", 1, "mosaic"),)),
        "decision_not_allowed",
    ),
    "a voice let through that the policy removes": (
        Second(taken=(OnSpeaker("effect", 0, "keep"),)),
        "decision_not_allowed",
    ),
    "a voice in a role that the policy has not": (
        Second(taken=(OnSpeaker("role", 0, "guest"),)),
        "decision_not_allowed",
    ),
    "a role that the policy has not": (Second(taken=(OnTrack("role", 0, "guest"),)), "decision_not_allowed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_belong_together_ends_the_job_with_a_published_code(case: str) -> None:
    second, code = REFUSED[case]
    with pytest.raises(Exception) as caught:
        second.begin()
    assert published_code(caught.value) == code


@pytest.mark.parametrize("word", ["keep", "role", "effect"])
def test_a_policy_that_is_silent_lets_nobody_be_shown(word: str) -> None:
    about = first_run(COVERING_ONLY).about
    named = {"role": "teacher", "effect": "mosaic"}.get(word, "")
    second = Second(
        terms=COVERING_ONLY,
        record=seal_record(a_record(), RECORD_KEY, about),
        taken=(OnTrack(word, 0, named),),
    )
    with pytest.raises(WorkerError) as caught:
        second.begin()
    assert caught.value.code == "decision_not_allowed"
    allowed = (OnTrack("stronger", 0), OnTrack("cover", 1), WholeFrame(0, 1))
    assert replace(second, taken=allowed).begin().decided_facts(SALT)["decided"]["stronger"] == 1


def test_what_the_policy_allows_is_taken() -> None:
    taken = (
        (OnTrack("effect", 0, "mosaic"),),
        (OnTrack("role", 0, "teacher"),),
        (OnTrack("keep", 1, "", (0, 9)),),
    )
    assert all(Second(taken=each).begin().decisions is not None for each in taken)


def test_a_sealed_record_says_nothing_of_what_it_is_about() -> None:
    about = About(hashlib.sha256(MEDIA).digest(), b"p" * 32, "fast", MEASUREMENT, public(OWN))
    one, two = (seal_record(a_record(), RECORD_KEY, about) for _ in range(2))
    assert one != two
    assert open_record(one, RECORD_KEY, about) == open_record(two, RECORD_KEY, about) == a_record()
    for told in (about.original_sha256, about.policy_sha256, b"face", public(OWN)):
        assert told not in one
    assert about.original_sha256.hex() not in repr(about)
    assert repr(RECORD_KEY) not in repr(first_run())


STRIP = (
    seen.Thumbnail(0.04, 0.0, 0.99995, 1.0, 1.0, a_jpeg()),
    seen.Thumbnail(0.5, 0.2, 0.25, 0.7, 0.8, a_jpeg()),
)


class Finished(Review):
    """A review of a job that has ended."""

    record = a_record()
    sheet = seen.Sheet(
        tracks=(seen.SheetTrack(0, "face", "keep", 0.0, 0.96, 25, 90, 110, STRIP),),
        unlisted={"text": 3},
        views=(seen.View(0.0, a_jpeg()),),
    )


def a_report() -> Report:
    return Report("video/mp4", 640, 360, 25, {"face": 25}, {"face": 1}, "none", 1.0, "cpu", {})


def test_the_package_holds_the_sheet_and_the_record_that_opens_again() -> None:
    begun = replace(Second().begin(), review=Finished())
    package = parse_package(begun.package(b"j" * 16, ALL, a_report()))
    assert open_record(package.record, RECORD_KEY, begun.about) == a_record()
    sheet = package.sheet
    assert (sheet.job, sheet.policy_sha256, sheet.mode) == (
        (b"j" * 16).hex(),
        ALL.policy.digest.hex(),
        "balanced",
    )
    assert sheet.may == ("cover", "draw", "effect", "keep", "mute", "role", "stronger", "whole_frame")
    assert sheet.effects == {"face": ("mosaic",)}
    assert sheet.roles == ("teacher",)
    assert sheet.decisions == (OnTrack("keep", 0),)
    assert sheet.unlisted == {"text": 3}
    (track,) = sheet.tracks
    assert (track.effect, track.first_ms, track.last_ms, track.frames) == ("keep", 0, 960, 25)
    assert [(one.at_ms, one.box) for one in track.strip] == [
        (40, (0, 9999, 10_000, 10_000)),
        (500, (2000, 2500, 7000, 8000)),
    ]
    # A second review of it: its decisions are about the record in this package.
    again = Second(record=package.record).begin()
    assert again.decisions is not None
    assert again.decisions.record_sha256 == sheet.record_sha256


def test_a_sheet_that_is_too_large_has_a_published_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.review.package.MAX_SHEET_BYTES", 1000)
    begun = replace(first_run(), review=Finished())
    with pytest.raises(Exception, match="review") as caught:
        begun.package(b"j" * 16, ALL, a_report())
    assert published_code(caught.value) == "review_too_large"


def test_faces_of_one_review_are_the_same_in_every_run_and_of_no_other() -> None:
    assert first_run().personas == Second().begin().personas
    assert len(first_run().personas) == 32
    assert replace(first_run(), record_key=b"\x0b" * 32).personas != first_run().personas
