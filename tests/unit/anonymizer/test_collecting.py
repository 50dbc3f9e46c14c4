"""Vectors of everybody in a job, for who compares them: in stills, films and sound; nothing else changes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pytest
from enrolled_faces import ana, ben, file_of, frames_of, manifest_text, network, with_network
from media_factory import face_clip

from anonymizer import AnonymizerError, Limits, Models, Report, Settings, anonymize
from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.enrolled.collecting import LEAST_SECONDS_APART, MOST_IN_A_FRAME, MOST_LOOKS, Collecting
from anonymizer.enrolled.embedding import FaceEmbedder
from anonymizer.settings import FaceSettings
from tests.sound_factory import as_file, talk

Vector = npt.NDArray[np.float32]
SETTINGS = Settings(mode="fast", faces=FaceSettings(shape="box"))


class Taker:
    """Keeps what it is given."""

    def __init__(self, kind: Literal["face", "voice"]) -> None:
        self.kind: Literal["face", "voice"] = kind
        self.begun = 0
        self.faces: dict[int, list[Vector]] = {}
        self.heard = np.zeros((0, 256), np.float32)

    def begin(self) -> None:
        self.begun += 1
        self.faces.clear()

    def face(self, track: int, vector: Vector) -> None:
        self.faces.setdefault(track, []).append(vector)

    def voices(self, vectors: Vector) -> None:
        self.heard = vectors


@pytest.fixture(scope="module")
def knowing(models: Models) -> Models:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    content = network()
    return with_network(models, content, manifest_text(content))


def run(
    source: bytes, models: Models, taker: Taker | None, settings: Settings = SETTINGS
) -> tuple[bytes, Report]:
    sink = io.BytesIO()
    report = anonymize(
        io.BytesIO(source), sink, settings=settings, models=models, limits=Limits(), collector=taker
    )
    return sink.getvalue(), report


def test_a_still_gives_one_look_at_each_face_and_comes_out_as_it_would(knowing: Models) -> None:
    picture = np.hstack([ana(), ben()])
    taker = Taker("face")
    result, report = run(file_of(picture), knowing, taker)
    assert report.tracks == 2
    assert [len(looks) for looks in taker.faces.values()] == [1, 1]
    (hers,), (his,) = taker.faces.values()
    assert float(hers @ his) < 0.9
    assert result == run(file_of(picture), knowing, None)[0]


def test_a_film_gives_a_few_looks_at_each_face_which_stays_one(knowing: Models, tmp_path: Path) -> None:
    people = [(ana(), lambda i: (40 + i, 60)), (ben(), lambda i: (400 - i, 80))]
    clip = face_clip(tmp_path / "in.mp4", fps=25, frames=frames_of(40, people), audio=False)
    taker = Taker("face")
    run(clip.read_bytes(), knowing, taker)
    assert taker.begun == 1
    assert len(taker.faces) == 2
    means = []
    for looks in taker.faces.values():
        assert 2 <= len(looks) <= 4
        assert all(float(look @ looks[0]) > 0.9 for look in looks)
        means.append(np.mean(looks, axis=0))
    assert float(means[0] @ means[1]) < 0.9


def test_faces_need_their_network(models: Models) -> None:
    if models.face_embedding is not None:
        pytest.skip("a network for faces is installed here")
    with pytest.raises(AnonymizerError) as caught:
        run(file_of(ana()), models, Taker("face"))
    assert caught.value.code == "model_missing"


def test_a_voice_is_heard_even_where_all_sound_stays(models: Models, tmp_path: Path) -> None:
    recording = as_file(tmp_path / "talk.flac", talk()).read_bytes()
    kept = Settings(mode="fast", audio="keep")
    taker = Taker("voice")
    _, report = run(recording, models, taker, kept)
    assert report.audio == "kept"
    assert taker.heard.shape == (1, 256)
    assert np.linalg.norm(taker.heard[0]) == pytest.approx(1, abs=0.3)


def scene(time: float) -> Scene:
    return cast(Scene, SimpleNamespace(time=time, planes=(), width=640, height=360))


def looking(look: Callable[[Box], Vector | None], taker: Taker) -> Collecting:
    embedder: Any = SimpleNamespace(look=lambda _planes, _width, _height, box: look(box))
    return Collecting(None, cast(FaceEmbedder, embedder), taker)


def test_each_face_is_looked_at_a_few_times_and_not_at_once() -> None:
    taker = Taker("face")
    collecting = looking(lambda _: np.ones(4, np.float32), taker)
    for frame in range(400):
        assert collecting.roles(scene(frame / 25), {7: Box(0, 0, 50, 50)}) == {}
    assert {track: len(looks) for track, looks in taker.faces.items()} == {7: MOST_LOOKS}
    taker = Taker("face")
    collecting = looking(lambda _: np.ones(4, np.float32), taker)
    for time in (0.0, LEAST_SECONDS_APART / 2):
        collecting.roles(scene(time), {7: Box(0, 0, 50, 50)})
    assert len(taker.faces[7]) == 1


def test_of_a_crowd_the_largest_come_first_and_who_gives_no_vector_is_asked_again() -> None:
    taker = Taker("face")
    faces = {number: Box(0, 0, 50, 30 + number) for number in range(MOST_IN_A_FRAME + 3)}
    collecting = looking(lambda _: np.ones(4, np.float32), taker)
    collecting.roles(scene(0.0), faces)
    assert sorted(taker.faces) == list(range(3, MOST_IN_A_FRAME + 3))
    collecting.roles(scene(0.1), faces)
    assert sorted(taker.faces) == list(faces)
    given = iter([None, np.ones(4, np.float32)])
    turned_away = looking(lambda _: next(given), again := Taker("face"))
    for time in (0.0, 0.04):
        turned_away.roles(scene(time), {1: Box(0, 0, 50, 50)})
    assert len(again.faces[1]) == 1
