"""Made people on the disk, and the network that knows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.made_networks import write_re_identifier
from tests.made_people import written


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_re_identifier(tmp_path_factory.mktemp("network"))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("people") / "original", lambda picture, _: picture)
