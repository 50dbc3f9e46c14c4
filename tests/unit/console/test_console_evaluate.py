"""`bauta evaluate` as a person uses it."""

from __future__ import annotations

import json
import stat
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from console.main import app

RATE = 16_000


def run(bauta: list[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*bauta, "evaluate", *map(str, arguments)], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three who hum, twice each, as nobody else does."""
    folder = tmp_path_factory.mktemp("voices") / "original"
    generator = np.random.default_rng(1)
    times = np.arange(2 * RATE) / RATE
    for person in range(3):
        pitch, slope = 100 + 60 * person, 0.6 + person
        for place in range(2):
            sound = sum(np.sin(2 * np.pi * pitch * n * times) / n**slope for n in range(1, 20))
            sound = 0.1 * sound + generator.normal(0, 0.001, len(times))
            path = folder / f"name-{person}" / f"{place}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(np.round(np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return folder


def test_copies_fall_under_a_floor_and_the_report_is_the_owners_alone(
    bauta: list[str], voices: Path, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    done = run(bauta, voices, voices, "--voice", "--no-words", "--floor", "30", "--report", page, "--json")
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["floor"]["met"] is False
    assert told["report"] == str(page)
    assert told["voice"]["people"] == 3
    assert told["voice"]["attackers"][0]["rank_1"]["value"] == 1.0
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "name-" not in page.read_text()
    assert done.stderr == ""


def test_without_a_floor_a_weak_effect_is_told_and_no_failure(bauta: list[str], voices: Path) -> None:
    done = run(bauta, voices, voices, "--no-words")
    assert done.returncode == 0, done.stderr
    assert "ignorant  resemblyzer  0.0 %" in done.stdout
    assert "Small sample: 3 people" in done.stdout
    assert "listening  0/12" in done.stderr


def test_wrong_usage_and_unusable_folders(bauta: list[str], voices: Path, tmp_path: Path) -> None:
    one = next(voices.rglob("*.wav"))
    usage: dict[str, list[str | Path]] = {
        "no such folder": [voices, tmp_path / "none"],
        "training alone": [voices, voices, "--training", voices],
        "a floor for two files": [one, one, "--floor", "30"],
        "a report over the original": [one, one, "--report", one],
        "a report nowhere": [one, one, "--report", tmp_path / "none" / "x.html"],
        "a floor above chance": [voices, voices, "--floor", "80"],
    }
    for case, arguments in usage.items():
        assert CliRunner().invoke(app, ["evaluate", *map(str, arguments)]).exit_code == 2, case
    (tmp_path / "empty").mkdir()
    failed = run(bauta, voices, tmp_path / "empty", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["code"] == "folder_without_speakers"
