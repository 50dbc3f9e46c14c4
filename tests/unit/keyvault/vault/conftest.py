"""A store of its own for each test, and a clock that stands still until it is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store


class Clock:
    """Seconds since the epoch, moved by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the vault's folder will be."""
    return tmp_path / "vault"


@pytest.fixture
def store(folder: Path) -> Iterator[Keystore]:
    """A new store, as a vault makes it."""
    store = open_store(folder, None)
    yield store
    store.close()
