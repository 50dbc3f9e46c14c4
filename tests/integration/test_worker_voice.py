"""Voices behind the real wall: from the sealed upload to the opened result and its statement."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from worker_harness import Nursery, opened

from anonymizer.models import PINNED_SHA256, SPEAKERS
from enclave.policy import Instructions, Terms, parse_policy, shipped
from evaluation.voice.listening import Resemblyzer
from keyvault.age import HybridIdentity
from keyvault.templates.keys import make_keys
from keyvault.templates.package import TemplatePackage
from keyvault.templates.scores import EncryptedScores, open_scores
from keyvault.templates.templates import enrol
from keyvault.templates.vectors import Kind, Space
from provenance.dsse import Envelope
from provenance.statements import JobFacts, ReleaseFacts
from tests.made_speech import spoken
from tests.sound_factory import as_file, decoded, dialogue, talk, talking_clip

WHISTLEBLOWER = shipped()["whistleblower"]
NAMED = Instructions(pseudonym="Pantalone", scope="the harbour")


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(scope="module")
def me() -> HybridIdentity:
    return HybridIdentity.generate()


@pytest.fixture(scope="module")
def terms(me: HybridIdentity) -> Terms:
    return Terms(policy=WHISTLEBLOWER, mode="balanced", recipients=(str(me.recipient),))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return as_file(tmp_path_factory.mktemp("recording") / "talk.opus", talk()).read_bytes()


def run(
    nursery: Nursery, terms: Terms, media: bytes, me: HybridIdentity, told: Instructions | None = None
) -> tuple[JobFacts, bytes]:
    finished = nursery.run(nursery.seal(media, terms, told), terms.to_bytes())
    assert finished.result is not None
    release = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    )
    statement = Envelope.from_bytes(finished.result.statement).verify(release.worker_key)
    return JobFacts.from_statement(statement), opened(finished.sealed, me)


def test_a_recording_of_a_voice(nursery: Nursery, terms: Terms, recording: bytes, me: HybridIdentity) -> None:
    facts, media = run(nursery, terms, recording, me)
    assert (facts.media_type, facts.audio, facts.frames) == ("audio/mp4", "anonymized", 0)
    assert (facts.voices, facts.words_bleeped) == (1, None)
    assert set(facts.sound_seconds) == {"anonymized"}
    assert facts.quality_short == ()
    assert facts.quality["sound_clicks"] == 0
    assert "frames_read" not in facts.quality
    assert {"bauta-voice-encoder", "bauta-voice-decoder", "resemblyzer", "silero-vad"} <= set(facts.models)
    samples, rate = decoded(media)
    assert samples.shape[1] / rate == pytest.approx(len(talk()) / 16_000, abs=0.1)


def test_one_pseudonym_is_one_voice_in_two_jobs(
    nursery: Nursery, terms: Terms, recording: bytes, me: HybridIdentity
) -> None:
    """By the long-term spectrum: whoever names nobody has another voice in each job."""
    named, again, nobody = (
        spectrum(decoded(run(nursery, terms, recording, me, told)[1])[0][0]) for told in (NAMED, NAMED, None)
    )
    assert np.abs(named - again).mean() < 0.5 * np.abs(named - nobody).mean()


def spectrum(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """The mean level of bands of 125 Hz up to 8 kHz, in decibels."""
    rate, size = 48_000, 384
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(size), axis=1))).mean(axis=0)
    return 10 * np.log10(power[: 8_000 * size // rate] + 1e-9)


def test_a_submitter_who_wants_no_sound(
    nursery: Nursery, terms: Terms, me: HybridIdentity, tmp_path: Path
) -> None:
    clip = talking_clip(tmp_path / "talk.mp4", dialogue()[0][: 2 * 16_000]).read_bytes()
    facts, _ = run(nursery, terms, clip, me, Instructions(sound="remove"))
    assert (facts.audio, facts.voices, facts.sound_seconds) == ("removed", 0, {})
    facts, _ = run(nursery, terms, clip, me)
    assert (facts.audio, facts.voices) == ("anonymized", 1)
    assert facts.frames_with_faces > 0


def test_a_bleep_needs_no_converter(nursery: Nursery, recording: bytes, me: HybridIdentity) -> None:
    text = WHISTLEBLOWER.text.replace('effect = "anonymize"', 'effect = "bleep"')
    terms = Terms(parse_policy(text), "balanced", (str(me.recipient),))
    facts, _ = run(nursery, terms, recording, me)
    assert facts.audio == "bleeped"
    assert facts.sound_seconds["bleeped"] >= 4


def test_words_on_the_list_are_bleeped(nursery: Nursery, me: HybridIdentity, tmp_path: Path) -> None:
    """The recognizer hears behind the wall, and its list comes with the policy, from inside the request."""
    listed = 'effect = "anonymize"\nwords = ["dates"]\nrecognizer = "pocketsphinx"'
    text = WHISTLEBLOWER.text.replace('effect = "anonymize"', listed)
    terms = Terms(parse_policy(text), "balanced", (str(me.recipient),))
    # Of our made voices the one that the recognizer understands best.
    speech = spoken("f1", 60, "call me on monday at nine. the number is seven two five. my name is peter.")
    recording = as_file(tmp_path / "dates.flac", speech).read_bytes()
    if importlib.util.find_spec("pocketsphinx") is None:
        finished = nursery.run(nursery.seal(recording, terms), terms.to_bytes())
        assert finished.failure_code == "model_missing"
        return
    facts, _ = run(nursery, terms, recording, me)
    assert facts.words_bleeped is not None
    assert facts.words_bleeped >= 1
    assert set(facts.sound_seconds) == {"anonymized", "bleeped"}


VOICES_OF_HERE = Space(Kind.VOICE, PINNED_SHA256[SPEAKERS], 256)
MATCHED = shipped()["classroom"].text.replace("locked = false", 'locked = false\nmatching = ["voice"]')


def test_voices_are_compared_with_encrypted_templates_and_nobody_there_learns_a_score(
    nursery: Nursery, me: HybridIdentity, tmp_path: Path
) -> None:
    """Both speakers of a dialogue are enrolled; the owner alone sees that each row is one of them."""
    speech, turns = dialogue()
    begin, end = (round(seconds * 16_000) for seconds in turns[0])
    listen = Resemblyzer()
    people = [listen(talk()), listen(speech[begin:end])]
    owner, context = make_keys()
    package = TemplatePackage(context, tuple(enrol(context, VOICES_OF_HERE, vector) for vector in people))
    recording = as_file(tmp_path / "dialogue.flac", speech).read_bytes()
    terms = Terms(parse_policy(MATCHED), "balanced", (str(me.recipient),))
    told = Instructions(matching=len(package.to_bytes()))
    finished = nursery.run(nursery.seal(package.to_bytes() + recording, terms, told), terms.to_bytes())
    result = finished.result
    assert result.scores_bytes == len(finished.scores)
    assert sha256(finished.scores).digest() == result.scores_sha256
    release = ReleaseFacts.from_statement(
        Envelope.from_bytes(result.evidence).verify(nursery.vault.node.public)
    )
    facts = JobFacts.from_statement(Envelope.from_bytes(result.statement).verify(release.worker_key))
    assert facts.matched == {"templates": 2, "vectors": facts.voices}
    assert facts.scores_sha256 == result.scores_sha256.hex()
    scores = EncryptedScores.from_bytes(opened(finished.scores, me))
    assert scores.templates == tuple(template.sha256 for template in package.templates)
    cosines = open_scores(owner, context, scores)
    assert cosines.shape == (2, facts.voices)
    assert sorted(cosines.argmax(axis=0)[:2]) == [0, 1], "each is nearest to their own template"
    # What the owner reads is in nothing that the front desk has: there it is a seal around a ciphertext.
    assert scores.ciphertexts[0].tobytes()[:64] not in finished.scores


def test_what_is_wrong_with_templates_ends_the_job_with_a_code(
    nursery: Nursery, terms: Terms, me: HybridIdentity, recording: bytes
) -> None:
    _, context = make_keys()
    vector = np.arange(1.0, 257.0)
    good = TemplatePackage(context, (enrol(context, VOICES_OF_HERE, vector),)).to_bytes()
    another = dataclasses.replace(VOICES_OF_HERE, network="0" * 64)
    strange = TemplatePackage(context, (enrol(context, another, vector),)).to_bytes()
    faces = dataclasses.replace(VOICES_OF_HERE, kind=Kind.FACE)
    of_faces = TemplatePackage(context, (enrol(context, faces, vector),)).to_bytes()
    _, other_context = make_keys()
    label = len(b"bauta.template-package/v1\n")
    foreign = good[:label] + other_context.encoded + good[label + len(context.encoded) :]
    allowed = Terms(parse_policy(MATCHED), "balanced", (str(me.recipient),))
    for code, package, of_job in [
        ("matching_not_allowed", good, terms),
        ("matching_not_allowed", of_faces, allowed),
        ("matching_other_network", strange, allowed),
        ("template_foreign_context", foreign, allowed),
        ("template_malformed", good[:-8] + b"\xff" * 8, allowed),
        ("template_malformed", b"x" * 1000, allowed),
    ]:
        upload = nursery.seal(package + recording, of_job, Instructions(matching=len(package)))
        finished = nursery.run(upload, of_job.to_bytes())
        assert finished.failure_code == code
        assert finished.scores == b""
