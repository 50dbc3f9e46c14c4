"""The same result from every door: the library and each program, on every proof of the corpus.

A bad proof is refused for its own defect: at the step and with the code that its entry in the corpus names.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from console import output
from console.main import app
from console.report import program
from provenance.verifier import VerificationError, verify_result
from tests.corpus import broken_form, broken_meaning, clocks, credentials, sound, witnesses
from tests.corpus.specimen import CORPUS, Entry, Specimen, Workshop, make_workshop

MAKERS = (broken_form, broken_meaning, clocks, credentials, sound, witnesses)

Verdict = dict[str, Any]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """One honest service for the whole corpus."""
    made = make_workshop(tmp_path_factory.mktemp("corpus"))
    yield made
    made.house.log.close()


def test_the_corpus_is_there() -> None:
    assert all(module.__doc__ for module in MAKERS)
    bad = [entry for entry in CORPUS.values() if entry.step is not None]
    assert len(bad) >= 80
    assert len(CORPUS) - len(bad) >= 7
    assert {entry.step for entry in bad} == {
        "trust_readable",
        "proof_well_formed",
        "entry_recorded",
        "checkpoint_signed",
        "checkpoint_witnessed",
        "evidence_signed",
        "statement_signed",
        "facts_agree",
        "timestamps_sound",
        "timestamps_believed",
        "result_matches",
        "credentials_trusted",
    }


@pytest.mark.parametrize("entry", CORPUS.values(), ids=lambda entry: entry.name)
def test_every_door_gives_the_same_result(
    entry: Entry,
    shop: Workshop,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    specimen = entry.make(shop)
    if entry.step is not None:
        assert specimen != shop.honest, "the defect was never made"
    due = {"verified": entry.step is None, "failed_step": entry.step, "code": entry.code}
    told, statuses = _library(specimen)
    assert told == due
    monkeypatch.setattr(output.MODE, "as_json", False)
    file = _written(specimen, tmp_path)
    exit_code = app([*_arguments(file), "--html", str(tmp_path / "report.html")], standalone_mode=False)
    document = json.loads(capsys.readouterr().out)
    assert exit_code == (0 if entry.step is None else 1)
    assert {key: document.get(key) for key in due} == due
    assert [step["status"] for step in document["steps"]] == statuses
    assert program.main(_arguments(file)[1:]) == exit_code
    assert json.loads(capsys.readouterr().out) == document
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert ("<title>Verified" in page) == due["verified"]
    assert ("<title>Not verified" in page) != due["verified"]


def _arguments(file: Path) -> Sequence[str]:
    return ["verify", str(file), "--trust", str(file.with_name("trust.json")), "--json"]


def _written(specimen: Specimen, folder: Path) -> Path:
    file = folder / "result.mp4"
    file.write_bytes(specimen.result)
    file.with_name("result.mp4.proof").write_bytes(specimen.proof)
    file.with_name("trust.json").write_bytes(specimen.trust)
    return file


def _library(specimen: Specimen) -> tuple[Verdict, list[str]]:
    try:
        verified = verify_result(io.BytesIO(specimen.result), specimen.proof, specimen.trust)
    except VerificationError as error:
        statuses = [step.status for step in error.steps]
        return {"verified": False, "failed_step": error.step, "code": error.code}, statuses
    return {"verified": True, "failed_step": None, "code": None}, [step.status for step in verified.steps]
