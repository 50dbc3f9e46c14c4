"""The text detector compiled for some sizes: it sees what the other engine sees, and fails as loudly."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from text_factory import a_scene, plate

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import overlaps
from anonymizer.detect.compiled_text import SIZES, CompiledText
from anonymizer.detect.text import TextDetector, TextLooker
from anonymizer.models import TEXT


@pytest.fixture(scope="module")
def compiled(models: Models) -> CompiledText:
    if models.compiled_text is None:
        pytest.skip("no OpenVINO here, no bfloat16, or it is no faster")
    return models.compiled_text


def looked(detector: TextDetector, picture: Any, scale: int) -> Any:
    looker = TextLooker(detector, (scale,), {"text": 0.3}, ())
    height, width = picture.shape[:2]
    return looker.look(width, height, lambda w, h: cv2.resize(picture, (w, h)))["text"]


@pytest.mark.parametrize("scale", [960, 1280])
@pytest.mark.parametrize("which", range(3))
def test_it_finds_the_lines_that_the_other_engine_finds(
    models: Models, compiled: CompiledText, which: int, scale: int
) -> None:
    scene = a_scene(which)
    for seed, centre in enumerate([(300, 200), (900, 250), (600, 560)]):
        scene.put(plate(30.0, seed + 10 * which), centre)
    plain = looked(TextDetector(models.files[TEXT], 2), scene.picture, scale)
    found = looked(TextDetector(models.files[TEXT], 2, compiled), scene.picture, scale)
    assert len(plain) == len(found) >= 1
    assert overlaps(plain, found).max(axis=1).min() > 0.8


def test_every_size_of_it_is_one_that_the_network_takes(compiled: CompiledText) -> None:
    assert compiled.sizes == set(SIZES)
    for height, width in SIZES:
        assert height % 32 == width % 32 == 0
        likely = compiled.likely(np.zeros((height, width, 3), np.uint8))
        assert likely.shape == (1, 1, height, width)


class Answers:
    """An inference request that gives one answer."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def infer(self, *_: Any, **__: Any) -> None:
        if isinstance(self._answer, Exception):
            raise self._answer

    def get_output_tensor(self, _: int) -> Any:
        return type("Tensor", (), {"data": self._answer})


FAILURES = {
    "no number": np.full((1, 1, 32, 64), np.nan, np.float32),
    "without end": np.full((1, 1, 32, 64), np.inf, np.float32),
    "another shape": np.zeros((1, 1, 32, 32), np.float32),
    "an error": RuntimeError("Infer Request is busy"),
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
def test_a_network_that_fails_ends_the_job(models: Models, answer: Any) -> None:
    detector = TextDetector(models.files[TEXT], 1, CompiledText({(32, 64): Answers(answer)}))
    with pytest.raises(AnonymizerError) as refusal:
        detector.lines(np.zeros((32, 64, 3), np.uint8), 0.3)
    assert refusal.value.code == "detector_failed"
