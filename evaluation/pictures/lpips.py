"""LPIPS over AlexNet, after the paper: five layers' answers, brought to length one, weighed and summed."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from evaluation.errors import EvaluationError
from evaluation.faces.dlib_network import one_thread
from evaluation.pictures.likeness import Pixels

# AlexNet's layers by torchvision's numbers: channels, side of the kernel, step, edge, and whether a pooling
# comes before.
LAYERS: Final[Mapping[str, tuple[int, int, int, int, bool]]] = {
    "features.0": (64, 11, 4, 2, False),
    "features.3": (192, 5, 1, 2, True),
    "features.6": (384, 3, 1, 1, True),
    "features.8": (256, 3, 1, 1, False),
    "features.10": (256, 3, 1, 1, False),
}
# Of values from -1 to 1 what ImageNet's means and deviations are of values from 0 to 1.
SHIFT: Final = (-0.030, -0.088, -0.188)
SCALE: Final = (0.458, 0.448, 0.450)
# Figures depend on the size, and larger pictures take long.
LONG_SIDE: Final = 512
LEAST_LENGTH: Final = 1e-10


class Lpips:
    """The network with both of its weights."""

    name: Final = "LPIPS over AlexNet"

    def __init__(self, features: Mapping[str, Tensor], over: Mapping[str, Tensor], sha256: str) -> None:
        """Takes weights of the right shapes (see read_lpips), and the digest of both files together."""
        self._features = features
        self._over = over
        self.sha256: Final = sha256

    def between(self, original: Pixels, result: Pixels) -> float:
        """See evaluation.pictures.perceptual.Distance."""
        with one_thread(), torch.inference_mode():
            one, other = (self._answers(_values(each)) for each in (original, result))
            parts = [
                functional.conv2d((first - second) ** 2, self._over[f"lin{number}.model.1.weight"]).mean()
                for number, (first, second) in enumerate(zip(one, other, strict=True))
            ]
            return float(torch.stack(parts).sum())

    def _answers(self, values: Tensor) -> list[Tensor]:
        """What each layer answers, of length one in each place."""
        found = []
        for name, (_, _, step, edge, is_pooled) in LAYERS.items():
            values = functional.max_pool2d(values, 3, 2) if is_pooled else values
            weights = self._features[f"{name}.weight"], self._features[f"{name}.bias"]
            values = functional.relu(functional.conv2d(values, *weights, stride=step, padding=edge))
            lengths = (values**2).sum(dim=1, keepdim=True).sqrt()
            found.append(values / (lengths + LEAST_LENGTH))
        return found


def read_lpips(backbone: bytes, layers: bytes) -> Lpips:
    """Reads AlexNet's weights, and those over them; neither file can run anything.

    Raises:
        EvaluationError: model_unusable, where a file is no table of weights, or one is missing.
    """
    features, over = _weights(backbone), _weights(layers)
    given = 3
    for number, (name, (channels, side, *_)) in enumerate(LAYERS.items()):
        _of_shape(features, f"{name}.weight", (channels, given, side, side))
        _of_shape(features, f"{name}.bias", (channels,))
        _of_shape(over, f"lin{number}.model.1.weight", (1, channels, 1, 1))
        given = channels
    return Lpips(features, over, hashlib.sha256(backbone + layers).hexdigest())


def _weights(content: bytes) -> Mapping[str, Tensor]:
    try:
        table = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    # A file that is none fails in as many ways as its readers have.
    except (RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError):
        raise EvaluationError("model_unusable", "It is no file of weights.") from None
    if not isinstance(table, dict):
        raise EvaluationError("model_unusable", "It is no table of weights.")
    return {str(name): value.float() for name, value in table.items() if isinstance(value, Tensor)}


def _of_shape(table: Mapping[str, Tensor], name: str, shape: tuple[int, ...]) -> None:
    if name not in table or tuple(table[name].shape) != shape or not bool(table[name].isfinite().all()):
        raise EvaluationError("model_unusable", "A layer's weights are missing, or of another shape.")


def _values(picture: Pixels) -> Tensor:
    """(1, 3, h, w), as the network wants it."""
    share = min(1.0, LONG_SIDE / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
    values = torch.from_numpy(np.ascontiguousarray(small.transpose(2, 0, 1))).float()[None] / 127.5 - 1
    shift, scale = (torch.tensor(each).reshape(1, 3, 1, 1) for each in (SHIFT, SCALE))
    return (values - shift) / scale
