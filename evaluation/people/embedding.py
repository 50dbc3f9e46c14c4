"""Re-identifiers by manifest: ONNX networks that make vectors of people, of the kind `person-embedding`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from anonymizer.boxes import Box
from evaluation.errors import EvaluationError
from evaluation.faces.recognizers import Cut, Pixels, Vectors, unit_rows
from evaluation.networks.manifests import PersonEmbedding
from evaluation.networks.opening import OpenNetwork, of_shape, read_network


class PersonRecognizer:
    """One network by its manifest. Somebody is cut out by their box, and stretched to what it takes."""

    def __init__(self, path: Path) -> None:
        """Reads the manifest and opens the network beside it.

        Raises:
            EvaluationError: model_manifest_invalid, model_missing, model_digest_mismatch, model_unusable.
        """
        self._manifest, model = read_network(path, PersonEmbedding)
        takes = self._manifest.takes
        self._network = OpenNetwork(self._manifest, model, (1, 3, takes.height, takes.width))
        self.name: Final = self._network.name
        self.sha256: Final = self._network.sha256
        self.same_above: Final = self._manifest.same_above

    def place(self, original: Pixels, box: Box) -> Cut | None:
        """See evaluation.faces.recognizers.Recognizer; None of a box that lies beside the picture."""
        height, width = original.shape[:2]
        left, right = (min(max(round(edge), 0), width) for edge in (box.x1, box.x2))
        top, bottom = (min(max(round(edge), 0), height) for edge in (box.y1, box.y2))
        if right <= left or bottom <= top:
            return None
        shape = original.shape

        def cut(picture: Pixels) -> Pixels:
            if picture.shape != shape:
                raise EvaluationError("comparison_mismatch")
            return self._manifest.takes.fitted(np.ascontiguousarray(picture[top:bottom, left:right]))

        return cut

    def vectors(self, chips: Sequence[Pixels]) -> Vectors:
        """See evaluation.faces.recognizers.Recognizer."""
        shape = (1, self._manifest.dimension)
        found = [
            of_shape(self._network.answer(self._manifest.takes.values(chip)[None]), shape)[0]
            for chip in chips
        ]
        return unit_rows(np.array(found, np.float64).reshape(len(found), -1))
