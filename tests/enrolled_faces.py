"""Faces that can be told apart, a network that does it, and clips in which both appear.

Ana has the real face of `media_factory`; Ben the same with his colours exchanged, so that every detector
finds both alike. The network is a page of ONNX: a coarse picture of the face, less its mean. It tells these
two apart by a wide margin, and would be worth nothing in the world.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from anonymizer import Models
from anonymizer.enrolled.manifest import FACE_EMBEDDING, read_embedding
from anonymizer.strict_toml import load
from tests.media_factory import face_picture

Pixels = npt.NDArray[np.uint8]

SIDE = 64
CELLS = 8
DIMENSION = 3 * CELLS * CELLS
MATCH = "threshold = 0.92\nleast = 0.87\nmargin = 0.1"
FACE = (70, 180, 180, 270)  # top, bottom, left and right of the face in `face_picture`


def network(*, broken: bool = False) -> bytes:
    """The ONNX file; a broken one answers no number for whatever is not nearly even."""
    cell = [SIDE // CELLS] * 2
    nodes = [
        # As real ones do, it takes a face and its mirror image for the same.
        helper.make_node("Slice", ["face", "last", "first", "across", "back"], ["mirrored"]),
        helper.make_node("Add", ["face", "mirrored"], ["both"]),
        helper.make_node("AveragePool", ["both"], ["coarse"], kernel_shape=cell, strides=cell),
        helper.make_node("Reshape", ["coarse", "flat"], ["numbers"]),
        helper.make_node("ReduceMean", ["numbers"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["numbers", "mean"], ["vector" if not broken else "plain"]),
    ]
    constants = [
        helper.make_tensor("flat", TensorProto.INT64, [2], [1, DIMENSION]),
        helper.make_tensor("last", TensorProto.INT64, [1], [-1]),
        helper.make_tensor("first", TensorProto.INT64, [1], [-SIDE - 1]),
        helper.make_tensor("across", TensorProto.INT64, [1], [3]),
        helper.make_tensor("back", TensorProto.INT64, [1], [-1]),
    ]
    if broken:
        constants.append(helper.make_tensor("bound", TensorProto.FLOAT, [1, 1], [0.6]))
        nodes += [
            helper.make_node("ReduceMax", ["plain"], ["most"], axes=[1], keepdims=1),
            helper.make_node("Sub", ["bound", "most"], ["left"]),
            helper.make_node("Sqrt", ["left"], ["number"]),
            helper.make_node("Mul", ["plain", "number"], ["vector"]),
        ]
    graph = helper.make_graph(
        nodes,
        "coarse",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, DIMENSION])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def manifest_text(content: bytes, *, align: str = "eyes", match: str = MATCH) -> str:
    place = "eyes_apart = 0.4\neyes_down = 0.4" if align == "eyes" else "room = 1.1"
    return f"""schema = "bauta.model/v1"
kind = "face-embedding"
file = "faces.onnx"
sha256 = "{hashlib.sha256(content).hexdigest()}"
licence = "MIT"
source = "a test"

[input]
side = {SIDE}
colours = "rgb"
mean = [127.5, 127.5, 127.5]
deviation = [127.5, 127.5, 127.5]
align = "{align}"
{place}

[output]
dimension = {DIMENSION}
metric = "cosine"

[match]
{match}
"""


def with_network(models: Models, content: bytes, text: str) -> Models:
    """Models to which the network was added."""
    manifest = read_embedding(load(text.encode()))
    return replace(
        models,
        files={**models.files, FACE_EMBEDDING: content},
        sha256={**models.sha256, FACE_EMBEDDING: manifest.sha256},
        face_embedding=manifest,
    )


def put_network(folder: Path, content: bytes, text: str) -> None:
    """Lays the network where added models lie."""
    (folder / f"{FACE_EMBEDDING}.onnx").write_bytes(content)
    (folder / f"{FACE_EMBEDDING}.toml").write_text(text)


def ana() -> Pixels:
    """(256, 200, 3) RGB: a head and shoulders."""
    return np.ascontiguousarray(face_picture()[20:276, 120:320])


def ben() -> Pixels:
    """Ana with green for red, blue for green and red for blue."""
    return np.ascontiguousarray(ana()[:, :, [1, 2, 0]])


def file_of(picture: Pixels, ending: str = ".png") -> bytes:
    done, content = cv2.imencode(ending, np.ascontiguousarray(picture[:, :, ::-1]))
    assert done
    return bytes(content)


Placed = tuple[Pixels, Callable[[int], tuple[int, int] | None]]


def frames_of(count: int, people: Sequence[Placed], size: tuple[int, int] = (640, 360)) -> list[Pixels]:
    """Frames, (H, W, 3) RGB, in which people are where they say: left and top, or None for nowhere.

    Those who come later in the list stand in front.
    """
    width, height = size
    rows = np.linspace(60, 150, height).astype(np.uint8)
    room = np.repeat(np.repeat(rows[:, None, None], width, axis=1), 3, axis=2)
    made = []
    for index in range(count):
        frame = room.copy()
        for picture, where in people:
            place = where(index)
            if place is None:
                continue
            left, top = place
            x1, y1 = max(0, left), max(0, top)
            x2, y2 = min(width, left + picture.shape[1]), min(height, top + picture.shape[0])
            if x2 > x1 and y2 > y1:
                frame[y1:y2, x1:x2] = picture[y1 - top : y2 - top, x1 - left : x2 - left]
        made.append(frame)
    return made
