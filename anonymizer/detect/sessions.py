"""One network on ONNX Runtime's CPU provider, whatever it finds.

A network that cannot be opened or run, or that answers what is no finite number, ends the job: silence must
never read as "nothing here".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError

try:
    import onnxruntime
except ImportError:  # a GPU machine needs none
    onnxruntime = None

FloatArray = npt.NDArray[np.float32]

ONLY_FATAL = 4


def open_session(model: bytes, threads: int) -> Any:
    """Builds a session from bytes, with its own thread pool. Call it after the fork.

    Raises:
        AnonymizerError: detector_failed.
    """
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
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception:  # the runtime's exception classes share no public base
        raise AnonymizerError("detector_failed") from None


class Network:
    """An open network: arrays in, finite arrays out.

    Attributes:
        inputs, outputs: names in the order of the graph.
    """

    def __init__(self, model: bytes, threads: int) -> None:
        """Builds the session from bytes, with its own thread pool. Call it after the fork.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._session = open_session(model, threads)
        self.inputs = tuple(value.name for value in self._session.get_inputs())
        self.outputs = tuple(value.name for value in self._session.get_outputs())

    def note(self, key: str) -> str:
        """Returns what the file says under a key of its own; nothing where it says nothing."""
        return str(self._session.get_modelmeta().custom_metadata_map.get(key, ""))

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Tells whether the first input takes float32 of this shape, as far as the graph says."""
        wanted = self._session.get_inputs()[0]
        return (
            wanted.type == "tensor(float)"
            and len(wanted.shape) == len(shape)
            and all(
                not isinstance(said, int) or said == size
                for said, size in zip(wanted.shape, shape, strict=True)
            )
        )

    def run(self, feeds: Mapping[str, FloatArray]) -> list[FloatArray]:
        """Gives every output of the graph, in its order, as float32.

        Raises:
            AnonymizerError: detector_failed, also where an answer holds what is no finite number.
        """
        try:
            answers = self._session.run(None, dict(feeds))
        except Exception:  # the runtime's exception classes share no public base
            raise AnonymizerError("detector_failed") from None
        arrays = []
        for answer in answers:
            if not isinstance(answer, np.ndarray) or answer.dtype.kind not in "fiu":
                raise AnonymizerError("detector_failed")
            array = answer.astype(np.float32, copy=False)
            if not np.isfinite(array).all():
                raise AnonymizerError("detector_failed")
            arrays.append(array)
        return arrays
