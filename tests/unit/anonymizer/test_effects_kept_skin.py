"""Marked skin: exact to the bit under a person, and no way to show a face, a text or what was blanked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    KeptRegion,
    PeopleSettings,
    Settings,
    TextSettings,
    load_models,
)
from anonymizer.boxes import Box
from anonymizer.effects.casting import Cast
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.models import Models
from anonymizer.settings import CoverSettings, Kind

WIDTH, HEIGHT = 162, 122
MARK = KeptRegion(0.25, 0.25, 0.75, 0.75)
# In luma pixels, on the coarse grid.
INSIDE = np.s_[30:92, 40:122]
PERSON = Box(10, 10, 150, 115)


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models(device="cpu")


def video() -> Scene:
    made = np.random.default_rng(7)
    sizes = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))
    planes = [made.integers(16, 235, size, np.uint8) for size in sizes]
    steps = (1, 2, 2)
    return Scene([Plane(p, step, 126) for p, step in zip(planes, steps, strict=True)], WIDTH, HEIGHT, 0.0, 0)


def still(channels: int) -> Scene:
    image = np.random.default_rng(7).integers(0, 255, (HEIGHT - 1, WIDTH - 1, channels), np.uint8)
    planes = [Plane(image[:, :, i], 1, 128) for i in range(channels)]
    return Scene(planes, WIDTH - 1, HEIGHT - 1, 0.0, 0)


def covered(
    models: Models, scene: Scene, settings: Settings, *things: tuple[Kind, Box], blank: Box | None = None
) -> tuple[list[npt.NDArray[np.uint8]], list[npt.NDArray[np.uint8]]]:
    """The planes before and after."""
    before = [plane.pixels.copy() for plane in scene.planes]
    covers = []
    for track, (kind, box) in enumerate(things):
        cover: CoverSettings = settings.sought[kind]
        region = region_of(box, 1.0, "box", scene.width, scene.height)
        assert region is not None
        covers.append(Cover(kind, track, box, cover, region))
    blanked = [] if blank is None else [region_of(blank, 1.0, "box", scene.width, scene.height)]
    Cast(models, settings).cover(scene, covers, [region for region in blanked if region is not None])
    return before, [plane.pixels for plane in scene.planes]


def settings_for(effect: str = "solid", **more: object) -> Settings:
    values: dict[str, object] = {"people": PeopleSettings(effect=effect), "keep_skin": (MARK,), **more}  # type: ignore[arg-type]
    return Settings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("effect", ["solid", "mosaic", "blur"])
@pytest.mark.parametrize("scene", [video, lambda: still(3), lambda: still(1)], ids=["video", "still", "grey"])
def test_under_the_mark_not_a_bit_changes_whatever_covers_the_person(
    models: Models, effect: str, scene: object
) -> None:
    made: Scene = scene()  # type: ignore[operator]
    before, after = covered(models, made, settings_for(effect), ("person", PERSON))
    for plane, was, now in zip(made.planes, before, after, strict=True):
        inside = np.s_[30 // plane.step : 90 // plane.step, 40 // plane.step : 120 // plane.step]
        assert (was[inside] == now[inside]).all()
        around = np.ones(was.shape, np.bool_)
        around[28 // plane.step : 94 // plane.step, 38 // plane.step : 124 // plane.step] = False
        body = np.zeros(was.shape, np.bool_)
        body[12 // plane.step : 112 // plane.step, 12 // plane.step : 148 // plane.step] = True
        assert (was[around & body] != now[around & body]).mean() > 0.5


def test_a_movement_under_the_mark_is_where_it_was(models: Models) -> None:
    """A tremor of one pixel to and fro is one pixel to and fro: the same bits in every frame."""
    for shift in (0, 1, 0, -1):
        scene = video()
        luma = scene.planes[0].pixels
        luma[40:80, 50:110] = 60
        luma[55:65, 70 + shift : 90 + shift] = 200
        before, after = covered(models, scene, settings_for(), ("person", PERSON))
        assert (before[0][INSIDE] == after[0][INSIDE]).all()
        assert (after[0][60, 60:100] == 200).nonzero()[0][0] == 10 + shift


FACE, TEXT = Box(60, 40, 90, 70), Box(50, 60, 110, 72)
ALWAYS_COVERED = {
    "a face": (("face", FACE),),
    "a face that lies half outside": (("face", Box(30, 40, 60, 70)),),
    "two faces that overlap": (("face", FACE), ("face", Box(80, 50, 110, 80))),
    "text": (("text", TEXT),),
    "a plate": (("plate", TEXT),),
}


@pytest.mark.parametrize("things", ALWAYS_COVERED.values(), ids=ALWAYS_COVERED)
def test_a_mark_uncovers_nothing_else(models: Models, things: tuple[tuple[Kind, Box], ...]) -> None:
    settings = settings_for(text=TextSettings(), plates=TextSettings())
    scene = video()
    _, after = covered(models, scene, settings, ("person", PERSON), *things)
    for _, box in things:
        part = after[0][int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
        assert (part == 126).all()


def test_what_lies_under_a_face_never_reaches_the_result(models: Models) -> None:
    """Two pictures that differ in the face alone give one result."""
    results = []
    for value in (50, 180):
        scene = video()
        scene.planes[0].pixels[40:70, 60:90] = value
        for plane in scene.planes[1:]:
            plane.pixels[20:35, 30:45] = value
        results.append(covered(models, scene, settings_for(), ("person", PERSON), ("face", FACE))[1])
    for first, second in zip(*results, strict=True):
        assert (first == second).all()


def test_what_a_person_blanked_stays_blank(models: Models) -> None:
    _, after = covered(models, video(), settings_for(), ("person", PERSON), blank=Box(50, 40, 100, 80))
    assert (after[0][40:80, 50:100] == 126).all()


def test_a_mark_outside_every_cover_changes_nothing(models: Models) -> None:
    before, after = covered(models, video(), settings_for(), ("person", Box(0, 0, 20, 20)))
    assert (before[0][INSIDE] == after[0][INSIDE]).all()
    before, after = covered(models, video(), settings_for())
    assert all((was == now).all() for was, now in zip(before, after, strict=True))


def test_marks_that_overlap_and_reach_over_the_edge(models: Models) -> None:
    marks = (KeptRegion(0, 0, 0.5, 1), KeptRegion(0.3, 0.3, 1, 1))
    scene = video()
    before, after = covered(models, scene, settings_for(keep_skin=marks), ("person", Box(-20, -20, 300, 300)))
    assert (before[0][:, :80] == after[0][:, :80]).all()
    assert (before[0][40:, 50:] == after[0][40:, 50:]).all()
    assert (after[0][:30, 90:] == 126).all()


def test_the_noise_of_a_marked_picture_is_not_taken_out() -> None:
    with pytest.raises(AnonymizerError) as refusal:
        settings_for(sensor_noise="suppress")
    assert refusal.value.code == "settings_invalid"


def test_a_face_is_covered_as_before(models: Models) -> None:
    settings = settings_for(faces=FaceSettings(effect="mosaic"))
    before, after = covered(models, video(), settings, ("face", FACE))
    part = np.s_[40:70, 60:90]
    assert (before[0][part] != after[0][part]).mean() > 0.9
