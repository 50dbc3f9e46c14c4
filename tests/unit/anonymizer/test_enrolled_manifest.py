"""A network that tells faces apart is added by a manifest, and refused where it is not as it says."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from enrolled_faces import DIMENSION, SIDE, ana, file_of, manifest_text, network, put_network, with_network

from anonymizer import AnonymizerError, Models, load_models
from anonymizer.added import parse_any, read_added
from anonymizer.adding import main
from anonymizer.enrolled.embedding import EmbeddingNetwork
from anonymizer.enrolled.manifest import FACE_EMBEDDING, Bounds, Eyes, FaceEmbedding, read_embedding
from anonymizer.strict_toml import load

NETWORK = network()
TEXT = manifest_text(NETWORK)


def test_a_manifest_is_read() -> None:
    by_eyes, by_box = (parse_any(manifest_text(NETWORK, align=way).encode()) for way in ("eyes", "box"))
    assert isinstance(by_eyes, FaceEmbedding)
    assert isinstance(by_box, FaceEmbedding)
    assert (by_eyes.eyes, by_eyes.room) == (Eyes(0.4, 0.4), 1.0)
    assert (by_box.eyes, by_box.room) == (None, 1.1)
    assert (by_eyes.side, by_eyes.dimension, by_eyes.name) == (SIDE, DIMENSION, FACE_EMBEDDING)
    assert by_eyes.bounds == Bounds(0.92, 0.87, 0.1)
    assert by_eyes.sha256 == hashlib.sha256(NETWORK).hexdigest()


WRONG: dict[str, tuple[str, str, str]] = {
    "another schema": ("bauta.model/v1", "bauta.model/v2", "schema"),
    "a file elsewhere": ('"faces.onnx"', '"../faces.onnx"', "file"),
    "no digest": (hashlib.sha256(NETWORK).hexdigest(), "abc", "sha256"),
    "a key too many": ('source = "a test"', 'source = "a test"\nconsent = "all"', "a key"),
    "a side too small": (f"side = {SIDE}", "side = 16", "input.side"),
    "no alignment": ('align = "eyes"\n', "", "input.align"),
    "an alignment that is none": ('"eyes"', '"nose"', "input.align"),
    "the box's key for eyes": ("eyes_down = 0.4", "room = 1.1", "input.eyes_down"),
    "eyes outside": ("eyes_down = 0.4", "eyes_down = 1.4", "input.eyes_down"),
    "eyes on no place": ("eyes_apart = 0.4", "eyes_apart = nan", "input.eyes_apart"),
    "other colours": ('"rgb"', '"yuv"', "input.colours"),
    "a deviation of nothing": ("deviation = [127.5, 127.5, 127.5]", "deviation = [1, 1, 0]", "input.dev"),
    "too few numbers": (f"dimension = {DIMENSION}", "dimension = 8", "output.dimension"),
    "another metric": ('"cosine"', '"euclid"', "output.metric"),
    "a threshold of nothing": ("threshold = 0.92", "threshold = 0", "match.threshold"),
    "no threshold": ("threshold = 0.92\n", "", "match.threshold"),
    "a lower bound above it": ("least = 0.87", "least = 0.95", "match.least"),
    "a margin below nothing": ("margin = 0.1", "margin = -0.1", "match.margin"),
    "a table that is none": ("[match]", "[match.more]", "match"),
}


@pytest.mark.parametrize(("before", "after", "key"), WRONG.values(), ids=WRONG)
def test_an_error_names_the_key(before: str, after: str, key: str) -> None:
    assert before in TEXT
    with pytest.raises(AnonymizerError) as caught:
        parse_any(TEXT.replace(before, after, 1).encode())
    assert caught.value.code == "model_manifest_invalid"
    assert key in str(caught.value)
    assert after not in str(caught.value) or len(after) < 3


UNUSABLE: dict[str, tuple[bytes, str]] = {
    "it takes another size": (NETWORK, TEXT.replace(f"side = {SIDE}", "side = 112")),
    "it gives another dimension": (NETWORK, TEXT.replace(f"dimension = {DIMENSION}", "dimension = 512")),
    "it answers no numbers": (network(broken=True), TEXT),
    "it is no graph": (b"hello", TEXT),
}


@pytest.mark.parametrize(("content", "text"), UNUSABLE.values(), ids=UNUSABLE)
def test_a_network_that_is_not_as_it_says_is_refused_before_any_frame(content: bytes, text: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        EmbeddingNetwork(content, read_embedding(load(text.encode())), threads=1)
    assert caught.value.code == "model_unusable"


def read_added_text(place: Path) -> str:
    return (place / f"{FACE_EMBEDDING}.toml").read_text()


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_it_is_added_listed_verified_and_removed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered, place = tmp_path / "offered", tmp_path / "place"
    offered.mkdir()
    (offered / "faces.onnx").write_bytes(NETWORK)
    (offered / "mine.toml").write_text(TEXT)
    assert main(["add", str(offered / "mine.toml")], place) == 0
    assert told(capsys)["added"]["name"] == FACE_EMBEDDING  # type: ignore[index] - JSON
    assert set(read_added(place)) == {FACE_EMBEDDING}
    # As load_models would, which takes seconds.
    monkeypatch.setattr(
        "anonymizer.adding.load_models", lambda *_: with_network(models, NETWORK, read_added_text(place))
    )
    assert main(["verify"], place) == 0
    listed = {model["name"]: model for model in told(capsys)["models"]}  # type: ignore[attr-defined] - JSON
    assert listed[FACE_EMBEDDING]["kind"] == "face-embedding"
    picture = tmp_path / "ana.png"
    picture.write_bytes(file_of(ana()))
    assert main(["embed", str(picture)], place) == 0
    vector = np.frombuffer(base64.b64decode(str(told(capsys)["embedding"])), "<f4")
    assert (vector.shape, float(np.linalg.norm(vector))) == ((DIMENSION,), pytest.approx(1))
    picture.write_bytes(NETWORK)
    assert main(["embed", str(picture)], place) == 1
    assert told(capsys)["error"] == "enrolment_invalid"
    assert main(["remove", "face-embedding"], place) == 0
    assert read_added(place) == {}


def test_a_network_of_another_digest_is_not_loaded(tmp_path: Path) -> None:
    put_network(tmp_path, NETWORK + b"\0", TEXT)
    with pytest.raises(AnonymizerError) as caught:
        load_models("cpu", tmp_path)
    assert caught.value.code == "model_digest_mismatch"
