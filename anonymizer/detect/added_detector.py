"""A detector that was added by manifest, behind the same contract as ours."""

from __future__ import annotations

import cv2
import numpy as np

from anonymizer.boxes import Boxes, suppress
from anonymizer.detect.contract import Image
from anonymizer.detect.decoding import DECODERS, Outputs, of_class
from anonymizer.detect.sessions import FloatArray, Network
from anonymizer.errors import AnonymizerError
from anonymizer.manifest import InputLayout, Manifest

BLACK = 0
# A network that sees more than this in one picture sees noise, and comparing all with all takes minutes.
MOST_FOUND = 20_000


class AddedDetector:
    """A Detector. Pictures are fitted into the network's input, never enlarged, black beside and below."""

    def __init__(self, model: bytes, manifest: Manifest, threshold: float, threads: int) -> None:
        """Opens the network and runs it once on black, so that what cannot run fails before any frame.

        Raises:
            AnonymizerError: model_unusable, where it does not open, or does not take or answer what its
                manifest says; detector_failed, where its answers are not finite.
        """
        self._manifest = manifest
        self._threshold = threshold
        try:
            self._network = Network(model, threads)
        except AnonymizerError:
            raise AnonymizerError("model_unusable", "It is no graph that can be opened.") from None
        layout = manifest.layout
        if len(self._network.inputs) != 1:
            raise AnonymizerError("model_unusable", "It takes more than one input.")
        if not self._network.takes((1, 3, layout.height, layout.width)):
            raise AnonymizerError("model_unusable", "It does not take pictures of the size that is said.")
        self.detect(np.full((layout.height, layout.width, 3), BLACK, np.uint8))

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        """See Detector.detect.

        Raises:
            AnonymizerError: detector_failed or model_unusable.
        """
        if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise AnonymizerError("detector_failed")
        height, width = image.shape[:2]
        layout = self._manifest.layout
        share = min(layout.width / width, layout.height / height, 1.0)
        fed, across, down = _fitted(image, layout, share)
        outputs: Outputs = self._network.run({self._network.inputs[0]: fed})
        decoder = self._manifest.decoder
        if self._manifest.class_number is not None:
            outputs = of_class(decoder, outputs, self._manifest.class_number)
        found = DECODERS[decoder](
            outputs, layout.width, layout.height, self._threshold if threshold is None else threshold
        )
        if not np.isfinite(found).all() or len(found) > MOST_FOUND:
            raise AnonymizerError("detector_failed")
        found[:, :4] *= np.array([width / across, height / down] * 2, np.float32)
        found[:, [0, 2]] = np.clip(found[:, [0, 2]], 0, width)
        found[:, [1, 3]] = np.clip(found[:, [1, 3]], 0, height)
        return suppress(found[(found[:, 2] > found[:, 0]) & (found[:, 3] > found[:, 1])])


def _fitted(image: Image, layout: InputLayout, share: float) -> tuple[FloatArray, int, int]:
    """Returns (1, 3, H, W) as the network takes it, and the width and height of the picture within."""
    across, down = (max(1, round(side * share)) for side in (image.shape[1], image.shape[0]))
    if share < 1:
        image = np.asarray(cv2.resize(image, (across, down), interpolation=cv2.INTER_AREA), np.uint8)
    canvas = np.full((layout.height, layout.width, 3), BLACK, np.uint8)
    canvas[:down, :across] = image if layout.colours == "rgb" else image[:, :, ::-1]
    mean, deviation = (np.array(triple, np.float32) for triple in (layout.mean, layout.deviation))
    scaled = (canvas.astype(np.float32) - mean) / deviation
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None]), across, down
