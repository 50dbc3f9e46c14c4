"""A review of a recording behind the real wall: who spoke comes out, what is decided about them goes in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from worker_harness import Nursery, opened

from enclave.policy import Instructions, ReviewInstructions, Terms, shipped
from enclave.review.decisions import Decision, Decisions, Mute, OnSpeaker
from enclave.review.package import ReviewPackage, parse_package
from enclave.review.signed import SignedDecisions
from keyvault.age import HybridIdentity
from provenance.dsse import Envelope
from provenance.statements import JobFacts
from tests.sound_factory import SPEECH_RATE, decoded, dialogue, wav

ME = HybridIdentity.generate()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LESSON = Terms(shipped()["classroom"], "fast", (str(ME.recipient),))
PUBLIC = KEY.public_key().public_bytes_raw()


@dataclass(frozen=True)
class Done:
    """A finished job with its package."""

    media: bytes
    package: ReviewPackage
    facts: JobFacts


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Two voices by turns."""
    return wav(tmp_path_factory.mktemp("recording") / "lesson.wav", dialogue()[0]).read_bytes()


def run(nursery: Nursery, upload: bytes) -> Done:
    running, folder = nursery.start(upload, LESSON.to_bytes())
    *_, last = running.reports()
    running.close()
    assert last.WhichOneof("report") == "result", last
    facts = JobFacts.from_statement(Envelope.from_bytes(last.result.statement).payload)
    package = parse_package(opened((folder / "review").read_bytes(), ME))
    return Done(opened((folder / "result").read_bytes(), ME), package, facts)


@pytest.fixture(scope="module")
def first(nursery: Nursery, recording: bytes) -> Done:
    return run(nursery, nursery.seal(recording, LESSON, Instructions(review=ReviewInstructions(PUBLIC))))


def deciding(nursery: Nursery, recording: bytes, first: Done, *decisions: Decision) -> bytes:
    """A second upload."""
    record = first.package.record
    decided = Decisions(hashlib.sha256(record).hexdigest(), decisions)
    signed = SignedDecisions.sign(decided, KEY).to_bytes()
    review = ReviewInstructions(PUBLIC, len(record), signed)
    return nursery.seal(record + recording, LESSON, Instructions(review=review))


def test_the_sheet_tells_who_spoke_when_and_nothing_else(first: Done) -> None:
    sheet = first.package.sheet
    assert (sheet.media_type, sheet.width, sheet.height, sheet.frames) == ("audio/mp4", 0, 0, 0)
    assert (sheet.tracks, sheet.views) == ((), ())
    assert [speaker.effect for speaker in sheet.speakers] == ["anonymize", "anonymize"]
    assert sheet.effects["voice"] == ("anonymize", "bleep", "remove")
    seconds = dialogue()[1]
    for (begin, end), turn in zip(seconds, sheet.speakers[1].turns, strict=True):
        assert turn[0] / 1000 == pytest.approx(begin, abs=0.6)
        assert turn[1] / 1000 == pytest.approx(end, abs=0.6)


def test_the_teacher_is_heard_the_other_is_silent_and_nothing_is_found_anew(
    nursery: Nursery, recording: bytes, first: Done
) -> None:
    decisions = (OnSpeaker("role", 0, "teacher"), OnSpeaker("effect", 1, "remove"), Mute(1000, 2000, "bleep"))
    second = run(nursery, deciding(nursery, recording, first, *decisions))
    assert second.facts.decided == {"effect": 1, "mute": 1, "role": 1}
    sheet = second.package.sheet
    assert [speaker.effect for speaker in sheet.speakers] == ["keep", "remove"]
    assert [speaker.turns for speaker in sheet.speakers] == [
        speaker.turns for speaker in first.package.sheet.speakers
    ]
    assert sheet.decisions == decisions
    assert {"kept", "removed", "bleeped"} <= set(second.facts.sound_seconds)
    original, made = dialogue()[0], decoded(second.media, SPEECH_RATE)[0][0]
    (begin, end), _ = dialogue()[1]
    heard, silenced = (
        slice(2 * SPEECH_RATE, 4 * SPEECH_RATE),
        slice(*(int(t * SPEECH_RATE) for t in (begin + 1, end - 1))),
    )
    assert likeness(original[heard], made[heard]) > 0.8
    assert likeness(original[silenced], made[silenced]) < 0.3
    assert power(made[silenced]) < 0.01 * power(original[silenced])
    assert likeness(original[SPEECH_RATE : 2 * SPEECH_RATE], made[SPEECH_RATE : 2 * SPEECH_RATE]) < 0.3


LIES: dict[str, tuple[Decision, str]] = {
    "a voice that the policy does not let through": (OnSpeaker("effect", 1, "keep"), "decision_not_allowed"),
    "a role that there is not": (OnSpeaker("role", 1, "guest"), "decision_not_allowed"),
    "somebody who was never heard": (OnSpeaker("role", 2, "teacher"), "decisions_invalid"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_decision_that_may_not_be_ends_the_job(
    lie: str, nursery: Nursery, recording: bytes, first: Done
) -> None:
    decision, code = LIES[lie]
    finished = nursery.run(deciding(nursery, recording, first, decision), LESSON.to_bytes())
    assert finished.failure_code == code
    assert finished.sealed == b""


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """The highest correlation of two pieces, a few milliseconds apart at most."""
    shifts = range(-160, 161)
    middle = slice(200, len(one) - 200)
    return max(abs(float(np.corrcoef(one[middle], np.roll(other, shift)[middle])[0, 1])) for shift in shifts)


def power(piece: np.ndarray) -> float:
    """Mean power."""
    return float(np.mean(np.square(piece)))
