"""A voice is never let through by mistake: what fails, fails closed; what nobody hears is masked as well."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import AnonymizerError, Limits, Models, Role, Settings, anonymize, load_models
from anonymizer.settings import LeakSettings
from anonymizer.sound import job as sound_job
from anonymizer.sound import making, pieces
from anonymizer.sound.masks import Masks
from anonymizer.speakers.finder import SpeakerFinder
from anonymizer.speakers.turns import Turn, Turns
from anonymizer.voice import VoiceMask, VoiceNetworks
from benchmarks.mcadams import bent
from tests.sound_factory import SPEECH_RATE, decoded, dialogue, talk, wav

Samples = npt.NDArray[np.float32]
Convert = Callable[[VoiceNetworks, VoiceMask, Samples], Samples]

# Half of the stretches of one voice, as policies have it.
HELD = LeakSettings(voices=500)


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(device="cpu")


def run(models: Models, source: bytes, **chosen: object) -> bytes:
    # The same mask in each run: what a limit is set for must not be drawn anew.
    fixed = {"audio": "anonymize", "threads": 1, "personas": bytes(range(32))}
    settings = Settings(**(fixed | chosen))  # type: ignore[arg-type]
    sink = io.BytesIO()
    try:
        anonymize(io.BytesIO(source), sink, settings=settings, models=models, limits=Limits())
    except AnonymizerError:
        assert sink.getvalue() == b"", "what failed left something"
        raise
    return sink.getvalue()


@pytest.fixture
def original(tmp_path: Path) -> bytes:
    return wav(tmp_path / "in.wav", talk()).read_bytes()


def likeness(samples: Samples, result: bytes) -> float:
    """The best correlation of any tenth of a second of the original with what is heard at about that time."""
    after = decoded(result, SPEECH_RATE)[0].mean(axis=0)
    cell, most = SPEECH_RATE // 10, 0.0
    for at in range(0, min(len(samples), len(after)) - 2 * cell, cell):
        before = samples[at : at + cell]
        if np.sqrt(np.mean(before**2)) < 0.02:
            continue
        window = after[max(0, at - 160) : at + cell + 160]
        fits = np.correlate(window, before, "valid")
        sizes = np.sqrt(np.convolve(window**2, np.ones(cell), "valid") * np.sum(before**2)) + 1e-6
        most = max(most, float(np.max(np.abs(fits) / sizes)))
    return most


def _nothing_changes(_: VoiceNetworks, __: VoiceMask, speech: Samples) -> Samples:
    return speech


def test_the_measure_finds_a_voice_that_is_let_through(
    models: Models, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: a converter that gives back what it hears is seen through, a working one is not."""
    assert likeness(talk(), run(models, original)) < 0.9
    monkeypatch.setattr(sound_job, "convert", _nothing_changes)
    assert likeness(talk(), run(models, original, leaks=LeakSettings(voices=1000))) > 0.95


def _as(change: Callable[[Samples], Samples]) -> Convert:
    return lambda _networks, _mask, speech: change(speech)


def _faster(speech: Samples, times: float) -> Samples:
    """Pitch and resonances higher, as long as before."""
    places = np.arange(0, len(speech) - 1, times)
    played = np.interp(places, np.arange(len(speech)), speech).astype(np.float32)
    return np.resize(played, len(speech))


WEAK: dict[str, Convert] = {
    "nothing changes": _nothing_changes,
    "a tape that runs too fast": _as(lambda speech: _faster(speech, 1.05)),
    "resonances bent a little": _as(lambda speech: bent(speech, 0.9).astype(np.float32)),
}


@pytest.mark.parametrize("convert", WEAK.values(), ids=WEAK)
def test_a_converter_that_changes_too_little_is_held(
    models: Models, original: bytes, monkeypatch: pytest.MonkeyPatch, convert: Convert
) -> None:
    monkeypatch.setattr(sound_job, "convert", convert)
    with pytest.raises(AnonymizerError) as caught:
        run(models, original, leaks=HELD)
    assert caught.value.code == "result_shows_voices"


def test_one_voice_of_two_that_is_let_through_is_held(
    models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first one is changed as everybody should be, whoever answers is not."""
    changes = sound_job._Voices.speak
    monkeypatch.setattr(
        sound_job._Voices,
        "speak",
        lambda self, speaker, speech: changes(self, speaker, speech) if speaker == 0 else speech,
    )
    with pytest.raises(AnonymizerError) as caught:
        run(models, wav(tmp_path / "two.wav", dialogue()[0]).read_bytes(), leaks=HELD)
    assert caught.value.code == "result_shows_voices"


def test_speech_behind_a_bleep_is_held(
    models: Models, original: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renderer that takes what is to be removed or bleeped for what is to be kept."""
    parts = pieces.pieces_of
    monkeypatch.setattr(
        making,
        "pieces_of",
        lambda *told: [replace(piece, effect="keep") for piece in parts(*told)],
    )
    for effect in ("bleep", "remove"):
        role = Role("somebody", {}, audio="anonymize")
        with pytest.raises(AnonymizerError) as caught:
            run(models, original, audio=effect, roles=(role,), leaks=HELD)
        assert caught.value.code == "result_shows_voices"


def _fails(_: VoiceNetworks, __: VoiceMask, ___: Samples) -> Samples:
    raise AnonymizerError("detector_failed")


BROKEN: dict[str, Convert] = {
    "it fails": _fails,
    "no numbers": _as(lambda speech: np.where(np.arange(len(speech)) == 99, np.nan, speech)),
    "infinite": _as(lambda speech: speech * np.float32(np.inf)),
    "too short": _as(lambda speech: speech[:-1]),
    "too long": _as(lambda speech: np.append(speech, speech[-1])),
    "two channels": _as(lambda speech: np.stack([speech, speech])),
}


@pytest.mark.parametrize("convert", BROKEN.values(), ids=BROKEN)
def test_a_converter_that_breaks_ends_the_job(
    models: Models, original: bytes, monkeypatch: pytest.MonkeyPatch, convert: Convert
) -> None:
    monkeypatch.setattr(sound_job, "convert", convert)
    with pytest.raises(AnonymizerError) as caught:
        run(models, original)
    assert caught.value.code == "detector_failed"


def test_networks_that_are_damaged_end_the_job(models: Models, original: bytes) -> None:
    assert models.voice is not None
    assert models.speakers is not None
    for damaged in (
        replace(models, voice=replace(models.voice, decoder=models.voice.decoder[:-1000])),
        replace(models, voice=replace(models.voice, encoder=b"")),
        replace(models, speakers=replace(models.speakers, activity=b"\x08\x07")),
    ):
        with pytest.raises(AnonymizerError) as caught:
            run(damaged, original)
        assert caught.value.code in {"model_unusable", "detector_failed"}


@pytest.mark.parametrize("missing", ["voice", "speakers"])
def test_without_its_networks_there_is_no_job(models: Models, original: bytes, missing: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        run(replace(models, **{missing: None}), original)  # type: ignore[arg-type]
    assert caught.value.code == "model_missing"


@pytest.mark.parametrize("effect", ["anonymize", "bleep", "remove"])
def test_a_voice_that_nobody_hears_is_masked(
    models: Models, original: bytes, monkeypatch: pytest.MonkeyPatch, effect: str
) -> None:
    """Voice activity that misses everything: turns say who speaks, never whether."""
    monkeypatch.setattr(SpeakerFinder, "finish", lambda self: Turns((), 4.5))
    result = run(models, original, audio=effect, roles=(Role("somebody", {}, audio="anonymize"),))
    assert likeness(talk(), result) < 0.9


def test_a_kept_voice_is_kept_in_its_own_turns_alone(
    models: Models, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Turns that are found a little too short or too long let nothing of the other one through."""
    samples, spans = dialogue()
    begin = spans[0][0]
    whole = len(samples) / SPEECH_RATE
    late = Turns(
        (Turn(0.2, round(begin + 0.1, 3), 0, True), Turn(round(begin + 0.1, 3), 9.0, 1, True)), whole
    )
    monkeypatch.setattr(SpeakerFinder, "finish", lambda self: late)
    monkeypatch.setattr(
        "anonymizer.review.session.Session.voice_effect",
        lambda self, speaker: "keep" if speaker == 0 else None,
    )
    result = run(models, wav(tmp_path / "two.wav", samples).read_bytes())
    second = samples.copy()
    second[: round(begin * SPEECH_RATE)] = 0
    second[round(9.0 * SPEECH_RATE) :] = 0
    assert likeness(samples[: round((begin - 1) * SPEECH_RATE)], result) > 0.9
    assert likeness(second, result) < 0.9


def test_a_track_that_is_another_one_in_the_second_pass_ends_the_job(models: Models, original: bytes) -> None:
    """A source that gives other bytes when it is read again: no plan is for sound that nobody heard."""

    class Changing(io.BytesIO):
        reads_from_start = 0

        def seek(self, offset: int, whence: int = 0) -> int:
            if offset == 0 and whence == 0:
                self.reads_from_start += 1
                if self.reads_from_start == 9:
                    shorter = bytearray(self.getvalue())
                    kept = 44 + (len(shorter) - 44) // 2 // 2 * 2
                    shorter[40:44] = (kept - 44).to_bytes(4, "little")
                    self.truncate(kept)
                    super().seek(0)
                    self.write(bytes(shorter[:kept]))
            return super().seek(offset, whence)

    codes = set()
    for changes_at in range(4, 9):
        source = Changing(original)
        source.reads_from_start = 9 - changes_at
        try:
            anonymize(
                source,
                io.BytesIO(),
                settings=Settings(audio="anonymize", threads=1),
                models=models,
                limits=Limits(),
            )
        except AnonymizerError as error:
            codes.add(error.code)
    assert "media_corrupt" in codes
    assert codes <= {"media_corrupt", "media_truncated"}


def test_no_repr_tells_a_secret() -> None:
    assert (
        repr(Masks(Settings(personas=bytes(range(32)), pseudonym="Pantalone"), Turns((), 1.0))) == "Masks()"
    )
