"""`bauta evaluate --people`, and with networks of a user's own, as a person uses it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from anonymizer import Models
from console import output
from console.main import run
from evaluation.errors import EvaluationError
from tests.made_networks import write_classifier, write_distance
from tests.made_people import PEOPLE, PICTURES, MadeFinder


def bauta_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str | Path
) -> tuple[int, dict[str, Any]]:
    """The command line in this process: its exit code, and the document that it printed."""
    monkeypatch.setattr(output.MODE, "as_json", False)
    monkeypatch.setattr(sys, "argv", ["bauta", *map(str, arguments), "--json"])
    with pytest.raises(SystemExit) as done:
        run()
    assert isinstance(done.value.code, int)
    return done.value.code, json.loads(capsys.readouterr().out)


def test_the_command_attacks_bodies_and_asks_a_users_networks(
    original: Path,
    manifest: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def none_installed() -> Models:
        raise EvaluationError("model_missing")

    monkeypatch.setattr("evaluation.people.evaluating.PeopleFinder", lambda _models: MadeFinder())
    monkeypatch.setattr("evaluation.pictures.evaluating.installed_models", none_installed)
    page = tmp_path / "report.html"
    asked: list[str | Path] = [
        *("evaluate", original, original, "--people", "--pictures", "--no-robustness"),
        *("--recognizer", manifest, "--distance", write_distance(tmp_path)),
        *("--classifier", write_classifier(tmp_path), "--ceiling", "30", "--report", page),
    ]
    code, told = bauta_here(monkeypatch, capsys, *asked)
    assert code == 1
    assert told["ceiling"]["met"] is False
    assert told["ceiling"]["recognizer"] == "person-embedding"
    assert told["people"]["people"] == PEOPLE
    assert told["people"]["attacks"][0]["weak"] is True
    assert told["people"]["attacks"][0]["over_pictures"]["rank_1"]["value"] > 0.95
    assert [each["detector"] for each in told["people"]["detectors"]] == ["one", "other"]
    assert told["pictures"]["unchanged"] == PEOPLE * PICTURES
    assert told["pictures"]["distance"]["value"] == 0
    assert told["pictures"]["actions"] is None, "stills show no action"
    assert told["pictures"]["poses"] == "not measured"
    assert "Whose body it is" in page.read_text()


def test_without_a_re_identifier_people_are_told_to_be_missing(
    original: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = bauta_here(monkeypatch, capsys, "evaluate", original, original, "--people")
    assert code == 1
    assert told["error"]["code"] == "reidentifier_missing"
