"""Engines: which one is chosen, that they agree, and that none of them ever fails silently."""

from __future__ import annotations

import dataclasses
import os
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import overlaps
from anonymizer.detect import choosing, compiled_engine
from anonymizer.detect.canvas import CANVASES, MOST_WASTE, Canvas, canvas_for, snug
from anonymizer.detect.centerface import Maps
from anonymizer.detect.choosing import TRIAL, agree, trial_picture
from anonymizer.detect.compiled_engine import CompiledCenterFace, CompiledNetworks, compile_networks
from anonymizer.detect.engines import open_detector
from anonymizer.detect.onnx_engine import OnnxCenterFace
from anonymizer.models import CENTERFACE
from tests.media_factory import face_picture

SHARED = Path(__file__).parents[4] / "shared" / "media"


@pytest.fixture(scope="module")
def networks(models: Models) -> CompiledNetworks:
    made = compile_networks(models.files[CENTERFACE], (TRIAL, Canvas(384, 640)))
    if made is None:
        pytest.skip("OpenVINO or a processor with bfloat16 is not here")
    return made


def never() -> OnnxCenterFace:
    raise AssertionError("the picture fits on a canvas")


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (180, 320, Canvas(192, 320)),
        (192, 320, Canvas(192, 320)),
        (240, 320, None),
        (360, 640, Canvas(384, 640)),
        (640, 360, Canvas(640, 384)),
        (480, 640, Canvas(480, 640)),
        (268, 640, Canvas(384, 640)),
        (540, 960, Canvas(544, 960)),
        (1080, 1920, None),
        (640, 640, None),
        (100, 640, None),
        (33, 31, None),
    ],
)
def test_each_picture_goes_on_the_smallest_canvas_near_its_size(
    height: int, width: int, expected: Canvas | None
) -> None:
    assert canvas_for(height, width) == expected


def test_no_canvas_wastes_more_than_the_other_engine_costs() -> None:
    for height in range(16, 1000, 37):
        for width in range(16, 1000, 41):
            canvas = canvas_for(height, width)
            if canvas is not None:
                assert canvas.height >= height
                assert canvas.width >= width
                assert canvas.area <= MOST_WASTE * snug(height, width).area


def test_canvases_are_what_the_network_takes() -> None:
    assert len(set(CANVASES)) == len(CANVASES) == 9
    assert all(canvas.height % 32 == canvas.width % 32 == 0 for canvas in CANVASES)


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (300, 170), (638, 322)])
def test_the_compiled_engine_finds_the_face_that_the_other_one_finds(
    models: Models, networks: CompiledNetworks, size: tuple[int, int]
) -> None:
    image = np.zeros((size[1], size[0], 3), np.uint8)
    face = face_picture((160, 160))
    image[5:165, 40:200] = face[:160, :160]
    plain = OnnxCenterFace(models.files[CENTERFACE], 0.3, 1).detect(image)
    compiled = CompiledCenterFace(networks, 0.3, never).detect(image)
    assert len(plain) == len(compiled) >= 1
    assert overlaps(plain, compiled).max(axis=1).min() > 0.9
    np.testing.assert_allclose(plain[:, 4], compiled[:, 4], atol=0.05)


def test_a_picture_for_no_canvas_goes_to_the_other_engine(models: Models, networks: CompiledNetworks) -> None:
    opened = []

    def any_size() -> OnnxCenterFace:
        opened.append(OnnxCenterFace(models.files[CENTERFACE], 0.3, 1))
        return opened[-1]

    detector = CompiledCenterFace(networks, 0.3, any_size)
    for _ in range(2):
        np.testing.assert_allclose(detector.detect(face_picture()), opened[-1].detect(face_picture()))
    assert len(opened) == 1


@pytest.mark.parametrize("shape", [(0, 320, 3), (180, 320), (180, 320, 4)])
def test_what_is_no_picture_is_an_error(networks: CompiledNetworks, shape: tuple[int, ...]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        CompiledCenterFace(networks, 0.3, never).detect(np.zeros(shape, np.uint8))
    assert caught.value.code == "detector_failed"


class Answers:
    """An inference request that answers with one number everywhere, or raises."""

    def __init__(self, value: float | Exception) -> None:
        self._value = value

    def infer(self, *_: object, **__: object) -> None:
        if isinstance(self._value, Exception):
            raise self._value

    def get_output_tensor(self, index: int) -> object:
        class Tensor:
            data = np.full((1, (1, 2, 2)[index], 48, 80), self._value, np.float32)

        return Tensor


@pytest.mark.parametrize("value", [np.nan, np.inf, RuntimeError("Infer Request is busy")])
def test_an_engine_that_fails_ends_the_job(value: float | Exception) -> None:
    detector = CompiledCenterFace(CompiledNetworks({TRIAL: Answers(value)}), 0.3, never)
    with pytest.raises(AnonymizerError) as caught:
        detector.detect(trial_picture())
    assert caught.value.code == "detector_failed"


def test_two_threads_may_use_one_engine(networks: CompiledNetworks) -> None:
    detector = CompiledCenterFace(networks, 0.3, never)
    expected = detector.detect(trial_picture())
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.extend(detector.detect(trial_picture()) for _ in range(5)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 15
    for boxes in found:
        np.testing.assert_array_equal(boxes, expected)


def test_the_trial_picture_shows_what_the_network_takes_for_a_face(models: Models) -> None:
    assert len(OnnxCenterFace(models.files[CENTERFACE], 0.3, 1).detect(trial_picture())) >= 1


def some_maps() -> Maps:
    heat = np.zeros((48, 80), np.float32)
    heat[10, 20] = 0.8
    return Maps(heat, np.zeros((2, 48, 80), np.float32), np.zeros((2, 48, 80), np.float32))


DISAGREEMENTS = {
    "another likelihood": ("heat", (10, 20), 0.5),
    "a face that the other does not see": ("heat", (30, 30), 0.4),
    "no number": ("heat", (0, 0), np.nan),
    "another size of the face": ("size", (0, 10, 20), 0.7),
    "another place of the face": ("offset", (1, 10, 20), 0.7),
}


@pytest.mark.parametrize(("which", "where", "value"), DISAGREEMENTS.values(), ids=DISAGREEMENTS.keys())
def test_an_engine_that_says_something_else_is_not_chosen(
    which: str, where: tuple[int, ...], value: float
) -> None:
    other = some_maps()
    getattr(other, which)[where] = value
    assert agree(some_maps(), some_maps())
    assert not agree(some_maps(), other)


def test_sizes_where_nobody_sees_a_face_do_not_count() -> None:
    other = some_maps()
    other.size[:, 0, 0] = 9
    assert agree(some_maps(), other)


def choose(models: Models, monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, float]) -> object:
    taken = iter(seconds)
    monkeypatch.setattr(choosing, "_fastest", lambda run: next(taken))
    # What was chosen before is remembered.
    monkeypatch.setattr(choosing, "trial_where_faster", choosing.trial_where_faster.__wrapped__)
    return choosing.compiled_where_faster.__wrapped__(models.files[CENTERFACE])


def test_the_faster_engine_is_chosen(
    models: Models, networks: CompiledNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        made = choose(models, patched, (1.0, 2.0))
    assert isinstance(made, CompiledNetworks)
    assert set(made.canvases) == set(CANVASES)
    assert choose(models, monkeypatch, (1.0, 1.1)) is None


def test_without_bfloat16_or_openvino_there_is_no_compiled_engine(
    models: Models, networks: CompiledNetworks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_engine, "NEEDED", "a processor of the next decade")
    assert compile_networks(models.files[CENTERFACE], (TRIAL,)) is None
    monkeypatch.setattr(compiled_engine, "import_openvino", lambda: None)
    assert compile_networks(models.files[CENTERFACE], (TRIAL,)) is None
    plain = open_detector(dataclasses.replace(models, compiled=None), 0.3, 1)
    assert isinstance(plain, OnnxCenterFace)


def test_the_engine_has_a_name(models: Models, networks: CompiledNetworks) -> None:
    assert dataclasses.replace(models, compiled=networks).engine == "openvino-bf16"
    assert dataclasses.replace(models, compiled=None).engine == "onnxruntime"
    assert dataclasses.replace(models, device="cuda", compiled=None).engine == "torch"


def test_compiling_leaves_the_processors_as_they_were(networks: CompiledNetworks, models: Models) -> None:
    before = os.sched_getaffinity(0)
    compile_networks(models.files[CENTERFACE], (TRIAL,))
    with pytest.raises(AnonymizerError):
        compile_networks(b"no graph", (TRIAL,))
    assert os.sched_getaffinity(0) == before


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "images").is_dir(), reason="../shared/media is not here")
def test_bfloat16_finds_the_faces_of_real_photographs(models: Models, networks: CompiledNetworks) -> None:
    plain = OnnxCenterFace(models.files[CENTERFACE], 0.2, 1)
    compiled = CompiledCenterFace(networks, 0.2, never)
    photographs = sorted((SHARED / "faces").glob("*/00.jpg"))
    assert len(photographs) > 10
    found = missed = 0
    for path in photographs:
        image = cv2.imread(str(path))
        fits = min(640 / image.shape[1], 384 / image.shape[0])
        size = (max(400, round(image.shape[1] * fits)), max(300, round(image.shape[0] * fits)))
        small = np.ascontiguousarray(cv2.resize(image, (min(640, size[0]), min(384, size[1])))[:, :, ::-1])
        sure = plain.detect(small, 0.3)
        shared = overlaps(sure, compiled.detect(small, 0.2))
        found += len(sure)
        missed += int((shared.max(axis=1, initial=0) < 0.5).sum())
    assert found >= len(photographs)
    assert missed == 0
