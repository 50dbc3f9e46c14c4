"""Recognizers by manifest: any ONNX network that makes vectors of faces, of the kind `face-embedding`.

The same manifests with which people who agreed to be seen are enrolled (docs/models.md). Here nothing is
installed: the manifest is read where it lies, with its network beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from anonymizer import AnonymizerError
from anonymizer.added import read_offered
from anonymizer.boxes import Box
from anonymizer.effects.region import Plane
from anonymizer.enrolled.embedding import EmbeddingNetwork, FaceEmbedder
from anonymizer.enrolled.manifest import FaceEmbedding
from anonymizer.landmarks.cropping import crop_of
from anonymizer.landmarks.networks import FaceNetworks
from evaluation.errors import EvaluationError
from evaluation.faces.recognizers import Cut, Pixels, Vectors, unit_rows

THREADS: Final = 2
NEUTRAL: Final = 128


class AddedRecognizer:
    """One network by its manifest."""

    def __init__(self, path: Path, landmarks: FaceNetworks | None) -> None:
        """Reads the manifest and opens the network beside it.

        Args:
            path: of the manifest.
            landmarks: what finds the eyes, for a network that wants them in their place.

        Raises:
            EvaluationError: recognizer_missing, or one of the anonymizer's codes about models.
        """
        try:
            offered = read_offered(path)
            manifest = offered.manifest
            if not isinstance(manifest, FaceEmbedding):
                raise EvaluationError("recognizer_missing", f"A recognizer is of kind {FaceEmbedding.kind}.")
            self._network = EmbeddingNetwork(offered.model_bytes, manifest, THREADS)
            self._embedder = FaceEmbedder(self._network, landmarks)
        except AnonymizerError as error:
            raise EvaluationError(error.code, str(error)) from None
        self.name: Final = manifest.file.removesuffix(".onnx")
        self.sha256: Final = manifest.sha256
        self.same_above: Final = manifest.bounds.threshold

    def place(self, original: Pixels, box: Box) -> Cut | None:
        """See Recognizer."""
        height, width = original.shape[:2]
        square = self._embedder.square(_planes(original), width, height, box)
        if square is None:
            return None
        side, shape = self._network.manifest.side, original.shape

        def cut(picture: Pixels) -> Pixels:
            if picture.shape != shape:
                raise EvaluationError("comparison_mismatch")
            crop = crop_of(_planes(picture), width, height, square, side)
            if crop is None:
                raise EvaluationError("comparison_mismatch")
            return crop

        return cut

    def vectors(self, chips: Sequence[Pixels]) -> Vectors:
        """See Recognizer."""
        try:
            found = [self._network.vector(chip).astype(np.float64) for chip in chips]
        except AnonymizerError:
            raise EvaluationError("recognizer_failed") from None
        return unit_rows(np.array(found).reshape(len(found), -1))


def _planes(picture: Pixels) -> list[Plane]:
    """The planes of a scene are blue, green and red."""
    return [Plane(np.ascontiguousarray(picture[:, :, channel]), 1, NEUTRAL) for channel in (2, 1, 0)]
