"""The derivation master: the same keys after a restart and from a backup, others in another vault."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyvault.derived import Binding as SealBinding
from keyvault.derived import KeyName, open_derived_key, persona_key_of, record_key_of
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault import derived
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.announcements import WorkerFacts
from keyvault.vault.config import VaultConfig
from keyvault.vault.derived import DerivationDesk, load_master
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from keyvault.vault.releases import Offer, ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import DeriveRequest, KeyAsked
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import MEASUREMENT, TERMS_SHA256, WALLS, Worker, header_of, seal_upload

CONFIG = VaultConfig()
NONCE = bytes(32)
SCOPE = persona_key_of("the harbour")


class Scene:
    """A desk over a store, and one job whose key was released."""

    def __init__(self, store: Keystore, clock: Clock) -> None:
        keys = IntakeKeys(store, CONFIG, clock)
        self.acceptances = Acceptances(store, keys, CONFIG, clock)
        releases = ReleaseDesk(HybridSigner.generate(), self.acceptances, CONFIG, clock)
        self.worker = Worker()
        header = header_of(seal_upload(keys.current(MEASUREMENT).recipient, b"plaintext"))
        self.acceptances.accept(self.worker.job_id, header, TERMS_SHA256)
        request = self.worker.request(header)
        request.nonce = NONCE
        worker = WorkerFacts(MEASUREMENT, frozenset(WALLS))
        self.offer: Offer = releases.offer(self.worker.job_id, worker, NONCE, request)
        self.file_key = bytes(releases.require_open(self.offer).file_key.view)
        self.desk = DerivationDesk(load_master(store), releases)

    def derive(self, *names: KeyName) -> list[bytes]:
        sealed = self.desk.derive(self.offer, request_of(*names))
        return [self.open(each, name) for each, name in zip(sealed, names, strict=True)]

    def open(self, sealed: bytes, name: KeyName, key: OneJobKey | None = None) -> bytes:
        binding = SealBinding(self.offer.job_id, self.offer.age_header, self.file_key)
        return open_derived_key(sealed, key or self.worker.key, binding, name)


def request_of(*names: KeyName) -> DeriveRequest:
    return DeriveRequest(keys=[KeyAsked(purpose=name.purpose, context=name.context) for name in names])


@contextmanager
def scene_in(folder: Path, clock: Clock) -> Iterator[Scene]:
    store = open_store(folder, None)
    try:
        yield Scene(store, clock)
    finally:
        store.close()


@pytest.fixture
def scene(store: Keystore, clock: Clock) -> Scene:
    return Scene(store, clock)


def test_one_name_is_one_key(scene: Scene) -> None:
    first, again = scene.derive(SCOPE, SCOPE)
    assert first == again
    assert [first] == scene.derive(SCOPE)
    assert len(first) == 32


def test_other_names_are_other_keys(scene: Scene) -> None:
    names = [
        SCOPE,
        persona_key_of("the mainland"),
        record_key_of(b"k" * 32),
        KeyName("record", SCOPE.context),
    ]
    assert len(set(scene.derive(*names))) == len(names)


def test_no_key_is_the_master_or_holds_a_piece_of_it(scene: Scene, store: Keystore) -> None:
    master = bytes(store.read(derived.ENTRY))
    [key] = scene.derive(SCOPE)
    assert not any(master[at : at + 4] in key for at in range(len(master) - 3))


def test_a_restart_changes_no_key(folder: Path, clock: Clock) -> None:
    with scene_in(folder, clock) as before:
        keys = before.derive(SCOPE, record_key_of(b"k" * 32))
    with scene_in(folder, clock) as after:
        assert after.derive(SCOPE, record_key_of(b"k" * 32)) == keys


def test_a_backup_gives_the_same_keys(folder: Path, tmp_path: Path, clock: Clock) -> None:
    with scene_in(folder, clock) as before:
        keys = before.derive(SCOPE)
    shutil.copytree(folder, tmp_path / "backup")
    shutil.rmtree(folder)
    with scene_in(tmp_path / "backup", clock) as restored:
        assert restored.derive(SCOPE) == keys


def test_another_vault_gives_other_keys(folder: Path, tmp_path: Path, clock: Clock) -> None:
    with scene_in(folder, clock) as here, scene_in(tmp_path / "other", clock) as there:
        assert here.derive(SCOPE) != there.derive(SCOPE)


def test_a_job_that_has_ended_gets_none(scene: Scene) -> None:
    scene.acceptances.end(scene.offer.job_id)
    with pytest.raises(VaultRequestError) as refusal:
        scene.desk.derive(scene.offer, request_of(SCOPE))
    assert refusal.value.code == "upload_not_accepted"


MALFORMED = {
    "five keys": request_of(*[SCOPE] * 5),
    "no purpose": DeriveRequest(keys=[KeyAsked(context=bytes(32))]),
    "a purpose that there is not": DeriveRequest(keys=[KeyAsked(purpose="intake", context=bytes(32))]),
    "a short context": DeriveRequest(keys=[KeyAsked(purpose="persona", context=bytes(31))]),
    "a long context": DeriveRequest(keys=[KeyAsked(purpose="persona", context=bytes(33))]),
    "one sound, one not": DeriveRequest(
        keys=[*request_of(SCOPE).keys, KeyAsked(purpose="persona", context=b"")]
    ),
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_request_gets_none(request_: DeriveRequest, scene: Scene) -> None:
    with pytest.raises(VaultRequestError) as refusal:
        scene.desk.derive(scene.offer, request_)
    assert refusal.value.code == "derivation_malformed"


def test_a_master_of_another_length_starts_no_vault(store: Keystore) -> None:
    store.write(derived.ENTRY, bytearray(31))
    with pytest.raises(VaultStartError) as refusal:
        load_master(store)
    assert refusal.value.code == "vault_store_corrupt"
