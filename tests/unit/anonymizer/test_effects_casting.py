"""Who covers what: every operator looks before any paints, the strongest paints last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from anonymizer import FaceSettings, Settings, TextSettings, load_models
from anonymizer.boxes import Box
from anonymizer.effects import casting
from anonymizer.effects.casting import Cast
from anonymizer.effects.operator import Cover, Paint, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.settings import BY_STRENGTH, EFFECTS_OF, CoverSettings, Kind

SIZE = 64


def scene_of(luma: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> Scene:
    return Scene([Plane(luma, 1, 126)], SIZE, SIZE, time=0.0, shot=0)


def cover_of(kind: Kind, settings: CoverSettings, box: Box, track: int = 0) -> Cover:
    region = region_of(box, 1.0, "box", SIZE, SIZE)
    assert region is not None
    return Cover(kind, track, box, settings, region)


class Watcher:
    """Notes what it is asked, and paints nothing."""

    def __init__(self, name: str, notes: list[str]) -> None:
        self._name = name
        self._notes = notes

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        self._notes.append(f"{self._name} sees {len(covers)} before {int(scene.planes[0].pixels[0, 0])}")

        def paint() -> None:
            scene.planes[0].pixels[0, 0] += 1
            self._notes.append(f"{self._name} paints")

        return paint


def test_all_look_before_any_paints_and_the_strongest_paints_last(monkeypatch: pytest.MonkeyPatch) -> None:
    notes: list[str] = []
    watching = {
        effect: (lambda models, settings, kind, effect=effect: Watcher(f"{effect} {kind}", notes))
        for effect in BY_STRENGTH
    }
    monkeypatch.setattr(casting, "EFFECTS", watching)
    settings = Settings(faces=FaceSettings(effect="solid"), text=TextSettings(effect="blur"))
    cast = Cast(load_models(device="cpu"), settings)
    faces = [cover_of("face", settings.faces, Box(4, 4, 20, 20), track) for track in range(2)]
    cast.cover(scene_of(np.zeros((SIZE, SIZE), np.uint8)), faces)
    assert notes == [
        "blur text sees 0 before 0",
        "solid face sees 2 before 0",
        "blur text paints",
        "solid face paints",
    ]


def test_where_covers_overlap_the_strongest_stays() -> None:
    settings = Settings(faces=FaceSettings(effect="solid"), text=TextSettings(effect="mosaic"))
    luma = np.random.default_rng(1).integers(0, 255, (SIZE, SIZE), np.uint8)
    assert settings.text is not None
    covers = [
        cover_of("face", settings.faces, Box(10, 10, 40, 40)),
        cover_of("text", settings.text, Box(20, 20, 60, 60)),
    ]
    Cast(load_models(device="cpu"), settings).cover(scene_of(luma), covers)
    assert (luma[10:40, 10:40] == 126).all()
    assert not (luma[40:60, 40:60] == 126).all()


def test_every_effect_has_its_place_among_the_others_and_something_to_cover() -> None:
    assert len(set(BY_STRENGTH)) == len(BY_STRENGTH)
    assert {effect for effects in EFFECTS_OF.values() for effect in effects} == set(BY_STRENGTH)
    assert BY_STRENGTH[-1] == "solid"
