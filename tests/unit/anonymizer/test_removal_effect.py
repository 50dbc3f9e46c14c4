"""People removed: nothing of them stays, nothing else changes, and the room behind them is the room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
import pytest
from people_factory import HEIGHT, WIDTH, Pixels, figure, noisy, room
from removal_factory import REMOVE, Told, a_figure, cover_of, covered, scene_of, still_of, under

from anonymizer import AnonymizerError, Models, Settings
from anonymizer.boxes import Box
from anonymizer.effects import EFFECTS
from anonymizer.effects.casting import Cast
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.removal.remover import Remover
from anonymizer.settings import FaceSettings, PeopleSettings

FRAME = 0.1
HERE = Box(270, 125, 350, 335)
SILHOUETTE = replace(REMOVE, effect="silhouette")


def a_remover(reader: Told | None = None, *, silhouettes: bool = False) -> Remover:
    return Remover(reader or Told(), silhouettes=silhouettes)


def warmed(remover: Remover, frames: int = 6, picture: Callable[[], Pixels] = room) -> Remover:
    """Shows it an empty room."""
    for index in range(frames):
        covered(remover, scene_of(noisy(picture(), index), index * FRAME), [])
    return remover


def with_figure(seed: int, x: float = 310, feet: float = 330, height: float = 200) -> Pixels:
    picture = room()
    figure(picture, x, feet, height, seed)
    return noisy(picture, seed)


def psnr(a: Pixels, b: Pixels, where: object) -> float:
    apart = np.mean((a[where].astype(float) - b[where]) ** 2)
    return float(10 * np.log10(255**2 / max(apart, 1e-9)))


# What is told of a person whose mask is held fixed: nothing, an outline, limbs, both.
SHOWN = {
    "remove": (REMOVE, False),
    "remove, skeleton": (replace(REMOVE, overlay="skeleton"), False),
    "silhouette": (SILHOUETTE, True),
    "silhouette, skeleton": (replace(SILHOUETTE, overlay="skeleton"), True),
}


@pytest.mark.parametrize(("settings", "silhouettes"), SHOWN.values(), ids=SHOWN.keys())
def test_who_the_person_is_does_not_change_the_result(settings: PeopleSettings, silhouettes: bool) -> None:
    """The changed person test: other pixels under the cover, the same figure read, the same result."""
    results = []
    for seed in (7, 8, 9):
        reader = Told(a_figure(310, 235, 110))
        remover = warmed(a_remover(reader, silhouettes=silhouettes))
        for index in range(5):
            picture = with_figure(7)
            if seed != 7:
                # Somebody else altogether stands there, in other clothes, and moves.
                noise = np.random.default_rng(seed * 100 + index).integers(0, 255, picture.shape, np.uint8)
                box = HERE
                rows, columns = slice(int(box.y1), int(box.y2)), slice(int(box.x1), int(box.x2))
                coded = scene_of(picture)
                other = scene_of(noise)
                for plane, pixels in zip(coded.planes, other.planes, strict=True):
                    step = plane.step
                    part = (
                        slice(rows.start // 2 * 2 // step, -(-rows.stop // 2) * 2 // step),
                        slice(columns.start // 2 * 2 // step, -(-columns.stop // 2) * 2 // step),
                    )
                    plane.pixels[part] = pixels.pixels[part]
                scene = replace(coded, time=(6 + index) * FRAME)
            else:
                scene = scene_of(picture, (6 + index) * FRAME)
            cover = cover_of(scene, HERE, settings=settings)
            covered(remover, scene, [cover])
        masks = under(scene, [cover])
        results.append([plane.pixels[mask] for plane, mask in zip(scene.planes, masks, strict=True)])
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert np.array_equal(a, b)


def test_the_room_is_painted_as_it_is() -> None:
    remover = warmed(a_remover())
    for index in range(10):
        scene = scene_of(with_figure(7, 280 + 6 * index), 0.6 + index * FRAME)
        cover = cover_of(scene, HERE.moved(6 * index - 30, 0))
        covered(remover, scene, [cover])
        truth = scene_of(room())
        for plane, empty, mask in zip(scene.planes, truth.planes, under(scene, [cover]), strict=True):
            assert psnr(plane.pixels, empty.pixels, mask) > 36


@pytest.mark.parametrize(("settings", "silhouettes"), SHOWN.values(), ids=SHOWN.keys())
@pytest.mark.parametrize("shape", ["box", "ellipse"])
def test_outside_the_cover_not_a_byte_changes(
    settings: PeopleSettings, silhouettes: bool, shape: Literal["box", "ellipse"]
) -> None:
    settings = replace(settings, shape=shape)
    remover = warmed(a_remover(Told(a_figure(310, 235, 130, lift=0.9)), silhouettes=silhouettes))
    for index in range(3):
        scene = scene_of(with_figure(7), 0.6 + index * FRAME)
        cover = cover_of(scene, Box(285, 180, 341, 290), settings=settings)
        before = covered(remover, scene, [cover])
        for was, plane, mask in zip(before, scene.planes, under(scene, [cover]), strict=True):
            assert np.array_equal(was[~mask], plane.pixels[~mask])
            assert not np.array_equal(was[mask], plane.pixels[mask])


PLACES = {
    "a speck": Box(301, 201, 303, 204),
    "twelve pixels": Box(300, 200, 306, 212),
    "over the left border": Box(-40, 100, 30, 300),
    "over the right border": Box(600, 100, 700, 300),
    "over the corner": Box(590, 300, 700, 420),
    "almost everything": Box(10, 10, 630, 350),
    "everything": Box(-100, -100, 900, 900),
}


@pytest.mark.parametrize("box", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("silhouettes", [False, True])
def test_of_whatever_size_and_place_nothing_stays(box: Box, silhouettes: bool) -> None:
    settings = replace(SILHOUETTE if silhouettes else REMOVE, overlay="skeleton")
    reader = Told(a_figure(*box.centre, radius=max(4.0, box.height / 2)))
    remover = warmed(a_remover(reader, silhouettes=silhouettes))
    picture = noisy(room(), 6)
    cover = cover_of(scene_of(picture), box, settings=settings)
    scene = scene_of(picture, 0.6)
    # A colour that is nowhere in the room.
    for plane, mask, value in zip(scene.planes, under(scene, [cover]), (255, 255, 0), strict=True):
        plane.pixels[mask] = value
    covered(remover, scene, [cover])
    luma, blue, red = (
        plane.pixels[mask] for plane, mask in zip(scene.planes, under(scene, [cover]), strict=True)
    )
    assert not (luma == 255).any()
    assert not (blue == 255).any()
    assert not (red == 0).any()


@pytest.mark.parametrize("size", [(61, 47), (640, 361), (641, 360), (2, 2), (1, 1), (7, 300)])
@pytest.mark.parametrize("colours", [True, False], ids=["colours", "grey"])
def test_stills_of_odd_sizes(size: tuple[int, int], colours: bool) -> None:
    """A still has shown nothing before: what lies around is all there is to guess from."""
    width, height = size
    picture = np.ascontiguousarray(cv2.resize(room(), (width, height), interpolation=cv2.INTER_AREA))
    results = []
    for seed in (1, 2):
        scene = still_of(picture.reshape(height, width, 3))
        if not colours:
            scene = replace(scene, planes=scene.planes[:1])
        cover = cover_of(scene, Box(width * 0.3, height * 0.2, width * 0.6, height * 0.8))
        for plane, mask in zip(scene.planes, under(scene, [cover]), strict=True):
            plane.pixels[mask] = np.random.default_rng(seed).integers(0, 255, int(mask.sum()), np.uint8)
        before = covered(a_remover(), scene, [cover])
        for was, plane, mask in zip(before, scene.planes, under(scene, [cover]), strict=True):
            assert np.array_equal(was[~mask], plane.pixels[~mask])
        results.append([plane.pixels for plane in scene.planes])
    for a, b in zip(*results, strict=True):
        assert np.array_equal(a, b)


def test_what_was_never_seen_is_guessed_from_around_it() -> None:
    """Somebody is there from the first frame on: the guess continues wall and floor, and is not grey."""
    remover = a_remover()
    for index in range(4):
        scene = scene_of(with_figure(7), index * FRAME)
        cover = cover_of(scene, HERE)
        covered(remover, scene, [cover])
    truth = scene_of(room())
    mask = under(scene, [cover])[0]
    assert psnr(scene.planes[0].pixels, truth.planes[0].pixels, mask) > 16
    wall, floor = scene.planes[0].pixels[140:180, 300:320], scene.planes[0].pixels[290:330, 300:320]
    assert abs(float(wall.mean()) - float(truth.planes[0].pixels[140:180, 300:320].mean())) < 25
    assert float(wall.mean()) > float(floor.mean()) + 40


def test_overlapping_people_are_both_gone() -> None:
    remover = warmed(a_remover())
    picture = room()
    for x, seed in ((290, 7), (330, 8)):
        figure(picture, x, 330, 200, seed)
    scene = scene_of(noisy(picture, 9), 0.6)
    covers = [cover_of(scene, HERE.moved(-20, 0), 0), cover_of(scene, HERE.moved(22, 3), 1)]
    covered(remover, scene, covers)
    truth = scene_of(room())
    for plane, empty, mask in zip(scene.planes, truth.planes, under(scene, covers), strict=True):
        assert psnr(plane.pixels, empty.pixels, mask) > 36


def test_a_person_who_follows_another_is_not_learnt_from_under_any_cover() -> None:
    """What a face's cover hides is not learnt either: nobody shows it under a body's cover later on."""
    remover = a_remover()
    face = Box(300, 150, 330, 190)
    for index in range(20):
        picture = noisy(room(), index)
        picture[140:200, 290:340] = (250, 20, 20)
        scene = scene_of(picture, index * FRAME)
        hidden = cover_of(scene, face.scaled(1.5)).region
        covered(remover, replace(scene, hidden=[hidden]), [])
    scene = scene_of(with_figure(7), 2.0)
    covered(remover, scene, [cover_of(scene, HERE)])
    red = scene.planes[2].pixels[75:95, 150:165]
    assert int(red.max()) < 170


def test_nothing_goes_on_from_one_shot_to_the_next() -> None:
    remover = warmed(a_remover(), 10)
    other = np.full((HEIGHT, WIDTH, 3), (20, 60, 30), np.uint8)
    cv2.circle(other, (500, 100), 60, (90, 20, 20), -1)
    scene = scene_of(other, 1.0, shot=1)
    covered(remover, scene, [cover_of(scene, HERE)])
    luma = scene.planes[0].pixels[130:330, 275:345]
    assert int(luma.max()) < 90


def test_while_the_camera_turns_covers_are_grey() -> None:
    remover = warmed(a_remover(), 10)
    other = np.ascontiguousarray(noisy(room(seed=5), 3)[::-1])
    scene = scene_of(other, 1.0)
    cover = cover_of(scene, HERE)
    covered(remover, scene, [cover])
    for plane, mask in zip(scene.planes, under(scene, [cover]), strict=True):
        assert (plane.pixels[mask] == plane.neutral).all()
    # Half a second later the new place is known around the cover.
    for index in range(6):
        scene = scene_of(np.ascontiguousarray(noisy(room(seed=5), index)[::-1]), 1.1 + index * FRAME)
        covered(remover, scene, [cover_of(scene, HERE)])
    mask = under(scene, [cover])[0]
    assert len(np.unique(scene.planes[0].pixels[mask])) > 10


def test_somebody_whom_the_plate_shows_is_forgotten() -> None:
    """They stood still from the first frame on, and nobody saw them: the plate holds their picture."""
    still = {ghosts: Told(ghosts=ghosts) for ghosts in (False, True)}
    shown = {}
    for ghosts, reader in still.items():
        remover = a_remover(reader)
        for index in range(10):
            covered(remover, scene_of(with_figure(7), index * FRAME), [])
        scene = scene_of(with_figure(7), 1.0)
        person, cover = scene.planes[0].pixels.copy(), cover_of(scene, HERE)
        covered(remover, scene, [cover])
        shown[ghosts] = psnr(scene.planes[0].pixels, person, under(scene, [cover])[0])
    # Where nobody looks at the plate it shows them; that is what the look is for.
    assert shown[False] > 30
    assert shown[True] < 16


def test_without_the_networks_the_effect_is_refused(models: Models) -> None:
    models = replace(models, pose=None)
    for effect in ("remove", "silhouette"):
        settings = Settings(people=PeopleSettings(effect=effect))
        with pytest.raises(AnonymizerError) as refused:
            EFFECTS[effect](models, settings, "person")
        assert refused.value.code == "model_missing"


def test_what_is_removed_is_painted_after_a_grey_face(models: Models) -> None:
    """A solid cover on the face of somebody who is removed would hang in the air."""
    if models.pose is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    settings = Settings(faces=FaceSettings(effect="solid"), people=REMOVE)
    cast = Cast(models, settings)
    for index in range(5):
        cast.cover(scene_of(noisy(room(), index), index * FRAME), [])
    scene = scene_of(with_figure(7), 0.5)
    person = cover_of(scene, HERE)
    head = cover_of(scene, Box(295, 130, 325, 165))
    face = Cover("face", 1, head.box, settings.faces, head.region)
    cast.cover(scene, [person, face])
    truth = scene_of(room())
    assert psnr(scene.planes[0].pixels, truth.planes[0].pixels, under(scene, [face])[0]) > 30


def a_mask_scene(remover: Remover, box: Box) -> tuple[Scene, list[Pixels], Cover]:
    scene = scene_of(with_figure(7), 0.6)
    cover = cover_of(scene, box, settings=replace(REMOVE, outline="mask"))
    return scene, covered(remover, scene, [cover]), cover


def test_with_a_mask_the_rest_of_the_box_stays() -> None:
    picture = room()
    person = figure(picture, 310, 330, 200)
    wide = Box(200, 110, 420, 345)
    scene, before, cover = a_mask_scene(warmed(a_remover(Told(a_figure(310, 235, 110)))), wide)
    luma, was = scene.planes[0].pixels, before[0]
    inside = under(scene, [cover])[0]
    truth = scene_of(room()).planes[0].pixels
    # The person is gone, every pixel, and a good part of the box is as it was, bit for bit.
    assert psnr(luma, truth, person & inside) > 30
    assert float((luma == was)[inside & ~person].mean()) > 0.4


UNSURE: dict[str, Callable[[], Remover]] = {
    "nobody is read": lambda: warmed(a_remover(Told(None))),
    "the room was never seen": lambda: a_remover(Told(a_figure(310, 235, 110))),
}


@pytest.mark.parametrize("made", UNSURE.values(), ids=UNSURE.keys())
def test_where_the_mask_is_not_sure_the_whole_box_is_painted(made: Callable[[], Remover]) -> None:
    wide = Box(200, 110, 420, 345)
    scene, before, cover = a_mask_scene(made(), wide)
    inside = under(scene, [cover])[0]
    same = (scene.planes[0].pixels == before[0])[inside]
    # By chance some pixels come out as they were.
    assert float(same.mean()) < 0.3
