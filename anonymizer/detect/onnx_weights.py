"""Reads the weights of an ONNX file without the onnx package, which a GPU machine need not have.

Just enough of the protobuf wire format (protobuf.dev/programming-guides/encoding) and of onnx.proto: the
nodes with their names, and the float tensors. The file is pinned by its digest; whatever does not read as
such a file is refused all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError

FloatArray = npt.NDArray[np.float32]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FLOAT: Final = 1
# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE_INPUT, NODE_OUTPUT, NODE_TYPE = 1, 2, 4
TENSOR_SHAPE, TENSOR_TYPE, TENSOR_FLOATS, TENSOR_NAME, TENSOR_RAW = 1, 2, 4, 8, 9


@dataclass(frozen=True)
class Node:
    """One operation: what it is, and the names of what goes in and comes out."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def read_weights(model: bytes) -> tuple[list[Node], Mapping[str, FloatArray]]:
    """Returns the nodes in their order, and the float tensors by name.

    Raises:
        AnonymizerError: model_digest_mismatch, where the bytes are no ONNX file.
    """
    try:
        graph = b"".join(value for number, value in _fields(model) if number == MODEL_GRAPH)
        parts = list(_fields(graph))
        nodes = [_node(value) for number, value in parts if number == GRAPH_NODE]
        tensors = dict(_tensor(value) for number, value in parts if number == GRAPH_INITIALIZER)
    except (IndexError, TypeError, ValueError):
        raise AnonymizerError("model_digest_mismatch") from None
    if not nodes or not tensors:
        raise AnonymizerError("model_digest_mismatch")
    return nodes, {name: tensor for name, tensor in tensors.items() if tensor is not None}


def _node(content: bytes) -> Node:
    fields = list(_fields(content))

    def names(wanted: int) -> tuple[str, ...]:
        return tuple(value.decode() for number, value in fields if number == wanted)

    return Node("".join(names(NODE_TYPE)), names(NODE_INPUT), names(NODE_OUTPUT))


def _tensor(content: bytes) -> tuple[str, FloatArray | None]:
    fields = list(_fields(content))
    name = b"".join(value for number, value in fields if number == TENSOR_NAME).decode()
    kinds = [_number(value) for number, value in fields if number == TENSOR_TYPE]
    if kinds != [FLOAT]:
        return name, None
    shape = [size for number, value in fields if number == TENSOR_SHAPE for size in _numbers(value)]
    content = b"".join(value for number, value in fields if number in {TENSOR_RAW, TENSOR_FLOATS})
    if math.prod(shape) * 4 != len(content):
        raise ValueError("a tensor of another size than its shape")
    return name, np.frombuffer(content, "<f4").reshape(shape).astype(np.float32)


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields field numbers and values; a varint is given as its own bytes."""
    place = 0
    while place < len(content):
        tag, place = _varint(content, place)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            _, ends = _varint(content, place)
        elif kind == BYTES:
            size, place = _varint(content, place)
            ends = place + size
        elif kind in {FIXED32, FIXED64}:
            ends = place + (4 if kind == FIXED32 else 8)
        else:
            raise ValueError("no such kind of field")
        if ends > len(content):
            raise ValueError("a field beyond the end")
        yield number, content[place:ends]
        place = ends


def _varint(content: bytes, place: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[place]
        number |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return number, place
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


def _number(content: bytes) -> int:
    return _varint(content, 0)[0]


def _numbers(content: bytes) -> Iterator[int]:
    # One number, or several in a row (packed).
    place = 0
    while place < len(content):
        number, place = _varint(content, place)
        yield number
