"""dlib's face network run by torch, from dlib's own file: some fifteen times as fast as by dlib, on a CPU.

The architecture is that of dlib's example `dnn_face_recognition_ex.cpp`: a ResNet of 29 convolutions whose
batch normalizations were folded into a scale and a shift for each channel. Two things are dlib's own: where
a block makes the picture smaller or deeper, the shortcut is its mean of 2 by 2, and what one of both lacks
in rows, columns or channels counts as zero (`add_prev`).

The file holds the layers from the input on. Of each, a name and a tensor are read: whole numbers are written
as a byte that says how many bytes follow, then these; a tensor is the number 2, four sizes, and float32.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from evaluation.errors import EvaluationError

SIDE: Final = 150
SIZE: Final = 128
# What dlib takes off red, green and blue before it divides by 256.
MEANS: Final = (122.782, 117.001, 104.298)
SCALE: Final = 256.0
# Channels of each block, from the input on, and whether it halves the picture.
_BLOCKS: Final = (
    *((32, False),) * 3,
    *((64, True), (64, False), (64, False), (64, False)),
    *((128, True), (128, False), (128, False)),
    *((256, True), (256, False), (256, False)),
    (256, True),
)
_CONVOLUTION, _AFFINE, _LAST = b"con_4", b"affine_", b"fc_2"
_TENSOR: Final = 2

Floats = npt.NDArray[np.float32]


@contextmanager
def one_thread() -> Iterator[None]:
    """Keeps torch to one thread: for networks as small as these, waiting for others takes longer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class DlibNetwork:
    """The network, open."""

    def __init__(self, file: bytes) -> None:
        """Reads the weights. The file is one whose digest was checked.

        Raises:
            EvaluationError: recognizer_failed, where it is of another make.
        """
        try:
            self._read(file)
        except (ValueError, IndexError):
            raise EvaluationError("recognizer_failed") from None

    def _read(self, file: bytes) -> None:
        convolutions, affines = _tensors(file, _CONVOLUTION), _tensors(file, _AFFINE)
        self._stem = _layer(convolutions, affines, 3, 32, 7)
        self._blocks: list[tuple[Layer, Layer, bool]] = []
        given = 32
        for channels, is_smaller in _BLOCKS:
            first = _layer(convolutions, affines, given, channels, 3)
            second = _layer(convolutions, affines, channels, channels, 3)
            self._blocks.append((first, second, is_smaller))
            given = channels
        last = next(_tensors(file, _LAST, numbers=2), None)
        if last is None or next(convolutions, None) is not None:
            raise ValueError
        self._last = torch.from_numpy(last.reshape(given, SIZE))

    @property
    def layers(self) -> tuple[Layer, tuple[tuple[Layer, Layer, bool], ...], Tensor]:
        """The first layer; both of each block, and whether it halves the picture; the last weights."""
        return self._stem, tuple(self._blocks), self._last

    def vectors(self, chips: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Returns (n, 128), as dlib's compute_face_descriptor does, from (n, 150, 150, 3) uint8 RGB."""
        with one_thread(), torch.inference_mode():
            pixels = torch.from_numpy(np.ascontiguousarray(chips)).permute(0, 3, 1, 2).float()
            seen = (pixels - torch.tensor(MEANS)[None, :, None, None]) / SCALE
            seen = functional.max_pool2d(_applied(self._stem, seen, stride=2).relu(), 3, 2)
            for first, second, is_smaller in self._blocks:
                inner = _applied(first, seen, 2).relu() if is_smaller else _applied(first, seen, 1).relu()
                inner = _applied(second, inner, 1)
                shortcut = functional.avg_pool2d(seen, 2, 2) if is_smaller else seen
                seen = _sum(inner, shortcut).relu()
            return (seen.mean(dim=(2, 3)) @ self._last).double().numpy()


Layer = tuple[Tensor, Tensor]
"""A convolution and its shift; its scale is in it."""


def _applied(layer: Layer, seen: Tensor, stride: int) -> Tensor:
    weights, shift = layer
    # dlib adds no edge where it skips.
    edge = weights.shape[2] // 2 if stride == 1 else 0
    return functional.conv2d(seen, weights, shift, stride=stride, padding=edge)


def _sum(a: Tensor, b: Tensor) -> Tensor:
    sizes = [max(of_a, of_b) for of_a, of_b in zip(a.shape[1:], b.shape[1:], strict=True)]
    return _grown(a, sizes) + _grown(b, sizes)


def _grown(seen: Tensor, sizes: list[int]) -> Tensor:
    channels, rows, columns = (wanted - there for wanted, there in zip(sizes, seen.shape[1:], strict=True))
    return functional.pad(seen, (0, columns, 0, rows, 0, channels))


def _layer(
    convolutions: Iterator[Floats], affines: Iterator[Floats], given: int, made: int, side: int
) -> Layer:
    values, folded = next(convolutions, None), next(affines, None)
    if values is None or folded is None or len(folded) != 2 * made:
        raise ValueError
    weights = values[:-made].reshape(made, given, side, side)
    scale, shift = folded[:made], folded[made:]
    # Scale and shift go into the convolution: (w x + b) s + t.
    return (
        torch.from_numpy(weights * scale[:, None, None, None]),
        torch.from_numpy(values[-made:] * scale + shift),
    )


def _tensors(file: bytes, name: bytes, numbers: int = 0) -> Iterator[Floats]:
    """Yields the tensor after each mention of a layer's name, and so many numbers after that."""
    written = bytes([1, len(name)]) + name
    at = file.find(written)
    while at >= 0:
        at += len(written)
        read = []
        for _ in range(numbers + 5):
            count = file[at]
            read.append(int.from_bytes(file[at + 1 : at + 1 + count], "little"))
            at += 1 + count
        if read[numbers] != _TENSOR:
            raise ValueError
        length = int(np.prod(read[numbers + 1 :]))
        yield np.frombuffer(file, np.float32, length, at).copy()
        at = file.find(written, at + 4 * length)
