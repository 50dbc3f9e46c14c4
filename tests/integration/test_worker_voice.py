"""Voices behind the real wall: from the sealed upload to the opened result and its statement."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from worker_harness import Nursery, opened

from enclave.policy import Instructions, Terms, parse_policy, shipped
from keyvault.age import HybridIdentity
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
