"""Whole people in pictures, by the finders that a job may have."""

from __future__ import annotations

from typing import Final

from anonymizer import AnonymizerError, Models, PeopleSettings, Settings
from anonymizer.boxes import Box
from anonymizer.detect.finders import Look, open_finders
from anonymizer.settings import DETECTORS, STEADY_CAMERA
from evaluation.errors import EvaluationError
from evaluation.faces.finding import seen
from evaluation.faces.recognizers import Pixels

# Under this many pixels high, re-identifiers know nobody.
LEAST_HIGH: Final = 48
LEAST_WIDE: Final = 16


class PeopleFinder:
    """Looks for people, as hard as a job looks in a still."""

    nobody: Final = "no_people"

    def __init__(self, models: Models) -> None:
        """Opens every finder of people that is installed and needs no film.

        Raises:
            EvaluationError: model_missing where there is none, or another of the anonymizer's codes about
                models.
        """
        self._looks: dict[str, Look] = {}
        for name in DETECTORS["person"]:
            if name == STEADY_CAMERA:
                continue
            try:
                settings = Settings(people=PeopleSettings(detectors=(name,)))
                finders = open_finders(models, settings, is_still=True)
            except AnonymizerError as error:
                if error.code != "model_missing":
                    raise EvaluationError(error.code, str(error)) from None
                continue
            (self._looks[name],) = (
                finder.look for finder in finders if any(each.kind == "person" for each in finder.sought)
            )
        if not self._looks:
            raise EvaluationError("model_missing")

    @property
    def detectors(self) -> tuple[str, ...]:
        """See evaluation.faces.finding.Finder."""
        return tuple(self._looks)

    def find(self, picture: Pixels, detector: str) -> list[Box]:
        """See evaluation.faces.finding.Finder."""
        found = seen(self._looks[detector], "person", picture)
        return [box for box in found if box.height >= LEAST_HIGH and box.width >= LEAST_WIDE]
