"""Our reading of the text network's answers against the package's own: the same lines, to a pixel or two."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from text_factory import a_scene, label, plate

from anonymizer import Models, load_models
from anonymizer.detect.text import TextDetector
from anonymizer.detect.text_maps import lines_of
from anonymizer.models import TEXT

THRESHOLD = 0.5
MOST_PIXELS_APART = 2.0


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models("cpu")


@pytest.fixture(scope="module")
def theirs() -> Any:
    """The package's post-processing, as its configuration sets it."""
    utils = pytest.importorskip(
        "rapidocr_onnxruntime.ch_ppocr_det.utils", reason="rapidocr_onnxruntime's own dependencies are absent"
    )
    return utils.DBPostProcess(
        thresh=0.3, box_thresh=THRESHOLD, unclip_ratio=1.6, use_dilation=True, score_mode="fast"
    )


def pictures() -> dict[str, np.ndarray[Any, Any]]:
    many = a_scene(0)
    for row, text in enumerate(("EXIT 42", "Patient 0815", "Do not enter", "a b c d e f")):
        many.put(label(text, 18 + 10 * row), (400 + 90 * row, 100 + 140 * row))
    turned = a_scene(1)
    for place, degrees in enumerate((-60.0, -20.0, 10.0, 35.0, 80.0)):
        turned.put(plate(30, place), (200 + 210 * place, 360), degrees)
    page = a_scene(2)
    page.picture[:] = 240
    for row in range(12):
        page.put(label(f"line {row} of a printed page", 14, paper=(240, 240, 240)), (640, 50 + 50 * row))
    return {"scattered words": many.picture, "turned plates": turned.picture, "a printed page": page.picture}


@pytest.mark.parametrize(("name", "picture"), pictures().items(), ids=pictures().keys())
def test_the_same_lines_as_the_package_itself(models: Models, theirs: Any, name: str, picture: Any) -> None:
    image = cv2.resize(picture, (1280, 704), interpolation=cv2.INTER_AREA)
    blob = cv2.dnn.blobFromImage(image, 1 / 127.5, (1280, 704), (127.5,) * 3, swapRB=True)
    likely = TextDetector(models.files[TEXT], 1)._network.run({"x": blob})[0]
    boxes, scores = theirs(likely, (704, 1280))
    assert len(boxes) >= 4, "a picture without text compares nothing"
    lines = lines_of(likely[0, 0], THRESHOLD)
    assert len(lines) == len(boxes)
    for box, score in zip(boxes, scores, strict=True):
        nearest = min(lines, key=lambda line: float(np.hypot(*(box.mean(axis=0) - (line.x, line.y)))))
        assert nearest.score == pytest.approx(score, abs=0.01)
        apart = np.linalg.norm(box[:, None] - nearest.corners()[None], axis=2).min(axis=1)
        assert apart.max() <= MOST_PIXELS_APART


def test_the_package_is_located_and_never_imported() -> None:
    """Its weights are data. What it would run of its own, and import, stays out of the worker."""
    asked = (
        "import sys, anonymizer; models = anonymizer.load_models('cpu'); "
        "print('ppocr-text' in models.files, 'rapidocr_onnxruntime' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "True False"
