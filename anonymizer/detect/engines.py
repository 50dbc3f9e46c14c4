"""Which engine runs on which device."""

from __future__ import annotations

from anonymizer.detect.compiled_engine import CompiledCenterFace
from anonymizer.detect.contract import Detector
from anonymizer.detect.onnx_engine import OnnxCenterFace
from anonymizer.models import CENTERFACE, Models


def open_detector(models: Models, threshold: float, threads: int) -> Detector:
    """Starts inference in this process. Call it after the fork: thread pools do not survive one.

    Raises:
        AnonymizerError: detector_failed or device_unavailable.
    """
    if models.device == "cuda":
        # torch takes seconds to import, so only where it runs; load_models has imported it by then.
        from anonymizer.detect.torch_engine import TorchCenterFace

        return TorchCenterFace(models.files[CENTERFACE], threshold, device="cuda")

    def open_any_size() -> Detector:
        return OnnxCenterFace(models.files[CENTERFACE], threshold, threads)

    if models.compiled is None:
        return open_any_size()
    return CompiledCenterFace(models.compiled, threshold, open_any_size)
