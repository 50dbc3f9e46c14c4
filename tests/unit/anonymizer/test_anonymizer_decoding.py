"""Detectors by manifest: each decoder against a slow reading of its own, on small networks made here."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from anonymizer import AnonymizerError
from anonymizer.detect.added_detector import AddedDetector
from anonymizer.detect.decoding import DECODERS
from anonymizer.manifest import DECODERS as NAMES
from anonymizer.manifest import InputLayout, Manifest

SIDE = 64
THRESHOLD = 0.6
Array = np.ndarray[Any, Any]
Found = list[tuple[float, float, float, float, float]]


def network_of(outputs: list[Array], shape: tuple[Any, ...] = (1, 3, SIDE, SIDE)) -> bytes:
    """A network that answers these arrays, whatever it is shown."""
    nodes = [helper.make_node("Identity", [f"c{i}"], [f"y{i}"]) for i in range(len(outputs))]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info(f"y{i}", TensorProto.FLOAT, a.shape) for i, a in enumerate(outputs)],
        [onnx.numpy_helper.from_array(a.astype(np.float32), f"c{i}") for i, a in enumerate(outputs)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def manifest(decoder: Any, **layout: Any) -> Manifest:
    values: dict[str, Any] = {
        "width": SIDE,
        "height": SIDE,
        "colours": "rgb",
        "mean": (0.0, 0.0, 0.0),
        "deviation": (1.0, 1.0, 1.0),
    }
    return Manifest("face", "m.onnx", "0" * 64, decoder, "MIT", "here", InputLayout(**(values | layout)))


def some(random: np.random.Generator, *shape: int, low: float = 0.0, high: float = 1.0) -> Array:
    return random.uniform(low, high, shape).astype(np.float32)


def centerface() -> tuple[list[Array], Found]:
    random, cells = np.random.default_rng(1), SIDE // 4
    heat = some(random, 1, 1, cells, cells, high=0.7)
    size, offset = some(random, 1, 2, cells, cells, high=1.5), some(random, 1, 2, cells, cells)
    found: Found = []
    for row in range(cells):
        for column in range(cells):
            score = float(heat[0, 0, row, column])
            if score >= THRESHOLD:
                tall, wide = (4 * math.exp(float(size[0, i, row, column])) for i in (0, 1))
                y = 4 * (row + float(offset[0, 0, row, column]) + 0.5)
                x = 4 * (column + float(offset[0, 1, row, column]) + 0.5)
                found.append((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, score))
    return [heat, size, offset, some(random, 1, 10, cells, cells)], found


def scrfd() -> tuple[list[Array], Found]:
    random = np.random.default_rng(2)
    scores, distances, points = [], [], []
    found: Found = []
    for stride in (8, 16, 32):
        cells = SIDE // stride
        score, distance = some(random, 2 * cells**2, 1, high=0.7), some(random, 2 * cells**2, 4, high=2)
        for index in range(2 * cells**2):
            row, column = divmod(index // 2, cells)
            if score[index, 0] >= THRESHOLD:
                left, top, right, bottom = (float(v) * stride for v in distance[index])
                x, y = column * stride, row * stride
                found.append((x - left, y - top, x + right, y + bottom, float(score[index, 0])))
        scores.append(score)
        distances.append(distance)
        points.append(some(random, 2 * cells**2, 10))
    return [*scores, *distances, *points], found


def yunet() -> tuple[list[Array], Found]:
    random = np.random.default_rng(3)
    classes, objects, boxes, points = [], [], [], []
    found: Found = []
    for stride in (8, 16, 32):
        cells = SIDE // stride
        each = [some(random, 1, cells**2, 1, high=0.9) for _ in range(2)]
        box = some(random, 1, cells**2, 4, low=-1, high=1)
        for index in range(cells**2):
            row, column = divmod(index, cells)
            score = math.sqrt(float(each[0][0, index, 0]) * float(each[1][0, index, 0]))
            if score >= THRESHOLD:
                dx, dy, dw, dh = (float(v) for v in box[0, index])
                x, y = (column + dx) * stride, (row + dy) * stride
                wide, tall = math.exp(dw) * stride, math.exp(dh) * stride
                found.append((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, score))
        classes.append(each[0])
        objects.append(each[1])
        boxes.append(box)
        points.append(some(random, 1, cells**2, 10))
    return [*classes, *objects, *boxes, *points], found


def retinaface() -> tuple[list[Array], Found]:
    random = np.random.default_rng(4)
    anchors = [
        ((column + 0.5) * stride, (row + 0.5) * stride, side)
        for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
        for row in range(SIDE // stride)
        for column in range(SIDE // stride)
        for side in sides
    ]
    boxes = some(random, 1, len(anchors), 4, low=-1, high=1)
    faces = some(random, 1, len(anchors), 1, high=0.7)
    found: Found = []
    for index, (ax, ay, side) in enumerate(anchors):
        score = float(faces[0, index, 0])
        if score >= THRESHOLD:
            dx, dy, dw, dh = (float(v) for v in boxes[0, index])
            x, y = ax + dx * 0.1 * side, ay + dy * 0.1 * side
            wide, tall = side * math.exp(dw * 0.2), side * math.exp(dh * 0.2)
            found.append((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, score))
    return [boxes, np.concatenate([1 - faces, faces], axis=2), some(random, 1, len(anchors), 10)], found


def yolov5() -> tuple[list[Array], Found]:
    random = np.random.default_rng(5)
    rows = np.concatenate([some(random, 1, 40, 4, low=5, high=50), some(random, 1, 40, 3, low=0.5)], axis=2)
    found: Found = []
    for x, y, wide, tall, present, one, other in rows[0].tolist():
        score = present * max(one, other)
        if score >= THRESHOLD:
            found.append((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, score))
    return [rows], found


def yolov8() -> tuple[list[Array], Found]:
    random = np.random.default_rng(6)
    columns = np.concatenate([some(random, 1, 4, 40, low=5, high=50), some(random, 1, 2, 40)], axis=1)
    found: Found = []
    for x, y, wide, tall, one, other in columns[0].T.tolist():
        if max(one, other) >= THRESHOLD:
            found.append((x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2, max(one, other)))
    return [columns], found


FAMILIES: dict[str, Callable[[], tuple[list[Array], Found]]] = {
    "centerface": centerface,
    "retinaface": retinaface,
    "scrfd": scrfd,
    "yolov5": yolov5,
    "yolov8": yolov8,
    "yunet": yunet,
}


def test_every_decoder_that_a_manifest_may_name_is_there_and_tested() -> None:
    assert set(FAMILIES) == set(DECODERS) == set(NAMES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_decoder_reads_what_a_slow_one_reads(name: str) -> None:
    outputs, wanted = FAMILIES[name]()
    assert len(wanted) >= 5, "nothing is compared"
    found = DECODERS[name](outputs, SIDE, SIDE, THRESHOLD)
    assert np.array(sorted(found.tolist())) == pytest.approx(np.array(sorted(wanted)), rel=1e-4, abs=1e-3)


def greedy(found: Found, across: float, down: float, width: int, height: int) -> Found:
    """Clipping and non-maximum suppression at 0.3, one pair after the other."""
    kept: Found = []
    for left, top, right, bottom, score in sorted(found, key=lambda box: -box[4]):
        x1, x2 = (min(max(v * across, 0), width) for v in (left, right))
        y1, y2 = (min(max(v * down, 0), height) for v in (top, bottom))
        if x2 <= x1 or y2 <= y1:
            continue
        for a1, b1, a2, b2, _ in kept:
            shared = max(0, min(x2, a2) - max(x1, a1)) * max(0, min(y2, b2) - max(y1, b1))
            if shared > 0.3 * ((x2 - x1) * (y2 - y1) + (a2 - a1) * (b2 - b1) - shared):
                break
        else:
            kept.append((x1, y1, x2, y2, score))
    return kept


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize(("width", "height"), [(64, 64), (128, 96), (48, 32)])
def test_a_detector_brings_boxes_back_to_the_picture(name: str, width: int, height: int) -> None:
    outputs, wanted = FAMILIES[name]()
    detector = AddedDetector(network_of(outputs), manifest(name), THRESHOLD, 1)
    found = detector.detect(np.zeros((height, width, 3), np.uint8))
    share = min(1.0, SIDE / width, SIDE / height)
    expected = greedy(wanted, width / round(width * share), height / round(height * share), width, height)
    assert np.array(sorted(found.tolist())) == pytest.approx(np.array(sorted(expected)), rel=1e-3, abs=1e-2)


def reddish() -> bytes:
    """Scores one box by the mean of the first channel."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=1),
            helper.make_node("Slice", ["means", "zero", "one", "axis"], ["first"]),
            helper.make_node("Reshape", ["first", "shape"], ["score"]),
            helper.make_node("Concat", ["box", "score"], ["y"], axis=1),
        ],
        "reddish",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 1])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3]),
            helper.make_tensor("zero", TensorProto.INT64, [1], [0]),
            helper.make_tensor("one", TensorProto.INT64, [1], [1]),
            helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
            helper.make_tensor("shape", TensorProto.INT64, [3], [1, 1, 1]),
            helper.make_tensor("box", TensorProto.FLOAT, [1, 4, 1], [32, 32, 20, 20]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("colours", "mean", "deviation", "score"),
    [
        ("rgb", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0), 200 / 255),
        ("bgr", (0.0, 0.0, 0.0), (255.0, 255.0, 255.0), 40 / 255),
        ("rgb", (100.0, 0.0, 0.0), (200.0, 1.0, 1.0), 0.5),
        ("bgr", (30.0, 9.0, 9.0), (20.0, 1.0, 1.0), 0.5),
    ],
)
def test_a_picture_is_fed_in_the_layout_that_the_manifest_says(
    colours: str, mean: Any, deviation: Any, score: float
) -> None:
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    picture[:] = (200, 120, 40)
    said = manifest("yolov8", colours=colours, mean=mean, deviation=deviation)
    (found,) = AddedDetector(reddish(), said, 0.05, 1).detect(picture)
    assert found[4] == pytest.approx(score, abs=1e-3)


def test_a_smaller_picture_is_fed_at_its_size_with_black_around_it() -> None:
    picture = np.full((SIDE // 2, SIDE // 2, 3), 255, np.uint8)
    said = manifest("yolov8", deviation=(255.0, 255.0, 255.0))
    (found,) = AddedDetector(reddish(), said, 0.05, 1).detect(picture)
    assert found[4] == pytest.approx(0.25, abs=1e-3)


def with_value(name: str, value: float) -> bytes:
    outputs, _ = FAMILIES[name]()
    outputs[0] = outputs[0].copy()
    outputs[0].flat[0] = value
    return network_of(outputs)


UNUSABLE: dict[str, tuple[Callable[[], bytes], dict[str, Any], str]] = {
    "no graph": (lambda: b"no graph", {}, "model_unusable"),
    "an empty file": (lambda: b"", {}, "model_unusable"),
    "another size": (lambda: network_of(scrfd()[0], (1, 3, 32, 32)), {}, "model_unusable"),
    "grey pictures": (lambda: network_of(scrfd()[0], (1, 1, SIDE, SIDE)), {}, "model_unusable"),
    "too few answers": (lambda: network_of(scrfd()[0][:5]), {}, "model_unusable"),
    "another family": (lambda: network_of(yolov8()[0]), {}, "model_unusable"),
    "another stride": (
        lambda: network_of(scrfd()[0]),
        {"width": 2 * SIDE, "height": 2 * SIDE},
        "model_unusable",
    ),
    "NaN": (lambda: with_value("scrfd", float("nan")), {}, "detector_failed"),
    "infinity": (lambda: with_value("scrfd", float("inf")), {}, "detector_failed"),
}


@pytest.mark.parametrize(("make", "layout", "code"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_run_is_refused_before_any_frame(
    make: Callable[[], bytes], layout: dict[str, Any], code: str
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        AddedDetector(make(), manifest("scrfd", **layout), THRESHOLD, 1)
    assert caught.value.code == code


def test_sizes_beyond_any_picture_do_not_overflow() -> None:
    outputs, _ = centerface()
    outputs[1][:] = 80.0
    detector = AddedDetector(network_of(outputs), manifest("centerface"), THRESHOLD, 1)
    found = detector.detect(np.zeros((SIDE, SIDE, 3), np.uint8))
    assert np.isfinite(found).all()
    assert found[:, :4].tolist() == [[0, 0, SIDE, SIDE]]


def test_noise_is_no_detector() -> None:
    rows = np.zeros((1, 5, 20_001), np.float32)
    rows[0, :4], rows[0, 4] = np.array([[32], [32], [9], [9]]), 1.0
    with pytest.raises(AnonymizerError) as caught:
        AddedDetector(network_of([rows]), manifest("yolov8"), THRESHOLD, 1)
    assert caught.value.code == "detector_failed"


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 0, 3), (4, 4), (4, 4, 4)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    detector = AddedDetector(network_of(yolov8()[0]), manifest("yolov8"), THRESHOLD, 1)
    with pytest.raises(AnonymizerError) as caught:
        detector.detect(np.zeros(shape, np.uint8))
    assert caught.value.code == "detector_failed"
