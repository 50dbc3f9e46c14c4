"""The parts of an attack on faces, each against what it is by definition."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.errors import EvaluationError
from evaluation.faces.comparing import Compared, together
from evaluation.faces.dlib_network import DlibNetwork
from evaluation.faces.drift import paths
from evaluation.faces.gathering import Sample
from evaluation.faces.pairing import pairings
from evaluation.faces.persons import grouped
from evaluation.faces.recognizers import (
    FIVE_POINTS,
    PACKAGE,
    PINNED_SHA256,
    RESNET,
    DlibResNet,
    pinned,
    unit_rows,
)
from evaluation.faces.restoring import enlarged_again, richardson_lucy, wiener
from tests.drawn_people import BOX, MadeRecognizer, photograph

HAS_DLIB = importlib.util.find_spec(PACKAGE) is not None
needs_dlib = pytest.mark.skipif(not HAS_DLIB, reason="face_recognition_models is not installed")


def test_figures_are_those_of_the_definitions() -> None:
    """Rank-1, CMC and mAP as torchreid counts them, trial by trial."""
    generator = np.random.default_rng(3)
    people = [f"p{number % 6}" for number in range(24)]
    scores = generator.normal(size=(24, 24)) + 1.2 * (np.array(people)[:, None] == np.array(people))
    allowed = ~np.eye(24, dtype=bool)
    found = Compared(scores, people, people, allowed).attacked(50)
    hits, precisions = np.zeros(6), []
    for row in range(24):
        order = sorted((g for g in range(24) if g != row), key=lambda g: -scores[row, g])
        right = [people[g] == people[row] for g in order]
        seen = list(dict.fromkeys(people[g] for g in order))
        hits[seen.index(people[row]) :] += 1
        precisions.append(np.mean([sum(right[: k + 1]) / (k + 1) for k in range(len(right)) if right[k]]))
    assert found.cmc.up == pytest.approx(hits / 24)
    assert found.rank_1.value == pytest.approx(hits[0] / 24)
    assert found.mean_average_precision.value == pytest.approx(np.mean(precisions))
    assert found.mean_average_precision.within.low < np.mean(precisions)
    assert found.mean_average_precision.within.high > np.mean(precisions)


def test_recognizers_together_count_alike_whatever_their_measure() -> None:
    people = ["a", "a", "b", "b"]
    right = np.array([[9, 1, 0, 0], [1, 9, 0, 0], [0, 0, 9, 1], [0, 0, 1, 9]], float)
    allowed = ~np.eye(4, dtype=bool)
    both = together(
        [Compared(1000 * right, people, people, allowed), Compared(right, people, people, allowed)]
    )
    assert both.attacked(20).rank_1.value == 1
    assert np.abs(both.scores[allowed]).max() < 3


def test_formulas_undo_what_they_are_for() -> None:
    picture = np.asarray(cv2.resize(photograph(2, 0)[40:140, 30:130], (150, 150)), np.uint8)

    def off(other: np.ndarray) -> float:
        return float(np.abs(other[20:-20, 20:-20].astype(float) - picture[20:-20, 20:-20]).mean())

    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.02 * 150), np.uint8)
    assert off(wiener(blurred, 0.02)) < 0.8 * off(blurred)
    assert off(richardson_lucy(blurred, 0.02)) < 0.9 * off(blurred)
    small = cv2.resize(picture, (24, 24), interpolation=cv2.INTER_AREA)
    blocks = np.asarray(cv2.resize(small, (150, 150), interpolation=cv2.INTER_NEAREST), np.uint8)
    assert off(enlarged_again(blocks, 1 / 24)) < 0.9 * off(blocks)


def test_people_are_grouped_by_how_alike_they_are() -> None:
    generator = np.random.default_rng(0)
    whose = [0, 1, 0, 2, 1, 1, 0, 2]
    vectors = unit_rows(np.eye(40)[whose] + 0.02 * generator.normal(size=(8, 40)))
    times = [("film", float(number)) for number in range(8)]
    assert grouped(vectors, 0.8, times).tolist() == whose
    assert len(set(grouped(vectors, 0.9999, times).tolist())) == 8
    assert grouped(vectors[:1], 0.8, times[:1]).tolist() == [0]
    # Twins stand side by side: two who are alike, and two people all the same.
    side_by_side = [("film", 0.0), ("film", 1.0), ("film", 0.0), *times[3:]]
    assert grouped(vectors, 0.8, side_by_side)[0] != grouped(vectors, 0.8, side_by_side)[2]


def test_files_pair_by_their_names_without_endings(tmp_path: Path) -> None:
    for name in ("before/anna/1.mov", "before/anna/2.jpg", "before/3.png", "before/notes.txt",
                 "after/anna/1.mp4", "after/3.png", "after/4.png", "again/anna/1.mp4"):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = pairings(tmp_path / "before", tmp_path / "after", tmp_path / "again")
    assert [(pair.source, pair.person, sorted(pair.paths)) for pair in found] == [
        ("3", "", ["anonymized", "original"]),
        ("anna/1", "anna", ["alike", "anonymized", "original"]),
    ]
    (tmp_path / "empty").mkdir()
    for other in (tmp_path / "empty", tmp_path / "before" / "3.png"):
        with pytest.raises(EvaluationError) as refused:
            pairings(tmp_path / "before", other)
        assert refused.value.code == "files_do_not_pair"


def test_a_path_tells_a_face_that_stays_from_one_that_wanders() -> None:
    recognizer = MadeRecognizer()
    cut = recognizer.place(photograph(0, 0), BOX)
    assert cut is not None

    def seen(person: int, number: int) -> Sample:
        views = {
            ("made", "original"): cut(photograph(0, number)),
            ("made", "anonymized"): cut(photograph(person, 0)),
        }
        return Sample("film", "somebody", number / 2, BOX.width, views)

    (steady,) = paths([seen(1, number) for number in range(5)], recognizer)
    (wandering,) = paths([seen(number % 3, number) for number in range(5)], recognizer)
    assert steady.step == pytest.approx(0, abs=1e-9)
    assert steady.original_step > 0
    assert wandering.step > 0.05
    assert wandering.to_first[0] == pytest.approx(1)
    assert paths([seen(1, number) for number in range(3)], recognizer) == []


@needs_dlib
def test_dlibs_network_answers_as_dlib_does() -> None:
    dlib = pytest.importorskip("dlib")
    files = {name: pinned(name) for name in PINNED_SHA256}
    chip = np.asarray(cv2.resize(photograph(1, 0), (150, 150)), np.uint8)
    theirs = np.array(dlib.face_recognition_model_v1(str(files[RESNET])).compute_face_descriptor(chip))
    ours = DlibNetwork(files[RESNET].read_bytes()).vectors(chip[None])[0]
    assert np.abs(ours - theirs).max() < 1e-5
    with pytest.raises(EvaluationError):
        DlibNetwork(files[FIVE_POINTS].read_bytes())


@needs_dlib
def test_dlib_knows_somebody_again() -> None:
    recognizer = DlibResNet()

    def vector(person: int, number: int) -> np.ndarray:
        picture = photograph(person, number)
        cut = recognizer.place(picture, BOX)
        assert cut is not None
        with pytest.raises(EvaluationError):
            cut(picture[:-1])
        return recognizer.vectors([cut(picture)])[0]

    mine, again, other = vector(0, 0), vector(0, 1), vector(3, 0)
    assert np.linalg.norm(mine) == pytest.approx(1)
    assert mine @ again > mine @ other


def test_a_network_that_is_another_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PINNED_SHA256, RESNET, "0" * 64)
    with pytest.raises(EvaluationError) as refused:
        DlibResNet()
    assert refused.value.code == "recognizer_missing"
