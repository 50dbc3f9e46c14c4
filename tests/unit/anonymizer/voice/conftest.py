"""The shipped networks, opened once, and speech to convert."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_speech import Speech, spoken

import anonymizer.voice
from anonymizer.voice import VoiceNetworks, VoiceWeights, open_voice

WORDS = "the north wind and the sun were arguing which of them was the stronger"


@pytest.fixture(scope="session")
def weights() -> VoiceWeights:
    """The files of the package."""
    folder = Path(anonymizer.voice.__file__).parent / "weights"
    return VoiceWeights((folder / "encoder.onnx").read_bytes(), (folder / "decoder.onnx").read_bytes())


@pytest.fixture(scope="session")
def networks(weights: VoiceWeights) -> VoiceNetworks:
    """Both networks on one thread."""
    return open_voice(weights, 1)


@pytest.fixture(scope="session")
def speech() -> Speech:
    """A sentence by espeak-ng, at a usual level."""
    made = spoken("m3", 50, WORDS)
    return (made * (0.1 / np.sqrt(np.mean(made**2)))).astype(np.float32)
