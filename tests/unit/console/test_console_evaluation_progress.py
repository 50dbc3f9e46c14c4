"""How far an evaluation is: a bar on a terminal, lines elsewhere, nothing beside JSON."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from console import output
from console.commands.evaluation_progress import Progress


def shown() -> None:
    with Progress() as progress:
        progress("faces", 0, 4)
        progress("faces", 3, 4)
        progress("attacks", 0, 0)


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(output, "stderr", Console(file=screen, force_terminal=True, width=100))
    monkeypatch.setattr(output.MODE, "as_json", False)
    shown()
    assert "attacking" in screen.getvalue()
    assert "━" in screen.getvalue()


def test_a_line_for_each_stage_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "stderr", Console(file=io.StringIO()))
    monkeypatch.setattr(output.MODE, "as_json", False)
    shown()
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["looking for faces  0/4", "attacking  0"]


def test_nothing_beside_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(output, "stderr", Console(file=screen, force_terminal=True))
    monkeypatch.setattr(output.MODE, "as_json", True)
    shown()
    assert screen.getvalue() + "".join(capsys.readouterr()) == ""
