"""Old or new, never half: a fault is put into every system call of a write, one at a time."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keyvault.vault import durable
from keyvault.vault.errors import VaultError
from keyvault.vault.process import open_store

CALLS = ("open", "write", "fsync", "fchmod", "close", "pwrite")


class Power:
    """Counts system calls, and fails the one whose turn it is and every one after it: a dead disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
        self.calls = 0
        self._fails_at = fails_at
        for name in CALLS:
            monkeypatch.setattr(durable.os, name, self._failing(getattr(os, name), always=name == "close"))
        for name in ("replace", "unlink"):
            monkeypatch.setattr(durable.Path, name, self._failing(getattr(Path, name)))

    def _failing(self, real: Callable[..., Any], always: bool = False) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls > self._fails_at and not always:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*args, **kwargs)

        return call


def code_of(action: Callable[[], None]) -> str:
    """The code that an action is refused with; empty when it is not. Anything but a VaultError goes on up."""
    try:
        action()
    except VaultError as refusal:
        return refusal.code
    return ""


def _calls_of_a_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    path = tmp_path / "counted"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        power = Power(patch, fails_at=1000)
        durable.write_durably(path, b"new", overwrite_old=True)
    assert path.read_bytes() == b"new"
    return power.calls


def test_a_fault_anywhere_leaves_old_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _calls_of_a_write(tmp_path, monkeypatch)
    assert calls >= 9
    outcomes = set()
    for fails_at in range(calls):
        path = tmp_path / f"file{fails_at}"
        path.write_bytes(b"old")
        with monkeypatch.context() as patch:
            Power(patch, fails_at)
            try:
                durable.write_durably(path, b"new", overwrite_old=True)
                outcomes.add("done")
            except OSError:
                outcomes.add("refused")
        assert path.read_bytes() in (b"old", b"new"), fails_at
    assert "refused" in outcomes


def test_a_store_opens_after_a_fault_at_any_call_of_a_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(folder, None).close()
    outcomes = set()
    for fails_at in range(20):
        store = open_store(folder, None)
        before = bytes(store.read("checkpoint"))
        after = os.urandom(40)
        with monkeypatch.context() as patch:
            Power(patch, fails_at)
            code = code_of(lambda: store.write("checkpoint", after, overwrite_old=True))  # noqa: B023 - called at once
        assert code in ("", "vault_store_unwritable")
        store.close()
        store = open_store(folder, None)
        found = bytes(store.read("checkpoint"))
        assert found in (before, after)
        outcomes.add(found == after)
        assert not list(folder.rglob("*.tmp")), "what a crash leaves behind goes at the next start"
        store.close()
    assert outcomes == {False, True}


def test_a_first_start_that_fails_anywhere_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fails_at in range(0, 60, 3):
        folder = tmp_path / f"vault{fails_at}"
        with monkeypatch.context() as patch:
            Power(patch, fails_at)
            code = code_of(lambda: open_store(folder, None).close())  # noqa: B023 - called at once
        assert code in ("", "vault_store_unwritable", "vault_store_unreadable")
        store = open_store(folder, None)
        assert len(store.read("identity")) == 192
        store.close()
        assert not (folder / "keystore.new").exists()
