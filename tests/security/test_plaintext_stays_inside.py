"""Plants a random marker in an upload and searches everything outside the wall for it.

Searched while the job runs and after it: the memory of supervisor, front desk, vault and worker host, every
file of the service, and every file that any of its processes holds open (the nameless scratch file too).
Searched for: bytes of the container's metadata, rows of decoded pixels, the upload's file key, and the
pseudonym and the scope that the submitter sealed with it. A positive control first shows that the search
finds them in the one process that may hold them. (The file key is not searched for in the vault, which
unwraps it: Python's own copy there is freed, not wiped. The client is this test's own process.)
"""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import psutil
import pytest
from service_process import Service, in_background

from enclave.policy import Instructions
from keyvault.age import files
from keyvault.age.header import FILE_KEY_BYTES

# Long enough that the job is still at it when it is to be stopped, also where this test stands still a while.
WIDTH, HEIGHT, FRAMES = 640, 360, 360
MARKED_ROW = 10
_VAULT_MAY_HOLD: dict[bool, set[str]] = {True: {"file key"}, False: set()}

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="reading the memory of undumpable processes takes root"),
    pytest.mark.timeout(900),
]


class Marked:
    """A lossless clip whose bytes and pixels are recognizable."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = secrets.token_hex(24).encode()
        # Noise of full range survives no compression by chance; FFV1 keeps it exactly.
        self.row = np.frombuffer(secrets.token_bytes(WIDTH), np.uint8)
        luma = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        luma[MARKED_ROW] = self.row
        with av.open(str(path), "w", format="matroska") as container:
            container.metadata["title"] = self.text.decode()
            stream = container.add_stream("ffv1", rate=25)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for index in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(luma, format="yuv420p")
                frame.pts = index
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))

    @property
    def needles(self) -> dict[str, bytes]:
        """What must not be found outside."""
        return {"metadata": self.text, "pixels": self.row[100:164].tobytes(), "container": self._inside()}

    def _inside(self) -> bytes:
        """64 bytes of compressed video from the middle of the file."""
        whole = self.path.read_bytes()
        return whole[len(whole) // 2 : len(whole) // 2 + 64]


def _memory(process: psutil.Process) -> Iterator[bytes]:
    """The readable memory of a process, region by region."""
    proc = Path(f"/proc/{process.pid}")
    with (proc / "mem").open("rb", 0) as memory:
        for line in (proc / "maps").read_text().splitlines():
            bounds, permissions = line.split()[:2]
            if not permissions.startswith("r") or line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            start, end = (int(bound, 16) for bound in bounds.split("-"))
            if end - start > 1 << 31:
                continue
            try:
                memory.seek(start)
                yield memory.read(end - start)
            except OSError:
                continue


def _found(needles: dict[str, bytes], process: psutil.Process) -> set[str]:
    return {
        name for region in _memory(process) for name, needle in needles.items() if region.find(needle) >= 0
    }


def _open_files(process: psutil.Process) -> Iterator[tuple[str, bytes]]:
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        try:
            if link.stat().st_mode & 0o170000 == 0o100000:
                yield str(link.readlink()), link.read_bytes()
        except OSError:
            continue


def _wait_for_frames(seen: list[int], at_least: int) -> None:
    deadline = time.monotonic() + 120
    while (seen[-1] if seen else 0) < at_least:
        assert time.monotonic() < deadline, "the job never came so far"
        time.sleep(0.002)


def _wait_until_no_job_is_left(service: Service) -> None:
    """A submitter may have the result before the worker that made it is gone."""
    deadline = time.monotonic() + 60
    while any(role.startswith("job") for role in service.processes()):
        assert time.monotonic() < deadline, "the worker stays"
        time.sleep(0.02)


def _known_file_key(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Makes the client seal with a file key that the test knows; everything else stays random."""
    file_key = secrets.token_bytes(FILE_KEY_BYTES)
    monkeypatch.setattr(files, "os", SimpleNamespace(urandom=lambda _size: file_key))
    return file_key


def test_the_marker_is_found_behind_the_wall_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = Marked(tmp_path / "marked.mkv")
    named = Instructions(pseudonym=secrets.token_hex(20), scope=secrets.token_hex(20))
    needles = {
        **marked.needles,
        "file key": _known_file_key(monkeypatch),
        "pseudonym": named.pseudonym.encode(),
        "scope": named.scope.encode(),
    }
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    frames: list[int] = []
    with Service(data) as service:
        client = in_background(
            lambda: service.submit(
                marked.path,
                tmp_path / "out.mp4",
                on_progress=lambda _, progress: frames.append(progress.frames_done if progress else 0),
                instructions=named,
            )
        )
        _wait_for_frames(frames, 1)
        processes = service.processes()
        jobs = {role: process for role, process in processes.items() if role.startswith("job")}
        for process in jobs.values():
            process.send_signal(signal.SIGSTOP)
        inside = set().union(*(_found(needles, process) for process in jobs.values()))
        found = {"metadata", "pixels", "file key", "pseudonym", "scope"}
        assert inside >= found, "the search itself must work"
        for role, process in processes.items():
            if role not in jobs:
                assert _found(needles, process) <= _VAULT_MAY_HOLD[role == "vault"], role
        for process in processes.values():
            for name, content in _open_files(process):
                assert not any(needle in content for needle in needles.values()), name
        for process in jobs.values():
            process.send_signal(signal.SIGCONT)
        client.join(240)
        assert (tmp_path / "out.mp4").exists()
        _wait_until_no_job_is_left(service)
        for role, process in service.processes().items():
            assert _found(needles, process) <= _VAULT_MAY_HOLD[role == "vault"], role
    files = [path for path in data.rglob("*") if path.is_file()]
    assert {"jobs.sqlite", "log.sqlite", "trust.json"} <= {path.name for path in files}
    for path in files:
        content = path.read_bytes()
        assert not any(needle in content for needle in needles.values()), path.name
