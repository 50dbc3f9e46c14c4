"""Text and number plates: what is found, what is covered, what may stay, and what happens when it fails."""

from __future__ import annotations

import io
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import av
import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from text_factory import Scene, a_scene, label, plate, share_covered

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    KeptRegion,
    Limits,
    Models,
    Report,
    Settings,
    TextSettings,
    anonymize,
)
from anonymizer.boxes import Box
from anonymizer.detect.keeping import outside
from anonymizer.detect.plates import plates_among
from anonymizer.detect.text import TextDetector, TextLooker
from anonymizer.detect.text_maps import Line, lines_of
from anonymizer.models import TEXT

MOST_OF_IT = 0.9
SOLID = TextSettings(scale=1.2)


def looked(models: Models, picture: Any, scale: int = 960, **thresholds: float) -> Any:
    """What the text network finds in a picture."""
    looker = TextLooker(
        TextDetector(models.files[TEXT], 2), (scale,), thresholds or {"text": 0.3, "plate": 0.3}, ()
    )
    height, width = picture.shape[:2]
    return looker.look(width, height, lambda w, h: cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA))


def covered(models: Models, content: bytes, **chosen: Any) -> tuple[Report, bytes]:
    """A file anonymized, by default with no face in it to be found."""
    sink = io.BytesIO()
    chosen = {"mode": "balanced", "faces": FaceSettings(threshold=0.5)} | chosen
    report = anonymize(io.BytesIO(content), sink, settings=Settings(**chosen), models=models, limits=Limits())
    return report, sink.getvalue()


def png(picture: Any) -> bytes:
    done, content = cv2.imencode(".png", picture[:, :, ::-1])
    assert done
    return bytes(content)


def pixels(content: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]


def grown(boxes: Any, factor: float) -> Any:
    return np.array(
        [[b.x1, b.y1, b.x2, b.y2] for b in (Box(*row[:4]).scaled(factor) for row in boxes.tolist())]
    ).reshape(-1, 4)


@pytest.mark.parametrize("letter_height", [12, 24, 60])
@pytest.mark.parametrize("turned", [0.0, -15.0, 15.0])
def test_drawn_plates_are_found_as_plates_and_as_text(
    models: Models, letter_height: int, turned: float
) -> None:
    scene = a_scene(letter_height)
    for place in range(3):
        scene.put(plate(letter_height, place), (250 + 390 * place, 180 + 180 * place), turned)
    picture = scene.compressed()
    found = looked(models, picture)
    for kind in ("text", "plate"):
        boxes = grown(found[kind], 1.2)
        for line in scene.lines:
            assert share_covered(line, boxes, picture.shape) >= MOST_OF_IT, kind


def test_a_caption_is_text_and_no_plate(models: Models) -> None:
    scene = a_scene(0)
    scene.put(label("The committee will meet again on Thursday afternoon", 24), (640, 660))
    found = looked(models, scene.compressed())
    assert share_covered(scene.lines[0], grown(found["text"], 1.2), scene.picture.shape) >= MOST_OF_IT
    assert len(found["plate"]) == 0


def test_a_large_picture_is_read_in_tiles_and_no_line_falls_between(models: Models) -> None:
    scene = a_scene(2, 2560, 1440)
    for place in range(6):
        scene.put(plate(14, place), (330 + 380 * place, 150 + 215 * place))
    # Right on the seam of two tiles.
    scene.put(label("A line of many words that goes across the middle of it", 16), (1280, 720))
    picture = scene.compressed()
    found = looked(models, picture, 2560, text=0.3)
    for line in scene.lines:
        assert share_covered(line, grown(found["text"], 1.2), picture.shape) >= MOST_OF_IT


def test_a_plain_picture_has_no_text(models: Models) -> None:
    found = looked(models, np.full((480, 640, 3), 90, np.uint8))
    assert len(found["text"]) == len(found["plate"]) == 0


SHAPES: dict[str, tuple[Line, bool]] = {
    "a European plate": (Line(100, 50, 100, 22, 0, 0.8), True),
    "an American plate": (Line(100, 50, 60, 22, 0, 0.8), True),
    "half of a plate of two lines": (Line(100, 50, 45, 30, 0, 0.8), True),
    "seen aslant": (Line(100, 50, 100, 30, 30, 0.8), True),
    "a caption": (Line(100, 50, 180, 15, 0, 0.8), False),
    "one letter": (Line(100, 50, 30, 30, 0, 0.8), False),
    "a word down a wall": (Line(100, 50, 60, 22, 85, 0.8), False),
    "as wide as the picture": (Line(100, 50, 150, 40, 0, 0.8), False),
    "outside of the picture": (Line(-300, 50, 100, 22, 0, 0.8), False),
}


@pytest.mark.parametrize(("line", "is_plate"), SHAPES.values(), ids=SHAPES.keys())
def test_the_shape_decides(line: Line, is_plate: bool) -> None:
    stripes = np.zeros((100, 200, 3), np.uint8)
    stripes[:, ::4] = stripes[:, 1::4] = 255
    assert bool(plates_among([line], stripes)) is is_plate


def test_letters_that_nobody_could_read_are_no_plate() -> None:
    assert plates_among([Line(100, 50, 100, 22, 0, 0.8)], np.full((100, 200, 3), 120, np.uint8)) == []


def test_a_map_becomes_lines_that_grow_back() -> None:
    likely = np.zeros((200, 300), np.float32)
    likely[50:60, 100:200] = 0.9
    likely[150:152, 20:22] = 0.9  # a speck
    likely[100:110, 100:200] = 0.35  # above the threshold for pixels, below that for lines
    (line,) = lines_of(likely, 0.5)
    assert (line.x, line.y, line.angle) == (pytest.approx(150, abs=1), pytest.approx(55, abs=1), 0)
    assert line.score > 0.75
    # 100 by 10 grow by 1.6 times area over perimeter on each side, the joining pixel not counted.
    grow = 2 * 1.6 * (100 * 10) / (2 * (100 + 10))
    assert (line.length, line.height) == (
        pytest.approx(100 + grow, abs=3),
        pytest.approx(10 + grow, abs=3),
    )


def test_more_specks_than_lines_can_be_are_cut_at_the_smallest() -> None:
    likely = np.zeros((400, 400), np.float32)
    likely[::8, ::8] = likely[1::8, ::8] = 1.0
    likely[100:120, 50:350] = 1.0
    assert any(line.length > 290 for line in lines_of(likely, 0.3))


KEPT: dict[str, tuple[tuple[float, float, float, float], bool]] = {
    "within": ((10, 10, 20, 20), True),
    "within but for a breath": ((10, 10, 30.5, 20), True),
    "half of it outside": ((20, 10, 40, 20), False),
    "around the region": ((0, 0, 100, 100), False),
    "elsewhere": ((60, 60, 80, 80), False),
}


@pytest.mark.parametrize(("box", "stays"), KEPT.values(), ids=KEPT.keys())
def test_a_kept_region_keeps_what_lies_in_it(box: tuple[float, ...], stays: bool) -> None:
    boxes = np.array([[*box, 0.9]], np.float32)
    assert (len(outside(boxes, [KeptRegion(0, 0, 0.3, 0.3)], 100, 100)) == 0) is stays


def a_logo_and_a_badge() -> Scene:
    scene = a_scene(0, 640, 480)
    scene.put(label("CHANNEL", 20), (80, 30))
    scene.put(label("J. Doe 4711", 20), (400, 300))
    return scene


def test_in_a_still_text_is_covered_and_the_logo_stays(models: Models) -> None:
    scene = a_logo_and_a_badge()
    report, content = covered(models, png(scene.picture), text=SOLID, keep=(KeptRegion(0, 0, 0.3, 0.15),))
    changed = np.abs(pixels(content).astype(int) - scene.picture).max(axis=2) > 0
    assert report.frames_with["text"] == 1
    for line, is_covered in zip(scene.lines, (False, True), strict=True):
        there = np.zeros(changed.shape, np.uint8)
        cv2.fillPoly(there, [line.astype(np.int32)], 1)
        assert bool(changed[there > 0].mean() > MOST_OF_IT) is is_covered


def test_a_kept_region_never_uncovers_a_face(models: Models, process: Any, tmp_path: Any) -> None:
    from skimage import data

    original = png(data.astronaut())
    plainly, _ = covered(models, original, faces=FaceSettings())
    report, content = covered(
        models, original, faces=FaceSettings(), text=SOLID, keep=(KeptRegion(0, 0, 1, 1),)
    )
    assert report.tracks == plainly.tracks >= 1
    assert report.frames_with == {"face": 1, "text": 0}
    assert (pixels(content)[70:160, 190:260] == 128).mean() > 0.5


def test_the_strongest_effect_wins_where_covers_overlap(models: Models) -> None:
    scene = a_scene(1, 640, 480)
    scene.put(plate(40, 1), (320, 240))
    for text, plates in (("solid", "mosaic"), ("mosaic", "solid")):
        _, content = covered(
            models,
            png(scene.picture),
            text=TextSettings(effect=text, scale=1.5),
            plates=TextSettings(effect=plates, scale=1.5),
        )
        there = np.zeros((480, 640), np.uint8)
        cv2.fillPoly(there, [scene.lines[0].astype(np.int32)], 1)
        assert (pixels(content)[there > 0] == 128).all()


def a_video(frames: list[Any], rate: int = 25) -> bytes:
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        stream.options = {"crf": "16"}
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return made.getvalue()


def frames_of(content: bytes) -> list[Any]:
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def grey_share(picture: Any, line: Any) -> float:
    there = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(there, [line.astype(np.int32)], 1)
    chosen = picture[there > 0].astype(int)
    # Solid grey, as H.264 gives it back.
    return float((np.abs(chosen - 128).max(axis=1) < 12).mean())


@pytest.mark.parametrize("mode", ["balanced", "fast"])
@pytest.mark.parametrize("pixels_a_frame", [11, -11, 2])
def test_a_plate_that_drives_by_is_covered_in_every_frame(
    models: Models, mode: str, pixels_a_frame: int
) -> None:
    scenes = []
    for index in range(40):
        scene = a_scene(2, 640, 360)
        scene.put(plate(20, 4), (320 + pixels_a_frame * (index - 20), 250))
        scenes.append(scene)
    report, content = covered(
        models, a_video([s.picture for s in scenes]), mode=mode, plates=TextSettings(scale=1.3)
    )
    shown = frames_of(content)
    assert len(shown) == 40
    assert report.frames_with["plate"] == 40
    uncovered = [
        i
        for i, (picture, scene) in enumerate(zip(shown, scenes, strict=True))
        if grey_share(picture, scene.lines[0]) < MOST_OF_IT
    ]
    assert uncovered == []


def test_a_caption_that_comes_and_goes_between_two_looks_is_covered_while_it_stands(models: Models) -> None:
    scenes = [a_scene(2, 640, 360) for _ in range(60)]
    for scene in scenes[17:41]:
        scene.put(label("Ward 7, bed 3", 18), (320, 320))
    _, content = covered(models, a_video([s.picture for s in scenes]), text=SOLID)
    shown = frames_of(content)
    for index in range(17, 41):
        assert grey_share(shown[index], scenes[index].lines[0]) >= MOST_OF_IT, index
    # Half a second before and after, and not for ever.
    place = scenes[20].lines[0]
    assert [i for i in (0, 2, 56, 59) if grey_share(shown[i], place) > 0.1] == []


def test_still_text_is_looked_at_once_a_second(models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    real = TextLooker.look
    monkeypatch.setattr(TextLooker, "look", lambda self, *frame: looks.append(1) or real(self, *frame))
    scene = a_scene(0, 640, 360)
    scene.put(label("A clock, 12 30", 18), (320, 320))
    report, _ = covered(models, a_video([scene.picture] * 100), text=SOLID)
    assert report.frames_with["text"] == 100
    # At 0, 1, 2 and 3 seconds and in the last frame; the encoder's first pictures may differ a little.
    assert 5 <= len(looks) <= 8


def constant_network(value: float) -> bytes:
    """Answers one value for every pixel."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=1),
            helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "value"], ["y"]),
        ],
        "constant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1, "h", "w"])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [1], [1]),
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("value", TensorProto.FLOAT, [], [value]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def with_text_network(models: Models, network: bytes | None) -> Models:
    files = {name: content for name, content in models.files.items() if name != TEXT}
    if network is not None:
        files[TEXT] = network
    return replace(models, files=MappingProxyType(files))


BROKEN: dict[str, tuple[bytes | None, str]] = {
    "it is missing": (None, "model_missing"),
    "it is no graph": (b"no graph", "detector_failed"),
    "it answers NaN": (constant_network(float("nan")), "detector_failed"),
    "it answers infinity": (constant_network(float("inf")), "detector_failed"),
}


@pytest.mark.parametrize(("network", "code"), BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("is_video", [False, True], ids=["still", "video"])
def test_a_text_detector_that_fails_ends_the_job(
    models: Models, network: bytes | None, code: str, is_video: bool
) -> None:
    picture = a_scene(0, 320, 192).picture
    content = a_video([picture] * 3) if is_video else png(picture)
    broken = with_text_network(models, network)
    with pytest.raises(AnonymizerError) as caught:
        covered(broken, content, text=SOLID)
    assert caught.value.code == code
    # Nobody who asks for faces alone is refused for it.
    assert covered(broken, content)[0].frames >= 1


def test_a_network_that_sees_text_everywhere_covers_everything(models: Models) -> None:
    picture = a_scene(0, 320, 192).picture
    report, content = covered(with_text_network(models, constant_network(0.9)), png(picture), text=SOLID)
    assert report.frames_with["text"] == 1
    assert (pixels(content) == 128).all()


INVALID: dict[str, Any] = {
    "a detector of another kind": lambda: Settings(text=TextSettings(detectors=("centerface",))),
    "an unknown detector": lambda: Settings(faces=FaceSettings(detectors=("mine",))),
    "a threshold of none": lambda: TextSettings(threshold=0),
    "a region inside out": lambda: KeptRegion(0.5, 0, 0.4, 1),
    "a region beyond the picture": lambda: KeptRegion(0, 0, 1.1, 1),
    "a region of NaN": lambda: KeptRegion(float("nan"), 0, 1, 1),
}


@pytest.mark.parametrize("make", INVALID.values(), ids=INVALID.keys())
def test_settings_out_of_range_are_refused(make: Any) -> None:
    with pytest.raises(AnonymizerError) as caught:
        make()
    assert caught.value.code == "settings_invalid"
