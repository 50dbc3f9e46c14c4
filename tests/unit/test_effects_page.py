"""docs/effects.md shows what the registry has, and has words for all that may come."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from anonymizer.settings import EFFECTS_OF
from benchmarks import effects_pictures
from benchmarks.effects_clip import EMPTY_SECONDS, FPS, SECONDS, SIZE, frame_at, head_at, somebody
from benchmarks.effects_words import ABOUT, NOT_MEASURED, STRENGTH, Words, document

MOST_BYTES = 150_000


def test_there_are_words_for_every_effect() -> None:
    named = {f"{kind}-{effect}" for kind in ("face", "person") for effect in EFFECTS_OF[kind]}
    assert set(ABOUT) == named | {"person-remove-skeleton"}
    assert {look.name for look in effects_pictures.looks()} <= set(ABOUT)


def test_the_page_shows_every_effect_and_its_pictures_are_there(repository: Path) -> None:
    page = (repository / "docs" / "effects.md").read_text()
    shown = set(re.findall(r"\]\(effects/(.+?)\.jpg\)", page))
    assert shown >= {look.name for look in effects_pictures.looks()} | {"face-original", "person-original"}
    for name in shown:
        picture = repository / "docs" / "effects" / f"{name}.jpg"
        assert 5_000 < picture.stat().st_size < MOST_BYTES, name
    assert {path.stem for path in (repository / "docs" / "effects").iterdir()} == shown


def test_a_cost_is_told_beside_solids_and_no_strength_is_made_up() -> None:
    rows = [Words("face-solid", "face", 0.5), Words("face-generator", "face", 20.0)]
    page = document(rows, frames=10, size=(64, 48), rounds=3)
    assert "| generator | 20.0 | 40 × | " + NOT_MEASURED in page
    assert STRENGTH["face-solid"] in page
    assert "Whole people" not in page


def test_the_clip_begins_empty_and_somebody_is_in_the_picture_at_every_moment() -> None:
    empty = frame_at(0)
    assert np.array_equal(empty, frame_at(EMPTY_SECONDS - 1 / FPS))
    for seconds in effects_pictures.MOMENTS:
        assert seconds < SECONDS
        across, down = head_at(seconds)
        assert 0 < across < SIZE[0]
        assert 0 < down < SIZE[1]
        assert (frame_at(seconds)[down, across] != empty[down, across]).any()
    _, hers = somebody()
    assert 0.3 < hers.mean() < 0.6
    assert hers[105, 226] > 0.99
    assert hers[10, 10] == 0
