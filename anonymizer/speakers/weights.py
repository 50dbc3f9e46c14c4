"""The encoder's weights out of Resemblyzer's file, as a graph for the engine.

The file is a pickle of torch's old layout: to read it as such is to run a program. As it is pinned by its
SHA-256, every tensor lies at a known place, and is taken from there; nothing is unpickled, torch not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.speakers.mel import BANDS

if TYPE_CHECKING:
    import onnx

FloatArray = npt.NDArray[np.float32]

UNITS: Final = 256
LAYERS: Final = 3
FILE_BYTES: Final = 17_090_379
WINDOWS, EMBEDDINGS = "windows", "embeddings"

# Where each tensor begins in the file, bytes: input weights, recurrent weights, and the bias of each.
_LAYERS: Final = (
    (269_883, 433_723, 5_676_603, 5_680_699),
    (1_482_299, 2_530_875, 5_684_795, 5_688_891),
    (3_579_451, 4_628_027, 5_692_987, 5_697_083),
)
_LINEAR: Final = (7_731, 6_699)
# torch writes the gates as input, forget, cell, output; ONNX wants input, output, forget, cell.
_GATES: Final = (0, 3, 1, 2)


def encoder_graph(pretrained: bytes) -> bytes:
    """Makes an ONNX graph: (N, frames, 40) mel power to (N, 256) embeddings, no less than 0, not normed.

    Args:
        pretrained: Resemblyzer's `pretrained.pt`; whoever calls has checked its digest.

    Raises:
        AnonymizerError: model_digest_mismatch, for bytes of another length.
    """
    if len(pretrained) != FILE_BYTES:
        raise AnonymizerError("model_digest_mismatch")
    # Not needed by the child, nor there imported.
    import onnx
    from onnx import helper, numpy_helper

    tensors: dict[str, npt.NDArray[np.generic]] = {"direction": np.array([1]), "only": np.array([0])}
    nodes = [helper.make_node("Transpose", [WINDOWS], ["x0"], perm=[1, 0, 2])]
    for layer, (inputs_at, units_at, bias_at, more_bias_at) in enumerate(_LAYERS):
        width = BANDS if layer == 0 else UNITS
        tensors[f"w{layer}"] = _gates(_tensor(pretrained, inputs_at, 4 * UNITS, width))
        tensors[f"r{layer}"] = _gates(_tensor(pretrained, units_at, 4 * UNITS, UNITS))
        tensors[f"b{layer}"] = np.concatenate(
            [_gates(_tensor(pretrained, at, 4 * UNITS, 1))[..., 0] for at in (bias_at, more_bias_at)], axis=1
        )
        names = [f"x{layer}", f"w{layer}", f"r{layer}", f"b{layer}"]
        nodes.append(helper.make_node("LSTM", names, [f"y{layer}", f"end{layer}"], hidden_size=UNITS))
        nodes.append(helper.make_node("Squeeze", [f"y{layer}", "direction"], [f"x{layer + 1}"]))
    weight_at, bias_at = _LINEAR
    tensors["weight"] = _tensor(pretrained, weight_at, UNITS, UNITS)
    tensors["bias"] = _tensor(pretrained, bias_at, UNITS, 1)[:, 0]
    nodes += [
        helper.make_node("Squeeze", [f"end{LAYERS - 1}", "only"], ["end"]),
        helper.make_node("Gemm", ["end", "weight", "bias"], ["raw"], transB=1),
        helper.make_node("Relu", ["raw"], [EMBEDDINGS]),
    ]
    graph = helper.make_graph(
        nodes,
        "speaker",
        [_sized(WINDOWS, ["count", "frames", BANDS])],
        [_sized(EMBEDDINGS, ["count", UNITS])],
        [numpy_helper.from_array(np.ascontiguousarray(tensor), name) for name, tensor in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _tensor(pretrained: bytes, at: int, rows: int, columns: int) -> FloatArray:
    tensor = np.frombuffer(pretrained, "<f4", rows * columns, at).reshape(rows, columns)
    if not np.isfinite(tensor).all():
        raise AnonymizerError("model_digest_mismatch")
    return tensor


def _gates(tensor: FloatArray) -> FloatArray:
    """Puts the four gates into ONNX's order, below one axis for the only direction."""
    gates = tensor.reshape(4, UNITS, -1)[list(_GATES)]
    return gates.reshape(1, 4 * UNITS, -1)


def _sized(name: str, shape: list[str | int]) -> onnx.ValueInfoProto:
    import onnx

    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
