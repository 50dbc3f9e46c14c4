"""`bauta compare` as a person uses it."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import cv2

from tests.media_factory import face_image


def run(bauta: list[str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*bauta, "compare", *map(str, arguments)], capture_output=True, text=True, check=False
    )


def a_pair(folder: Path) -> tuple[Path, Path]:
    original, result = face_image(folder / "in.png", (200, 200)), folder / "out.png"
    picture = cv2.imread(str(original))
    picture[30:120, 40:140] = 128
    cv2.imwrite(str(result), picture)
    return original, result


def test_a_comparison_is_written_for_its_owner_alone(bauta: list[str], tmp_path: Path) -> None:
    original, result = a_pair(tmp_path)
    target = tmp_path / "beside.png"
    done = run(bauta, original, result, "-o", target, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    share = told.pop("changed_share")
    assert told == {"output": str(target), "frames": 1, "changed_frames": 1, "original_visible": False}
    assert 0.2 < share < 0.6
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"in.png", "out.png", "beside.png"}


def test_open_warns(bauta: list[str], tmp_path: Path) -> None:
    original, result = a_pair(tmp_path)
    done = run(bauta, original, result, "-o", tmp_path / "open.png", "--open")
    assert done.returncode == 0
    assert "shows who was covered" in done.stderr
    assert "left side open" in done.stdout


def test_what_is_compared_is_never_overwritten_and_a_failure_leaves_nothing(
    bauta: list[str], tmp_path: Path
) -> None:
    original, result = a_pair(tmp_path)
    before = original.read_bytes(), result.read_bytes()
    assert run(bauta, original, result, "-o", original).returncode == 2
    assert run(bauta, original, result, "-o", result).returncode == 2
    assert run(bauta, original, result, "-o", tmp_path / "out.gif").returncode == 2
    other = face_image(tmp_path / "other.png", (100, 100))
    failed = run(bauta, original, other, "-o", tmp_path / "no.png", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["code"] == "comparison_mismatch"
    assert (original.read_bytes(), result.read_bytes()) == before
    assert {path.name for path in tmp_path.iterdir()} == {"in.png", "out.png", "other.png"}
