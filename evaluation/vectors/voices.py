"""One voice in each recording, by Resemblyzer's network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from anonymizer.models import PINNED_SHA256, SPEAKERS
from evaluation.errors import EvaluationError
from evaluation.vectors.found import Found, Place
from evaluation.voice.listening import Resemblyzer
from evaluation.voice.recordings import read_speech


def voices_in(files: Sequence[Path]) -> Found:
    """Returns one vector a file, (files, 256).

    Raises:
        EvaluationError: sound_unreadable, sound_too_short, no_voice, model_missing.
    """
    listen = Resemblyzer()
    vectors = np.array([listen(read_speech(path)) for path in files])
    if not np.linalg.norm(vectors, axis=1).all():
        raise EvaluationError("no_voice")
    places = tuple(Place(number) for number in range(len(files)))
    return Found("voice", PINNED_SHA256[SPEAKERS], vectors, places)
