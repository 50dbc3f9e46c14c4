"""Many frames at once on a GPU: scaled, looked at and turned into boxes without leaving the device.

Frames come as planes on the device (4:2:0, as the decoder gives them), go through CenterFace in half
precision, and only the few boxes come back. On CUDA one pass of one shape is recorded once as a graph and
replayed: the network is forty small layers, whose launches take longer than their work. On the CPU everything
runs as it is written, in single precision, which is how it is tested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from anonymizer.boxes import Boxes, no_boxes, suppress
from anonymizer.detect.canvas import snug
from anonymizer.detect.centerface import CELL
from anonymizer.detect.torch_engine import network_from
from anonymizer.errors import AnonymizerError

WARM_UP_PASSES = 3
# exp(12) cells are more than any picture.
MOST_LOG_SIZE = 12.0
# BT.601, 16..235, as the scaler of the CPU path reads a picture.
_BLACK, _LUMA, _RED, _GREEN_BLUE, _GREEN_RED, _BLUE = 16.0, 1.164384, 1.596027, -0.391762, -0.812968, 2.017232


@dataclass(frozen=True)
class PlaneBatch:
    """Frames of one size on a device.

    Attributes:
        luma: (N, H, W) uint8.
        blue, red: (N, H/2, W/2) uint8.
    """

    luma: torch.Tensor
    blue: torch.Tensor
    red: torch.Tensor


class BatchedCenterFace:
    """CenterFace over batches of frames of one size."""

    def __init__(self, model: bytes, scales: tuple[int, ...], threshold: float, device: str) -> None:
        """Puts the network on a device: half precision on CUDA, single on the CPU.

        Raises:
            AnonymizerError: device_unavailable, never another device instead; detector_failed.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise AnonymizerError("device_unavailable")
        self._device = torch.device(device)
        self._number = torch.float16 if device == "cuda" else torch.float32
        self._scales = scales
        self._threshold = threshold
        self._network = network_from(model).to(self._device, self._number)
        self._recorded: dict[tuple[int, ...], _Recorded] = {}

    def find(self, batch: PlaneBatch) -> list[Boxes]:
        """Returns for each frame its faces, (N, 5) in its pixels, joined over the scales.

        Raises:
            AnonymizerError: detector_failed, also where any answer is no finite number.
        """
        frames, height, width = batch.luma.shape
        longest = max(height, width)
        found: list[list[Boxes]] = [[] for _ in range(frames)]
        try:
            with torch.inference_mode():
                for side in sorted({min(scale, longest) for scale in self._scales}):
                    share = side / longest
                    size = (max(16, round(height * share)), max(16, round(width * share)))
                    for index, boxes in enumerate(self._at(batch, size)):
                        factors = np.array([width / size[1], height / size[0]] * 2 + [1], np.float32)
                        found[index].append(boxes * factors)
        except RuntimeError:
            raise AnonymizerError("detector_failed") from None
        return [suppress(np.concatenate(boxes).astype(np.float32)) for boxes in found]

    def _at(self, batch: PlaneBatch, size: tuple[int, int]) -> list[Boxes]:
        sheet = self._sheet(batch, size)
        answer = self._run(sheet)
        if not bool(torch.isfinite(answer).all()):
            raise AnonymizerError("detector_failed")
        return _boxes_from(answer, size, self._threshold)

    def _sheet(self, batch: PlaneBatch, size: tuple[int, int]) -> torch.Tensor:
        """Returns (N, 3, H, W) RGB in 0..255, scaled to size, padded with black to multiples of 32."""
        y, u, v = (
            functional.interpolate(
                plane[:, None].to(torch.float32), size, mode="bilinear", antialias=True, align_corners=False
            )[:, 0]
            for plane in (batch.luma, batch.blue, batch.red)
        )
        y, u, v = (y - _BLACK) * _LUMA, u - 128, v - 128
        rgb = torch.stack((y + _RED * v, y + _GREEN_BLUE * u + _GREEN_RED * v, y + _BLUE * u), 1)
        canvas = snug(*size)
        padding = (0, canvas.width - size[1], 0, canvas.height - size[0])
        return functional.pad(rgb.clamp(0, 255).round(), padding).to(self._number)

    def _run(self, sheet: torch.Tensor) -> torch.Tensor:
        if self._device.type != "cuda":
            return self._forward(sheet)
        shape = tuple(sheet.shape)
        if shape not in self._recorded:
            self._recorded[shape] = _Recorded(self._forward, sheet)
        return self._recorded[shape].replay(sheet)

    def _forward(self, sheet: torch.Tensor) -> torch.Tensor:
        """Returns (N, 5, H/4, W/4) float32: likelihood, log height, log width, down, across."""
        return torch.cat(self._network(sheet), 1).to(torch.float32)


class _Recorded:
    """One pass of one shape as a CUDA graph, with its own memory for what goes in and comes out."""

    def __init__(self, forward: Callable[[torch.Tensor], torch.Tensor], example: torch.Tensor) -> None:
        self._input = example.clone()
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        beside.wait_stream(torch.cuda.current_stream())
        # Libraries choose and set up their kernels at the first passes, which no graph may contain.
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP_PASSES):
                forward(self._input)
        torch.cuda.current_stream().wait_stream(beside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._output = forward(self._input)

    def replay(self, sheet: torch.Tensor) -> torch.Tensor:
        self._input.copy_(sheet)
        self._graph.replay()
        return self._output


def _boxes_from(answer: torch.Tensor, size: tuple[int, int], threshold: float) -> list[Boxes]:
    """Turns maps into boxes as anonymizer/detect/centerface.py does, all frames at once, on the device."""
    frame, row, column = torch.nonzero(answer[:, 0] > threshold, as_tuple=True)
    if len(frame) == 0:
        return [no_boxes() for _ in range(answer.shape[0])]
    heat, tall, wide, down, across = answer[frame, :, row, column].unbind(1)
    tall, wide = (torch.exp(value.clamp(max=MOST_LOG_SIZE)) * CELL for value in (tall, wide))
    y, x = (row + down + 0.5) * CELL, (column + across + 0.5) * CELL
    height, width = size
    corners = (
        (x - wide / 2).clamp(0, width),
        (y - tall / 2).clamp(0, height),
        (x + wide / 2).clamp(0, width),
        (y + tall / 2).clamp(0, height),
    )
    table = torch.stack((*corners, heat, frame.to(torch.float32)), 1).cpu().numpy()
    kept = table[(table[:, 2] > table[:, 0]) & (table[:, 3] > table[:, 1])]
    return [suppress(kept[kept[:, 5] == index, :5]) for index in range(answer.shape[0])]
