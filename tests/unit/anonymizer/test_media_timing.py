"""Times come out exactly as they went in, whatever the container, and sound stays in step."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.media_factory import KINDS, face_clip
from tests.media_probe import describe, ffmpeg, samples, times

IRREGULAR_MS = [0, 40, 41, 100, 250, 251, 600, 633, 900, 1900, 1933, 2000]


def since_first(path: Path) -> list[Fraction]:
    found = [frame.time for frame in times(path)]
    return [time - found[0] for time in found]


@pytest.mark.parametrize("suffix", list(KINDS))
def test_every_container_keeps_every_frame_and_its_time(process, tmp_path: Path, suffix: str) -> None:
    original = face_clip(tmp_path / f"in{suffix}", 1, 25, (320, 180))
    result = tmp_path / "out.mp4"
    report = process(original, result)
    assert report.frames == 25
    assert since_first(result) == since_first(original)
    assert report.audio == ("none" if suffix == ".gif" else "kept")


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
@pytest.mark.parametrize("mode", ["fast", "balanced", "quality"])
def test_variable_frame_rate_is_kept_exactly(process, tmp_path: Path, suffix: str, mode: str) -> None:
    original = face_clip(tmp_path / f"in{suffix}", times_ms=IRREGULAR_MS, size=(160, 90), audio=False)
    result = tmp_path / "out.mp4"
    process(original, result, mode=mode)
    assert since_first(result) == [Fraction(ms, 1000) for ms in IRREGULAR_MS]
    assert since_first(result) == since_first(original)


@pytest.mark.parametrize(
    ("suffix", "codec"), [(".mp4", "libx264"), (".mkv", "libx264"), (".avi", "mpeg4"), (".mov", "mpeg4")]
)
def test_b_frames_come_out_in_order(process, tmp_path: Path, suffix: str, codec: str) -> None:
    options = {"preset": "medium", "b-adapt": "0"} if codec == "libx264" else {}
    original = face_clip(
        tmp_path / f"in{suffix}",
        1,
        25,
        (320, 180),
        audio=False,
        video_codec=codec,
        b_frames=2,
        options=options,
    )
    result = tmp_path / "out.mp4"
    report = process(original, result)
    assert report.frames == 25
    assert since_first(result) == since_first(original)


def test_ntsc_rate_is_not_rounded(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.avi", 1, Fraction(30000, 1001), (160, 90), audio=False)
    result = tmp_path / "out.mp4"
    process(original, result)
    assert since_first(result) == [Fraction(1001 * n, 30000) for n in range(30)]


@pytest.mark.parametrize("delay", [0.0, 0.35])
def test_sound_stays_in_step(process, tmp_path: Path, delay: float) -> None:
    original = face_clip(tmp_path / "in.mp4", 2, 25, (160, 90), audio_delay_seconds=delay)
    result = tmp_path / "out.mp4"
    process(original, result)
    before, after = samples(original), samples(result)
    assert abs(len(before) - len(after)) <= 2048
    assert offset_of(before, after) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("seconds", [0.7, 3.5])
def test_sound_shorter_or_longer_than_the_picture_keeps_its_length(
    process, tmp_path: Path, seconds: float
) -> None:
    original = face_clip(tmp_path / "in.mkv", 2, 25, (160, 90), audio_seconds=seconds)
    result = tmp_path / "out.mp4"
    process(original, result)
    assert len(samples(result)) / 48000 == pytest.approx(seconds, abs=0.05)
    assert len(times(result)) == 50


@pytest.mark.parametrize(
    ("rate", "layout", "codec", "expected"),
    [
        (44100, "stereo", "aac", "44100 Hz, stereo"),
        (48000, "5.1", "aac", "48000 Hz, 5.1"),
        (22050, "mono", "aac", "22050 Hz, mono"),
        (8000, "mono", "pcm_s16le", "8000 Hz, mono"),
        (37800, "stereo", "pcm_s16le", "48000 Hz, stereo"),
        (48000, "quad", "pcm_s16le", "48000 Hz, stereo"),
    ],
)
def test_any_rate_and_layout(
    process, tmp_path: Path, rate: int, layout: str, codec: str, expected: str
) -> None:
    original = face_clip(
        tmp_path / "in.mov", 1, 10, (160, 90), audio_codec=codec, audio_rate=rate, audio_layout=layout
    )
    result = tmp_path / "out.mp4"
    process(original, result)
    assert expected in describe(result)
    assert len(samples(result)) / 48000 == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_sound_is_in_step_from_every_container(process, tmp_path: Path, suffix: str) -> None:
    original = face_clip(tmp_path / f"in{suffix}", 2, 25, (160, 90))
    process(original, tmp_path / "out.mp4")
    assert times(tmp_path / "out.mp4")[0].time == max(0, times(original)[0].time)
    assert offset_of(samples(original), samples(tmp_path / "out.mp4")) == pytest.approx(0, abs=0.0005)


def test_sound_is_removed_when_told(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 1, 10, (160, 90))
    report = process(original, tmp_path / "out.mp4", audio="remove")
    assert report.audio == "removed"
    assert "Audio:" not in describe(tmp_path / "out.mp4")


def test_a_picture_that_starts_late_starts_late(process, tmp_path: Path) -> None:
    plain = face_clip(tmp_path / "plain.mp4", 1, 25, (160, 90))
    original = tmp_path / "late.mkv"
    inputs = ["-itsoffset", "0.4", "-i", str(plain), "-i", str(plain)]
    ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", str(original))
    result = tmp_path / "out.mp4"
    process(original, result)
    assert times(original)[0].time == pytest.approx(0.4, abs=0.001)
    assert times(result)[0].time == times(original)[0].time


def test_an_edit_list_that_cuts_the_start_is_obeyed(process, tmp_path: Path) -> None:
    plain = face_clip(tmp_path / "plain.mp4", 2, 25, (160, 90), options={"g": "50"})
    original = tmp_path / "cut.mp4"
    ffmpeg("-ss", "0.6", "-i", str(plain), "-c", "copy", str(original))
    result = tmp_path / "out.mp4"
    process(original, result)
    assert len(times(result)) == len(times(original))
    assert since_first(result) == since_first(original)


def test_the_last_frame_lasts_as_long_as_before(process, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.gif", 1, 10, (160, 90))
    report = process(original, tmp_path / "out.mp4")
    assert report.duration_seconds == pytest.approx(1.0)
    assert "Duration: 00:00:01.00" in describe(tmp_path / "out.mp4")


def offset_of(before: np.ndarray, after: np.ndarray, rate: int = 48000) -> float:
    """Returns by how many seconds `after` lags, from the peak of the correlation."""
    size = 1 << (len(before) + len(after)).bit_length()
    product = np.fft.irfft(np.fft.rfft(after, size) * np.conj(np.fft.rfft(before, size)))
    lag = int(product.argmax())
    return (lag if lag < size // 2 else lag - size) / rate
