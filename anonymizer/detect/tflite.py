"""Networks in TensorFlow Lite's format, compiled by OpenVINO in the warm parent (ADR 14).

Of the runtimes that are here only OpenVINO reads this format. Where it is not installed there are no such
networks, and a policy that asks for them is refused: nothing weaker takes their place.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymizer.detect.compiled_engine import NEEDED, PROPERTIES, import_openvino, one_processor, started
from anonymizer.errors import AnonymizerError


@dataclass(frozen=True)
class TfliteFile:
    """One network.

    Attributes:
        content: the file, checked.
        side: of its input in pixels, (1, side, side, 3) RGB.
        mean, scale: what the network takes is (pixel - mean) / scale.
        precise: whether it runs in 32 bits also where the processor is faster with fewer.
    """

    content: bytes = field(repr=False)
    side: int
    mean: float
    scale: float
    precise: bool = False


def compile_tflite(*files: TfliteFile) -> list[Any] | None:
    """Compiles networks, each of which then takes uint8. Call it before the wall goes up.

    Returns:
        An inference request for each; None where OpenVINO is not installed, or no temporary folder is there
        to hand it the files in.

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """
    with one_processor():
        openvino = import_openvino()
        if openvino is None:
            return None
        try:
            core = openvino.Core()
            fast = NEEDED in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
            exact = {**PROPERTIES, "INFERENCE_PRECISION_HINT": "f32"}
            return [
                _compile(openvino, core, file, PROPERTIES if fast and not file.precise else exact)
                for file in files
            ]
        except OSError:
            return None
        except Exception:  # the runtime's exception classes share no public base
            raise AnonymizerError("detector_failed") from None


def _compile(openvino: Any, core: Any, file: TfliteFile, properties: dict[str, str]) -> Any:
    # OpenVINO reads this format from a file alone. A copy of the checked bytes, which nobody else can change.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(file.content)
        graph = core.read_model(str(path))
        shaping = openvino.preprocess.PrePostProcessor(graph)
        shaping.input().tensor().set_element_type(openvino.Type.u8)
        scaled = shaping.input().preprocess().convert_element_type(openvino.Type.f32)
        scaled.mean(file.mean).scale(file.scale)
        compiled = core.compile_model(shaping.build(), "CPU", properties)
    return started(compiled, file.side, file.side)
