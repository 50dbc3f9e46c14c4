"""A result of every kind, made once."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer import Models
from tests.media_factory import face_clip, face_image
from tests.sound_factory import as_file
from tests.unit.anonymizer.leaks.finished import Made, result_of


@pytest.fixture(scope="session")
def made(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """By its ending."""
    folder = tmp_path_factory.mktemp("made")
    sources = {
        ".mp4": face_clip(folder / "in.mp4", 0.4, 10, (96, 64)),
        ".m4a": as_file(folder / "in.m4a", np.zeros(8000, np.float32)),
        **{suffix: face_image(folder / f"in{suffix}", (64, 48)) for suffix in (".jpg", ".png", ".webp")},
    }
    return {suffix: result_of(models, path.read_bytes()) for suffix, path in sources.items()}
