"""Folders in, findings out; what cannot be read is left out and told of, and nobody is named."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import av
import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.report.page import render
from evaluation.voice import telling
from evaluation.voice.evaluating import evaluate_voice
from evaluation.voice.findings import VoiceFindings
from evaluation.voice.listening import Resemblyzer
from evaluation.voice.recordings import list_folder, read_speech
from tests.made_speech import Speech, made_speakers

RATE = 16_000


def write_wave(path: Path, speech: Speech, rate: int = RATE, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.repeat(np.clip(speech, -1, 1)[:, None], channels, axis=1)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return path


def write_folder(folder: Path, speakers: dict[str, list[Speech]], first: str = "one") -> Path:
    for speaker, recordings in speakers.items():
        for place, speech in enumerate(recordings):
            write_wave(folder / speaker / f"{first}-{place}.wav", speech)
    return folder


@pytest.fixture(scope="module")
def open_copies(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Results that are plain copies of the originals, and two files that are none."""
    folder = tmp_path_factory.mktemp("copies")
    speakers = {f"secret-{name}": each for name, each in made_speakers(3, 2).items()}
    original, result = write_folder(folder / "original", speakers), write_folder(folder / "result", speakers)
    first = next(result.iterdir())
    (first / "broken.wav").write_bytes(b"RIFF\x00\x00")
    write_wave(first / "short.wav", np.zeros(1000, np.float32))
    (first / "notes.txt").write_text("no sound")
    return original, result


@pytest.fixture(scope="module")
def found(open_copies: tuple[Path, Path]) -> VoiceFindings:
    heard: list[tuple[str, int, int]] = []
    original, result = open_copies
    findings = evaluate_voice(
        original, result, enrolment=result, training=original, words=False,
        on_progress=lambda *told: heard.append(told),
    )  # fmt: skip
    assert {stage for stage, _, _ in heard} == {"listen", "compare"}
    assert all(0 <= done <= total for _, done, total in heard)
    return findings


def test_copies_are_recognized_by_every_attacker(found: VoiceFindings) -> None:
    assert (found.people, found.recordings, found.unpaired) == (3, 6, 2)
    tried = {(each.attacker, each.ears): each.figures for each in found.tried}
    assert {attacker for attacker, _ in tried} == {"ignorant", "lazy", "semi", "linked"}
    for attacker in ("ignorant", "lazy", "linked"):
        assert tried[attacker, "resemblyzer"].eer.value < 0.1
        assert tried[attacker, "resemblyzer"].rank_1.value == 1.0
    weakest = found.weakest()
    assert weakest is not None
    assert weakest.figures.eer.value < 0.1
    assert found.likeness is not None
    assert found.likeness.value == pytest.approx(1.0, abs=1e-3)


def test_what_cannot_be_read_is_left_out_and_told_of(found: VoiceFindings) -> None:
    # Each of them stands in the folder once as a result and once as the enrolment.
    codes = sorted(each.code for each in found.skipped)
    assert codes == ["sound_too_short"] * 2 + ["sound_unreadable"] * 2
    assert "Left out: 2 files, sound_unreadable." in telling.lines(found)


def test_findings_are_json_and_name_nobody(found: VoiceFindings) -> None:
    document = json.loads(json.dumps(found.document(), allow_nan=False))
    assert document["people"] == 3
    assert document["skipped"] == {"sound_too_short": 2, "sound_unreadable": 2}
    assert document["not_tried"] == {}
    first = document["attackers"][0]
    assert (first["attacker"], first["ears"], first["small_sample"]) == ("ignorant", "resemblyzer", True)
    assert first["eer"]["interval"][0] <= first["eer"]["value"] <= first["eer"]["interval"][1]
    page = render(telling.sections(found))
    for text in (json.dumps(document), page, "\n".join(telling.lines(found))):
        assert "secret" not in text
    assert page.count("<svg") == 2
    assert "<script" not in page
    assert not re.search(r"(src|href)=", page)
    assert "Small sample: 3 people" in page
    assert "VoicePrivacy" in page


def test_attackers_without_what_they_need_are_named_as_not_tried(open_copies: tuple[Path, Path]) -> None:
    original, _ = open_copies
    alone = evaluate_voice(original, original, words=False)
    assert alone.not_tried() == {"lazy": "enrolment", "semi": "enrolment and training"}
    assert any("Not tried: lazy" in line for line in telling.lines(alone))


def test_two_files_are_compared_and_not_attacked(open_copies: tuple[Path, Path]) -> None:
    original, result = (next(iter(sorted(folder.rglob("one-0.wav")))) for folder in open_copies)
    alike = evaluate_voice(original, result, words=True)
    assert (alike.people, alike.recordings, list(alike.tried), alike.weakest()) == (1, 1, [], None)
    assert alike.likeness is not None
    assert alike.likeness.value == pytest.approx(1.0, abs=1e-3)
    assert alike.words is not None
    assert alike.words.pairs == 1
    document = alike.document()["words"]
    if document["recognizer"] == "not installed":
        assert any("pocketsphinx is not installed" in line for line in telling.lines(alike))
    elif alike.words.word_error is not None:
        assert alike.words.word_error.value == 0.0


def test_missing_packages_are_said(open_copies: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluation.voice.words.is_installed", lambda _package: False)
    original = sorted(open_copies[0].rglob("*.wav"))[0]
    found = evaluate_voice(original, original)
    assert found.document()["words"] == {
        "pairs": 1, "recognizer": "not installed", "word_error": None, "stoi": "not installed"
    }  # fmt: skip
    told = "\n".join(telling.lines(found))
    assert "pocketsphinx is not installed" in told
    assert "pystoi is not installed" in told


@pytest.mark.parametrize("case", ["empty", "flat", "one person", "no pairs", "file and folder"])
def test_bad_folders_are_one_clear_error(case: str, tmp_path: Path) -> None:
    speech = np.sin(np.arange(RATE) * 0.1).astype(np.float32)
    good = write_folder(tmp_path / "good", {"a": [speech] * 2, "b": [speech[::-1]] * 2})
    bad = tmp_path / "bad"
    bad.mkdir()
    original = good
    if case == "flat":
        write_wave(bad / "one-0.wav", speech)
    elif case == "one person":
        write_folder(bad, {"a": [speech] * 2})
        original = bad
    elif case == "no pairs":
        write_folder(bad, {"c": [speech] * 2})
    elif case == "file and folder":
        bad = write_wave(tmp_path / "file.wav", speech)
    codes = {
        "empty": "folder_without_speakers", "flat": "folder_without_speakers",
        "one person": "too_few_persons", "no pairs": "nothing_pairs", "file and folder": "file_and_folder",
    }  # fmt: skip
    with pytest.raises(EvaluationError) as refused:
        evaluate_voice(original, bad, words=False)
    assert refused.value.code == codes[case]
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (48_000, 6)])
def test_any_rate_and_any_channels_are_heard(rate: int, channels: int, tmp_path: Path) -> None:
    speech = (0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)).astype(np.float32)
    heard = read_speech(write_wave(tmp_path / "a.wav", speech, rate, channels))
    assert heard.dtype == np.float32
    assert len(heard) == pytest.approx(RATE, abs=64)
    assert np.abs(np.fft.rfft(heard[:RATE])).argmax() == pytest.approx(440 * len(heard[:RATE]) / RATE, abs=1)


def test_the_sound_of_a_video_is_heard_and_a_picture_is_not(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with av.open(str(target), "w") as container:
        stream = container.add_stream("aac", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.full((1, RATE), 0.1, np.float32), "fltp", "mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
    assert len(read_speech(target)) >= RATE
    silent = tmp_path / "b.mp4"
    with av.open(str(silent), "w") as container:
        picture = container.add_stream("mpeg4", rate=25)
        picture.width = picture.height = 64
        picture.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")
        container.mux([*picture.encode(frame), *picture.encode(None)])
    with pytest.raises(EvaluationError) as refused:
        read_speech(silent)
    assert refused.value.code == "sound_unreadable"


def test_files_pair_by_their_path_without_its_ending(tmp_path: Path) -> None:
    for name in ("ann/x.wav", "ann/deep/y.FLAC", "ann/.hidden.wav", "bob/x.mp4", "bob/x.proof", "top.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert {who: list(each) for who, each in list_folder(tmp_path).items()} == {
        "ann": ["deep/y", "x"],
        "bob": ["x"],
    }


def test_digital_silence_has_no_voice() -> None:
    assert not Resemblyzer()(np.zeros(RATE, np.float32)).any()
