"""`bauta evaluate` on faces as a person uses it, and recognizers by manifest."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import numpy as np
import pytest

from anonymizer.boxes import Box
from evaluation.errors import EvaluationError
from evaluation.faces.added import AddedRecognizer
from tests.drawn_people import BOX, photograph, write_people
from tests.enrolled_faces import manifest_text, network


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    content = network()
    (tmp_path / "faces.onnx").write_bytes(content)
    path = tmp_path / "faces.toml"
    path.write_text(manifest_text(content, align="box"))
    return path


def test_copies_exceed_a_ceiling_and_the_page_names_nobody(
    bauta: list[str], manifest: Path, tmp_path: Path
) -> None:
    people, page = tmp_path / "people", tmp_path / "report.html"
    write_people(people, 9, 2)
    done = subprocess.run(
        [*bauta, "evaluate", people, people, "--faces", "--pictures", "--recognizer", manifest,
         "--no-robustness", "--ceiling", "50", "--report", page, "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    told = json.loads(done.stdout)
    assert told["ceiling"]["met"] is False
    assert told["faces"]["people"] == 9
    assert told["faces"]["weak"] is True
    assert "faces" in told["faces"]["recognizers"]
    assert told["pictures"]["unchanged"] == 18
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "somebody-" not in page.read_text()


def test_what_is_no_picture_is_told_with_a_code(bauta: list[str], tmp_path: Path) -> None:
    one = tmp_path / "one.png"
    one.write_bytes(b"no picture")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        asked = [*bauta, "evaluate", one, one, "--json", *arguments]
        return subprocess.run(asked, capture_output=True, text=True, check=False)

    assert run("--ceiling", "101").returncode == 2
    refused = run("--faces")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["code"] == "media_unknown_format"


def test_a_recognizer_by_manifest(manifest: Path) -> None:
    recognizer = AddedRecognizer(manifest, None)

    def vector(person: int, number: int) -> np.ndarray:
        picture = photograph(person, number)
        cut = recognizer.place(picture, BOX)
        assert cut is not None
        with pytest.raises(EvaluationError):
            cut(picture[1:])
        return recognizer.vectors([cut(picture)])[0]

    assert np.linalg.norm(vector(0, 0)) == pytest.approx(1)
    assert vector(0, 0) @ vector(0, 1) > vector(0, 0) @ vector(3, 0)
    far = Box(-5000, -5000, -4900, -4900)
    cut = recognizer.place(photograph(0, 0), far)
    if cut is not None:
        with pytest.raises(EvaluationError):
            cut(photograph(0, 0))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda text: text.replace('align = "box"', 'align = "eyes"'), "model_manifest_invalid"),
        (lambda text: text.replace('sha256 = "', 'sha256 = "0')[:-1], "model_manifest_invalid"),
        (lambda text: text + "more = 1\n", "model_manifest_invalid"),
        (lambda text: text.replace("faces.onnx", "other.onnx"), "model_missing"),
    ],
    ids=["another alignment", "no digest", "a key too many", "no network"],
)
def test_a_manifest_that_does_not_fit(manifest: Path, change: object, code: str) -> None:
    assert callable(change)
    manifest.write_text(change(manifest.read_text()))
    with pytest.raises(EvaluationError) as refused:
        AddedRecognizer(manifest, None)
    assert refused.value.code == code


def test_a_network_that_answers_no_number_is_no_silent_stranger(manifest: Path) -> None:
    content = network(broken=True)
    (manifest.parent / "faces.onnx").write_bytes(content)
    manifest.write_text(manifest_text(content, align="box"))

    def run() -> None:
        recognizer = AddedRecognizer(manifest, None)
        cut = recognizer.place(photograph(0, 0), BOX)
        assert cut is not None
        recognizer.vectors([cut(photograph(0, 0))])

    with pytest.raises(EvaluationError) as refused:
        run()
    assert refused.value.code in {"recognizer_failed", "model_unusable"}
