"""CenterFace on ONNX Runtime's CPU provider."""

from __future__ import annotations

from anonymizer.boxes import Boxes
from anonymizer.detect.centerface import Maps, boxes_from, network_input
from anonymizer.detect.contract import Image
from anonymizer.detect.graph import HEATMAP, INPUT_NAME, OFFSET, SCALE
from anonymizer.detect.sessions import open_session
from anonymizer.errors import AnonymizerError


class OnnxCenterFace:
    """A Detector."""

    def __init__(self, model: bytes, threshold: float, threads: int) -> None:
        """Builds the session from bytes, with its own thread pool.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._threshold = threshold
        self._session = open_session(model, threads)

    def maps(self, image: Image) -> Maps:
        """Runs the network on a picture of any size.

        Raises:
            AnonymizerError: detector_failed.
        """
        try:
            heat, size, offset = self._session.run(
                [HEATMAP, SCALE, OFFSET], {INPUT_NAME: network_input(image)}
            )
        except AnonymizerError:
            raise
        except Exception:  # the runtime's exception classes share no public base
            raise AnonymizerError("detector_failed") from None
        return Maps(heat[0, 0], size[0], offset[0])

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        """See Detector.detect."""
        return boxes_from(self.maps(image), image, self._threshold if threshold is None else threshold)
