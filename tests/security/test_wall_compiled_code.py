"""Code that an inference engine wrote before the wall runs behind it, and nobody can change it there."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from wall_trial import attempt

from anonymizer.detect.canvas import Canvas
from anonymizer.detect.choosing import TRIAL, trial_picture
from anonymizer.detect.compiled_engine import CompiledNetworks, compile_networks
from anonymizer.models import CENTERFACE, load_models
from enclave.wall import names

READ, WRITE, EXEC = 1, 2, 4
RETURN_42 = bytes.fromhex("b82a000000c3")

libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
on_x86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="machine code for x86-64")


def compiled() -> CompiledNetworks:
    model = load_models("cpu").files[CENTERFACE]
    networks = compile_networks(model, (TRIAL, Canvas(384, 640)))
    if networks is None:
        pytest.skip("OpenVINO or a processor with bfloat16 is not here")
    return networks


def writable_and_runnable() -> list[str]:
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line for line in lines if "w" in line.split()[1] and "x" in line.split()[1]]


def test_a_job_finds_faces_with_it_behind_every_wall_and_in_another_thread() -> None:
    expected = compiled().run(TRIAL, trial_picture()).heat
    made: list[CompiledNetworks] = []

    def look() -> str:
        found = [made[0].run(TRIAL, trial_picture()).heat]
        beside = threading.Thread(target=lambda: found.append(made[0].run(TRIAL, trial_picture()).heat))
        beside.start()
        beside.join()
        return "the same" if all(np.array_equal(heat, expected) for heat in found) else "another"

    ended = attempt(look, before=lambda: made.append(compiled()))
    assert (ended.said, ended.code) == ("'the same'", 0)
    # A user namespace is given to a process of one thread only: the engine started none.
    assert ended.walls >= {names.SECCOMP, names.USER_NAMESPACE, names.WRITE_XOR_EXECUTE}


def test_its_code_is_not_writable_when_the_wall_stands() -> None:
    script = (
        "import sys; sys.path[:0] = ['tests/security', 'tests']\n"
        "import test_wall_compiled_code as t\n"
        "t.compiled(); before = len(t.writable_and_runnable())\n"
        "from enclave.wall import close_code_pages\n"
        "print(before > 0, close_code_pages() == before, t.writable_and_runnable())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert (done.stdout.strip(), done.returncode) == ("True True []", 0), done.stderr


@on_x86
def test_a_page_that_was_closed_cannot_be_written_and_run_again() -> None:
    pages: list[mmap.mmap] = []

    def write_code() -> None:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=READ | WRITE | EXEC)
        page.write(RETURN_42)
        pages.append(page)

    def try_it() -> list[object]:
        address = ctypes.addressof(ctypes.c_char.from_buffer(pages[0]))
        runs = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        refused = []
        for rights in (READ | WRITE | EXEC, WRITE | EXEC):
            refused.append(libc.mprotect(address, mmap.PAGESIZE, rights))
            refused.append(ctypes.get_errno())
        opened = libc.mprotect(address, mmap.PAGESIZE, READ | WRITE)
        again = libc.mprotect(address, mmap.PAGESIZE, READ | EXEC)
        return [runs, *refused, opened, again]

    ended = attempt(try_it, before=write_code)
    assert ended.said == str([42, -1, errno.EPERM, -1, errno.EPERM, 0, -1])


@on_x86
def test_writing_to_it_ends_the_job() -> None:
    pages: list[mmap.mmap] = []

    def write_code() -> None:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=READ | WRITE | EXEC)
        page.write(RETURN_42)
        pages.append(page)

    def change() -> None:
        pages[0][0] = 0xC3

    assert attempt(change, before=write_code).code == 128 + 11


def test_nothing_is_closed_where_nothing_is_open() -> None:
    script = "from enclave.wall import close_code_pages; print(close_code_pages())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert (done.stdout.strip(), done.returncode) == ("0", 0), done.stderr


def test_the_client_that_reports_to_its_maker_is_never_loaded(tmp_path: Path) -> None:
    spy = tmp_path / "openvino_telemetry"
    spy.mkdir()
    (spy / "__init__.py").write_text("raise SystemExit('loaded')")
    script = (
        "import sys, anonymizer; anonymizer.load_models('cpu'); print('openvino' in sys.modules, "
        "[name for name in sys.modules if name.startswith('openvino_telemetry.')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True, text=True, cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("[]")
    assert not (tmp_path / "intel").exists()
