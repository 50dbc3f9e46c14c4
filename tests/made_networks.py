"""Networks of a page, made on the spot, for what is evaluated with a user's own: and their manifests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIGH, WIDE = 256, 128
CELL = 32
DIMENSION = 3 * (HIGH // CELL) * (WIDE // CELL)
INPUT = """
[input]
height = {height}
width = {width}
colours = "rgb"
mean = [127.5, 127.5, 127.5]
deviation = [127.5, 127.5, 127.5]
"""


def graph(
    nodes: Sequence[onnx.NodeProto],
    takes: Mapping[str, Sequence[int]],
    gives: Sequence[int],
    constants: Mapping[str, np.ndarray],
) -> bytes:
    """An ONNX file whose last node answers `answer`."""
    made = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in takes.items()],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, gives)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def re_identifier() -> bytes:
    """Knows people by the colours of their clothes: the means of 32 patches, less the mean of all."""
    nodes = [
        helper.make_node("AveragePool", ["body"], ["coarse"], kernel_shape=[CELL] * 2, strides=[CELL] * 2),
        helper.make_node("Reshape", ["coarse", "flat"], ["numbers"]),
        helper.make_node("ReduceMean", ["numbers"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["numbers", "mean"], ["off"]),
        # Whatever is even all over has a direction too: the same for everybody.
        helper.make_node("Add", ["off", "little"], ["answer"]),
    ]
    constants = {"flat": np.array([1, DIMENSION]), "little": np.full((1, DIMENSION), 1e-3, np.float32)}
    return graph(nodes, {"body": [1, 3, HIGH, WIDE]}, [1, DIMENSION], constants)


def picture_distance(side: int = 64) -> bytes:
    """The root of the mean squared difference, of values from -1 to 1."""
    nodes = [
        helper.make_node("Sub", ["one", "other"], ["off"]),
        helper.make_node("Mul", ["off", "off"], ["squared"]),
        helper.make_node("ReduceMean", ["squared"], ["mean"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Sqrt", ["mean"], ["answer"]),
    ]
    return graph(nodes, {"one": [1, 3, side, side], "other": [1, 3, side, side]}, [1], {})


def brightness_classifier(frames: int, side: int = 32) -> bytes:
    """Tells a clip that grows brighter ("dawn") from one that grows darker ("dusk"); layout NCTHW."""
    nodes = [
        helper.make_node("ReduceMean", ["clip"], ["light"], axes=[1, 3, 4], keepdims=0),
        helper.make_node("MatMul", ["light", "slopes"], ["answer"]),
    ]
    slope = np.linspace(-1, 1, frames, dtype=np.float32)
    constants = {"slopes": np.stack([slope, -slope], axis=1)}
    return graph(nodes, {"clip": [1, 3, frames, side, side]}, [1, 2], constants)


def manifest(kind: str, content: bytes, file: str, *, height: int, width: int, more: str) -> str:
    """The TOML beside a network."""
    return (
        f'schema = "bauta.model/v1"\nkind = "{kind}"\nfile = "{file}"\n'
        f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nlicence = "MIT"\nsource = "a test"\n'
        f"{INPUT.format(height=height, width=width)}\n{more}\n"
    )


def write_re_identifier(folder: Path) -> Path:
    """Lays the re-identifier and its manifest into a folder, and returns the manifest."""
    more = f'[output]\ndimension = {DIMENSION}\nmetric = "cosine"\n[match]\nthreshold = 0.9'
    return _write(folder, "person-embedding", re_identifier(), HIGH, WIDE, more)


def write_distance(folder: Path, side: int = 64) -> Path:
    """Likewise the distance of two pictures."""
    return _write(
        folder, "picture-distance", picture_distance(side), side, side, '[output]\nmetric = "distance"'
    )


def write_classifier(folder: Path, frames: int = 4, step: int = 2, side: int = 32) -> Path:
    """Likewise the classifier of clips."""
    clip = f'[clip]\nframes = {frames}\nstep = {step}\nlayout = "NCTHW"'
    more = f'{clip}\n[output]\nlabels = ["dawn", "dusk"]'
    return _write(folder, "action", brightness_classifier(frames, side), side, side, more)


def _write(folder: Path, kind: str, content: bytes, height: int, width: int, more: str) -> Path:
    (folder / f"{kind}.onnx").write_bytes(content)
    path = folder / f"{kind}.toml"
    path.write_text(manifest(kind, content, f"{kind}.onnx", height=height, width=width, more=more))
    return path
