"""Writes the fitted networks as ONNX: convolutions whose past goes in and comes out, weights in 16 bits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from anonymizer.voice.rates import FRAMES_A_STEP
from anonymizer.voice.spectra import BANDS
from evaluation.voice_training.networks import FRAME_OUT, Block, Causal, Decoder, Encoder
from evaluation.voice_training.phones import CLASSES

_OPSET: Final = 17
_IR_VERSION: Final = 9


@dataclass
class _Graph:
    """What was written so far."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    inputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    outputs: list[onnx.ValueInfoProto] = field(default_factory=list)
    states: int = 0
    names: int = 0

    def name(self) -> str:
        self.names += 1
        return f"v{self.names}"

    def add(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        output = self.name()
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def weights(self, values: NDArray[np.float32]) -> str:
        """Adds numbers in 16 bits; the engine widens them once, when it opens the network."""
        name = self.name()
        self.constants.append(numpy_helper.from_array(values.astype(np.float16), name))
        return self.add("Cast", [name], to=TensorProto.FLOAT)

    def exact(self, values: NDArray[np.int64]) -> str:
        name = self.name()
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def take(self, name: str, channels: int, steps: int | str) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, steps]))
        return name

    def give(self, value: str, name: str, channels: int, steps: int | str) -> None:
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, channels, steps]))

    def convolve(
        self, values: str, weights: NDArray[np.float32], bias: NDArray[np.float32] | None = None
    ) -> str:
        inputs = [values, self.weights(weights)] + ([] if bias is None else [self.weights(bias)])
        return self.add("Conv", inputs, kernel_shape=[1])

    def causal(self, values: str, layer: Causal) -> str:
        weights, bias = _folded(layer)
        channels, past = weights.shape[1], layer.past
        number = self.states
        self.states += 1
        known = self.take(f"past{number}", channels, past)
        joined = self.add("Concat", [known, values], axis=2)
        last = [self.exact(np.array(each, np.int64)) for each in ([-past], [2**31 - 1], [2])]
        self.give(self.add("Slice", [joined, *last]), f"next{number}", channels, past)
        return self.add(
            "Conv",
            [joined, self.weights(weights), self.weights(bias)],
            kernel_shape=[3],
            dilations=[past // 2],
        )

    def block(self, values: str, layer: Block, shift: str | None = None) -> str:
        inner = self.causal(values, layer.time)
        if shift is not None:
            inner = self.add("Add", [inner, shift])
        added = self.convolve(self.add("Relu", [inner]), _of(layer.channels.weight), _of(layer.channels.bias))
        return self.add("Relu", [self.add("Add", [values, added])])

    def written(self, name: str) -> bytes:
        graph = helper.make_graph(self.nodes, name, self.inputs, self.outputs, self.constants)
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            producer_name="bauta",
            ir_version=_IR_VERSION,
        )
        onnx.checker.check_model(model)
        written: bytes = model.SerializeToString(deterministic=True)
        return written


def export_encoder(encoder: Encoder) -> bytes:
    """Returns the encoder: `bands` (1, 2 * BANDS, n) to `phones` (1, CLASSES, n)."""
    graph = _Graph()
    bands = graph.take("bands", FRAMES_A_STEP * BANDS, "n")
    values = graph.add("Relu", [graph.causal(bands, encoder.first)])
    for block in encoder.blocks:
        assert isinstance(block, Block)
        values = graph.block(values, block)
    phones = graph.convolve(values, _of(encoder.last.weight), _of(encoder.last.bias))
    graph.give(phones, "phones", CLASSES, "n")
    return graph.written("encoder")


def export_decoder(decoder: Decoder) -> bytes:
    """Returns the decoder: `phones` (1, CLASSES, n) and `donors` (1, voices, n) to `envelope`.

    The donors are shares of each voice that it learned; their numbers are part of the network.
    """
    graph = _Graph()
    table = _of(decoder.donors.weight)
    phones = graph.take("phones", CLASSES, "n")
    shares = graph.take("donors", table.shape[0], "n")
    donor = graph.convolve(shares, table.T[:, :, None].copy())
    shifts = []
    for shift in decoder.shifts:
        assert isinstance(shift, torch.nn.Conv1d)
        shifts.append(graph.convolve(donor, _of(shift.weight)))
    values = graph.add("Relu", [graph.add("Add", [graph.causal(phones, decoder.first), shifts[0]])])
    for block, added in zip(decoder.blocks, shifts[1:], strict=True):
        assert isinstance(block, Block)
        values = graph.block(values, block, added)
    own = graph.convolve(donor, _of(decoder.own.weight))
    said = graph.add("Add", [graph.convolve(values, _of(decoder.last.weight), _of(decoder.last.bias)), own])
    graph.give(said, "envelope", FRAMES_A_STEP * FRAME_OUT, "n")
    return graph.written("decoder")


def _folded(layer: Causal) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Returns the weights and bias of a convolution that does what it and its normalization did."""
    norm = layer.norm
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weights = layer.convolution.weight * scale[:, None, None]
    return _of(weights), _of(norm.bias - norm.running_mean * scale)


def _of(values: torch.Tensor | None) -> NDArray[np.float32]:
    assert values is not None
    result: NDArray[np.float32] = values.detach().numpy().astype(np.float32)
    return result
