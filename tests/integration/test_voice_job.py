"""A talking clip in, anonymized picture and voice out: in step, as long, as loud, no clicks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import Limits, Models, Report, Review, Role, Settings, anonymize, load_models
from anonymizer.review import decisions as told
from anonymizer.sound.envelope import Envelope, seconds_off
from anonymizer.sound.loudness import Loudness
from anonymizer.speakers import SpeakerEncoder, open_speakers
from tests.sound_factory import SPEECH_RATE, decoded, dialogue, talk, talking_clip

Samples = npt.NDArray[np.float32]

FPS = 25
SCOPE = bytes(range(32))


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(device="cpu")


@pytest.fixture(scope="module")
def encoder(models: Models) -> SpeakerEncoder:
    assert models.speakers is not None
    return open_speakers(models.speakers, 1).encoder


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_clip(tmp_path_factory.mktemp("talk") / "talk.mp4", talk(), FPS)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return talking_clip(tmp_path_factory.mktemp("two") / "two.mp4", dialogue()[0], FPS)


def run(
    models: Models, source: Path, *, review: Review | None = None, **chosen: object
) -> tuple[Report, bytes]:
    # The same made voices in every run: what is measured of them hangs on which they are.
    usual: dict[str, object] = {"mode": "fast", "audio": "anonymize", "threads": 1, "personas": SCOPE}
    settings = Settings(**(usual | chosen))  # type: ignore[arg-type]
    sink = io.BytesIO()
    report = anonymize(
        io.BytesIO(source.read_bytes()),
        sink,
        settings=settings,
        models=models,
        limits=Limits(),
        review=review,
    )
    return report, sink.getvalue()


@pytest.fixture(scope="module")
def made(models: Models, clip: Path) -> tuple[Report, bytes]:
    return run(models, clip, personas=SCOPE, pseudonym="Pantalone")


@pytest.fixture(scope="module")
def record_of_two(models: Models, two: Path) -> bytes:
    """What a first run hands on, for runs by decisions."""
    review = Review()
    run(models, two, review=review)
    return review.record


def speech_of(file: Path | bytes) -> Samples:
    return decoded(file, SPEECH_RATE)[0].mean(axis=0)


def like(encoder: SpeakerEncoder, one: Samples, other: Samples) -> float:
    return float(encoder.embed(one) @ encoder.embed(other))


def steps_at(samples: Samples, rate: int) -> Iterator[float]:
    """The largest step from sample to sample of each hundredth of a second."""
    cell = rate // 100
    steps = np.abs(np.diff(samples))
    for at in range(0, len(steps) - cell, cell):
        yield float(steps[at : at + cell].max())


def test_the_statement_says_what_was_done(made: tuple[Report, bytes]) -> None:
    report, _ = made
    assert (report.media_type, report.audio) == ("video/mp4", "anonymized")
    assert report.sound is not None
    assert report.sound.voices == 1
    assert set(report.sound.seconds) == {"anonymized"}
    assert report.sound.seconds["anonymized"] == pytest.approx(len(talk()) / SPEECH_RATE, abs=0.1)
    assert report.quality is not None
    assert report.quality.short == ()
    assert report.frames_with_faces > 0


def test_lips_and_words_go_together(made: tuple[Report, bytes], clip: Path) -> None:
    """Onsets of energy, by a track of both files from time zero on: not by the job's own word."""
    levels = []
    for file in (clip, made[1]):
        envelope = Envelope(SPEECH_RATE)
        envelope.push(speech_of(file))
        levels.append(envelope.levels)
    off = seconds_off(levels[0], levels[1], np.ones(len(levels[0]), np.bool_))
    assert off is not None
    assert abs(off) <= 0.02
    report = made[0]
    assert report.sound is not None
    assert report.sound.off_seconds is not None
    assert report.sound.off_seconds == pytest.approx(off, abs=0.01)


def test_it_is_as_long_within_a_frame(made: tuple[Report, bytes], clip: Path) -> None:
    lengths = []
    for file in (str(clip), io.BytesIO(made[1])):
        with av.open(file) as container:
            lengths.append([float(s.duration * s.time_base) for s in container.streams])
    assert lengths[1] == pytest.approx(lengths[0], abs=1 / FPS)


def test_it_is_as_loud(made: tuple[Report, bytes], clip: Path) -> None:
    loudness = []
    for file in (clip, made[1]):
        samples, rate = decoded(file)
        meter = Loudness(rate, samples.shape[0])
        meter.push(samples)
        loudness.append(meter.integrated())
    assert loudness[1] == pytest.approx(loudness[0], abs=2.0)


def test_nothing_clicks(models: Models, two: Path, record_of_two: bytes) -> None:
    """Many joins: two voices, a bleep and silence. No step between samples stands out of those around it."""
    muted = tuple(
        told.Muted(told.Span(at, at + 0.5), effect) for at, effect in ((1.0, "bleep"), (3.0, "remove"))
    )
    report, result = run(models, two, review=Review(record_of_two, told.Decisions(muted=muted)))
    assert report.sound is not None
    assert report.sound.clicks == 0
    assert set(report.sound.seconds) == {"anonymized", "bleeped", "removed"}
    samples, rate = decoded(result)
    steps = np.asarray(list(steps_at(samples[0], rate)))
    around = np.asarray([steps[max(0, at - 5) : at + 6].max() for at in range(len(steps))])
    lone = [
        at
        for at in range(6, len(steps) - 6)
        if steps[at] > 0.1 and steps[at] > 4 * np.delete(around, [at])[at - 6 : at + 5].min()
        and steps[at] > 4 * max(steps[at - 1], steps[at + 1])
    ]  # fmt: skip
    assert lone == []


def test_nobody_sounds_like_themselves(
    made: tuple[Report, bytes], clip: Path, encoder: SpeakerEncoder
) -> None:
    """A control first: through the encoder alone, without another voice, it is the same voice."""
    original = speech_of(clip)
    assert like(encoder, original, talk()) > 0.9
    assert like(encoder, original, speech_of(made[1])) < 0.75


def test_a_pseudonym_is_one_voice_and_another_one_is_another(
    models: Models, clip: Path, made: tuple[Report, bytes], encoder: SpeakerEncoder
) -> None:
    first = speech_of(made[1])
    again = speech_of(run(models, clip, personas=SCOPE, pseudonym="Pantalone")[1])
    other = speech_of(run(models, clip, personas=SCOPE, pseudonym="Colombina")[1])
    elsewhere = speech_of(run(models, clip, personas=SCOPE[::-1], pseudonym="Pantalone")[1])
    same = like(encoder, first, again)
    assert same > 0.98
    assert like(encoder, first, other) < same
    assert like(encoder, first, elsewhere) < same


def test_two_people_have_two_voices(models: Models, two: Path, encoder: SpeakerEncoder) -> None:
    report, result = run(models, two, personas=SCOPE)
    assert report.sound is not None
    assert report.sound.voices == 2
    speech = speech_of(result)
    spans = dialogue()[1]
    second = np.concatenate([speech[round(b * SPEECH_RATE) : round(e * SPEECH_RATE)] for b, e in spans])
    first = np.concatenate(
        [speech[: round((spans[0][0] - 0.5) * SPEECH_RATE)], speech[round(spans[0][1] * SPEECH_RATE) + 8000 :
        round((spans[1][0] - 0.5) * SPEECH_RATE)]]
    )  # fmt: skip
    half = len(first) // 2
    assert like(encoder, first[:half], first[half:]) > like(encoder, first, second) + 0.05


def test_one_is_kept_by_role_and_the_other_is_not(models: Models, two: Path, record_of_two: bytes) -> None:
    """As in a classroom: the teacher's own voice within their turns, and nobody else's."""
    teacher = (Role("teacher", {}, audio="keep"),)
    decided = told.Decisions(speakers={0: told.SpeakerDecision("role", role="teacher")})
    report, result = run(models, two, review=Review(record_of_two, decided), roles=teacher)
    assert report.audio == "partly_kept"
    assert report.sound is not None
    assert report.sound.seconds["kept"] > 3
    before, after = speech_of(two), speech_of(result)
    length = min(len(before), len(after))

    def same(begin: float, end: float) -> float:
        part = slice(round(begin * SPEECH_RATE), min(length, round(end * SPEECH_RATE)))
        return float(np.corrcoef(before[part], after[part])[0, 1])

    begin, end = dialogue()[1][0]
    assert same(1.0, begin - 1.0) > 0.8
    assert abs(same(begin, end)) < 0.3


@pytest.mark.parametrize(("effect", "word"), [("bleep", "bleeped"), ("remove", "removed")])
def test_of_a_masked_voice_nothing_is_left(
    models: Models, two: Path, record_of_two: bytes, effect: str, word: str
) -> None:
    """A voice that a decision takes out: what is heard in its turns has nothing of it."""
    decided = told.Decisions(speakers={1: told.SpeakerDecision("effect", effect=effect)})  # type: ignore[arg-type]
    report, result = run(models, two, review=Review(record_of_two, decided))
    assert report.sound is not None
    assert report.sound.seconds[word] > 2  # type: ignore[index]
    before, after = speech_of(two), speech_of(result)
    for begin, end in dialogue()[1]:
        part = slice(round((begin + 0.1) * SPEECH_RATE), round((end - 0.1) * SPEECH_RATE))
        envelopes = []
        for speech in (before[part], after[part]):
            cells = speech[: len(speech) // 400 * 400].reshape(-1, 400)
            envelopes.append(np.log10(np.mean(cells**2, axis=1) + 1e-9))
        assert abs(np.corrcoef(*envelopes)[0, 1]) < 0.35
        assert np.std(envelopes[1]) < 0.5


LENGTHS = {"a track longer than the picture": 1.5, "a track shorter than the picture": 0.5}


@pytest.mark.parametrize("factor", LENGTHS.values(), ids=LENGTHS)
def test_sound_and_picture_of_two_lengths(models: Models, tmp_path: Path, factor: float) -> None:
    from tests.media_factory import face_clip
    from tests.media_probe import ffmpeg
    from tests.sound_factory import wav

    seconds = 3.0
    speech = np.resize(talk(), round(seconds * factor * SPEECH_RATE)).astype(np.float32)
    silent = face_clip(tmp_path / "silent.mp4", seconds, FPS, (320, 180), audio=False)
    sound = wav(tmp_path / "sound.wav", speech)
    clip = tmp_path / "in.mp4"
    ffmpeg("-i", str(silent), "-i", str(sound), "-c:v", "copy", "-ar", "48000", str(clip))
    report, result = run(models, clip)
    assert report.duration_seconds == pytest.approx(seconds, abs=1 / FPS)
    samples, rate = decoded(result)
    assert samples.shape[1] / rate == pytest.approx(seconds * factor, abs=0.1)
    assert report.quality is not None
    assert "sound" not in report.quality.short


@pytest.mark.shared
def test_two_real_people_in_one_clip(
    models: Models, encoder: SpeakerEncoder, shared_media: Path, tmp_path: Path
) -> None:
    """Read speech of two people by turns: two voices are heard, and neither sounds like its owner."""
    people = [sorted((shared_media / "voice" / name).glob("*.flac"))[:2] for name in ("1688", "2033")]
    assert all(len(recordings) == 2 for recordings in people)
    parts = [
        decoded(people[who][turn], SPEECH_RATE)[0][0][: 4 * SPEECH_RATE] for turn in (0, 1) for who in (0, 1)
    ]
    clip = talking_clip(tmp_path / "talk.mp4", np.concatenate(parts), FPS)
    report, result = run(models, clip, personas=SCOPE)
    assert report.sound is not None
    assert report.sound.voices == 2
    assert report.quality is not None
    assert report.quality.short == ()
    after = speech_of(result)
    length = len(parts[0])
    made = [after[at * length : (at + 1) * length] for at in range(4)]
    for who in (0, 1):
        assert like(encoder, parts[who], parts[who + 2]) > 0.75, "the control: who is who by their own voice"
        assert like(encoder, parts[who], made[who + 2]) < 0.75
