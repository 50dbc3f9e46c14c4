"""CenterFace on ONNX Runtime's CPU provider."""

from __future__ import annotations

from anonymizer.boxes import Boxes
from anonymizer.detect.centerface import Maps, boxes_from, network_input
from anonymizer.detect.contract import Image
from anonymizer.detect.graph import HEATMAP, INPUT_NAME, OFFSET, SCALE
from anonymizer.errors import AnonymizerError

try:
    import onnxruntime
except ImportError:  # a GPU machine needs none
    onnxruntime = None

ONLY_FATAL = 4


class OnnxCenterFace:
    """A Detector."""

    def __init__(self, model: bytes, threshold: float, threads: int) -> None:
        """Builds the session from bytes, with its own thread pool.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._threshold = threshold
        if onnxruntime is None:
            raise AnonymizerError("detector_failed")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = ONLY_FATAL
        # Spinning threads would take the cores away from the encoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # A picture of another size must not leave the arena grown for good.
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception:  # the runtime's exception classes share no public base
            raise AnonymizerError("detector_failed") from None

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
