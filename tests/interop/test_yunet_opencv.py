"""How YuNet's answers are read, against OpenCV's own reading, on a network made here."""

from __future__ import annotations

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from anonymizer.detect.decoding import yunet

WIDTH, HEIGHT = 96, 64
THRESHOLD = 0.5
STRIDES = (8, 16, 32)


def answers() -> dict[str, np.ndarray]:
    """What a YuNet could say of a picture of this size, by OpenCV's names and in its order."""
    random = np.random.default_rng(11)
    shapes = {"cls": (1, 0.0, 0.9), "obj": (1, 0.0, 0.9), "bbox": (4, -1.0, 1.0), "kps": (10, -1.0, 1.0)}
    return {
        f"{name}_{stride}": random.uniform(
            low, high, (1, (WIDTH // stride) * (HEIGHT // stride), columns)
        ).astype(np.float32)
        for name, (columns, low, high) in shapes.items()
        for stride in STRIDES
    }


def network(outputs: dict[str, np.ndarray]) -> bytes:
    """Answers these arrays, whatever it is shown; OpenCV wants every answer to hang on the input."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["input"], ["means"]),
        helper.make_node("Reshape", ["means", "flat"], ["row"]),
        helper.make_node("Conv", ["row", "zero"], ["nothing"]),
        *(helper.make_node("Add", ["nothing", f"c_{name}"], [name]) for name in outputs),
    ]
    graph = helper.make_graph(
        nodes,
        "yunet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, a.shape) for n, a in outputs.items()],
        [
            helper.make_tensor("flat", TensorProto.INT64, [3], [1, 3, 1]),
            numpy_helper.from_array(np.zeros((1, 3, 1), np.float32), "zero"),
            *(numpy_helper.from_array(array, f"c_{name}") for name, array in outputs.items()),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def test_opencv_reads_the_same_boxes_and_scores() -> None:
    outputs = answers()
    theirs = cv2.FaceDetectorYN.create(
        "onnx",
        np.frombuffer(network(outputs), np.uint8),
        np.array([], np.uint8),
        (WIDTH, HEIGHT),
        THRESHOLD,
        1.0,  # nothing is suppressed
        5000,
    )
    _, rows = theirs.detect(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    assert rows is not None
    assert len(rows) >= 10, "nothing is compared"
    wanted = [[x, y, x + width, y + height, score] for x, y, width, height, *_, score in rows.tolist()]
    ours = yunet(list(outputs.values()), WIDTH, HEIGHT, THRESHOLD)
    assert np.array(sorted(ours.tolist())) == pytest.approx(np.array(sorted(wanted)), rel=1e-4, abs=1e-3)
