"""Faces as meshes: read where they are, followed, steadied; and what they do, without whose they are."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from face_factory import AT_EASE, Does, cover_around, reading_of, scene_with, somebody
from media_factory import face_picture

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import Box
from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.landmarks import following
from anonymizer.landmarks.cropping import Square, crop_of
from anonymizer.landmarks.expression import NAMES, Pose, laid_on, read_off, turning_of
from anonymizer.landmarks.following import FaceReader
from anonymizer.landmarks.networks import IRIS_SIDE, MESH_SIDE, EyePoints, FaceNetworks
from anonymizer.landmarks.neutral import Neutral
from anonymizer.landmarks.reading import read_face, square_around
from anonymizer.landmarks.steadying import Steady
from anonymizer.settings import FaceSettings

# Where the portrait's eyes and mouth are, of 512 pixels; read off it by eye.
EYES_OF_PORTRAIT = ((204, 101), (246, 104))
MOUTH_OF_PORTRAIT = (223, 147)
FACE_OF_PORTRAIT = Box(172, 62, 276, 190)


@pytest.fixture(scope="session")
def networks(models: Models) -> FaceNetworks:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    return models.landmarks


def still_of(picture: Any, time: float = 0.0, shot: int = 0) -> Scene:
    planes = [Plane(np.ascontiguousarray(picture[:, :, channel]), 1, 128) for channel in (2, 1, 0)]
    return Scene(planes, picture.shape[1], picture.shape[0], time, shot)


def covering(box: Box, scene: Scene, track: int = 0) -> Cover:
    region = region_of(box, 1.3, "ellipse", scene.width, scene.height)
    assert region is not None
    return Cover("face", track, box, FaceSettings(effect="persona"), region)


class Nobody:
    """Networks that see no face."""

    def __init__(self) -> None:
        self.looks = 0

    def mesh(self, image: Any) -> Any:
        self.looks += 1
        return np.zeros((468, 3), np.float32), 0.0


class Somebody(Nobody):
    """Networks that see the mean face in the middle of whatever they are shown."""

    def mesh(self, image: Any) -> Any:
        self.looks += 1
        assert image.shape == (MESH_SIDE, MESH_SIDE, 3)
        return (mean_face() * 90 + MESH_SIDE / 2).astype(np.float32), 0.99

    def eye(self, image: Any) -> EyePoints:
        assert image.shape == (IRIS_SIDE, IRIS_SIDE, 3)
        middle = np.full((5, 2), IRIS_SIDE / 2, np.float32)
        return EyePoints(middle, np.full((16, 2), IRIS_SIDE / 2, np.float32))


def test_the_features_of_a_real_face_are_where_they_are(networks: FaceNetworks) -> None:
    scene = still_of(face_picture())
    reading = FaceReader(networks).read(scene, [covering(FACE_OF_PORTRAIT, scene)])[0]
    for iris, place in zip(reading.irises, EYES_OF_PORTRAIT, strict=True):
        assert math.dist(iris[0], place) < 4
    assert math.dist(reading.mesh[[13, 14], :2].mean(axis=0), MOUTH_OF_PORTRAIT) < 5
    assert reading.presence > 0.9


@pytest.mark.parametrize("degrees", [-35, 35, 80])
def test_a_tilted_head_is_read_with_its_tilt(networks: FaceNetworks, degrees: int) -> None:
    whole = face_picture()
    way = cv2.getRotationMatrix2D((224, 126), -degrees, 1)
    turned = cv2.warpAffine(whole, way, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    upright, tilted = still_of(whole), still_of(turned)
    reader = FaceReader(networks)
    before = read_off(reader.read(upright, [covering(FACE_OF_PORTRAIT, upright)])[0]).pose
    after = read_off(FaceReader(networks).read(tilted, [covering(FACE_OF_PORTRAIT, tilted)])[0]).pose
    assert math.degrees(after.roll - before.roll) == pytest.approx(degrees, abs=8)


def test_a_mirrored_head_is_turned_the_other_way(networks: FaceNetworks) -> None:
    whole = face_picture()
    mirrored = np.ascontiguousarray(whole[:, ::-1])
    there, here = still_of(whole), still_of(mirrored)
    box = Box(512 - FACE_OF_PORTRAIT.x2, FACE_OF_PORTRAIT.y1, 512 - FACE_OF_PORTRAIT.x1, FACE_OF_PORTRAIT.y2)
    first = read_off(FaceReader(networks).read(there, [covering(FACE_OF_PORTRAIT, there)])[0]).pose
    second = read_off(FaceReader(networks).read(here, [covering(box, here)])[0]).pose
    assert second.yaw == pytest.approx(-first.yaw, abs=0.08)
    assert second.roll == pytest.approx(-first.roll, abs=0.05)
    assert second.size == pytest.approx(first.size, rel=0.05)


@pytest.mark.parametrize("kind", ["video", "colour still", "grey still"])
def test_nobody_is_seen_in_noise(networks: FaceNetworks, kind: str) -> None:
    scene = scene_with(kind, 320, 240)
    assert FaceReader(networks).read(scene, [covering(Box(100, 60, 200, 180), scene)]) == {}


BROKEN = {
    "not a number": (np.full(1404, np.nan, np.float32), np.ones(1, np.float32)),
    "endless": (np.full(1404, np.inf, np.float32), np.ones(1, np.float32)),
    "too few points": (np.zeros(1401, np.float32), np.ones(1, np.float32)),
    "presence is no number": (np.zeros(1404, np.float32), np.full(1, np.nan, np.float32)),
    "two presences": (np.zeros(1404, np.float32), np.ones(2, np.float32)),
}


class Answers:
    """An inference request that gives what a test says."""

    def __init__(self, *answers: Any) -> None:
        self._answers = answers

    def infer(self, inputs: Any, share_inputs: bool) -> None:
        if not self._answers:
            raise RuntimeError

    def get_output_tensor(self, index: int) -> Any:
        return type("Tensor", (), {"data": self._answers[index]})()


@pytest.mark.parametrize("answers", [*BROKEN.values(), ()], ids=[*BROKEN, "it raises"])
def test_a_network_that_fails_ends_the_job(answers: Any) -> None:
    failing = FaceNetworks(Answers(*answers), Answers())
    scene = scene_with("video", 320, 240)
    with pytest.raises(AnonymizerError) as caught:
        FaceReader(failing).read(scene, [covering(Box(100, 60, 200, 180), scene)])
    assert caught.value.code == "detector_failed"


def test_an_eye_that_is_no_number_ends_the_job() -> None:
    nans = np.full(213, np.nan, np.float32), np.zeros(15, np.float32)
    with pytest.raises(AnonymizerError):
        FaceNetworks(Answers(), Answers(*nans)).eye(np.zeros((IRIS_SIDE, IRIS_SIDE, 3), np.uint8))
    with pytest.raises(AnonymizerError):
        FaceNetworks(Answers(), Answers(*nans)).mesh(np.zeros((10, 10, 3), np.uint8))


SQUARES = {
    "upright": Square(101, 83, 90),
    "turned": Square(120, 80, 70, turn=0.7),
    "mirrored": Square(90, 90, 64, turn=-0.4, mirrored=True),
    "finer than the crop": Square(100, 90, 20, turn=0.2),
    "much coarser": Square(160, 120, 260, turn=0.3),
}


@pytest.mark.parametrize("square", SQUARES.values(), ids=SQUARES)
def test_points_of_a_crop_lie_where_their_pixels_came_from(square: Square) -> None:
    # A picture whose colour says where in it one is.
    across, down = np.meshgrid(np.arange(320), np.arange(240))
    picture = np.stack([across * 0.75, down, np.full_like(across, 90)], axis=2).astype(np.uint8)
    scene = still_of(picture)
    crop = crop_of(scene.planes, 320, 240, square, 48)
    assert crop is not None
    points = np.array([[24, 24], [10, 30], [40, 12]], np.float32)
    for (x, y), place in zip(points.astype(int), square.picture_of(points, 48), strict=True):
        if 4 < place[0] < 315 and 4 < place[1] < 235:
            told = crop[y, x, :2].astype(float) / (0.75, 1)
            assert np.abs(told - place).max() < 4 + square.side / 48


@pytest.mark.parametrize(
    "square", [Square(-300, 50, 90), Square(50, 900, 90), Square(50, 50, 5000), Square(50, 50, 0.1)]
)
def test_a_square_without_a_picture_has_no_crop(square: Square) -> None:
    scene = scene_with("video", 320, 240)
    assert crop_of(scene.planes, 320, 240, square, 48) is None


@pytest.mark.parametrize("kind", ["video", "colour still", "grey still"])
def test_a_square_at_the_edge_goes_on_beyond_it(kind: str) -> None:
    width, height = (320, 240) if kind == "video" else (321, 239)
    scene = scene_with(kind, width, height)
    for x, y in ((0, 0), (width, height), (width, 0)):
        crop = crop_of(scene.planes, width, height, Square(x, y, 60, turn=0.5), 48)
        assert crop is not None
        assert crop.shape == (48, 48, 3)


def test_a_mesh_that_left_its_cover_is_dropped() -> None:
    reader = FaceReader(Somebody())  # type: ignore[arg-type]  # stands in for the networks
    scene = scene_with("video", 640, 360)
    near, far = Box(100, 100, 180, 200), Box(450, 100, 530, 200)
    first = reader.read(scene, [covering(near, scene)])[0]
    assert np.abs(first.mesh[:, :2].mean(axis=0) - near.centre).max() < 30
    second = reader.read(scene, [covering(far, scene)])[0]
    assert np.abs(second.mesh[:, :2].mean(axis=0) - far.centre).max() < 30


def test_nothing_goes_on_from_one_shot_to_the_next_or_is_kept_for_ever() -> None:
    reader = FaceReader(Somebody())  # type: ignore[arg-type]  # stands in for the networks
    box = Box(100, 100, 180, 200)
    for track in range(200):
        scene = scene_with("video", 320, 240, time=track * 0.5)
        reader.read(scene, [covering(box, scene, track)])
        assert len(reader._followed) <= 1 + following.FORGET_SECONDS / 0.5
    cut = scene_with("video", 320, 240, time=200.0, shot=1)
    reader.read(cut, [])
    assert not reader._followed


def test_a_crowd_costs_no_more_than_its_largest_faces() -> None:
    nobody = Nobody()
    reader = FaceReader(nobody)  # type: ignore[arg-type]  # stands in for the networks
    scene = scene_with("video", 640, 360)
    covers = [covering(Box(10, 10, 60, 70), scene, track) for track in range(100)]
    covers += [covering(Box(10, 10, 22, 24), scene, 100 + track) for track in range(100)]
    reader.read(scene, covers)
    reader.read(scene, covers)
    most = following.MOST_FACES
    # Each start once in the first frame, and one of them in the second.
    assert nobody.looks == most * (len(following.STARTS) + 1)


POSES = [(0, 0, 0), (0.6, 0, 0), (-0.6, 0.2, 0), (0.1, -0.5, 0.3), (0.4, 0.4, -2.0), (-1.2, 0.1, 0.2)]


@pytest.mark.parametrize("angles", POSES)
def test_a_pose_is_read_back(angles: tuple[float, float, float]) -> None:
    pose = Pose(311, 207, 140, *angles)
    read = read_off(reading_of(pose)).pose
    assert (read.x, read.y, read.size) == pytest.approx((311, 207, 140), abs=0.5)
    assert (read.yaw, read.pitch, read.roll) == pytest.approx(angles, abs=0.01)


def test_points_that_are_all_one_have_a_pose() -> None:
    turning, size, origin = laid_on(mean_face(), np.full((468, 3), 7, np.float32))
    assert np.isfinite(turning).all()
    assert np.isfinite(origin).all()
    assert 0 < size < 1e-3


DOES = {
    "eyes shut": (Does(opened=0.12), "open_near", -1.0),
    "looking right": (Does(gaze=(0.2, -0.07)), "gaze_x", 0.7),
    "looking down": (Does(gaze=(0.0, 0.06)), "gaze_y", 0.7),
    "mouth open": (Does(mouth=0.12), "mouth_open", 0.7),
    "smiling": (Does(corners_up=0.04), "smile", 0.6),
    "brows up": (Does(brows_up=0.05), "brow_near", 0.7),
}


@pytest.mark.parametrize(("does", "name", "by"), DOES.values(), ids=DOES)
@pytest.mark.parametrize("angles", [(0, 0, 0), (0.35, 0.1, 0.4)])
def test_what_a_face_does_is_read_in_any_pose(
    does: Does, name: str, by: float, angles: tuple[float, float, float]
) -> None:
    pose = Pose(300, 200, 150, *angles)
    at_ease = Neutral().expression_of(read_off(reading_of(pose)), 0)
    moved = Neutral().expression_of(read_off(reading_of(pose, does=does)), 0)
    change = getattr(moved, name) - getattr(at_ease, name)
    assert change * np.sign(by) > abs(by) * 0.6
    if name != "open_near":
        assert getattr(at_ease, name) == pytest.approx(0, abs=0.3)


def test_no_number_is_out_of_bounds_whatever_is_read() -> None:
    drawn = np.random.default_rng(3)
    neutral = Neutral()
    for _ in range(200):
        pose = Pose(300, 200, 150, *drawn.normal(size=3))
        wild = reading_of(pose, somebody(int(drawn.integers(1000)), 0.5))
        expression = neutral.expression_of(read_off(wild), 0.04)
        for name in NAMES:
            value = getattr(expression, name)
            low, high = (0, 1.3) if name.startswith("open") else (-1, 1)
            assert low <= value <= high, name


def learnt(face: Any, seconds: float = 6.0, seed: int = 0) -> Any:
    """The mean of what a persona would do over the last second of somebody who sits at ease."""
    neutral, drawn = Neutral(), np.random.default_rng(seed)
    seen = []
    for frame in range(int(seconds * 25)):
        pose = Pose(300, 200, 150, 0.2 * math.sin(frame / 9), 0.1 * math.sin(frame / 13), 0.0)
        reading = reading_of(pose, face, AT_EASE)
        noise = drawn.normal(size=reading.mesh.shape) * 0.4
        shaken = type(reading)(
            (reading.mesh + noise).astype(np.float32), reading.irises, reading.outlines, 0.9
        )
        expression = neutral.expression_of(read_off(shaken), 0.04)
        seen.append([getattr(expression, name) for name in NAMES])
    return np.array(seen[-25:]).mean(axis=0)


def test_what_a_persona_does_tells_nothing_of_whose_face_it_is() -> None:
    people = [somebody(seed) for seed in range(24)]
    raw = np.array([read_off(reading_of(Pose(300, 200, 150), face)).numbers for face in people])
    first = np.array([learnt(face, seed=1) for face in people])
    second = np.array([learnt(face, seed=2) for face in people])
    # Without learning, proportions tell everybody apart.
    assert _found(raw, raw + np.random.default_rng(0).normal(size=raw.shape) * 0.002) > 0.9
    # With it, what is left of one video finds the other one of the same person hardly more often than chance.
    assert np.abs(first).max(axis=0)[2:].max() < 0.35
    assert _found(first[:, 2:], second[:, 2:]) <= 4 / len(people)


@pytest.mark.shared
def test_a_still_tells_nothing_of_whose_face_it_is(networks: FaceNetworks, shared_media: Path) -> None:
    people, raw, shown = [], [], []
    for file in sorted((shared_media / "faces").glob("*/*.jpg")):
        picture = cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB)
        scene = still_of(picture)
        square = Square(scene.width / 2, scene.height / 2, max(scene.width, scene.height))
        for _ in range(3):
            reading = read_face(networks, scene.planes, scene.width, scene.height, square, 0.5)
            if reading is None:
                break
            square = square_around(reading)
        else:
            assert reading is not None
            people.append(file.parent.name)
            raw.append(read_off(reading).numbers)
            expression = Neutral().expression_of(read_off(reading), 0)
            shown.append([getattr(expression, name) for name in NAMES])
    assert len(people) > 40
    # Chance is 1 in 20: some people have more photographs than others.
    assert _same_person(people, np.array(raw) / np.std(raw, axis=0)) > 0.18
    assert _same_person(people, np.array(shown)) < 0.12


def _same_person(people: list[str], numbers: Any) -> float:
    """How often the nearest other photograph is of the same person; of several as near, their share."""
    names = np.array(people)
    distances = np.linalg.norm(numbers[:, None] - numbers[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    shares = [
        (names[row <= row.min() + 1e-6] == name).mean()
        for row, name in zip(distances, names, strict=True)
        if (names == name).sum() > 1
    ]
    return float(np.mean(shares))


def _found(gallery: Any, probes: Any) -> float:
    """How often the nearest of a gallery is the same person, over numbers of equal weight."""
    scale = gallery.std(axis=0) + 1e-3
    distances = np.linalg.norm((probes[:, None] - gallery[None]) / scale, axis=2)
    return float((distances.argmin(axis=1) == np.arange(len(probes))).mean())


def test_what_rests_is_held_still_and_what_moves_is_not_held_back() -> None:
    drawn = np.random.default_rng(5)
    noise = drawn.normal(size=(120, 40)).astype(np.float32) * 0.003
    steady = Steady(following.REST_HERTZ, following.HERTZ_PER_SPEED)
    rested = np.array([steady.after(row, 1 / 25) for row in noise])
    assert rested[30:].std() < noise[30:].std() / 2
    moving = Steady(following.REST_HERTZ, following.HERTZ_PER_SPEED)
    ramp = np.linspace(0, 1, 26, dtype=np.float32)
    followed = [float(moving.after(np.array([at]), 1 / 25)[0]) for at in ramp]
    # One face width a second: less than one frame behind.
    assert ramp[-1] - followed[-1] < 1.5 / 25


def test_without_time_between_numbers_pass_as_they_are() -> None:
    steady = Steady(1.0, 0.0)
    steady.after(np.zeros(3, np.float32), 0.04)
    assert (steady.after(np.ones(3, np.float32), 0.0) == 1).all()


def test_a_reading_says_where_to_look_next() -> None:
    reading = reading_of(Pose(300, 200, 100, roll=0.5))
    square = square_around(reading)
    assert square.turn == pytest.approx(0.5, abs=0.02)
    middle = turning_of(0, 0, 0.5)[:2, :2] @ np.array([0, 0]) + (300, 200)
    assert math.dist((square.x, square.y), middle) < 20
    assert 140 < square.side < 260


def test_a_face_that_is_not_sure_is_not_read(networks: FaceNetworks) -> None:
    scene = still_of(face_picture())
    square = Square(*FACE_OF_PORTRAIT.centre, 220)
    seen = read_face(networks, scene.planes, 512, 512, square, 0.5)
    assert seen is not None
    assert read_face(networks, scene.planes, 512, 512, square, 1.01) is None
    pose = Pose(224, 126, 100)
    assert cover_around(pose, 512, 512).region.coarse.any()
