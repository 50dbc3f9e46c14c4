"""Vectors of faces and voices in files, to enrol somebody and to compare."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer.boxes import Box
from evaluation.errors import EvaluationError
from evaluation.faces.recognizers import Cut, Pixels, Vectors, unit_rows
from evaluation.vectors.faces import MOST_FACES, faces_in
from evaluation.vectors.voices import voices_in
from tests.made_speech import SENTENCES, spoken
from tests.sound_factory import as_file, wav

SIDE = 40


class TellingFinder:
    """Finds a face in every column of a picture that is not black."""

    detectors = ("told",)
    nobody = "no_faces"

    def find(self, picture: Pixels, detector: str) -> list[Box]:
        assert detector == "told"
        columns = range(0, picture.shape[1] - SIDE + 1, SIDE)
        return [Box(x, 0, x + SIDE, SIDE) for x in columns if picture[:SIDE, x : x + SIDE].max() > 40]


class Colours:
    """Knows people by their colour. Nobody who is blue can be brought upright."""

    name = "colours"
    sha256 = "ab" * 32
    same_above = 0.9

    def place(self, original: Pixels, box: Box) -> Cut | None:
        def cut(picture: Pixels) -> Pixels:
            return picture[:SIDE, int(box.x1) : int(box.x2)]

        return None if cut(original)[..., 2].mean() > 150 else cut

    def vectors(self, chips: Sequence[Pixels]) -> Vectors:
        return unit_rows(np.array([chip.reshape(-1, 3).mean(axis=0) for chip in chips], float))


def picture(path: Path, *colours: tuple[int, int, int]) -> Path:
    """People of these colours (red, green, blue), side by side."""
    people = [np.full((SIDE, SIDE, 3), colour, np.uint8) for colour in colours]
    assert cv2.imwrite(str(path), np.hstack(people)[:, :, ::-1])
    return path


RED, GREEN, BLUE, NOBODY = (200, 20, 20), (20, 200, 20), (20, 20, 200), (0, 0, 0)


def test_everybody_has_a_row_and_a_place(tmp_path: Path) -> None:
    files = [picture(tmp_path / "one.png", RED, NOBODY, GREEN), picture(tmp_path / "two.png", BLUE, RED)]
    found = faces_in(files, finder=TellingFinder(), recognizer=Colours())
    assert (found.kind, found.network) == ("face", "ab" * 32)
    assert [place.file for place in found.places] == [0, 0, 1], "who is not upright has no row"
    assert found.vectors.argmax(axis=1).tolist() == [0, 1, 0]
    assert [place.pixels for place in found.places] == [SIDE] * 3


def test_a_mean_of_several_pictures_has_length_one(tmp_path: Path) -> None:
    files = [picture(tmp_path / "one.png", RED), picture(tmp_path / "two.png", (200, 60, 20))]
    mean = faces_in(files, one_each=True, finder=TellingFinder(), recognizer=Colours()).mean()
    assert mean.shape == (3,)
    assert np.linalg.norm(mean) == pytest.approx(1)


REFUSED = {
    "two faces": ((RED, GREEN), True, "too_many_faces"),
    "nobody to enrol": ((NOBODY,), True, "no_faces"),
    "nobody who is upright": ((BLUE,), True, "no_faces"),
    "nobody at all": ((NOBODY, NOBODY), False, "no_faces"),
    "more than can be compared": ((RED,) * (MOST_FACES + 1), False, "too_many_faces"),
}


@pytest.mark.parametrize(("colours", "one_each", "code"), REFUSED.values(), ids=REFUSED)
def test_what_nobody_can_be_enrolled_or_compared_by(
    colours: Sequence[tuple[int, int, int]], one_each: bool, code: str, tmp_path: Path
) -> None:
    path = picture(tmp_path / "faces.png", *colours)
    with pytest.raises(EvaluationError) as caught:
        faces_in([path], one_each=one_each, finder=TellingFinder(), recognizer=Colours())
    assert caught.value.code == code


def test_a_file_that_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("nobody")
    with pytest.raises(EvaluationError) as caught:
        faces_in([path], finder=TellingFinder(), recognizer=Colours())
    assert caught.value.code == "media_unknown_format"


def test_each_recording_is_one_voice(tmp_path: Path) -> None:
    files = [as_file(tmp_path / f"{number}.flac", spoken("f1", 60, SENTENCES[number])) for number in (0, 1)]
    found = voices_in(files)
    assert found.vectors.shape == (2, 256)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=1e-3)
    assert [place.file for place in found.places] == [0, 1]
    with pytest.raises(EvaluationError) as caught:
        voices_in([wav(tmp_path / "silence.wav", np.zeros(16_000, np.float32))])
    assert caught.value.code == "no_voice"
