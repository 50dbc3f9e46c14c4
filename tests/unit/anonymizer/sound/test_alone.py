"""Files of sound alone: every format that is taken, what is left of it, and what is refused."""

from __future__ import annotations

import io
import re
from pathlib import Path

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError, Limits
from anonymizer.sound.loudness import Loudness
from tests.sound_factory import SPEECH_RATE, as_file, decoded, talk, wav

MARKER = "PLANTED-d1f4c0ffee"
FORMATS = {
    "WAV, 16 kHz": ("in.wav", ()),
    "WAV, 8 kHz, as on a telephone": ("in.wav", ("-ar", "8000")),
    "WAV, 24 bits, 96 kHz": ("in.wav", ("-ar", "96000", "-c:a", "pcm_s24le")),
    "FLAC, stereo, 44.1 kHz": ("in.flac", ("-ar", "44100", "-ac", "2")),
    "MP3": ("in.mp3", ("-ar", "44100")),
    "AAC in ADTS": ("in.aac", ("-ar", "48000",)),
    "AAC in M4A": ("in.m4a", ("-ar", "48000",)),
    "Opus in Ogg": ("in.opus", ("-ar", "48000",)),
    "Vorbis in Ogg, 22.05 kHz": ("in.ogg", ("-c:a", "libvorbis", "-ar", "22050")),
    "Opus in WEBM": ("in.webm", ("-c:a", "libopus",)),
    "FLAC in Matroska, 5.1, 48 kHz": (
        "in.mka",
        ("-c:a", "flac", "-ar", "48000", "-af", "pan=5.1|FC=c0|FL=0.3*c0|FR=0.2*c0"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "options"), FORMATS.values(), ids=FORMATS)
def test_every_format_becomes_an_m4a_without_a_word_about_anybody(
    make, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    told = [f"-metadata{scope}" for scope in ("", ":s:a:0")]
    tags = [part for option in told for part in (option, f"title={MARKER}", option, f"artist={MARKER}")]
    original = as_file(tmp_path / name, talk(), *options, *tags)
    report, result = make(original)
    assert (report.media_type, report.audio, report.frames) == ("audio/mp4", "anonymized", 0)
    assert report.quality is not None
    assert report.quality.short == ()
    assert report.sound is not None
    assert report.sound.voices == 1
    assert report.sound.room is not None
    assert MARKER.encode() not in result
    assert not re.search(rb"Lavf|Lavc|encoder", result)
    samples, rate = decoded(result)
    before, _ = decoded(original)
    # What is between two channels tells where somebody stood. AAC puts noise for noise in each by itself.
    assert np.abs(samples - samples[0]).max() < 0.02
    assert samples.shape[0] == min(2, before.shape[0])
    length = len(talk()) / SPEECH_RATE
    assert report.duration_seconds == pytest.approx(length, abs=0.08)
    assert samples.shape[1] / rate == pytest.approx(report.duration_seconds, abs=0.1)


def test_loudness_stays(make, tmp_path: Path) -> None:
    """By the standard's own measure, and by the figure that the statement has."""
    for gain in (1.0, 0.1):
        original = as_file(tmp_path / f"{gain}.flac", talk() * gain, "-ar", "48000", "-ac", "2")
        report, result = make(original)
        both = []
        for file in (original, result):
            samples, rate = decoded(file)
            meter = Loudness(rate, samples.shape[0])
            meter.push(samples)
            both.append(meter.integrated())
        assert both[1] == pytest.approx(both[0], abs=2.0)
        assert report.quality is not None
        assert report.quality.loudness_off_lu == pytest.approx(abs(both[1] - both[0]), abs=0.5)


SOUNDS = {
    "silence": np.zeros(3 * SPEECH_RATE, np.float32),
    "a moment": talk()[:200],
    "clipped": np.clip(talk() * 50, -1, 1),
    "music": np.sum(
        [np.sin(2 * np.pi * f * np.arange(3 * SPEECH_RATE) / SPEECH_RATE) for f in (220, 277, 330)], axis=0
    ).astype(np.float32) * 0.2,
    "noise": np.random.default_rng(1).normal(0, 0.1, 3 * SPEECH_RATE).astype(np.float32),
    "a constant": np.full(3 * SPEECH_RATE, 0.5, np.float32),
}  # fmt: skip


@pytest.mark.parametrize("samples", SOUNDS.values(), ids=SOUNDS)
def test_whatever_is_heard_has_a_result_of_the_same_length(make, tmp_path: Path, samples) -> None:
    report, result = make(wav(tmp_path / "in.wav", samples))
    assert report.audio == "anonymized"
    assert report.sound is not None
    assert report.sound.clicks == 0
    assert report.duration_seconds == len(samples) / SPEECH_RATE
    heard, _ = decoded(result)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1.05
    if not samples.any():
        assert report.sound.voices == 0
        assert np.sqrt(np.mean(heard**2)) < 0.001


def damaged(path: Path, kind: str) -> bytes:
    whole = bytearray(path.read_bytes())
    if kind == "cut":
        return bytes(whole[: len(whole) * 2 // 3])
    middle = len(whole) // 2
    whole[middle : middle + 600] = np.random.default_rng(2).bytes(600)
    return bytes(whole)


CUT = {
    "WAV": ("in.wav", "cut", "media_truncated"),
    "Ogg": ("in.opus", "cut", "media_truncated"),
    "M4A": ("in.m4a", "cut", "media_truncated"),
    "FLAC": ("in.flac", "cut", "media_(truncated|corrupt)"),
    "a FLAC's frame": ("in.flac", "damage", "media_(truncated|corrupt)"),
    "an Ogg's page": ("in.opus", "damage", "media_(truncated|corrupt)"),
}


@pytest.mark.parametrize(("name", "kind", "code"), CUT.values(), ids=CUT)
def test_what_is_damaged_is_refused_with_one_code(
    make, tmp_path: Path, name: str, kind: str, code: str
) -> None:
    original = as_file(tmp_path / name, talk())
    with pytest.raises(AnonymizerError) as caught:
        make(damaged(original, kind))
    assert re.fullmatch(code, caught.value.code)


def test_samples_that_are_no_numbers(make, tmp_path: Path) -> None:
    original = as_file(tmp_path / "in.wav", talk(), "-c:a", "pcm_f32le")
    whole = bytearray(original.read_bytes())
    whole[4000 - 4000 % 4 + (whole.index(b"data") + 8) % 4 :][:4] = np.float32(np.nan).tobytes()
    at = 4000 - 4000 % 4 + (whole.index(b"data") + 8) % 4
    whole[at : at + 4] = np.float32(np.nan).tobytes()
    with pytest.raises(AnonymizerError) as caught:
        make(bytes(whole))
    assert caught.value.code == "media_corrupt"


ABSURD = {
    "one million samples a second": ({"rate": 1_000_000, "channels": 1}, "media_unsupported"),
    "a thousand samples a second": ({"rate": 1_000, "channels": 1}, "media_unsupported"),
    "sixteen channels": ({"rate": 16_000, "channels": 16}, "media_unsupported"),
}


@pytest.mark.parametrize(("form", "code"), ABSURD.values(), ids=ABSURD)
def test_absurd_forms_are_refused(make, tmp_path: Path, form: dict[str, int], code: str) -> None:
    original = wav(tmp_path / "in.wav", np.zeros((form["channels"], 4000), np.float32), form["rate"])
    for effect in ("anonymize", "bleep", "keep"):
        with pytest.raises(AnonymizerError) as caught:
            make(original, audio=effect)
        assert caught.value.code == code


def test_what_lasts_too_long(make, tmp_path: Path) -> None:
    with pytest.raises(AnonymizerError) as caught:
        make(wav(tmp_path / "in.wav", talk()), limits=Limits(max_duration_seconds=2))
    assert caught.value.code == "media_too_long"


def test_nothing_is_left_of_sound_that_is_all_removed(make, tmp_path: Path) -> None:
    with pytest.raises(AnonymizerError) as caught:
        make(wav(tmp_path / "in.wav", talk()), audio="remove")
    assert caught.value.code == "media_no_video"


def test_what_is_kept_is_let_through(make, tmp_path: Path) -> None:
    report, result = make(wav(tmp_path / "in.wav", talk()), audio="keep")
    assert (report.audio, report.sound) == ("kept", None)
    samples, _ = decoded(result)
    length = min(samples.shape[1], len(talk()))
    assert np.corrcoef(samples[0, :length], talk()[:length])[0, 1] > 0.95


def test_the_month_of_capture(make, tmp_path: Path) -> None:
    original = as_file(tmp_path / "in.flac", talk(), "-metadata", "date=2019-08-07")
    for captured, date in (("month", "2019-08"), ("remove", None)):
        _, result = make(original, captured=captured)
        with av.open(io.BytesIO(result)) as container:
            assert container.metadata.get("date") == date
