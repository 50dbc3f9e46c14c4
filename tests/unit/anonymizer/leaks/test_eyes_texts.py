"""Text of a result that can still be read, and text that is covered, kept, or none."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import AnonymizerError, Models, Settings
from anonymizer.boxes import Box
from anonymizer.detect.text_maps import Line
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.eyes import Attackers, open_attackers
from anonymizer.leaks.reader import GRANULE, HEIGHT, WIDEST, LineReader, straightened
from anonymizer.models import READER, TEXT
from anonymizer.settings import KeptRegion, TextSettings
from tests.text_factory import a_scene, label, plate

Pixels = npt.NDArray[np.uint8]

WORDS = Settings(text=TextSettings())
PLATES = Settings(plates=TextSettings())


@pytest.fixture(scope="module", autouse=True)
def readable(models: Models) -> None:
    if not {TEXT, READER} <= models.files.keys():
        pytest.skip("the package rapidocr_onnxruntime is not installed, which brings both networks")


@pytest.fixture(scope="module")
def reader(models: Models) -> LineReader:
    return LineReader(models.files[READER], threads=1)


@pytest.fixture(scope="module")
def words(models: Models) -> Attackers:
    """Those who attack where all text is covered."""
    return open_attackers(models, WORDS, threads=1)


def sign(text: str, height: float = 40, turned: float = 0.0, which: int = 0) -> tuple[Pixels, Box]:
    """A word in a scene, and where."""
    scene = a_scene(which)
    scene.put(label(text, height), (500, 300), turned)
    low, high = scene.lines[0].min(axis=0), scene.lines[0].max(axis=0)
    return scene.picture, Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def covered(box: Box) -> Covered:
    return Covered("text", 1, "solid", box, box.scaled(1.2), None)


def open_texts(
    attackers: Attackers, picture: Pixels, *said: Covered, keep: tuple[KeptRegion, ...] = ()
) -> int | None:
    return attackers.look(picture, said, keep).texts_open


LEGIBLE: dict[str, tuple[Pixels, bool]] = {
    "a word": (sign("MARGARET")[0], True),
    "small letters": (sign("Hospital Nord", 16)[0], True),
    "upwards": (sign("Hospital Nord", 40, turned=90)[0], True),
    "downwards": (sign("Hospital Nord", 40, turned=-90)[0], True),
    "two letters": (sign("WH", 60)[0], False),
    "nothing": (a_scene(1).picture, False),
}


@pytest.mark.parametrize(("picture", "is_legible"), LEGIBLE.values(), ids=LEGIBLE)
def test_text_is_what_can_be_read(picture: Pixels, is_legible: bool, words: Attackers) -> None:
    assert open_texts(words, picture) == int(is_legible)


def test_text_is_nobodys_business_where_it_may_stay(models: Models) -> None:
    attackers = open_attackers(models, Settings(), threads=1)
    assert attackers.look(sign("MARGARET")[0], (), ()).texts_open is None
    assert not {TEXT, READER} & set(attackers.names)


def test_what_is_covered_or_kept_is_not_open(words: Attackers) -> None:
    picture, box = sign("MARGARET")
    assert open_texts(words, picture, covered(box)) == 0
    assert open_texts(words, picture, covered(box.moved(0, 200))) == 1
    assert open_texts(words, picture, covered(Box(box.x1, box.y1, box.x1 + 20, box.y2))) == 1
    height, width = picture.shape[:2]
    around = box.scaled(1.5)
    edges = around.x1 / width, around.y1 / height, around.x2 / width, around.y2 / height
    assert open_texts(words, picture, keep=(KeptRegion(*edges),)) == 0


def test_where_plates_are_covered_signs_stay(models: Models) -> None:
    scene = a_scene()
    scene.put(plate(40, seed=4), (500, 300))
    attackers = open_attackers(models, PLATES, threads=1)
    assert open_texts(attackers, scene.picture) == 1
    assert open_texts(attackers, sign("BAKERY", 40)[0]) == 0


def test_who_reads_did_not_cover(words: Attackers) -> None:
    assert {TEXT, READER} <= set(words.names)
    assert READER in words.independent
    assert TEXT not in words.independent


def test_without_a_reader_what_is_clearly_text_counts(models: Models) -> None:
    files = {name: content for name, content in models.files.items() if name != READER}
    digests = {name: digest for name, digest in models.sha256.items() if name != READER}
    without = dataclasses.replace(models, files=files, sha256=digests)
    attackers = open_attackers(without, WORDS, threads=1)
    assert open_texts(attackers, sign("MARGARET")[0]) == 1
    assert READER not in attackers.names


@pytest.mark.parametrize(("text", "turned"), [("KX 4827", 0.0), ("Hospital Nord", 8.0), ("a1-b2", -5.0)])
def test_a_line_is_read_as_it_was_written(text: str, turned: float, reader: LineReader) -> None:
    picture, box = sign(text, 40, turned)
    # A label has margins, as a line that is found has.
    made = label(text, 40)
    x, y = box.centre
    reading = reader.read(picture, Line(x, y, made.shape[1], made.shape[0], -turned, 1.0))
    assert reading.text.replace(" ", "") == text.replace(" ", "")
    assert reading.confidence > 0.8


def test_where_nothing_is_written_nothing_is_read(reader: LineReader) -> None:
    reading = reader.read(np.full((60, 200, 3), 128, np.uint8), Line(100, 30, 180, 40, 0.0, 1.0))
    assert (reading.text, reading.confidence) == ("", 0.0)


SHAPES: dict[str, tuple[float, float, int]] = {
    "as high as wide": (20, 20, HEIGHT),
    "ten times as long": (300, 30, 10 * HEIGHT),
    "endless": (9000, 10, WIDEST),
    "of no height": (50, 0, WIDEST),
}


@pytest.mark.parametrize(("length", "height", "width"), SHAPES.values(), ids=SHAPES)
def test_a_strip_has_a_size_that_can_be_read(length: float, height: float, width: int) -> None:
    strip = straightened(np.zeros((100, 100, 3), np.uint8), Line(50, 50, length, height, 0, 1.0), 0.0)
    assert strip.shape == (HEIGHT, width, 3)
    assert WIDEST % GRANULE == 0


class Answering:
    """A network that answers what a test says."""

    inputs = ("x",)

    def __init__(self, answer: npt.NDArray[np.float32]) -> None:
        self._answer = answer

    def run(self, feeds: object) -> list[npt.NDArray[np.float32]]:
        return [self._answer]


@pytest.mark.parametrize("shape", [(1, 4, 7), (2, 4, 6625), (4, 6625)])
def test_an_answer_of_another_shape_is_a_failure(
    shape: tuple[int, ...], reader: LineReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "_network", Answering(np.zeros(shape, np.float32)))
    with pytest.raises(AnonymizerError) as caught:
        reader.read(np.zeros((50, 50, 3), np.uint8), Line(25, 25, 40, 20, 0, 1.0))
    assert caught.value.code == "detector_failed"


def decoded(steps: list[tuple[int, float]]) -> npt.NDArray[np.float32]:
    likely = np.zeros((1, len(steps), 6625), np.float32)
    for place, (symbol, share) in enumerate(steps):
        likely[0, place, symbol] = share
    return likely


STEPS: dict[str, tuple[list[tuple[int, float]], Callable[[list[str]], str], float]] = {
    "one that goes on is one": ([(5, 0.9), (5, 0.5), (0, 0.9)], lambda names: names[5], 0.9),
    "a pause makes it two": ([(5, 0.9), (0, 0.9), (5, 0.5)], lambda names: names[5] * 2, 0.7),
    "another follows at once": ([(5, 1.0), (6, 0.5)], lambda names: names[5] + names[6], 0.75),
    "nothing": ([(0, 1.0), (0, 1.0)], lambda names: "", 0.0),
}


@pytest.mark.parametrize(("steps", "text", "confidence"), STEPS.values(), ids=STEPS)
def test_symbols_are_those_that_change(
    steps: list[tuple[int, float]],
    text: Callable[[list[str]], str],
    confidence: float,
    reader: LineReader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "_network", Answering(decoded(steps)))
    reading = reader.read(np.zeros((50, 50, 3), np.uint8), Line(25, 25, 40, 20, 0, 1.0))
    assert reading.text == text(reader._symbols)
    assert reading.confidence == pytest.approx(confidence)
