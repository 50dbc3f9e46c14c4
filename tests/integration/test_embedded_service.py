"""The embedded service: shared by commands, gone with the last one, whatever ends them."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import media_factory
import psutil
import pytest
from service_process import bauta_program, clean_environment


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_clip(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=3)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


def _submit(clip: Path, output: Path, data: Path) -> subprocess.Popen[str]:
    words = ["submit", clip, "-o", output, "--data", data, "--json"]
    return subprocess.Popen(
        [bauta_program(), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean_environment(),
        start_new_session=True,
    )


def _service_processes(data: Path) -> list[psutil.Process]:
    """The processes that name this data folder, and the worker host and its children beside them."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "console.supervisor" in words and str(data) in words:
            found += [process, *process.children(recursive=True)]
    return found


def _wait_until(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.02)


def _wait_for_a_job(data: Path) -> None:
    """Waits until a worker's child runs."""
    _wait_until(lambda: len(_service_processes(data)) > 5)


def _no_files_of_jobs(data: Path) -> bool:
    return [path for path in (data / "desk" / "spool").rglob("*") if path.is_file()] == []


def test_commands_share_one_service(clip: Path, data: Path, tmp_path: Path) -> None:
    commands = [_submit(clip, tmp_path / f"{number}.mp4", data) for number in range(3)]
    for number, command in enumerate(commands):
        said, complaint = command.communicate(timeout=120)
        assert command.returncode == 0, said + complaint
        assert json.loads(said)["frames"] == 72
        assert (tmp_path / f"{number}.mp4").exists()
    _wait_until(lambda: _service_processes(data) == [])
    assert _no_files_of_jobs(data)


def test_the_first_command_may_end_before_the_second(clip: Path, data: Path, tmp_path: Path) -> None:
    first = _submit(clip, tmp_path / "first.mp4", data)
    _wait_for_a_job(data)
    second = _submit(clip, tmp_path / "second.mp4", data)
    time.sleep(0.5)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=60)
    said, complaint = second.communicate(timeout=120)
    assert second.returncode == 0, said + complaint
    _wait_until(lambda: _service_processes(data) == [])


def test_an_interrupted_command_leaves_nothing(clip: Path, data: Path, tmp_path: Path) -> None:
    command = _submit(clip, tmp_path / "out.mp4", data)
    _wait_for_a_job(data)
    command.send_signal(signal.SIGINT)
    said, _ = command.communicate(timeout=60)
    assert command.returncode == 1
    assert json.loads(said)["error"]["code"] == "interrupted"
    assert {path.name for path in tmp_path.iterdir()} == {"data"}
    _wait_until(lambda: _service_processes(data) == [])
    assert _no_files_of_jobs(data)


def test_a_killed_command_takes_its_service_along_and_the_next_one_works(
    clip: Path, data: Path, tmp_path: Path
) -> None:
    command = _submit(clip, tmp_path / "out.mp4", data)
    _wait_for_a_job(data)
    command.kill()
    command.communicate(timeout=10)
    _wait_until(lambda: _service_processes(data) == [], seconds=60)
    again = _submit(clip, tmp_path / "again.mp4", data)
    said, complaint = again.communicate(timeout=120)
    assert again.returncode == 0, said + complaint
    assert _no_files_of_jobs(data)


@pytest.mark.parametrize("part", ["vault", "worker"])
def test_a_part_that_dies_fails_the_job_and_not_the_next_one(
    part: str, clip: Path, data: Path, tmp_path: Path
) -> None:
    module = {"vault": "keyvault.vault", "worker": "enclave.nursery"}[part]
    command = _submit(clip, tmp_path / "out.mp4", data)
    _wait_for_a_job(data)
    for process in _service_processes(data):
        if module in process.cmdline():
            process.kill()
            break
    said, _ = command.communicate(timeout=180)
    assert command.returncode in {0, 1}
    if command.returncode == 1:
        assert json.loads(said)["error"]["code"]
        assert not (tmp_path / "out.mp4").exists()
    _wait_until(lambda: _service_processes(data) == [], seconds=60)
    again = _submit(clip, tmp_path / "again.mp4", data)
    said, complaint = again.communicate(timeout=120)
    assert again.returncode == 0, said + complaint


def test_a_vault_that_cannot_start_says_so_itself(clip: Path, data: Path, tmp_path: Path) -> None:
    first = _submit(clip, tmp_path / "first.mp4", data)
    assert first.wait(120) == 0
    (data / "vault" / "keystore" / "intake.sealed").unlink()
    said, _complaint = (second := _submit(clip, tmp_path / "second.mp4", data)).communicate(timeout=60)
    assert second.returncode == 1
    error = json.loads(said)["error"]
    assert error["code"] == "vault_store_corrupt"
    assert "backup" in error["message"]
    assert not (tmp_path / "second.mp4").exists()
