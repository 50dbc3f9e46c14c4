"""Whole people attacked by a re-identifier that was made on the spot, on people whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import Models
from anonymizer.boxes import Box
from evaluation.errors import EvaluationError
from evaluation.faces import telling
from evaluation.faces.attackers import apart
from evaluation.faces.findings import RecognitionFindings
from evaluation.faces.gathering import Sample
from evaluation.people.embedding import PersonRecognizer
from evaluation.people.evaluating import evaluate_people
from evaluation.people.finding import PeopleFinder
from evaluation.report.page import render
from tests.drawn_people import quiet
from tests.made_networks import HIGH, WIDE, write_re_identifier
from tests.people_factory import with_person

Pixels = npt.NDArray[np.uint8]
PEOPLE, PICTURES = 11, 3
SIZE = (300, 220)


def somebody(person: int, number: int) -> tuple[Pixels, Box]:
    """Somebody in clothes of their own, each number in another place, light and room."""
    clothes = np.random.default_rng(person)
    seen = np.random.default_rng(1000 + 100 * person + number)
    height, width = SIZE
    picture = np.full((height, width, 3), seen.uniform(60, 190, 3), np.float32)
    x, y = seen.uniform(30, 110), seen.uniform(10, 50)
    box = Box(x, y, x + 80, y + 220)
    parts = clothes.uniform(10, 245, (4, 3))
    for part, (top, bottom, inset) in enumerate(
        [(0, 0.15, 26), (0.15, 0.5, 8), (0.5, 0.9, 14), (0.9, 1, 10)]
    ):
        rows = slice(round(y + 220 * top), round(y + 220 * bottom))
        picture[rows, round(x + inset) : round(x + 80 - inset)] = parts[part]
    picture *= seen.uniform(0.9, 1.1)
    return np.asarray((picture + seen.normal(0, 4, picture.shape)).clip(0, 255), np.uint8), box


class MadeFinder:
    """Knows where made people stand; `one` sees them everywhere, `other` where they are bright enough."""

    detectors = ("one", "other")
    nobody = "no_people"

    def __init__(self) -> None:
        self._boxes = {
            _shade(picture): box
            for person in range(PEOPLE)
            for number in range(PICTURES)
            for picture, box in [somebody(person, number)]
        }

    def find(self, picture: Pixels, detector: str) -> list[Box]:
        box = self._boxes.get(_shade(picture))
        return [] if box is None or (detector == "other" and picture.mean() < 100) else [box]


def _shade(picture: Pixels) -> bytes:
    return picture.tobytes()


def written(folder: Path, effect: Callable[[Pixels, Box], Pixels]) -> Path:
    for person in range(PEOPLE):
        for number in range(PICTURES):
            path = folder / f"somebody-{person}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), effect(*somebody(person, number))[:, :, ::-1])
    return folder


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_re_identifier(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("people") / "original", lambda picture, _: picture)


def attacked(original: Path, result: Path, manifest: Path, **more: Path) -> RecognitionFindings:
    return evaluate_people(
        original,
        result,
        manifests=[manifest],
        is_robust=False,
        on_progress=quiet,
        finder=MadeFinder(),
        resamples=50,
        **more,
    )


def covered(picture: Pixels, box: Box) -> Pixels:
    made = picture.copy()
    made[round(box.y1) - 6 : round(box.y2) + 6, round(box.x1) - 6 : round(box.x2) + 6] = 128
    return made


def coarse(picture: Pixels, _: Box) -> Pixels:
    small = cv2.resize(picture, (22, 30), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_NEAREST), np.uint8)


def test_the_stronger_the_cover_the_fewer_are_named(original: Path, manifest: Path, tmp_path: Path) -> None:
    effects: Sequence[Callable[[Pixels, Box], Pixels]] = (
        lambda picture, _: picture,
        coarse,
        covered,
        lambda picture, _: np.zeros_like(picture),
    )
    found = [
        attacked(original, written(tmp_path / str(number), effect), manifest)
        for number, effect in enumerate(effects)
    ]
    shares = []
    for each in found:
        attack = each.strongest("original")
        assert attack is not None
        shares.append(attack.figures.rank_1.value)
    chance = 1 / PEOPLE
    assert shares[0] > 0.95, "an unprotected copy"
    assert shares[1] > 0.3, "a mosaic of whole people hides no clothes"
    assert found[1].weak
    assert shares[2] < 2.5 * chance
    assert shares[3] == pytest.approx(chance, abs=0.01), "a black picture is chance"
    assert not found[3].weak
    assert [name.detector for name in found[0].detectors] == ["one", "other"]
    assert found[0].detectors[0].before.value == 1
    assert 0 < found[0].detectors[1].before.value < 1
    assert found[3].detected.value == 0


def test_who_knows_the_system_and_who_knows_the_key(original: Path, manifest: Path, tmp_path: Path) -> None:
    """A negative under other keys is no use; under the key of the result it is as good as an original."""

    def keyed(shift: int) -> Callable[[Pixels, Box], Pixels]:
        return lambda picture, _: np.asarray(np.roll(255 - picture, shift, axis=2), np.uint8)

    result, again = written(tmp_path / "1", keyed(1)), written(tmp_path / "2", keyed(2))
    found = attacked(original, result, manifest, enrolment=again, known_key=result)
    by_knowledge = {each.knowledge: each.figures.rank_1.value for each in found.attacks}
    assert by_knowledge["known_key"] > 0.95
    assert by_knowledge["original"] < by_knowledge["known_key"]
    assert by_knowledge["alike"] < by_knowledge["known_key"]
    told = "\n".join(telling.lines(found))
    assert f"{PEOPLE * PICTURES} bodies of {PEOPLE} people" in told
    assert "  weak" in told
    page = render(telling.sections(found))
    for heading in ("Whose body it is", "Verification (ROC)", "Identification (CMC)", "Rank-5 over pictures"):
        assert heading in page
    assert "somebody-" not in page + told + repr(found.document())


def test_a_recording_is_a_camera() -> None:
    """Market-1501's rule: of who is in several recordings, none is compared within one."""

    def seen(person: str, source: str, time: float) -> Sample:
        return Sample(source, person, time, 80, {})

    samples = [seen("a", "1", 0), seen("a", "1", 9), seen("a", "2", 0), seen("b", "1", 0), seen("b", "1", 9)]
    assert apart(samples, by_recording=True).tolist() == [
        [False, False, True, True, True],
        [False, False, True, True, True],
        [True, True, False, True, True],
        [True, True, True, False, True],
        [True, True, True, True, False],
    ]
    assert apart(samples)[0, 1]


def test_a_crop_is_what_re_identifiers_take(manifest: Path) -> None:
    recognizer = PersonRecognizer(manifest)
    picture, box = somebody(0, 0)
    cut = recognizer.place(picture, box)
    assert cut is not None
    chip = cut(picture)
    assert chip.shape == (HIGH, WIDE, 3)
    assert np.linalg.norm(recognizer.vectors([chip])[0]) == pytest.approx(1)
    with pytest.raises(EvaluationError) as refused:
        cut(picture[1:])
    assert refused.value.code == "comparison_mismatch"
    assert recognizer.place(picture, Box(-90, 10, -20, 200)) is None
    assert recognizer.place(picture, Box(-90, 10, 60, 900)) is not None


def test_the_finders_that_are_installed(models: Models) -> None:
    finder = PeopleFinder(models)
    picture, where = with_person(320, 320, 60, 60, 200)
    (box, *_) = finder.find(picture, finder.detectors[0])
    rows, columns = np.nonzero(where)
    assert columns.min() - 12 <= box.x1 < box.x2 <= columns.max() + 12
    assert rows.min() - 12 <= box.y1 < box.y2 <= rows.max() + 12
    assert finder.find(np.full((200, 200, 3), 90, np.uint8), finder.detectors[0]) == []


def test_nobody_and_no_network_have_a_code(original: Path, manifest: Path, tmp_path: Path) -> None:
    def code(**arguments: object) -> str:
        with pytest.raises(EvaluationError) as refused:
            evaluate_people(original, original, on_progress=quiet, finder=MadeFinder(), **arguments)  # type: ignore[arg-type]
        return refused.value.code

    assert code(manifests=[]) == "reidentifier_missing"
    broken = tmp_path / "broken.toml"
    broken.write_text(manifest.read_text().replace("dimension = 96", "dimension = 128"))
    (tmp_path / "person-embedding.onnx").write_bytes((manifest.parent / "person-embedding.onnx").read_bytes())
    assert code(manifests=[broken]) == "model_unusable", "it answers another number of numbers"
    written(tmp_path / "black", lambda picture, _: np.zeros_like(picture))
    with pytest.raises(EvaluationError) as refused:
        attacked(tmp_path / "black", original, manifest)
    assert refused.value.code == "no_people"
