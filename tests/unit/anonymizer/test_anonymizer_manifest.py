"""Manifests are read strictly, added models are checked, and a policy gets what it asks for or nothing."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import pytest
from people_factory import installed_models
from test_anonymizer_decoding import SIDE, network_of, yolov8

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    KeptRegion,
    Limits,
    Models,
    Settings,
    TextSettings,
    anonymize,
    load_models,
)
from anonymizer.added import put, read_added, read_offered, remove
from anonymizer.adding import main
from anonymizer.detect.uniting import united
from anonymizer.manifest import parse_manifest
from anonymizer.strict_toml import MAX_MANIFEST_BYTES

SECRET = "SECRET-7731"


def one_box() -> bytes:
    """A network that always sees one thing, in the middle."""
    return network_of([np.array([[[32.0], [32.0], [20.0], [10.0], [0.9]]])])


def text_of(model: bytes, **changes: str) -> str:
    values = {
        "schema": '"bauta.model/v1"',
        "kind": '"face"',
        "file": '"mine.onnx"',
        "sha256": f'"{hashlib.sha256(model).hexdigest()}"',
        "decoder": '"yolov8"',
        "licence": '"MIT"',
        "source": '"made in a test"',
    }
    layout = {
        "width": str(SIDE),
        "height": str(SIDE),
        "colours": '"rgb"',
        "mean": "[0.0, 0.0, 0.0]",
        "deviation": "[1, 1, 1.0]",
    }
    for key, value in changes.items():
        (layout if key in layout else values)[key] = value
    lines = [f"{key} = {value}" for key, value in values.items()]
    return "\n".join([*lines, "[input]", *(f"{key} = {value}" for key, value in layout.items())]) + "\n"


MODEL = one_box()
TEXT = text_of(MODEL)


def test_a_manifest_says_what_its_text_says() -> None:
    said = parse_manifest(TEXT.encode())
    assert (said.kind, said.file, said.decoder, said.licence) == ("face", "mine.onnx", "yolov8", "MIT")
    assert said.name == "custom-face"
    assert (said.layout.width, said.layout.height, said.layout.colours) == (SIDE, SIDE, "rgb")
    assert said.layout.deviation == (1.0, 1.0, 1.0)


REFUSED: dict[str, tuple[str, str]] = {
    "an unknown key": (f"{SECRET} = 1\n" + TEXT, "a key"),
    "an unknown key of the input": (TEXT + f"{SECRET} = 1\n", "input."),
    "a missing key": (TEXT.replace('licence = "MIT"\n', ""), "licence"),
    "a missing key of the input": (TEXT.replace('colours = "rgb"\n', ""), "input.colours"),
    "no input": (TEXT.split("[input]", maxsplit=1)[0], "input"),
    "input as text": (TEXT.split("[input]", maxsplit=1)[0] + 'input = "all"\n', "input"),
    "another schema": (TEXT.replace("model/v1", "model/v2"), "schema"),
    "an unknown kind": (TEXT.replace('"face"', f'"{SECRET}"'), "kind"),
    "an unknown decoder": (TEXT.replace('"yolov8"', f'"{SECRET}"'), "decoder"),
    "a file elsewhere": (TEXT.replace("mine.onnx", "../mine.onnx"), "file"),
    "a file in a folder": (TEXT.replace("mine.onnx", "/tmp/mine.onnx"), "file"),
    "a hidden file": (TEXT.replace("mine.onnx", ".onnx"), "file"),
    "a file of another sort": (TEXT.replace("mine.onnx", "mine.pt"), "file"),
    "a short digest": (text_of(MODEL, sha256='"00"'), "sha256"),
    "a digest in capitals": (text_of(MODEL, sha256=f'"{"A" * 64}"'), "sha256"),
    "a licence of two lines": (TEXT.replace('"MIT"', '"MIT\\nX"'), "licence"),
    "no source": (text_of(MODEL, source='""'), "source"),
    "a width of no multiple": (text_of(MODEL, width="65"), "input.width"),
    "a width too large": (text_of(MODEL, width="4096"), "input.width"),
    "a height of nothing": (text_of(MODEL, height="0"), "input.height"),
    "a height as text": (text_of(MODEL, height=f'"{SECRET}"'), "input.height"),
    "a height of true": (text_of(MODEL, height="true"), "input.height"),
    "colours of another order": (text_of(MODEL, colours='"gbr"'), "colours"),
    "two means": (text_of(MODEL, mean="[0.0, 0.0]"), "input.mean"),
    "a mean of NaN": (text_of(MODEL, mean="[nan, 0.0, 0.0]"), "input.mean"),
    "a mean beyond a pixel": (text_of(MODEL, mean="[256.0, 0.0, 0.0]"), "input.mean"),
    "a deviation of nothing": (text_of(MODEL, deviation="[1.0, 0.0, 1.0]"), "input.deviation"),
    "a deviation below nothing": (text_of(MODEL, deviation="[1.0, -1.0, 1.0]"), "input.deviation"),
    "a key twice": (TEXT + 'colours = "rgb"\n', "TOML"),
    "not TOML": (SECRET + " = = =", "TOML"),
    "an impossible date": ("d = 2026-02-31\n" + TEXT, "TOML"),
    "nested too deep": ("x = " + "[" * 3000 + "]" * 3000, "TOML"),
    "too many dots": ("a" + ".a" * 70 + " = 1\n", "dots"),
    "too large": (TEXT + "#" * MAX_MANIFEST_BYTES, "larger"),
    "empty": ("", "missing"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_a_manifest_of_another_form_is_refused(text: str, named: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        parse_manifest(text.encode())
    assert caught.value.code == "model_manifest_invalid"
    assert named in str(caught.value)
    assert SECRET not in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(AnonymizerError) as caught:
        parse_manifest(b"\xff" + TEXT.encode())
    assert caught.value.code == "model_manifest_invalid"


def offered(folder: Path, text: str = TEXT, model: bytes | None = MODEL) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "mine.toml").write_text(text)
    if model is not None:
        (folder / "mine.onnx").write_bytes(model)
    return folder / "mine.toml"


def told(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> dict[str, Any]:
    """What the program says; its exit code must agree."""
    status = main(words, folder)
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert status == int("error" in said)
    return said


def test_a_model_is_added_listed_run_and_removed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place, digest = tmp_path / "added", hashlib.sha256(MODEL).hexdigest()
    said = told(capsys, place, "add", str(offered(tmp_path / "mine")))
    assert said["added"] == {
        "name": "custom-face",
        "kind": "face",
        "sha256": digest,
        "decoder": "yolov8",
        "licence": "MIT",
        "source": "made in a test",
    }
    assert sorted(path.name for path in place.iterdir()) == ["custom-face.onnx", "custom-face.toml"]
    names = [model["name"] for model in told(capsys, place, "list")["models"]]
    assert names == sorted([*installed_models(), "custom-face"])
    assert [model["name"] for model in told(capsys, place, "verify")["models"]] == names
    loaded = load_models("cpu", place)
    assert loaded.sha256["custom-face"] == digest
    assert loaded.files["custom-face"] == MODEL
    assert told(capsys, place, "remove", "face") == {"removed": "custom-face"}
    assert list(place.iterdir()) == []
    assert told(capsys, place, "remove", "face")["error"] == "model_missing"


def test_a_second_model_of_a_kind_takes_the_place_of_the_first(tmp_path: Path) -> None:
    other = network_of(yolov8()[0])
    put(read_offered(offered(tmp_path / "a")), tmp_path / "added")
    put(read_offered(offered(tmp_path / "b", text_of(other), other)), tmp_path / "added")
    assert read_added(tmp_path / "added")["custom-face"][1] == other


ADDING: dict[str, tuple[str, bytes | None, str]] = {
    "a wrong digest": (text_of(b"another"), MODEL, "model_digest_mismatch"),
    "no model beside it": (TEXT, None, "model_missing"),
    "a manifest of another form": (TEXT.replace("schema", "scheme"), MODEL, "model_manifest_invalid"),
    "a graph that does not open": (text_of(b"no graph"), b"no graph", "model_unusable"),
    "another size": (text_of(MODEL, width="128"), MODEL, "model_unusable"),
    "another decoder": (text_of(MODEL, decoder='"scrfd"'), MODEL, "model_unusable"),
    "an answer of NaN": (
        text_of(network_of([np.full((1, 5, 1), np.nan)])),
        network_of([np.full((1, 5, 1), np.nan)]),
        "detector_failed",
    ),
}


@pytest.mark.parametrize(("text", "model", "code"), ADDING.values(), ids=ADDING.keys())
def test_what_cannot_be_used_is_not_added(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, model: bytes | None, code: str
) -> None:
    place = tmp_path / "added"
    assert told(capsys, place, "add", str(offered(tmp_path / "mine", text, model)))["error"] == code
    assert not place.exists()


def an_added_model(folder: Path) -> Path:
    put(read_offered(offered(folder / "mine")), folder / "added")
    return folder / "added"


TAMPERING: dict[str, tuple[str, bytes | None, str]] = {
    "the model was changed": ("custom-face.onnx", MODEL + b"\0", "model_digest_mismatch"),
    "the model is gone": ("custom-face.onnx", None, "model_missing"),
    "the manifest was changed": ("custom-face.toml", b"kind = 1\n", "model_manifest_invalid"),
    "it finds another kind": (
        "custom-face.toml",
        TEXT.replace('"face"', '"text"').encode(),
        "model_manifest_invalid",
    ),
}


@pytest.mark.parametrize(("name", "content", "code"), TAMPERING.values(), ids=TAMPERING.keys())
def test_a_worker_does_not_start_on_an_added_model_that_was_changed(
    tmp_path: Path, name: str, content: bytes | None, code: str
) -> None:
    place = an_added_model(tmp_path)
    (place / name).unlink()
    if content is not None:
        (place / name).write_bytes(content)
    with pytest.raises(AnonymizerError) as caught:
        load_models("cpu", place)
    assert caught.value.code == code


def test_removing_forgets_a_model_that_was_never_complete(tmp_path: Path) -> None:
    place = an_added_model(tmp_path)
    (place / "custom-face.onnx").unlink()
    remove("face", place)
    assert read_added(place) == {}


def anonymized(models: Models, **chosen: Any) -> tuple[Any, Any]:
    """A plain picture of noise, in which no detector of ours finds anything."""
    noise = np.random.default_rng(1).integers(90, 110, (SIDE, SIDE, 3), np.uint8)
    sink = io.BytesIO()
    content = bytes(cv2.imencode(".png", noise)[1])
    report = anonymize(io.BytesIO(content), sink, settings=Settings(**chosen), models=models, limits=Limits())
    return report, cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_COLOR)


BOTH = ("centerface", "custom-face")


def test_what_an_added_detector_finds_is_covered_beside_our_own(tmp_path: Path) -> None:
    models = load_models("cpu", an_added_model(tmp_path))
    plainly, _ = anonymized(models, faces=FaceSettings(threshold=0.5))
    assert plainly.tracks == 0
    faces = FaceSettings(threshold=0.5, detectors=BOTH, shape="box", scale=1.0)
    report, picture = anonymized(models, faces=faces)
    assert report.tracks == 1
    # The box that the network sees: 20 by 10 around the middle.
    assert (picture[28:36, 23:41] == 128).all()
    assert not (picture[:20] == 128).all(axis=2).any()


UNITED: dict[str, tuple[list[list[list[float]]], list[list[float]]]] = {
    "one detector alone": ([[[0, 0, 10, 10, 0.5]]], [[0, 0, 10, 10, 0.5]]),
    "one thing, seen twice": (
        [[[0, 0, 10, 10, 0.3]], [[2, 2, 12, 12, 0.9]]],
        [[0, 0, 12, 12, 0.9]],
    ),
    "the lesser score is the larger box": (
        [[[2, 2, 10, 10, 0.9]], [[0, 0, 12, 12, 0.1]]],
        [[0, 0, 12, 12, 0.9]],
    ),
    "two things side by side": (
        [[[0, 0, 10, 10, 0.5]], [[9, 0, 19, 10, 0.6]]],
        [[0, 0, 10, 10, 0.5], [9, 0, 19, 10, 0.6]],
    ),
    "only the second saw it": ([[], [[0, 0, 10, 10, 0.5]]], [[0, 0, 10, 10, 0.5]]),
    "nobody saw anything": ([[], []], []),
}


@pytest.mark.parametrize(("seen", "wanted"), UNITED.values(), ids=UNITED.keys())
def test_what_two_detectors_saw_is_covered_as_a_whole(
    seen: list[list[list[float]]], wanted: list[list[float]]
) -> None:
    arrays = [np.array(boxes, np.float32).reshape(-1, 5) for boxes in seen]
    before = [array.copy() for array in arrays]
    found = united(arrays)
    assert found == pytest.approx(np.array(wanted, np.float32).reshape(-1, 5))
    assert all((a == b).all() for a, b in zip(arrays, before, strict=True))


@pytest.mark.parametrize("kind", ["text", "plate"])
def test_an_added_detector_of_text_obeys_the_kept_regions(tmp_path: Path, kind: str) -> None:
    models = load_models("cpu", tmp_path)
    said = replace(parse_manifest(TEXT.encode()), kind=kind)  # type: ignore[arg-type]  # parametrized
    models = replace(
        models,
        files=MappingProxyType({**models.files, said.name: MODEL}),
        added=MappingProxyType({said.name: said}),
    )
    cover = TextSettings(detectors=(said.name,))
    asked: dict[str, Any] = {"text": cover} if kind == "text" else {"plates": cover}
    assert anonymized(models, **asked)[0].frames_with[kind] == 1
    kept = anonymized(models, **asked, keep=(KeptRegion(0.2, 0.2, 0.8, 0.8),))
    assert kept[0].frames_with[kind] == 0


ASKED_FOR: dict[str, dict[str, Any]] = {
    "a face detector": {"faces": FaceSettings(detectors=BOTH)},
    "a text detector": {"text": TextSettings(detectors=("custom-text",))},
    "a plate detector": {"plates": TextSettings(detectors=("ppocr-text", "custom-plate"))},
}


@pytest.mark.parametrize("chosen", ASKED_FOR.values(), ids=ASKED_FOR.keys())
def test_a_policy_that_asks_for_what_is_not_there_is_refused(models: Models, chosen: dict[str, Any]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        anonymized(models, **chosen)
    assert caught.value.code == "model_missing"
