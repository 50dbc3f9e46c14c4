"""The models that are installed, loaded once for all tests of evaluations."""

from __future__ import annotations

import pytest

from anonymizer import Models
from evaluation.installed import installed_models


@pytest.fixture(scope="session")
def models() -> Models:
    return installed_models()
