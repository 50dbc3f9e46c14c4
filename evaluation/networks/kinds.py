"""The networks that a user may bring along, as their manifests say them to be (manifests.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Kind = Literal["person-embedding", "picture-distance", "action"]
Layout = Literal["NCTHW", "NTCHW"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True)
class PictureInput:
    """How pictures become what a network takes.

    Attributes:
        height, width: pixels.
        colours: the order of the channels.
        mean, deviation: value = (pixel - mean) / deviation, by channel in that order, pixels 0 to 255.
    """

    height: int
    width: int
    colours: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def fitted(self, picture: Pixels) -> Pixels:
        """Returns a picture (H, W, 3) stretched to the network's size, as re-identification does it."""
        shrinks = picture.shape[0] > self.height and picture.shape[1] > self.width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(picture, (self.width, self.height), interpolation=how), np.uint8)

    def values(self, picture: Pixels) -> Values:
        """Returns (3, height, width) float32 of (height, width, 3) uint8 RGB."""
        ordered = picture if self.colours == "rgb" else picture[:, :, ::-1]
        mean, deviation = (np.array(each, np.float32) for each in (self.mean, self.deviation))
        return np.ascontiguousarray(((ordered.astype(np.float32) - mean) / deviation).transpose(2, 0, 1))


@dataclass(frozen=True)
class NetworkManifest:
    """What every kind says.

    Attributes:
        file, sha256: the graph.
        licence, source: for people.
        takes: its pictures.
    """

    file: str
    sha256: str
    licence: str
    source: str
    takes: PictureInput

    @property
    def name(self) -> str:
        """What the network is called in findings."""
        return self.file.removesuffix(".onnx")


@dataclass(frozen=True)
class PersonEmbedding(NetworkManifest):
    """A network that makes a vector of a person; those of one person point the same way.

    Attributes:
        dimension: numbers in a vector.
        same_above: two originals whose cosine is above it are taken for one person.
    """

    dimension: int
    same_above: float

    kind: ClassVar[Kind] = "person-embedding"


@dataclass(frozen=True)
class PictureDistance(NetworkManifest):
    """A network that tells how far two pictures are apart."""

    kind: ClassVar[Kind] = "picture-distance"


@dataclass(frozen=True)
class ActionClassifier(NetworkManifest):
    """A network that tells what is done in a clip.

    Attributes:
        frames: of a clip.
        step: so many frames of the film lie from one to the next.
        layout: the order of the input's axes: clips, colours, time, rows, columns.
        labels: of the classes, in their order.
    """

    frames: int
    step: int
    layout: Layout
    labels: tuple[str, ...]

    kind: ClassVar[Kind] = "action"


AnyNetwork = PersonEmbedding | PictureDistance | ActionClassifier
