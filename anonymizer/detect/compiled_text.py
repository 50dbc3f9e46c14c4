"""The text detector on OpenVINO's CPU plugin, in bfloat16, for the sizes that most videos have.

Compiled before the wall, as CenterFace is (compiled_engine.py, ADR 14). One thread of it takes 52 ms for
1280 x 704, where ONNX Runtime takes 93 with two and 135 with one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from anonymizer.detect.asking import Asked
from anonymizer.detect.compiled_engine import PROPERTIES, compiled_in_bf16, started
from anonymizer.detect.contract import Image

# Rows and columns of 16:9 at the scales of `quality` and `balanced`, wide and upright. Each costs a fifth of
# a second at the start of the worker host.
SIZES: Final = ((704, 1280), (1280, 704), (544, 960))
# The network takes -1 to 1, blue first.
MIDDLE: Final = 127.5
SPAN: Final = 127.5


class CompiledText:
    """The network for some sizes. Made in the warm parent; each size is used by one thread at a time.

    Attributes:
        sizes: rows and columns.
    """

    def __init__(self, requests: dict[tuple[int, int], Any]) -> None:
        """Takes an inference request for each size (see compile_text)."""
        self._networks = {size: Asked(request, *size) for size, request in requests.items()}
        self.sizes = frozenset(requests)

    def likely(self, image: Image) -> npt.NDArray[np.float32]:
        """Returns how likely each pixel is text, (1, 1, H, W), for a picture of one of the sizes.

        Args:
            image: (H, W, 3) uint8 RGB.

        Raises:
            AnonymizerError: detector_failed, also where an answer is no finite number.
        """
        [answer] = self._networks[image.shape[0], image.shape[1]].answers(image)
        return answer


@lru_cache(maxsize=1)
def compile_text(model: bytes) -> CompiledText | None:
    """Compiles the network. Call it before the wall goes up.

    Args:
        model: the ONNX file, checked.

    Returns:
        None where OpenVINO is not installed, or the processor has no bfloat16: there it would gain nothing.

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """

    def compile_all(openvino: Any, core: Any) -> CompiledText:
        graph = core.read_model(model)
        return CompiledText({size: _compile(openvino, core, graph.clone(), *size) for size in SIZES})

    return compiled_in_bf16(compile_all)


def _compile(openvino: Any, core: Any, graph: Any, height: int, width: int) -> Any:
    graph.reshape([1, 3, height, width])
    shaping = openvino.preprocess.PrePostProcessor(graph)
    shaping.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    steps = shaping.input().preprocess().reverse_channels().convert_element_type(openvino.Type.f32)
    steps.mean(MIDDLE).scale(SPAN)
    shaping.input().model().set_layout(openvino.Layout("NCHW"))
    return started(core.compile_model(shaping.build(), "CPU", PROPERTIES), height, width)
