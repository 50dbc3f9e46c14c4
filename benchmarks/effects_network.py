"""A network of a page, so that the effect "generator" has something to show: spots where features are.

It takes a seed and five landmarks, as a real one does, and answers with a face of flat colours. Nobody would
want it; whoever has a better one adds that (docs/models.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from anonymizer import Models
from anonymizer.face_manifests import FIVE, GENERATOR, Generator

SEED: Final = 8
SIDE: Final = 160
# Of each of the five points (eyes, nose, corners of the mouth): how narrow its spot is, and what it adds to
# red, green and blue.
_NARROW: Final = (420.0, 420.0, 500.0, 700.0, 700.0)
_COLOURS: Final = (
    (-0.75, -0.6, -0.45),
    (-0.75, -0.6, -0.45),
    (0.1, -0.1, -0.1),
    (0.1, -0.4, -0.35),
    (0.1, -0.4, -0.35),
)
_SKIN: Final = (0.86, 0.66, 0.52)


def made_on_the_spot() -> tuple[Generator, bytes]:
    """Returns the network and its manifest."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    places = np.stack([columns, rows], axis=-1).reshape(1, 1, SIDE * SIDE, 2)
    weights = np.random.default_rng(3).normal(0, 0.04, (SEED, 3)).astype(np.float32)
    constants = {
        "places": places,
        "narrow": -np.array(_NARROW, np.float32).reshape(1, len(FIVE), 1),
        "colours": np.array(_COLOURS, np.float32).T[None],
        "weights": weights,
        "skin": np.array(_SKIN, np.float32).reshape(1, 3),
        "five": np.array([1, len(FIVE), 1, 2], np.int64),
        "column": np.array([1, 3, 1], np.int64),
        "square": np.array([1, 3, SIDE, SIDE], np.int64),
        "last": np.array([3], np.int64),
        "zero": np.array(0, np.float32),
        "one": np.array(1, np.float32),
    }
    nodes = [
        helper.make_node("Reshape", ["landmarks", "five"], ["points"]),
        helper.make_node("Sub", ["places", "points"], ["away"]),
        helper.make_node("Mul", ["away", "away"], ["squared"]),
        helper.make_node("ReduceSum", ["squared", "last"], ["distance"], keepdims=0),
        helper.make_node("Mul", ["distance", "narrow"], ["faded"]),
        helper.make_node("Exp", ["faded"], ["spots"]),
        helper.make_node("MatMul", ["colours", "spots"], ["features"]),
        helper.make_node("MatMul", ["seed", "weights"], ["own"]),
        helper.make_node("Add", ["own", "skin"], ["tone"]),
        helper.make_node("Reshape", ["tone", "column"], ["base"]),
        helper.make_node("Add", ["features", "base"], ["mixed"]),
        helper.make_node("Clip", ["mixed", "zero", "one"], ["kept"]),
        helper.make_node("Reshape", ["kept", "square"], ["face"]),
    ]
    graph = helper.make_graph(
        nodes,
        "spots",
        [
            helper.make_tensor_value_info("seed", TensorProto.FLOAT, [1, SEED]),
            helper.make_tensor_value_info("landmarks", TensorProto.FLOAT, [1, len(FIVE), 2]),
        ],
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [numpy_helper.from_array(values, name) for name, values in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    content = model.SerializeToString()
    manifest = Generator(
        file="spots.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        licence="Apache-2.0",
        source="made on the spot",
        seed=SEED,
        landmarks=FIVE,
        pose=False,
        side=SIDE,
        alpha=False,
        lowest=0.0,
        highest=1.0,
    )
    return manifest, content


def with_a_generator(models: Models) -> Models:
    """Returns the models with that network among them, as if an operator had added it."""
    manifest, content = made_on_the_spot()
    return replace(
        models,
        files={**models.files, GENERATOR: content},
        sha256={**models.sha256, GENERATOR: manifest.sha256},
        generator=manifest,
    )
