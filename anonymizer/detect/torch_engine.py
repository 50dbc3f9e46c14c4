"""CenterFace written in torch, for CUDA; its weights come from the pinned ONNX file.

A MobileNetV2 body (Sandler et al., 2018) without activations after the projections, a neck that climbs back
from 1/32 to 1/4 of the size adding the body's stages on the way, and one head for each map. Importing this
module imports torch, which takes seconds: only `open_detector` does, where there is a device.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import nn

from anonymizer.boxes import Boxes
from anonymizer.detect.centerface import Maps, boxes_from, network_input
from anonymizer.detect.contract import Image
from anonymizer.detect.graph import LANDMARKS
from anonymizer.detect.onnx_weights import read_weights
from anonymizer.errors import AnonymizerError

# Expansion, channels out, blocks, stride of the first block: MobileNetV2's table after its first block.
STAGES = ((6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
NECK_CHANNELS = 24
BATCH_NORM_EPSILON = 1e-3


class Bottleneck(nn.Module):
    """Expand, filter each channel, project; added to its input where the shapes agree."""

    def __init__(self, channels_in: int, channels_out: int, expansion: int, stride: int) -> None:
        """Takes the channels in and out, the expansion factor and the stride."""
        super().__init__()
        hidden = channels_in * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers += [nn.Conv2d(channels_in, hidden, 1), nn.ReLU()]
        layers += [
            nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden),
            nn.ReLU(),
            nn.Conv2d(hidden, channels_out, 1),
        ]
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and channels_in == channels_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps (N, in, H, W) to (N, out, H / stride, W / stride)."""
        y: torch.Tensor = self.layers(x)
        return x + y if self.adds else y


class Climb(nn.Module):
    """Doubles the size and adds a stage of the body."""

    def __init__(self, channels_beside: int) -> None:
        """Takes the channels of the body's stage beside it."""
        super().__init__()
        self.up = nn.ConvTranspose2d(NECK_CHANNELS, NECK_CHANNELS, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(NECK_CHANNELS, eps=BATCH_NORM_EPSILON)
        self.beside = nn.Conv2d(channels_beside, NECK_CHANNELS, 1)

    def forward(self, below: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
        """Maps (N, 24, H, W) and (N, C, 2H, 2W) to (N, 24, 2H, 2W)."""
        return torch.relu(self.norm(self.up(below))) + torch.relu(self.beside(beside))


class CenterFaceNetwork(nn.Module):
    """The network. Its layers are created in the order in which the ONNX graph runs them."""

    def __init__(self) -> None:
        """Builds the layers, with random weights."""
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), Bottleneck(32, 16, 1, 1))
        channels = 16
        self.stages = nn.ModuleList()
        for expansion, channels_out, blocks, stride in STAGES:
            made = [
                Bottleneck(
                    channels if i == 0 else channels_out, channels_out, expansion, stride if i == 0 else 1
                )
                for i in range(blocks)
            ]
            self.stages.append(nn.Sequential(*made))
            channels = channels_out
        self.top = nn.Conv2d(channels, NECK_CHANNELS, 1)
        self.climbs = nn.ModuleList([Climb(96), Climb(32), Climb(24)])
        self.blend = nn.Conv2d(NECK_CHANNELS, NECK_CHANNELS, 3, 1, 1)
        self.heat = nn.Conv2d(NECK_CHANNELS, 1, 1)
        self.size = nn.Conv2d(NECK_CHANNELS, 2, 1)
        self.offset = nn.Conv2d(NECK_CHANNELS, 2, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Maps (N, 3, H, W) RGB in 0..255 to heat (N, 1, H/4, W/4), size and offset (N, 2, H/4, W/4)."""
        x = self.stem(x)
        outputs = []
        for stage in self.stages:
            x = stage(x)
            outputs.append(x)
        x = torch.relu(self.top(x))
        for climb, beside in zip(self.climbs, (outputs[3], outputs[1], outputs[0]), strict=True):
            x = climb(x, beside)
        x = torch.relu(self.blend(x))
        return torch.sigmoid(self.heat(x)), self.size(x), self.offset(x)


def network_from(model: bytes) -> CenterFaceNetwork:
    """Builds the network and gives every layer the weights of the node at its place in the ONNX graph.

    Args:
        model: the pinned file, as it is published or made ready to run.

    Raises:
        AnonymizerError: model_digest_mismatch, where it is no ONNX file; detector_failed, where graph and
            network do not match layer by layer.
    """
    every_node, tensors = read_weights(model)
    weights = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    wanted = {"Conv": nn.Conv2d, "ConvTranspose": nn.ConvTranspose2d, "BatchNormalization": nn.BatchNorm2d}
    # The file as published has a head for landmarks too.
    nodes = [
        node
        for node in every_node
        if node.kind in wanted and len(node.inputs) > 1 and node.inputs[1] in weights
        if LANDMARKS not in node.outputs
    ]
    network = CenterFaceNetwork().eval()
    layers = [layer for layer in network.modules() if isinstance(layer, tuple(wanted.values()))]
    if len(nodes) != len(layers):
        raise AnonymizerError("detector_failed")
    with torch.no_grad():
        for node, layer in zip(nodes, layers, strict=True):
            values = [weights[name] for name in node.inputs[1:] if name in weights]
            targets = _tensors(layer)
            if not isinstance(layer, wanted[node.kind]) or [v.shape for v in values] != [
                t.shape for t in targets
            ]:
                raise AnonymizerError("detector_failed")
            for target, value in zip(targets, values, strict=True):
                target.copy_(value)
    return network


def _tensors(layer: nn.Module) -> list[torch.Tensor]:
    if isinstance(layer, nn.BatchNorm2d):
        found = [layer.weight, layer.bias, layer.running_mean, layer.running_var]
    else:
        found = [layer.get_parameter("weight")]
        found += [b for name, b in layer.named_parameters() if name == "bias"]
    return [tensor for tensor in found if tensor is not None]


class TorchCenterFace:
    """A Detector."""

    def __init__(self, model: bytes, threshold: float, device: Literal["cpu", "cuda"] = "cuda") -> None:
        """Builds the network on a device.

        Raises:
            AnonymizerError: detector_failed or device_unavailable.
        """
        if device == "cuda" and not torch.cuda.is_available():
            raise AnonymizerError("device_unavailable")
        self._device = torch.device(device)
        self._threshold = threshold
        self._network = network_from(model).to(self._device)

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        """See Detector.detect."""
        batch = torch.from_numpy(network_input(image)).to(self._device)
        try:
            with torch.inference_mode():
                heat, size, offset = (m[0].float().cpu().numpy() for m in self._network(batch))
        except RuntimeError:
            raise AnonymizerError("detector_failed") from None
        maps = Maps(np.asarray(heat[0]), np.asarray(size), np.asarray(offset))
        return boxes_from(maps, image, self._threshold if threshold is None else threshold)
