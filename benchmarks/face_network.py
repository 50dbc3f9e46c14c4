"""A real network that tells faces apart, for `bauta models add`: dlib's, out of the package that brings it.

    python -m benchmarks.face_network FOLDER [--faces FOLDER_OF_PEOPLE]

writes `faces.onnx` and `faces.toml` into a folder. The network is the one that attacks Bauta's results in
`bauta evaluate` (evaluation/faces): its maker gave the weights to the public. With `--faces`, a folder with
one folder of photographs for each person, it measures how often it takes strangers for one person, as the
figures in docs/models.md were.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, checker, helper, numpy_helper

from anonymizer import AnonymizerError, FaceSettings, Settings, load_models
from anonymizer.detect.finders import open_finders
from anonymizer.enrolled.embedding import EmbeddingNetwork, FaceEmbedder
from anonymizer.enrolled.manifest import read_embedding
from anonymizer.enrolled.portraits import seen_in
from anonymizer.strict_toml import load
from evaluation.faces.dlib_network import MEANS, SCALE, SIDE, SIZE, DlibNetwork, Layer
from evaluation.faces.recognizers import RESNET, pinned

THRESHOLDS: Final = (0.90, 0.91, 0.92, 0.93, 0.94)
MANIFEST: Final = """schema = "bauta.model/v1"
kind = "face-embedding"
file = "faces.onnx"
sha256 = "{sha256}"
licence = "CC0-1.0"
source = "dlib_face_recognition_resnet_model_v1 (King 2017), from face_recognition_models"

[input]
side = {side}
colours = "rgb"
mean = {means}
deviation = {scales}
align = "eyes"
eyes_apart = 0.35
eyes_down = 0.238

[output]
dimension = {size}
metric = "cosine"

[match]
threshold = 0.93
least = 0.91
margin = 0.02
"""


class _Graph:
    """An ONNX graph, layer by layer; each result is a name and its channels and side."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def add(self, kind: str, given: Sequence[str], to: str = "", **how: Any) -> str:
        name = to or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(given), [name], **how))
        return name

    def constant(self, values: npt.NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def convolution(self, given: str, layer: Layer, stride: int) -> str:
        weights, shift = (each.numpy().astype(np.float32) for each in layer)
        # dlib adds no edge where it skips.
        edge = weights.shape[2] // 2 if stride == 1 else 0
        inputs = [given, self.constant(weights), self.constant(shift)]
        return self.add("Conv", inputs, strides=[stride] * 2, pads=[edge] * 4)

    def grown(self, given: str, shape: tuple[int, int], wanted: tuple[int, int]) -> str:
        """Adds channels, rows and columns of nothing, where there are fewer."""
        if shape == wanted:
            return given
        more = np.array([0, 0, 0, 0, 0, wanted[0] - shape[0], *[wanted[1] - shape[1]] * 2], np.int64)
        return self.add("Pad", [given, self.constant(more)])


def network_of(dlib: DlibNetwork) -> bytes:
    """Returns the ONNX file: (1, 3, 150, 150) float32 in, (1, 128) out."""
    stem, blocks, last = dlib.layers
    graph = _Graph()
    seen = graph.add("Relu", [graph.convolution("face", stem, 2)])
    seen = graph.add("MaxPool", [seen], kernel_shape=[3, 3], strides=[2, 2])
    channels, side = stem[0].shape[0], _smaller(_smaller(SIDE, 7), 3)
    for first, second, is_smaller in blocks:
        made = first[0].shape[0]
        inner = graph.add("Relu", [graph.convolution(seen, first, 2 if is_smaller else 1)])
        inner = graph.convolution(inner, second, 1)
        inner_side, shortcut, shortcut_side = side, seen, side
        if is_smaller:
            inner_side, shortcut_side = _smaller(side, 3), _smaller(side, 2)
            shortcut = graph.add("AveragePool", [seen], kernel_shape=[2, 2], strides=[2, 2])
        wanted = max(made, channels), max(inner_side, shortcut_side)
        both = [
            graph.grown(inner, (made, inner_side), wanted),
            graph.grown(shortcut, (channels, shortcut_side), wanted),
        ]
        seen = graph.add("Relu", [graph.add("Add", both)])
        channels, side = wanted
    flat = graph.add("Flatten", [graph.add("GlobalAveragePool", [seen])])
    graph.add("MatMul", [flat, graph.constant(last.numpy().astype(np.float32))], to="vector")
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "dlib_resnet",
            [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
            [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, SIZE])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    checker.check_model(model)
    return bytes(model.SerializeToString())


def manifest_of(network: bytes) -> str:
    """Returns the manifest of that file."""
    return MANIFEST.format(
        sha256=hashlib.sha256(network).hexdigest(),
        side=SIDE,
        size=SIZE,
        means=list(MEANS),
        scales=[SCALE] * 3,
    )


def measured(network: bytes, manifest: str, people: Path) -> Iterator[str]:
    """Yields lines: how many pairs of strangers, and of one person, reach which threshold."""
    models = load_models("cpu")
    settings = Settings(faces=FaceSettings(threshold=0.5))
    (finder,) = open_finders(models, settings, is_still=True)
    opened = EmbeddingNetwork(network, read_embedding(load(manifest.encode())), settings.threads)
    embedder = FaceEmbedder(opened, models.landmarks)
    vectors, names, left_out = [], [], 0
    for picture in sorted(people.glob("*/*")):
        try:
            vectors.append(seen_in(picture.read_bytes(), finder, embedder))
            names.append(picture.parent.name)
        except AnonymizerError:
            left_out += 1
    cosines, who = np.stack(vectors) @ np.stack(vectors).T, np.array(names)
    pairs = np.triu_indices(len(who), 1)
    alike, of_one = cosines[pairs], (who[:, None] == who[None])[pairs]
    yield f"{len(who)} photographs of {len(set(names))} people; {left_out} left out"
    yield f"{(~of_one).sum():,} pairs of strangers, {of_one.sum():,} of one person"
    for threshold in THRESHOLDS:
        reach, miss = (alike[~of_one] >= threshold).sum(), (alike[of_one] < threshold).sum()
        yield f"{threshold:.2f}: {reach} of strangers reach it, {miss} of one person do not"


def _smaller(side: int, kernel: int) -> int:
    """The side of what a layer gives that takes every second place, without an edge."""
    return (side - kernel) // 2 + 1


def main() -> int:
    """Writes both files; measures where it is asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.face_network", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faces", type=Path)
    asked = parser.parse_args()
    network = network_of(DlibNetwork(pinned(RESNET).read_bytes()))
    manifest = manifest_of(network)
    asked.folder.mkdir(exist_ok=True)
    (asked.folder / "faces.onnx").write_bytes(network)
    (asked.folder / "faces.toml").write_text(manifest, encoding="utf-8")
    print(asked.folder / "faces.toml")
    for line in measured(network, manifest, asked.faces) if asked.faces is not None else ():
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
