"""Attacks on made faces, whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.faces import attackers
from evaluation.faces.attackers import (
    AS_IT_IS,
    AVERAGED,
    ENSEMBLE,
    REVERSED,
    TRAINED,
    Attack,
    Knowledge,
    apart,
    attacks,
)
from evaluation.faces.bands import band, is_weak
from evaluation.faces.gathering import Sample
from tests.drawn_people import BOX, SIDE, MadeRecognizer, Pixels, quiet, samples

PEOPLE, PICTURES = 12, 3
# Where every trial is the same, its nearest picture may be of anybody.
CHANCE = 1.5 / PEOPLE


def attacked(made: Sequence[Sample], *, robust: bool = False, files: bool = True) -> list[Attack]:
    return list(
        attacks(
            made, [MadeRecognizer()], has_many_files=files, is_robust=robust, resamples=100, on_progress=quiet
        )
    )


def rank_1(found: Sequence[Attack], knowledge: Knowledge = "original", preparation: str = AS_IT_IS) -> float:
    (chosen,) = (a for a in found if (a.knowledge, a.preparation) == (knowledge, preparation))
    return chosen.figures.rank_1.value


def solid(picture: Pixels) -> Pixels:
    grown = BOX.scaled(1.3)
    mask = np.zeros(picture.shape[:2], np.uint8)
    (x, y), axes = grown.centre, (round(grown.width / 2), round(grown.height / 2))
    cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 255, -1)
    return np.where(mask[:, :, None] > 0, np.uint8(128), picture)


def mosaic(blocks: int) -> Callable[[Pixels], Pixels]:
    size = round(SIDE * blocks / BOX.width)

    def change(picture: Pixels) -> Pixels:
        small = cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST), np.uint8)

    return change


def blur(picture: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.03 * BOX.width), np.uint8)


def test_an_unprotected_copy_is_named_and_black_is_chance() -> None:
    found = attacked(samples(PEOPLE, PICTURES, lambda picture: picture))
    assert rank_1(found) > 0.85
    assert rank_1(found, "alike") > 0.85
    assert band(found[0].figures) == "poor"
    assert is_weak(found[0].figures)
    black = attacked(samples(PEOPLE, PICTURES, np.zeros_like))
    for each in black:
        assert each.figures.rank_1.value <= CHANCE
        assert each.figures.eer.value == pytest.approx(0.5, abs=0.1)
        assert band(each.figures) == "excellent"
        assert not is_weak(each.figures)


def test_effects_come_in_the_order_of_their_strength() -> None:
    effects = (lambda picture: picture, blur, mosaic(4), mosaic(2), solid)
    shares = [rank_1(attacked(samples(PEOPLE, PICTURES, effect))) for effect in effects]
    assert shares == sorted(shares, reverse=True)
    assert shares[1] > 0.3, "a weak blur is found weak"
    assert shares[2] > 0.3, "so is a mosaic of four blocks"
    assert shares[-1] <= CHANCE, "nothing is under a solid cover"


def test_who_has_the_same_system_sees_more_in_a_mosaic() -> None:
    found = attacked(samples(PEOPLE, PICTURES, mosaic(2)))
    assert rank_1(found, "alike") > rank_1(found) + 0.2


def test_a_change_that_can_be_learned_is_reversed() -> None:
    """A negative: told from originals it names nobody, and a network that saw pairs of others undoes it."""
    found = attacked(samples(PEOPLE, 2, lambda picture: np.asarray(255 - picture, np.uint8)), robust=True)
    assert rank_1(found) < 0.15
    assert rank_1(found, preparation=REVERSED) > 0.3
    assert {a.preparation for a in found if a.knowledge == "alike"} == {AS_IT_IS, TRAINED}
    assert ENSEMBLE in {a.preparation for a in found}


def test_frames_of_a_film_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each frame drowns in a noise of its own; their mean does not. Other photographs of everybody exist."""
    monkeypatch.setattr(attackers, "LEAST_PEOPLE_TO_LEARN", PEOPLE + 1)
    generator = np.random.default_rng(5)

    def noisy(picture: Pixels) -> Pixels:
        noise = cv2.resize(generator.normal(0, 60, (10, 10, 3)), (SIDE, SIDE))
        return np.asarray((0.5 * picture + 64 + noise).clip(0, 255), np.uint8)

    film = [
        replace(sample, source=f"film {sample.person}", time=number / 50)
        for number in range(16)
        for sample in samples(PEOPLE, 1, noisy)
    ]
    gallery = [sample for sample in samples(PEOPLE, 2, noisy) if sample.source.endswith("/1")]
    found = attacked([*film, *gallery], robust=True, files=False)
    assert REVERSED not in {each.preparation for each in found}
    assert rank_1(found, preparation=AVERAGED) > rank_1(found) + 0.1


def test_the_key_is_one_more_thing_to_know() -> None:
    """Under a key that shifts brightness, results of one key are alike; without it nothing fits."""
    made = samples(PEOPLE, PICTURES, solid)
    keyed = [
        replace(sample, chips={**sample.chips, ("made", "known_key"): sample.chips["made", "original"]})
        for sample in made
    ]
    shown = [
        replace(sample, chips={**sample.chips, ("made", "anonymized"): sample.chips["made", "original"]})
        for sample in keyed
    ]
    assert rank_1(attacked(keyed), "known_key") <= CHANCE
    assert rank_1(attacked(shown), "known_key") > 0.85
    assert not any(a.knowledge == "known_key" for a in attacked(made))


def test_nobody_is_compared_with_the_very_same_moment() -> None:
    one = samples(1, 1, solid)[0]
    moments = [replace(one, source="film", time=time) for time in (0.0, 0.4, 1.0)]
    allowed = apart([*moments, replace(one, source="other"), replace(moments[0], person="somebody else")])
    expected = [
        [False, False, True, True, True],
        [False, False, False, True, True],
        [True, False, False, True, True],
        [True, True, True, False, True],
        [True, True, True, True, False],
    ]
    assert allowed.tolist() == expected


@pytest.mark.parametrize(("people", "pictures"), [(1, 4), (4, 1)], ids=["one person", "one picture of each"])
def test_without_anybody_to_look_for_there_is_no_figure(people: int, pictures: int) -> None:
    with pytest.raises(EvaluationError) as refused:
        attacked(samples(people, pictures, solid))
    assert refused.value.code == "too_few_persons"


def test_few_people_get_no_word_and_are_weak_only_above_chance() -> None:
    few = attacked(samples(3, PICTURES, np.zeros_like))[0].figures
    assert few.rank_1.value > 0.3
    assert band(few) is None
    assert not is_weak(few)
    assert is_weak(attacked(samples(3, PICTURES, lambda picture: picture))[0].figures)
