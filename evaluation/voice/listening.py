"""An attacker's ears: speech in, a vector of the voice out.

Two pairs, because an effect that fools one need not fool the other. `Resemblyzer` is a network that was
trained to tell speakers apart, on original speech (Wan et al. 2018, GE2E). `acoustics` (acoustics.py) is
what a phonetician would measure.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer import AnonymizerError
from anonymizer.models import ACTIVITY, PINNED_SHA256, PLACES, SPEAKERS, check_digest
from anonymizer.speakers import open_speakers, speaker_files
from evaluation.errors import EvaluationError

Speech = npt.NDArray[np.float32]
Vector = npt.NDArray[np.float64]
Ears = Callable[[Speech], Vector]
"""Takes speech, (samples,) float32, 16,000 Hz, and gives a vector, always of the same size."""

RATE: Final = 16_000
THREADS: Final = 1
# Cutting silence is for speech; what is left of less than this is no speech.
MIN_VOICED: Final = RATE // 2


class Resemblyzer:
    """Resemblyzer's network, on what silero-vad takes for speech."""

    def __init__(self, threads: int = THREADS) -> None:
        """Opens both networks.

        Raises:
            EvaluationError: model_missing, or another of the anonymizer's codes about models.
        """
        try:
            files = speaker_files(_content(SPEAKERS), _content(ACTIVITY))
            self._networks = open_speakers(files, threads)
        except AnonymizerError as error:
            raise EvaluationError(error.code, str(error)) from None

    def __call__(self, speech: Speech) -> Vector:
        """Returns the voice, (256,), of length 1; zeros for digital silence."""
        if not speech.any():
            return np.zeros(256)
        voiced = self._networks.voiced(speech)
        heard = voiced if len(voiced) >= MIN_VOICED else speech
        return np.asarray(self._networks.encoder.embed(heard), np.float64)


def _content(model: str) -> bytes:
    """A pinned model's file, out of its package, which is not imported."""
    package, file = PLACES[model]
    found = importlib.util.find_spec(package)
    for folder in (found.submodule_search_locations or []) if found else []:
        path = Path(folder) / file
        if path.is_file():
            content = path.read_bytes()
            check_digest(content, PINNED_SHA256[model])
            return content
    raise EvaluationError("model_missing")
