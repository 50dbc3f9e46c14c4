"""Makes the pinned CenterFace file fit to run.

As published, every weight is also listed as an input of the graph, which forbids the engine to fold
constants and costs half the speed (measured), and all sizes are fixed to 10 pictures of 32 x 32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from anonymizer.errors import AnonymizerError

if TYPE_CHECKING:
    import onnx

INPUT_NAME = "input.1"
HEATMAP, SCALE, OFFSET, LANDMARKS = "537", "538", "539", "540"


def ready_to_run(content: bytes) -> bytes:
    """Returns the same network with sizes left open, no landmarks, and no weights among its inputs.

    Raises:
        AnonymizerError: model_digest_mismatch, where the bytes are no such graph.
    """
    # Not needed where torch runs the network, nor there installed.
    import onnx

    try:
        model = onnx.load_model_from_string(content)
    except Exception:  # whatever the parser raises for bytes that are no graph
        raise AnonymizerError("model_digest_mismatch") from None
    graph = model.graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    if [value.name for value in inputs] != [INPUT_NAME]:
        raise AnonymizerError("model_digest_mismatch")
    del graph.input[:]
    graph.input.append(_sized(INPUT_NAME, ["pictures", 3, "height", "width"]))
    del graph.output[:]
    for name, channels in ((HEATMAP, 1), (SCALE, 2), (OFFSET, 2)):
        graph.output.append(_sized(name, ["pictures", channels, "rows", "columns"]))
    for node in [node for node in graph.node if LANDMARKS in node.output]:
        graph.node.remove(node)
    used = {name for node in graph.node for name in node.input}
    for weight in [weight for weight in graph.initializer if weight.name not in used]:
        graph.initializer.remove(weight)
    return bytes(model.SerializeToString())


def _sized(name: str, shape: list[str | int]) -> onnx.ValueInfoProto:
    import onnx

    return onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
