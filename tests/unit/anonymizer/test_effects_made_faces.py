"""Swap and generator put another face in place: nothing of the one beneath is left, nothing else changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
import onnx
import pytest
from made_faces import (
    KINDS,
    NEUTRAL,
    FixedReader,
    Kind,
    box_around,
    cover_around,
    masks_of,
    pixels_of,
    reading_of,
    scene_of,
    with_noise,
)
from onnx import TensorProto, helper, numpy_helper

from anonymizer import Settings
from anonymizer.effects import identities
from anonymizer.effects.acting import HOLD_SECONDS, Reader
from anonymizer.effects.generator.network import GeneratorNetwork
from anonymizer.effects.generator.operating import Generate
from anonymizer.effects.identities import Identities
from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.operator import Cover, Operator, Scene
from anonymizer.effects.swap.driving import Moves
from anonymizer.effects.swap.faces import painted_face
from anonymizer.effects.swap.operating import Swap
from anonymizer.errors import AnonymizerError
from anonymizer.face_manifests import FIVE, Generator
from anonymizer.landmarks.expression import Pose

WIDTH, HEIGHT = 320, 240
POSE = Pose(150, 120, 110, yaw=0.2, pitch=-0.1, roll=0.15)
SECRET = Settings(personas=bytes(range(32)), pseudonym="A")
SEED, SIDE = 16, 32

MANIFEST = Generator(
    file="made.onnx",
    sha256="0" * 64,
    licence="MIT",
    source="a test",
    seed=SEED,
    landmarks=FIVE,
    pose=True,
    side=SIDE,
    alpha=False,
    lowest=0.0,
    highest=1.0,
)


def network(channels: int = 3, spoiled: float = 0.0) -> bytes:
    """A small decoder: a linear layer of all that it is given, then a sigmoid. NaN where it is spoiled."""
    drawn = np.random.default_rng(3)
    given = SEED + 2 * len(FIVE) + 3
    weights = drawn.normal(0, 0.4, (given, channels * SIDE * SIDE)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["points"], ["flat"], axis=1),
            helper.make_node("Concat", ["seed", "flat", "pose"], ["all"], axis=1),
            helper.make_node("MatMul", ["all", "weights"], ["linear"]),
            helper.make_node("Sigmoid", ["linear"], ["soft"]),
            # The root of something that falls below zero once the head turns far enough.
            helper.make_node("ReduceSum", ["pose"], ["turned"], keepdims=1),
            helper.make_node("Sub", ["room", "turned"], ["left"]),
            helper.make_node("Sqrt", ["left"], ["root"]),
            helper.make_node("Mul", ["root", "nothing"], ["zero"]),
            helper.make_node("Add", ["soft", "zero"], ["whole"]),
            helper.make_node("Reshape", ["whole", "shape"], ["face"]),
        ],
        "made",
        [
            helper.make_tensor_value_info("seed", TensorProto.FLOAT, [1, SEED]),
            helper.make_tensor_value_info("points", TensorProto.FLOAT, [1, len(FIVE), 2]),
            helper.make_tensor_value_info("pose", TensorProto.FLOAT, [1, 3]),
        ],
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, channels, SIDE, SIDE])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(spoiled or 100, np.float32), "room"),
            numpy_helper.from_array(np.array(0, np.float32), "nothing"),
            numpy_helper.from_array(np.array([1, channels, SIDE, SIDE], np.int64), "shape"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


paint = lru_cache(maxsize=8)(painted_face)


def swap(reader: Reader, settings: Settings = SECRET) -> Operator:
    people = Identities(settings, "swap")
    return Swap(reader, lambda track: paint(people.seed_of(track)))


def generator(reader: Reader, settings: Settings = SECRET) -> Operator:
    return Generate(reader, GeneratorNetwork(network(), MANIFEST, 1), Identities(settings, "generator"))


Make = Callable[..., Operator]
MADE = pytest.mark.parametrize("make", [swap, generator])


def painted(operator: Operator, scene: Scene, covers: Sequence[Cover]) -> list[np.ndarray]:
    operator.plan(scene, covers)()
    return pixels_of(scene)


def same(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> bool:
    return all((a == b).all() for a, b in zip(first, second, strict=True))


SIZES = {
    "usual": (WIDTH, HEIGHT, POSE),
    "odd size": (321, 239, POSE),
    "over the left edge": (WIDTH, HEIGHT, replace(POSE, x=-10)),
    "over the lower right corner": (WIDTH, HEIGHT, replace(POSE, x=300, y=230)),
    "larger than the picture": (WIDTH, HEIGHT, replace(POSE, size=600)),
    "12 pixels": (64, 48, replace(POSE, x=30, y=20, size=12)),
    "turned far": (WIDTH, HEIGHT, replace(POSE, yaw=1.2)),
    "lying": (WIDTH, HEIGHT, replace(POSE, roll=1.6)),
}


@MADE
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", SIZES)
def test_the_result_does_not_depend_on_the_face_beneath_and_nothing_beside_it_changes(
    make: Make, kind: Kind, case: str
) -> None:
    width, height, pose = SIZES[case]
    reading = reading_of(pose)
    covers = [cover_around(reading, width, height)]
    results = []
    for seed in (1, 2):
        scene = with_noise(scene_of(kind, width, height), covers, seed)
        before = pixels_of(scene)
        results.append(painted(make(FixedReader({0: reading})), scene, covers))
        for was, now, mask in zip(before, results[-1], masks_of(scene, covers), strict=True):
            assert (was[~mask] == now[~mask]).all()
            assert mask.any()
    assert same(*results)


@MADE
def test_a_face_of_1500_pixels(make: Make) -> None:
    reading = reading_of(Pose(960, 980, 1200))
    covers = [cover_around(reading, 1920, 1920)]
    assert covers[0].box.height > 1400
    results = [
        painted(
            make(FixedReader({0: reading})), with_noise(scene_of("video", 1920, 1920), covers, seed), covers
        )
        for seed in (1, 2)
    ]
    assert same(*results)
    # A face is drawn there, no flat patch.
    assert results[0][0][600:1300, 500:1400].std() > 5


@MADE
def test_faces_that_overlap_take_nothing_from_each_other(make: Make) -> None:
    readings = {0: reading_of(POSE), 1: reading_of(replace(POSE, x=200, size=90))}
    covers = [cover_around(reading, WIDTH, HEIGHT, track) for track, reading in readings.items()]
    first, second = (
        painted(
            make(FixedReader(readings)), with_noise(scene_of("video", WIDTH, HEIGHT), covers, seed), covers
        )
        for seed in (1, 2)
    )
    assert same(first, second)


@MADE
def test_no_proportion_of_the_face_beneath_gets_through(make: Make) -> None:
    """Nose, cheeks, jaw and mouth of another build: the pose and the expression alone count."""
    other = np.array(mean_face())
    for numbers, shift in (
        ((4, 5, 1, 19, 94, 2), (0, 0.03, -0.06)),
        ((172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397), (0, 0.08, 0)),
        ((50, 280, 205, 425), (0, 0, -0.05)),
    ):
        other[list(numbers)] += np.array(shift, np.float32)
    readings = [reading_of(POSE), reading_of(POSE, shape=other)]
    covers = [cover_around(readings[0], WIDTH, HEIGHT)]
    first, second = (
        painted(make(FixedReader({0: reading})), scene_of("video", WIDTH, HEIGHT), covers)
        for reading in readings
    )
    assert same(first, second)


@MADE
def test_what_stays_the_same_is_painted_the_same_and_a_trembling_mesh_moves_little(make: Make) -> None:
    still = reading_of(POSE)
    reader = FixedReader({0: still})
    operator = make(reader)
    covers = [cover_around(still, WIDTH, HEIGHT)]
    drawn, inside = np.random.default_rng(5), masks_of(scene_of("video", WIDTH, HEIGHT), covers)[0]
    frames = [painted(operator, scene_of("video", WIDTH, HEIGHT, n / 25), covers)[0] for n in range(3)]
    first, before = (frame.astype(int) for frame in frames[1:])
    # Somebody's own rest is still being learnt.
    assert np.abs(before - first)[inside].mean() < 0.5
    for n in range(3, 8):
        tremble = drawn.normal(0, 0.1, still.mesh.shape).astype(np.float32)
        reader.readings[0] = replace(still, mesh=still.mesh + tremble)
        now = painted(operator, scene_of("video", WIDTH, HEIGHT, n / 25), covers)[0].astype(int)
        assert np.abs(now - before)[inside].mean() < 2
        before = now


@MADE
def test_it_moves_with_the_mouth_and_the_head(make: Make) -> None:
    covers = [cover_around(reading_of(POSE), WIDTH, HEIGHT)]
    results = [
        painted(make(FixedReader({0: reading})), scene_of("video", WIDTH, HEIGHT), covers)
        for reading in (
            reading_of(POSE),
            reading_of(POSE, Moves(jaw=0.15)),
            reading_of(replace(POSE, yaw=-0.4)),
        )
    ]
    assert not same(results[0], results[1])
    assert not same(results[0], results[2])


@MADE
def test_who_it_is_follows_from_the_secret_the_pseudonym_and_the_order_of_appearance(make: Make) -> None:
    reading = reading_of(POSE)

    def seen(settings: Settings, track: int, before: Sequence[int] = ()) -> list[np.ndarray]:
        operator = make(FixedReader(dict.fromkeys((track, *before), reading)), settings)
        for other in before:
            operator.plan(scene_of("video", WIDTH, HEIGHT), [cover_around(reading, WIDTH, HEIGHT, other)])()
        cover = cover_around(reading, WIDTH, HEIGHT, track)
        return painted(operator, scene_of("video", WIDTH, HEIGHT), [cover])

    first = seen(SECRET, track=0)
    assert same(first, seen(SECRET, track=7))
    assert not same(first, seen(SECRET, track=0, before=(9,)))
    assert not same(first, seen(replace(SECRET, pseudonym="B"), track=0))
    assert not same(first, seen(replace(SECRET, personas=bytes(32)), track=0))


@MADE
def test_whoever_cannot_be_read_goes_on_for_a_moment_and_is_then_grey(make: Make) -> None:
    reading = reading_of(POSE)
    reader = FixedReader({0: reading})
    operator = make(reader)
    covers = [cover_around(reading, WIDTH, HEIGHT)]
    painted(operator, scene_of("video", WIDTH, HEIGHT), covers)
    reader.readings.clear()
    inside = masks_of(scene_of("video", WIDTH, HEIGHT), covers)[0]
    held = painted(operator, scene_of("video", WIDTH, HEIGHT, HOLD_SECONDS * 0.9), covers)[0]
    assert held[inside].std() > 5
    gone = painted(operator, scene_of("video", WIDTH, HEIGHT, HOLD_SECONDS * 1.1), covers)[0]
    assert (gone[inside] == NEUTRAL).all()


@MADE
def test_nothing_goes_on_over_a_cut_and_who_was_never_read_is_grey(make: Make) -> None:
    reading = reading_of(POSE)
    reader = FixedReader({0: reading})
    operator = make(reader)
    covers = [cover_around(reading, WIDTH, HEIGHT)]
    painted(operator, scene_of("video", WIDTH, HEIGHT), covers)
    reader.readings.clear()
    inside = masks_of(scene_of("video", WIDTH, HEIGHT), covers)[0]
    after = painted(operator, scene_of("video", WIDTH, HEIGHT, 0.04, shot=1), covers)[0]
    assert (after[inside] == NEUTRAL).all()


@MADE
def test_frames_without_covers_stay_as_they_are(make: Make) -> None:
    scene = scene_of("video", WIDTH, HEIGHT)
    before = pixels_of(scene)
    assert same(before, painted(make(FixedReader({})), scene, []))


def test_a_generator_that_answers_no_number_ends_the_job() -> None:
    """It answers well as long as the head looks ahead, and so passes when it is opened."""
    made = GeneratorNetwork(network(spoiled=0.5), MANIFEST, 1)
    reading = reading_of(replace(POSE, yaw=0.9))
    operator = Generate(FixedReader({0: reading}), made, Identities(SECRET, "generator"))
    with pytest.raises(AnonymizerError) as caught:
        operator.plan(scene_of("video", WIDTH, HEIGHT), [cover_around(reading, WIDTH, HEIGHT)])
    assert caught.value.code == "detector_failed"


UNUSABLE = {
    "no graph": (b"no graph", MANIFEST),
    "another side": (network(), replace(MANIFEST, side=64)),
    "no alpha where it says so": (network(), replace(MANIFEST, alpha=True)),
    "alpha where it says none": (network(channels=4), MANIFEST),
    "fewer inputs": (network(), replace(MANIFEST, pose=False)),
    "another seed": (network(), replace(MANIFEST, seed=SEED + 1)),
    "other landmarks": (network(), replace(MANIFEST, landmarks=FIVE[:4])),
    "answers no number to anybody": (network(spoiled=-1.0), MANIFEST),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_a_generator_that_is_not_as_its_manifest_says_is_not_opened(case: str) -> None:
    model, manifest = UNUSABLE[case]
    with pytest.raises(AnonymizerError) as caught:
        GeneratorNetwork(model, manifest, 1)
    assert caught.value.code == "model_unusable"


def test_a_generator_with_alpha_shows_the_fill_where_it_says_so() -> None:
    made = GeneratorNetwork(network(channels=4), replace(MANIFEST, alpha=True), 1)
    face = made.make(bytes(32), np.full((5, 2), 0.5, np.float32), (0, 0, 0))
    assert face.alpha is not None
    assert face.alpha.shape == (SIDE, SIDE)
    reading = reading_of(POSE)
    covers = [cover_around(reading, WIDTH, HEIGHT)]
    first, second = (
        painted(
            Generate(FixedReader({0: reading}), made, Identities(SECRET, "generator")),
            with_noise(scene_of("video", WIDTH, HEIGHT), covers, seed),
            covers,
        )
        for seed in (1, 2)
    )
    assert same(first, second)


def test_the_box_of_a_made_reading_is_that_of_its_mesh() -> None:
    box = box_around(reading_of(POSE))
    assert box.width > 0.8 * POSE.size
    assert box.x1 < POSE.x < box.x2


@MADE
def test_of_two_who_come_together_the_nearer_one_has_the_pseudonym(make: Make) -> None:
    near, far = reading_of(replace(POSE, x=90, size=100)), reading_of(replace(POSE, x=240, size=60))
    both = FixedReader({3: far, 5: near})
    covers = [cover_around(far, WIDTH, HEIGHT, 3), cover_around(near, WIDTH, HEIGHT, 5)]
    together = painted(make(both), scene_of("grey", WIDTH, HEIGHT), covers)[0]
    alone = painted(make(FixedReader({5: near})), scene_of("grey", WIDTH, HEIGHT), covers[1:])[0]
    # The middle of the near face, where nothing beside it shows.
    middle = slice(90, 130), slice(70, 110)
    assert np.abs(together[middle].astype(int) - alone[middle]).mean() < 3


def test_who_was_met_stays_who_they_are_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identities, "MOST_KNOWN", 4)
    known = Identities(SECRET, "swap")
    seeds = [known.seed_of(track) for track in range(20)]
    assert len(set(seeds)) == 20
    assert [known.seed_of(track) for track in range(16, 20)] == seeds[16:]
    assert str(SECRET.personas) not in repr(known)
