"""Peers that more than one test module asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from go_peer import Stranger, build


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Stranger]:
    """Go's code for Go's checksum database, ready to be asked about our log."""
    cache: Path = pytestconfig.cache.mkdir("go-build")
    with Stranger(build(tmp_path_factory.mktemp("go"), cache)) as running:
        yield running
