"""`bauta models`: what it tells, and that it opens nothing itself and adds nothing that is not sound."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from console.commands import models


def test_it_lists_what_is_installed_with_digests_and_licences(bauta: list[str]) -> None:
    done = subprocess.run([*bauta, "models", "list", "--json"], capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)["models"]
    assert {model["name"]: model["licence"] for model in told}.items() >= {
        "centerface": "MIT",
        "ppocr-text": "Apache-2.0",
    }.items()
    assert all(len(model["sha256"]) == 64 for model in told)


def test_a_model_of_another_digest_is_refused_with_its_code(bauta: list[str], tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(b"something else")
    manifest = tmp_path / "mine.toml"
    manifest.write_text(
        'schema = "bauta.model/v1"\nkind = "face"\nfile = "mine.onnx"\n'
        f'sha256 = "{"0" * 64}"\ndecoder = "scrfd"\nlicence = "MIT"\nsource = "a test"\n'
        'input = {width = 64, height = 64, colours = "rgb", mean = [0, 0, 0], deviation = [1, 1, 1]}\n'
    )
    done = subprocess.run(
        [*bauta, "models", "add", str(manifest), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "model_digest_mismatch" in done.stdout + done.stderr


@pytest.mark.parametrize("answer", ["", "no JSON", "[1]", '"text"'])
def test_a_program_that_gives_no_answer_is_no_success(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        models.subprocess,
        "run",
        lambda *_a, **_k: subprocess.CompletedProcess([], 0, answer.encode(), b""),
    )
    with pytest.raises(models.ServiceError) as caught:
        models._ask("list")
    assert caught.value.code == "models_unanswered"


def test_a_vector_goes_into_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*words: str) -> dict[str, str]:
        asked.append(words)
        return {"embedding": "AACAPwAAAAA="}

    monkeypatch.setattr(models, "_ask", answer)
    picture, vector = tmp_path / "somebody.png", tmp_path / "somebody.f32"
    picture.write_bytes(b"picture")
    assert models.embed(picture, vector) == 0
    assert asked == [("embed", str(picture))]
    assert vector.read_bytes() == b"\0\0\x80\x3f\0\0\0\0"
    assert vector.stat().st_mode & 0o077 == 0
