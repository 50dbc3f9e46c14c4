"""The floor of a whole service: where the machine lacks what a configuration asks for, it does not start."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from wall_trial import attempt

from enclave.wall import ALL_WALLS, FLOOR_NAMES, missing_walls, syscall_list

MISSING = missing_walls(attempt(lambda: None).walls)
needs_a_missing_wall = pytest.mark.skipif(
    not MISSING, reason="this machine gives every wall, so no floor is too high for it"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def configured(tmp_path: Path, *floor: str) -> list[str]:
    config = tmp_path / "service.toml"
    config.write_text(f"[service]\nwall_floor = {json.dumps(floor)}\n")
    return ["--config", str(config)]


def run(*words: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run(words, capture_output=True, text=True, timeout=90)
    document: dict[str, object] = json.loads(done.stdout)
    return done.returncode, document


@needs_a_missing_wall
def test_the_service_does_not_start_below_its_floor(bauta: list[str], data: Path, tmp_path: Path) -> None:
    config = configured(tmp_path, *MISSING)
    code, said = run(*bauta, "serve", "--json", "--data", str(data), *config)
    assert code == 1
    error = said["error"]
    assert isinstance(error, dict)
    assert error["code"] == "wall_floor_missing"
    assert all(name in error["message"] for name in MISSING)


@needs_a_missing_wall
def test_doctor_says_so_too_and_what_to_do(bauta: list[str], data: Path, tmp_path: Path) -> None:
    words = [*bauta, "doctor", "--data", str(data)]
    code, said = run(*words, "--json", *configured(tmp_path, *MISSING))
    assert code == 1
    assert (said["ready"], said["floor_missing"]) == (False, list(MISSING))
    text = subprocess.run([*words, *configured(tmp_path, *MISSING)], capture_output=True, text=True).stdout
    for name in MISSING:
        assert f"wall OFF     {name}: " in text
        assert f"NOT READY    wall_floor_missing: {name}; " in text


def test_doctor_shows_every_wall_the_floor_and_the_tier_in_plain_words(bauta: list[str], data: Path) -> None:
    done = subprocess.run([*bauta, "doctor", "--data", str(data)], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0
    shown = re.findall(r"^wall (?:on|OFF) +(\w+)", done.stdout, re.MULTILINE)
    assert shown == list(ALL_WALLS)
    assert "floor        seccomp, landlock_fs, no_new_privs, no_network" in done.stdout
    assert "root on this host is not kept out" in done.stdout
    assert done.stdout.endswith("ready\n")


def test_the_page_about_the_wall_lists_every_name(repository: Path) -> None:
    page = (repository / "docs" / "wall.md").read_text(encoding="utf-8")
    table = page.split("## Every wall by name")[1].split("## The floor")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == ALL_WALLS
    assert set(FLOOR_NAMES) - set(ALL_WALLS) == {"no_network"}
    assert f"| `seccomp` | {len(syscall_list.ALLOWED)} calls, four more under a condition" in page
    # ... which are mmap, mprotect and clone, and tgkill.
    assert len(syscall_list.CONDITIONAL) == 3
