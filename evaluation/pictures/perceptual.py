"""How far a network says that two pictures are apart: a user's own by manifest, or LPIPS where its files are.

LPIPS (Zhang et al. 2018, "The unreasonable effectiveness of deep features as a perceptual metric") takes two
files that no package of ours brings, and that nothing here downloads: AlexNet's weights, where torchvision
lays them once somebody has used them, and the weights of the layers over them, in the package `lpips`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Final, Protocol

import torch

from evaluation.errors import EvaluationError
from evaluation.networks.manifests import PictureDistance
from evaluation.networks.opening import OpenNetwork, read_network, unusable
from evaluation.pictures.likeness import Pixels
from evaluation.pictures.lpips import Lpips, read_lpips

BACKBONE: Final = "alexnet-owt-7be5be79.pth"
LAYERS: Final = "weights/v0.1/alex.pth"
PACKAGE: Final = "lpips"


class Distance(Protocol):
    """Tells how far two pictures are apart."""

    @property
    def name(self) -> str:
        """What it is called in findings."""
        ...

    @property
    def sha256(self) -> str:
        """Of its file, hexadecimal."""
        ...

    def between(self, original: Pixels, result: Pixels) -> float:
        """Returns a number, 0 for two pictures that are the same.

        Args:
            original, result: of one size, (H, W, 3) uint8 RGB.

        Raises:
            EvaluationError: model_unusable.
        """
        ...


class AddedDistance:
    """A network by its manifest, of the kind `picture-distance`."""

    def __init__(self, path: Path) -> None:
        """Reads the manifest and opens the network beside it.

        Raises:
            EvaluationError: model_manifest_invalid, model_missing, model_digest_mismatch, model_unusable.
        """
        manifest, model = read_network(path, PictureDistance)
        self._takes = manifest.takes
        shape = (1, 3, self._takes.height, self._takes.width)
        self._network = OpenNetwork(manifest, model, shape, shape)
        self.name: Final = manifest.name
        self.sha256: Final = manifest.sha256

    def between(self, original: Pixels, result: Pixels) -> float:
        """See Distance."""
        given = (self._takes.values(self._takes.fitted(each))[None] for each in (original, result))
        answer = self._network.answer(*given)
        if answer.size != 1:
            raise unusable("It does not answer one number.")
        return float(answer.reshape(-1)[0])


def installed_lpips(backbone: Path | None = None, layers: Path | None = None) -> Lpips | None:
    """Returns LPIPS where both of its files are on this machine, and whole.

    Args:
        backbone: AlexNet's weights; by default where torchvision lays them.
        layers: the weights over them; by default those of the package `lpips`, which is not imported.
    """
    try:
        weights = (backbone or Path(torch.hub.get_dir()) / "checkpoints" / BACKBONE).read_bytes()
        over = (layers or _in_package()).read_bytes()
    except OSError:
        return None
    # torchvision's names of files end with the beginning of their digest.
    if not hashlib.sha256(weights).hexdigest().startswith(BACKBONE.removesuffix(".pth").rpartition("-")[2]):
        return None
    try:
        return read_lpips(weights, over)
    except EvaluationError:
        return None


def _in_package() -> Path:
    package = importlib.util.find_spec(PACKAGE)
    folders = (package.submodule_search_locations or []) if package is not None else []
    return next((Path(folder) / LAYERS for folder in folders), Path(LAYERS).absolute())
