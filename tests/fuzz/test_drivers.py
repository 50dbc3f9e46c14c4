"""The fuzzers themselves: planted bugs are found, hangs are cut short, and a finding fails the night."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import nightly, target
from tests.fuzz.planted import TARGETS as PLANTED
from tests.fuzz.planted import PlantedError
from tests.fuzz.target import CANARY, FindingError, Target, attempt
from tests.fuzz.test_targets import check

needs_atheris = pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed here")
# A night instruments everything before it begins, which alone takes a slow machine minutes.
takes_its_time = pytest.mark.timeout(1500)


@pytest.mark.parametrize("name", sorted(PLANTED.keys() - {"deep"}))
def test_the_short_run_finds_a_planted_bug(name: str) -> None:
    with pytest.raises((AssertionError, IndexError, ExceptionGroup)):
        check(PLANTED[name], PLANTED[name].examples)


def test_a_parser_that_never_ends_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def spin(_untrusted: bytes) -> None:
        while True:
            pass

    monkeypatch.setattr(target, "CPU_SECONDS", 0.2)
    with pytest.raises(FindingError, match="processor time"):
        attempt(Target("spin", "a test", (), spin, lambda: (b"1",), ()), b"1")


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (PlantedError(f"read {CANARY!r}"), "quotes its input"),
        (PlantedError("two\nlines"), "no short line"),
        (PlantedError("\x1b[31m"), "no short line"),
        (PlantedError("x" * 401), "no short line"),
        (type("Unstable", (PlantedError,), {"code": f"bad_{CANARY.decode()}"})("refused"), "no stable code"),
    ],
)
def test_an_error_that_says_too_much_is_a_finding(error: PlantedError, what: str) -> None:
    def refuse(_untrusted: bytes) -> None:
        raise error

    with pytest.raises(FindingError, match=what):
        attempt(Target("refuse", "a test", (), refuse, lambda: (b"1",), (PlantedError,)), CANARY)


@needs_atheris
@takes_its_time
def test_the_night_finds_what_only_coverage_leads_to(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    # It ends at the finding: 80,000 inputs with these random numbers, up to 400,000 with others.
    numbers = ["--seconds", "600", "--seed", "6"]
    assert nightly.main(["--registry", "tests.fuzz.planted", "--out", str(tmp_path), *numbers, "deep"]) == 1
    finding = next((tmp_path / "deep" / "findings").iterdir())
    assert finding.read_bytes().startswith(b"bauta")
    printed = capfd.readouterr().out
    assert str(finding) in printed
    assert "KeyError" in printed
    assert len(list((tmp_path / "deep" / "corpus").iterdir())) > 1, (
        "what led there is kept for the next night"
    )


@needs_atheris
@takes_its_time
def test_a_night_without_a_finding_is_a_good_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert nightly.main(["--out", str(tmp_path), "--seconds", "1", "--seed", "1", "checkpoint_text"]) == 0
    assert "ok" in capfd.readouterr().out
    assert not list((tmp_path / "checkpoint_text" / "findings").iterdir())


def test_a_night_without_atheris_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(nightly, "find_spec", lambda _name: None)
    assert nightly.main([]) == 2
    assert "atheris is not installed" in capsys.readouterr().err


@needs_atheris
def test_an_unknown_target_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert nightly.main(["no_such_parser"]) == 2
    assert "no_such_parser" in capsys.readouterr().err
