"""One compiled network that is asked: by one thread at a time, and an answer that is no number is none."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from anonymizer.detect.contract import Image
from anonymizer.errors import AnonymizerError


class Asked:
    """An inference request of OpenVINO's for pictures of one size, and its turn-taking."""

    def __init__(self, request: Any, height: int, width: int) -> None:
        """Takes a request that was started for (1, height, width, 3) uint8 (see compiled_engine.started)."""
        self._request = request
        self._shape = (height, width, 3)
        self._busy = threading.Lock()

    def answers(self, image: Image, wanted: Sequence[int] = (0,)) -> list[npt.NDArray[np.float32]]:
        """Runs the network once.

        Args:
            image: (height, width, 3) uint8.
            wanted: which of its outputs.

        Returns:
            Copies of those, in that order.

        Raises:
            AnonymizerError: detector_failed: another size, a failure of the runtime, an answer that is not
                finite.
        """
        if image.shape != self._shape:
            raise AnonymizerError("detector_failed")
        try:
            with self._busy:
                self._request.infer({0: np.ascontiguousarray(image[None])}, share_inputs=True)
                answers = [np.array(self._request.get_output_tensor(i).data, np.float32) for i in wanted]
        except Exception:  # the runtime's exception classes share no public base
            raise AnonymizerError("detector_failed") from None
        if not all(np.isfinite(answer).all() for answer in answers):
            raise AnonymizerError("detector_failed")
        return answers
