"""Faces in pictures and films, by dlib's recognizer or by one with a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from anonymizer import Models
from evaluation.errors import EvaluationError
from evaluation.faces.added import AddedRecognizer
from evaluation.faces.finding import FaceFinder, Finder
from evaluation.faces.gathering import moments
from evaluation.faces.pairing import Pairing
from evaluation.faces.recognizers import DlibResNet, Pixels, Recognizer
from evaluation.installed import installed_models
from evaluation.vectors.found import Found, Place

MOST_FACES: Final = 1024


def faces_in(
    files: Sequence[Path],
    manifest: Path | None = None,
    *,
    one_each: bool = False,
    models: Models | None = None,
    finder: Finder | None = None,
    recognizer: Recognizer | None = None,
) -> Found:
    """Returns a vector for every face that is large and clear enough; of films, at up to sixty moments.

    Args:
        files: pictures and films.
        manifest: of another recognizer than dlib's.
        one_each: whether every moment has to show one face and no other, as to enrol somebody.
        models: what detects; by default all that are installed.
        finder, recognizer: who looks, and who tells faces apart; by default those of models and manifest.

    Raises:
        EvaluationError: no_faces, too_many_faces, recognizer_missing, recognizer_failed, media_unreadable, or
            one of the anonymizer's codes about media and models.
    """
    recognizer = recognizer or _recognizer(manifest, models)
    finder = finder or FaceFinder(models or installed_models())
    chips: list[Pixels] = []
    places: list[Place] = []
    for number, path in enumerate(files):
        for moment in moments(Pairing("", "", {"original": path})):
            picture = moment.views["original"].pixels
            boxes = finder.find(picture, finder.detectors[0])
            if one_each and len(boxes) > 1:
                raise EvaluationError("too_many_faces")
            for box in boxes:
                cut = recognizer.place(picture, box)
                if cut is not None:
                    chips.append(cut(picture))
                    places.append(Place(number, moment.time, box.width))
            if len(chips) > MOST_FACES:
                raise EvaluationError("too_many_faces")
        if one_each and not any(place.file == number for place in places):
            raise EvaluationError("no_faces")
    if not chips:
        raise EvaluationError("no_faces")
    return Found("face", recognizer.sha256, recognizer.vectors(chips), tuple(places))


def _recognizer(manifest: Path | None, models: Models | None) -> Recognizer:
    if manifest is None:
        return DlibResNet()
    return AddedRecognizer(manifest, (models or installed_models()).landmarks)
