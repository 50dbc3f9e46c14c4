"""Manifests of a user's own networks: what is taken, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from anonymizer import AnonymizerError
from evaluation.errors import EvaluationError
from evaluation.networks.manifests import (
    ActionClassifier,
    AnyNetwork,
    PersonEmbedding,
    PictureDistance,
    parse_network,
)
from evaluation.networks.opening import OpenNetwork, kind_of, read_network
from tests.made_networks import write_classifier, write_distance, write_re_identifier

WRITERS: dict[type[AnyNetwork], Callable[[Path], Path]] = {
    PersonEmbedding: write_re_identifier,
    PictureDistance: write_distance,
    ActionClassifier: write_classifier,
}


@pytest.mark.parametrize("kind", WRITERS, ids=lambda kind: kind.kind)
def test_every_kind_is_read_and_no_other_in_its_place(kind: type[AnyNetwork], tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path)
    manifest, model = read_network(path, kind)
    assert isinstance(manifest, kind)
    assert model == (tmp_path / manifest.file).read_bytes()
    assert kind_of(path) == kind.kind
    others = [other for other in WRITERS if other is not kind]
    for other in others:
        with pytest.raises(EvaluationError) as refused:
            read_network(path, other)
        assert refused.value.code == "model_manifest_invalid"


REFUSED: dict[str, tuple[Callable[[Path], Path], str, str, str]] = {
    "a key too many": (write_distance, 'metric = "distance"', 'metric = "distance"\nmore = 1', ""),
    "no kind that is known": (write_distance, '"picture-distance"', '"faces"', ""),
    "another schema": (write_distance, "model/v1", "model/v2", ""),
    "a side that is no side": (write_distance, "height = 64", "height = 4096", ""),
    "no table": (write_distance, '[output]\nmetric = "distance"', "output = 1", ""),
    "another metric": (write_re_identifier, '"cosine"', '"euclid"', ""),
    "a threshold that nothing exceeds": (write_re_identifier, "threshold = 0.9", "threshold = 1.0", ""),
    "two labels alike": (write_classifier, '"dusk"', '"dawn"', ""),
    "one label": (write_classifier, ', "dusk"', "", ""),
    "a label with a line": (write_classifier, '"dusk"', '"du\\nsk"', ""),
    "another layout": (write_classifier, '"NCTHW"', '"TNCHW"', ""),
    "a place outside": (write_distance, '"picture-distance.onnx"', '"../x.onnx"', ""),
    "no network": (write_distance, '"picture-distance.onnx"', '"other.onnx"', "model_missing"),
    "another digest": (write_distance, 'sha256 = "', f'sha256 = "{"0" * 64}"  # ', "model_digest_mismatch"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str, tmp_path: Path) -> None:
    write, old, new, code = REFUSED[case]
    path = write(tmp_path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    kinds = {each: kind for kind, each in WRITERS.items()}
    with pytest.raises(EvaluationError) as refused:
        read_network(path, kinds[write])
    assert refused.value.code == (code or "model_manifest_invalid")


def test_what_is_no_toml_is_refused_with_the_same_code(tmp_path: Path) -> None:
    for content in (b"\xff", b"kind", b"x = 1", b"a" * 20_000):
        with pytest.raises(AnonymizerError) as refused:
            parse_network(content)
        assert refused.value.code == "model_manifest_invalid"
    with pytest.raises(EvaluationError) as missing:
        kind_of(tmp_path / "none.toml")
    assert missing.value.code == "model_manifest_invalid"


def test_a_graph_that_is_not_what_its_manifest_says(tmp_path: Path) -> None:
    manifest, model = read_network(write_distance(tmp_path), PictureDistance)
    right = (1, 3, 64, 64)
    for content, shapes in (
        (b"no graph", (right, right)),
        (model, (right,)),
        (model, ((1, 3, 32, 64), right)),
    ):
        with pytest.raises(EvaluationError) as refused:
            OpenNetwork(manifest, content, *shapes)
        assert refused.value.code == "model_unusable"
    network = OpenNetwork(manifest, model, right, right)
    zeros = np.zeros(right, np.float32)
    assert network.answer(zeros, zeros + 0.5).tolist() == pytest.approx([0.5])
    with pytest.raises(EvaluationError) as refused:
        network.answer(zeros, np.zeros((1, 3, 8, 8), np.float32))
    assert refused.value.code == "model_unusable"
