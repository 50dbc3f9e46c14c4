"""The models that are installed, loaded once for all parts of an evaluation."""

from __future__ import annotations

from functools import cache

from anonymizer import AnonymizerError, Models, load_models
from evaluation.errors import EvaluationError


@cache
def installed_models() -> Models:
    """Returns every model that a job here would have.

    Raises:
        EvaluationError: with one of the anonymizer's codes about models.
    """
    try:
        return load_models()
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
