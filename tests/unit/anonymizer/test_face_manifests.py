"""Faces that an operator adds: read strictly, their files checked; jobs use them or are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_faces import FixedReader, cover_around, pixels_of, reading_of, scene_of
from media_factory import face_picture
from test_effects_made_faces import MANIFEST, POSE, SIDE, network

from anonymizer import AnonymizerError, FaceSettings, Models, Settings, load_models
from anonymizer.added import parse_any, put, read_added, read_offered, remove
from anonymizer.adding import main
from anonymizer.effects import EFFECTS
from anonymizer.effects.swap import operating
from anonymizer.effects.swap.sources import face_of
from anonymizer.face_manifests import FIVE, GENERATOR, SOURCE_FACE, Generator, SourceFace, parse_face_manifest

SECRET = "SECRET-7731"


@pytest.fixture(scope="module")
def portrait() -> bytes:
    """A portrait of a public-domain picture, as a file."""
    done, content = cv2.imencode(".png", np.ascontiguousarray(face_picture()[:, :, ::-1]))
    assert done
    return bytes(content)


def photograph_text(content: bytes, **changes: str) -> str:
    values = {
        "schema": '"bauta.model/v1"',
        "kind": '"source-face"',
        "file": '"somebody.png"',
        "sha256": f'"{hashlib.sha256(content).hexdigest()}"',
        "consent": '"E. C. agreed in writing on 2026-01-05"',
        "licence": '"public domain"',
        "source": '"a test"',
    } | changes
    return "\n".join(f"{key} = {value}" for key, value in values.items()) + "\n"


def network_text(content: bytes, **changes: str) -> str:
    values = {
        "schema": '"bauta.model/v1"',
        "kind": '"generator"',
        "file": '"made.onnx"',
        "sha256": f'"{hashlib.sha256(content).hexdigest()}"',
        "licence": '"MIT"',
        "source": '"a test"',
        "input": '{seed = 16, landmarks = "five", pose = true}',
        "output": f"{{side = {SIDE}, alpha = false, lowest = 0, highest = 1}}",
    } | changes
    return "\n".join(f"{key} = {value}" for key, value in values.items() if value) + "\n"


def test_manifests_say_what_their_text_says() -> None:
    face = parse_any(photograph_text(b"x").encode())
    assert isinstance(face, SourceFace)
    assert (face.name, face.consent[:5]) == (SOURCE_FACE, "E. C.")
    made = parse_any(network_text(b"x").encode())
    assert isinstance(made, Generator)
    assert (made.name, made.seed, made.landmarks, made.pose, made.side) == (GENERATOR, 16, FIVE, True, SIDE)
    chosen = network_text(b"x", input="{seed = 0, landmarks = [1, 33], pose = false}")
    parsed = parse_face_manifest(chosen.encode())
    assert isinstance(parsed, Generator)
    assert parsed.landmarks == ((1,), (33,))


def out(**changes: str) -> str:
    values = {"side": "32", "alpha": "false", "lowest": "0", "highest": "1"} | changes
    return "{" + ", ".join(f"{key} = {value}" for key, value in values.items()) + "}"


def given(**changes: str) -> str:
    values = {"seed": "1", "landmarks": '"five"', "pose": "true"} | changes
    return "{" + ", ".join(f"{key} = {value}" for key, value in values.items()) + "}"


REFUSED: dict[str, tuple[str, str]] = {
    "no consent": (photograph_text(b"x").replace("consent", "kind_words"), "consent"),
    "an empty consent": (photograph_text(b"x", consent='""'), "consent"),
    "a photograph elsewhere": (photograph_text(b"x", file='"../somebody.png"'), "file"),
    "a photograph of another format": (photograph_text(b"x", file='"somebody.gif"'), "file"),
    "a short digest": (photograph_text(b"x", sha256='"00"'), "sha256"),
    "another schema": (photograph_text(b"x", schema='"bauta.model/v2"'), "schema"),
    "an unknown key": (photograph_text(b"x") + f"{SECRET} = 1\n", "a key"),
    "a network with a consent": (network_text(b"x", consent='"yes"'), "a key"),
    "no input": (network_text(b"x", input=""), "input"),
    "input that is no table": (network_text(b"x", input="1"), "input"),
    "an input too many": (
        network_text(b"x", input='{seed = 1, landmarks = "five", pose = true, name = 1}'),
        "input.",
    ),
    "nothing to go by": (network_text(b"x", input='{seed = 0, landmarks = "none", pose = false}'), "input"),
    "a seed of fractions": (
        network_text(b"x", input=given(seed="1.5")),
        "seed",
    ),
    "a huge seed": (network_text(b"x", input=given(seed="99999")), "seed"),
    "a seed that is true": (
        network_text(b"x", input=given(seed="true")),
        "seed",
    ),
    "unknown landmarks": (
        network_text(b"x", input=given(landmarks=f'"{SECRET}"')),
        "landmarks",
    ),
    "a landmark beyond the mesh": (
        network_text(b"x", input="{seed = 1, landmarks = [468], pose = true}"),
        "landmarks",
    ),
    "no landmark at all": (network_text(b"x", input="{seed = 1, landmarks = [], pose = true}"), "landmarks"),
    "a pose that is a number": (network_text(b"x", input='{seed = 1, landmarks = "five", pose = 1}'), "pose"),
    "a tiny side": (network_text(b"x", output=out(side="8")), "side"),
    "a huge side": (network_text(b"x", output=out(side="4096")), "side"),
    "black above white": (network_text(b"x", output=out(lowest="1", highest="0")), "highest"),
    "black that is no number": (network_text(b"x", output=out(lowest="nan")), "lowest"),
    "white without end": (network_text(b"x", output=out(highest="inf")), "highest"),
    "no TOML": ("\x00", "TOML"),
    "a kind that nobody knows": ('kind = "mask"\n', "is missing"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_of_the_form_is_refused_by_the_name_of_the_key(case: str) -> None:
    text, key = REFUSED[case]
    with pytest.raises(AnonymizerError) as caught:
        parse_any(text.encode())
    assert caught.value.code == "model_manifest_invalid"
    assert key in str(caught.value)
    assert SECRET not in str(caught.value)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return answer


def test_a_generator_is_added_listed_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, model = tmp_path / "added", network()
    (tmp_path / "made.onnx").write_bytes(model)
    (tmp_path / "made.toml").write_text(network_text(model))
    assert main(["add", str(tmp_path / "made.toml")], folder) == 0
    assert told(capsys)["added"]["name"] == GENERATOR  # type: ignore[index] - JSON
    assert main(["verify"], folder) == 0
    listed = {each["name"]: each for each in told(capsys)["models"]}  # type: ignore[attr-defined] - JSON
    assert listed[GENERATOR]["sha256"] == hashlib.sha256(model).hexdigest()
    models = load_models("cpu", folder)
    assert models.generator is not None
    assert models.sha256[GENERATOR] == hashlib.sha256(model).hexdigest()
    assert main(["remove", "generator"], folder) == 0
    assert not list(folder.iterdir())


def test_a_network_that_does_not_fit_is_not_added(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, model = tmp_path / "added", network()
    (tmp_path / "made.onnx").write_bytes(model)
    (tmp_path / "made.toml").write_text(network_text(model, output=out(side="64")))
    assert main(["add", str(tmp_path / "made.toml")], folder) == 1
    assert told(capsys)["error"] == "model_unusable"
    assert not folder.exists()


def test_another_digest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "somebody.png").write_bytes(b"another")
    (tmp_path / "face.toml").write_text(photograph_text(b"one"))
    with pytest.raises(AnonymizerError) as caught:
        read_offered(tmp_path / "face.toml")
    assert caught.value.code == "model_digest_mismatch"


def test_what_lies_in_the_place_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / f"{GENERATOR}.toml").write_text(photograph_text(b"one"))
    with pytest.raises(AnonymizerError) as caught:
        read_added(tmp_path)
    assert caught.value.code == "model_manifest_invalid"


def test_a_policy_that_asks_for_a_generator_that_is_not_there_is_refused(models: Models) -> None:
    with pytest.raises(AnonymizerError) as caught:
        EFFECTS["generator"](models, Settings(faces=FaceSettings(effect="generator")), "face")
    assert caught.value.code == "model_missing"


@pytest.mark.parametrize("effect", ["swap", "warp", "generator"])
def test_without_the_networks_for_landmarks_whoever_asks_is_refused(effect: str, models: Models) -> None:
    bare = Models(models.files, models.sha256, models.device)
    with pytest.raises(AnonymizerError) as caught:
        EFFECTS[effect](bare, Settings(), "face")  # type: ignore[index] - a name of its own
    assert caught.value.code == "model_missing"


def test_a_photograph_becomes_a_face_that_is_put_on_others(
    portrait: bytes, tmp_path: Path, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    (tmp_path / "somebody.png").write_bytes(portrait)
    (tmp_path / "face.toml").write_text(photograph_text(portrait))
    folder = tmp_path / "added"
    put(read_offered(tmp_path / "face.toml"), folder)
    added = load_models("cpu", folder)
    assert added.source_face is not None
    reading = reading_of(POSE)
    monkeypatch.setattr(operating, "open_reader", lambda models, effect: FixedReader({0: reading}))
    seen = []
    for these in (added, models):
        scene = scene_of("colours", 320, 240)
        operator = EFFECTS["swap"](these, Settings(personas=bytes(32)), "face")
        operator.plan(scene, [cover_around(reading, 320, 240)])()
        seen.append(pixels_of(scene))
    assert not all((a == b).all() for a, b in zip(*seen, strict=True))
    remove("source-face", folder)
    assert not list(folder.iterdir())


def test_the_face_of_a_photograph_has_its_own_shape_and_colours(portrait: bytes, models: Models) -> None:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    face = face_of(portrait, models.landmarks)
    red, _, blue = face.skin
    assert red > blue + 20
    assert 0.8 < float(np.ptp(face.shape[:, 0])) < 1.3


@pytest.mark.parametrize("size", [(16, 16), (200, 200)])
def test_a_photograph_without_a_face_is_refused(size: tuple[int, int], models: Models) -> None:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    _, content = cv2.imencode(".png", np.full((*size, 3), 90, np.uint8))
    for picture in (bytes(content), b"no picture"):
        with pytest.raises(AnonymizerError) as caught:
            face_of(picture, models.landmarks)
        assert caught.value.code == "model_unusable"


def test_the_manifest_of_the_tests_is_the_one_that_they_write() -> None:
    parsed = parse_face_manifest(network_text(b"x").encode())
    assert isinstance(parsed, Generator)
    assert (parsed.seed, parsed.landmarks, parsed.side) == (MANIFEST.seed, MANIFEST.landmarks, MANIFEST.side)
