"""Intake keys: when a new one is due, and that a destroyed one is destroyed."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from keyvault.age import AgeNoMatchError, HybridIdentity, open_sealed
from keyvault.vault import durable
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.intake import ENTRY, IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import seal_upload

DAY = 24 * 3600
CONFIG = VaultConfig(intake_lifetime_seconds=DAY, intake_grace_seconds=DAY)
WORKER = hashlib.sha256(b"a worker").digest()
OTHER_WORKER = hashlib.sha256(b"another worker").digest()
PLAINTEXT = b"what was sealed"


def opens(upload: bytes, identities: list[HybridIdentity]) -> bool:
    sink = io.BytesIO()
    try:
        open_sealed(io.BytesIO(upload), sink, identities)
    except AgeNoMatchError:
        return False
    return sink.getvalue() == PLAINTEXT


def test_the_key_lasts_until_a_quarter_of_its_life_is_left(store: Keystore, clock: Clock) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    first = keys.current(WORKER)
    assert (first.created_at, first.expires_at) == (1_800_000_000, 1_800_000_000 + DAY)
    assert first.destroy_at == 1_800_000_000 + 2 * DAY
    clock.now += DAY * 3 / 4
    assert keys.current(WORKER) is first
    clock.now += 1
    second = keys.current(WORKER)
    assert second.recipient != first.recipient
    assert keys.live() == (second, first)


def test_each_worker_measurement_has_a_key_of_its_own(store: Keystore, clock: Clock) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    first = keys.current(WORKER)
    other = keys.current(OTHER_WORKER)
    assert other.recipient != first.recipient
    assert (first.measurement, other.measurement) == (WORKER, OTHER_WORKER)
    assert keys.current(WORKER) is first
    assert keys.current(OTHER_WORKER) is other


def test_keys_survive_a_restart(folder: Path, clock: Clock) -> None:
    store = open_store(folder, None)
    before = IntakeKeys(store, CONFIG, clock).current(WORKER)
    store.close()
    store = open_store(folder, None)
    after = IntakeKeys(store, CONFIG, clock).current(WORKER)
    store.close()
    assert after == before
    assert opens(seal_upload(before.recipient, PLAINTEXT), [after.identity])


def test_an_upload_opens_through_the_grace_period_and_never_after(folder: Path, clock: Clock) -> None:
    store = open_store(folder, None)
    keys = IntakeKeys(store, CONFIG, clock)
    upload = seal_upload(keys.current(WORKER).recipient, PLAINTEXT)
    clock.now += 2 * DAY - 1
    assert opens(upload, [key.identity for key in keys.live()])
    clock.now += 1
    assert keys.live() == ()
    store.close()
    # Everything on the disk and the master key, with a clock that was put back.
    clock.now -= DAY
    store = open_store(folder, None)
    assert IntakeKeys(store, CONFIG, clock).live() == ()
    assert store.read(ENTRY) == b""
    store.close()


def test_destruction_overwrites_the_file_that_held_the_key(folder: Path, clock: Clock) -> None:
    """With a copy of the old file the key would come back: so it is the old bytes that must go."""
    store = open_store(folder, None)
    keys = IntakeKeys(store, CONFIG, clock)
    upload = seal_upload(keys.current(WORKER).recipient, PLAINTEXT)
    path = folder / "keystore" / "intake.sealed"
    copy = path.read_bytes()
    with path.open("rb") as old:
        clock.now += 2 * DAY
        keys.destroy_due()
        assert old.read() == bytes(len(copy))
    store.close()
    path.write_bytes(copy)
    clock.now -= DAY
    store = open_store(folder, None)
    revived = IntakeKeys(store, CONFIG, clock).live()
    store.close()
    assert opens(upload, [key.identity for key in revived]), (
        "the copy must open it, or this test shows nothing"
    )


def test_a_destroyed_key_forgets_its_seed(store: Keystore, clock: Clock) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    key = keys.current(WORKER)
    assert any(key.to_record()[-32:])
    clock.now += 2 * DAY
    keys.destroy_due()
    with pytest.raises(RuntimeError, match="wiped"):
        key.to_record()


def test_keys_that_came_due_while_the_vault_was_down_go_at_its_start(folder: Path, clock: Clock) -> None:
    store = open_store(folder, None)
    IntakeKeys(store, CONFIG, clock).current(WORKER)
    store.close()
    clock.now += 3 * DAY
    store = open_store(folder, None)
    assert IntakeKeys(store, CONFIG, clock).live() == ()
    assert store.read(ENTRY) == b""
    store.close()


def test_it_knows_when_the_next_key_is_due(store: Keystore, clock: Clock) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    assert keys.seconds_to_next_destruction() is None
    keys.current(WORKER)
    assert keys.seconds_to_next_destruction() == 2 * DAY
    clock.now += 2 * DAY + 5
    assert keys.seconds_to_next_destruction() == 0


def test_the_number_of_keys_is_capped(store: Keystore, clock: Clock) -> None:
    keys = IntakeKeys(store, VaultConfig(max_intake_keys=2), clock)
    keys.current(bytes(32))
    keys.current(WORKER)
    with pytest.raises(VaultRequestError) as refusal:
        keys.current(OTHER_WORKER)
    assert refusal.value.code == "intake_keys_exhausted"
    assert len(keys.live()) == 2


def test_no_key_is_announced_that_the_disk_did_not_take(
    store: Keystore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    monkeypatch.setattr(durable.os, "fsync", _full_disk)
    with pytest.raises(VaultRequestError) as refusal:
        keys.current(WORKER)
    assert refusal.value.code == "vault_store_unwritable"
    assert keys.live() == ()


def test_a_full_disk_does_not_keep_a_due_key_alive(
    store: Keystore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    keys.current(WORKER)
    clock.now += 2 * DAY
    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", _full_disk)
        assert keys.live() == ()
        assert keys.seconds_to_next_destruction() == 1.0, "it tries again soon"
    assert store.read(ENTRY) != b""
    keys.destroy_due()
    assert store.read(ENTRY) == b""
    assert keys.seconds_to_next_destruction() is None


def test_a_stored_form_of_another_length_is_corrupt(store: Keystore, clock: Clock) -> None:
    store.write(ENTRY, bytes(100))
    with pytest.raises(VaultStartError) as reason:
        IntakeKeys(store, CONFIG, clock)
    assert reason.value.code == "vault_store_corrupt"


def test_nothing_secret_shows_in_a_repr(store: Keystore, clock: Clock) -> None:
    key = IntakeKeys(store, CONFIG, clock).current(WORKER)
    seed = bytes(key.to_record()[-32:])
    assert repr(seed)[2:-1] not in repr(key)
    assert key.identity.encode() not in repr(key)


@pytest.mark.parametrize(("lifetime", "grace"), [(0, 1), (-1, 1), (1, -1)])
def test_lifetimes_that_make_no_sense_are_refused(lifetime: int, grace: int) -> None:
    with pytest.raises(VaultStartError):
        VaultConfig(intake_lifetime_seconds=lifetime, intake_grace_seconds=grace)


def _full_disk(_fd: int) -> None:
    raise OSError(28, os.strerror(28))
