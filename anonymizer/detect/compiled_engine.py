"""CenterFace on OpenVINO's CPU plugin, in bfloat16: compiled in the warm parent, run in its children.

OpenVINO writes machine code for the processor that it finds. Behind the wall no memory becomes runnable, so
every network is compiled before, one for each canvas, and run there once: what it still makes at the first
run is then made too. A forked child inherits the code and runs it in the calling thread (ADR 14):

- without streams a network starts no thread, which a fork would lose;
- TBB counts the processors when it is loaded: with one to count it starts no worker.

`import openvino` also loads a client that reports usage to its maker, where that is installed: it writes to
the home folder and starts processes. It is kept from loading.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

import numpy as np

from anonymizer.boxes import Boxes
from anonymizer.detect.asking import Asked
from anonymizer.detect.canvas import Canvas, canvas_for
from anonymizer.detect.centerface import Maps, boxes_from
from anonymizer.detect.contract import Detector, Image
from anonymizer.errors import AnonymizerError

Compiled = TypeVar("Compiled")

REPORTS_TO_ITS_MAKER: Final = "openvino_telemetry"
NEEDED: Final = "BF16"
PROPERTIES: Final = {
    "INFERENCE_PRECISION_HINT": "bf16",
    # None at all: the network runs in the thread that asks.
    "NUM_STREAMS": "0",
    "INFERENCE_NUM_THREADS": "1",
    "ENABLE_CPU_PINNING": "NO",
}


class CompiledNetworks:
    """CenterFace compiled for some canvases. Made in the warm parent; each is used by one thread at a time.

    Attributes:
        canvases: the sizes that it runs at.
    """

    def __init__(self, requests: dict[Canvas, Any]) -> None:
        """Takes an inference request for each canvas (see compile_networks)."""
        self._requests = requests
        self._networks = {
            canvas: Asked(request, canvas.height, canvas.width) for canvas, request in requests.items()
        }
        self.canvases = tuple(requests)

    def with_those_of(self, other: CompiledNetworks) -> CompiledNetworks:
        """Returns the canvases of both."""
        return CompiledNetworks({**self._requests, **other._requests})

    def run(self, canvas: Canvas, image: Image) -> Maps:
        """Runs the network on a picture that fits on the canvas; the maps cover the whole canvas.

        Raises:
            AnonymizerError: detector_failed.
        """
        sheet = np.zeros((canvas.height, canvas.width, 3), np.uint8)
        sheet[: image.shape[0], : image.shape[1]] = image
        heat, size, offset = self._networks[canvas].answers(sheet, (0, 1, 2))
        return Maps(heat[0, 0], size[0], offset[0])


def compile_networks(model: bytes, canvases: tuple[Canvas, ...]) -> CompiledNetworks | None:
    """Compiles CenterFace for some canvases. Call it before the wall goes up.

    Args:
        model: from ready_to_run.
        canvases: the sizes.

    Returns:
        None where OpenVINO is not installed, or the processor has no bfloat16: there it would gain nothing.

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """

    def compile_all(openvino: Any, core: Any) -> CompiledNetworks:
        graph = _taking_bytes(openvino, core.read_model(model))
        return CompiledNetworks({canvas: _compile(core, graph.clone(), canvas) for canvas in canvases})

    return compiled_in_bf16(compile_all)


def compiled_in_bf16(work: Callable[[Any, Any], Compiled]) -> Compiled | None:
    """Lets the package and a core of it compile something.

    Returns:
        None where OpenVINO is not installed, or the processor has no bfloat16.

    Raises:
        AnonymizerError: detector_failed, for whatever goes wrong.
    """
    with one_processor():
        openvino = import_openvino()
        if openvino is None:
            return None
        try:
            core = openvino.Core()
            if NEEDED not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
                return None
            return work(openvino, core)
        except Exception:  # the runtime's exception classes share no public base
            raise AnonymizerError("detector_failed") from None


def _taking_bytes(openvino: Any, graph: Any) -> Any:
    """Lets pictures go in as they are, (1, H, W, 3) uint8; the network turns them into its own numbers."""
    shaping = openvino.preprocess.PrePostProcessor(graph)
    shaping.input().tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    shaping.input().model().set_layout(openvino.Layout("NCHW"))
    return shaping.build()


def _compile(core: Any, graph: Any, canvas: Canvas) -> Any:
    graph.reshape([1, canvas.height, canvas.width, 3])
    return started(core.compile_model(graph, "CPU", PROPERTIES), canvas.height, canvas.width)


def started(compiled: Any, height: int, width: int) -> Any:
    """Returns a request of a network that takes (1, height, width, 3) uint8, after its first run."""
    request = compiled.create_infer_request()
    request.infer({0: np.zeros((1, height, width, 3), np.uint8)})
    # A child that needs room for the values between layers takes its own.
    compiled.release_memory()
    return request


def import_openvino() -> Any:
    """Returns the package, or None where it is not installed."""
    # The import machinery takes None for "there is no such module"; OpenVINO then goes on without.
    sys.modules.setdefault(REPORTS_TO_ITS_MAKER, None)  # type: ignore[arg-type]  # documented, not in typeshed
    try:
        return importlib.import_module("openvino")
    except ImportError:
        return None


@contextlib.contextmanager
def one_processor() -> Iterator[None]:
    """Lets this process see one processor, so that TBB, loaded inside, starts no thread."""
    allowed = os.sched_getaffinity(0)
    # Hosts that start side by side take different ones.
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


class CompiledCenterFace:
    """A Detector: compiled where the picture fits on a canvas, otherwise another detector's."""

    def __init__(
        self, networks: CompiledNetworks, threshold: float, any_size: Callable[[], Detector]
    ) -> None:
        """Takes the networks, the lowest score, and how to open a detector for all other sizes."""
        self._networks = networks
        self._threshold = threshold
        self._open_any_size = any_size
        self._opening = threading.Lock()
        self._any_size: Detector | None = None

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        """See Detector.detect."""
        if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise AnonymizerError("detector_failed")
        canvas = canvas_for(image.shape[0], image.shape[1], self._networks.canvases)
        if canvas is None:
            with self._opening:
                if self._any_size is None:
                    self._any_size = self._open_any_size()
            return self._any_size.detect(image, threshold)
        maps = self._networks.run(canvas, image)
        return boxes_from(maps, image, self._threshold if threshold is None else threshold)
