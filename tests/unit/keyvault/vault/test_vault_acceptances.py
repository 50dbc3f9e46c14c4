"""Accepted uploads outlive their intake key, and not their job."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from keyvault.age import HybridIdentity
from keyvault.vault import durable
from keyvault.vault.acceptances import ENTRY, Acceptances
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import (
    MEASUREMENT,
    TERMS_SHA256,
    Worker,
    header_of,
    open_upload,
    seal_upload,
)

CONFIG = VaultConfig(max_accepted_uploads=2)
PLAINTEXT = b"what was sealed" * 1000


class Scene:
    """A vault's acceptances over a store that can be opened again."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.open()

    def open(self) -> None:
        self.store = open_store(self._folder, None)
        self.keys = IntakeKeys(self.store, CONFIG, self._clock)
        self.acceptances = Acceptances(self.store, self.keys, CONFIG, self._clock)

    def restart(self) -> None:
        self.store.close()
        self.open()

    def upload(self) -> bytes:
        return seal_upload(self.keys.current(MEASUREMENT).recipient, PLAINTEXT)

    def accept(self, job_id: bytes, upload: bytes) -> None:
        self.acceptances.accept(job_id, header_of(upload), TERMS_SHA256)

    def opened(self, job_id: bytes, upload: bytes) -> bytes:
        """What a worker would read, or an error's code."""
        digest = hashlib.sha256(header_of(upload)).digest()
        accepted = self.acceptances.find(job_id, digest, TERMS_SHA256, MEASUREMENT)
        return open_upload(upload, bytes(accepted.file_key.view))

    def refusal(self, job_id: bytes, upload: bytes) -> str:
        with pytest.raises(VaultRequestError) as reason:
            self.opened(job_id, upload)
        return reason.value.code


@pytest.fixture
def scene(folder: Path, clock: Clock) -> Scene:
    """A new one."""
    return Scene(folder, clock)


def code_of(job_id: bytes, header: bytes, terms: bytes, scene: Scene) -> str:
    with pytest.raises(VaultRequestError) as reason:
        scene.acceptances.accept(job_id, header, terms)
    return reason.value.code


def test_an_accepted_upload_outlives_its_intake_key_and_a_restart(scene: Scene, clock: Clock) -> None:
    upload, job = scene.upload(), Worker().job_id
    scene.accept(job, upload)
    clock.now += CONFIG.intake_lifetime_seconds + CONFIG.intake_grace_seconds
    assert scene.keys.live() == ()
    assert scene.opened(job, upload) == PLAINTEXT
    scene.restart()
    assert scene.opened(job, upload) == PLAINTEXT


def test_after_its_job_nobody_opens_it_with_all_that_is_left_on_the_disk(scene: Scene, clock: Clock) -> None:
    upload, job = scene.upload(), Worker().job_id
    scene.accept(job, upload)
    clock.now += CONFIG.intake_lifetime_seconds + CONFIG.intake_grace_seconds
    scene.acceptances.end(job)
    for _ in range(2):
        assert scene.refusal(job, upload) == "upload_not_accepted"
        assert code_of(job, header_of(upload), TERMS_SHA256, scene) == "intake_key_unknown"
        scene.restart()
    assert bytes(scene.store.read(ENTRY)) == b""


def test_a_job_that_never_ends_does_not_keep_its_key_for_ever(scene: Scene, clock: Clock) -> None:
    upload, job = scene.upload(), Worker().job_id
    scene.accept(job, upload)
    clock.now += CONFIG.accepted_lifetime_seconds - 1
    assert scene.opened(job, upload) == PLAINTEXT
    assert scene.acceptances.seconds_to_next_destruction() == 1.0
    clock.now += 1
    assert scene.refusal(job, upload) == "upload_not_accepted"
    assert scene.acceptances.seconds_to_next_destruction() is None


def test_an_upload_after_its_intake_keys_time_is_refused(scene: Scene, clock: Clock) -> None:
    upload = scene.upload()
    clock.now += CONFIG.intake_lifetime_seconds + CONFIG.intake_grace_seconds - 1
    scene.accept(Worker().job_id, upload)
    clock.now += 1
    assert code_of(Worker().job_id, header_of(upload), TERMS_SHA256, scene) == "intake_key_unknown"


def test_the_same_upload_may_be_accepted_again_and_another_takes_its_place(
    scene: Scene, clock: Clock
) -> None:
    first, second, job = scene.upload(), scene.upload(), Worker().job_id
    scene.accept(job, first)
    clock.now += CONFIG.intake_lifetime_seconds + CONFIG.intake_grace_seconds - 1
    scene.accept(job, second)
    assert scene.refusal(job, first) == "upload_not_accepted"
    clock.now += 1
    scene.accept(job, second)
    assert scene.opened(job, second) == PLAINTEXT


def test_a_job_number_opens_its_own_upload_only(scene: Scene) -> None:
    mine, yours = (scene.upload(), Worker().job_id), (scene.upload(), Worker().job_id)
    scene.accept(mine[1], mine[0])
    scene.accept(yours[1], yours[0])
    assert scene.refusal(mine[1], yours[0]) == "upload_not_accepted"
    assert scene.opened(*reversed(mine)) == scene.opened(*reversed(yours)) == PLAINTEXT


def test_a_start_keeps_the_open_jobs_and_no_other(scene: Scene) -> None:
    kept, gone = Worker().job_id, Worker().job_id
    upload = scene.upload()
    scene.accept(kept, upload)
    scene.accept(gone, upload)
    scene.acceptances.retain([kept, bytes(16)])
    assert scene.opened(kept, upload) == PLAINTEXT
    assert scene.refusal(gone, upload) == "upload_not_accepted"


def test_too_many_are_refused_and_an_end_makes_room(scene: Scene) -> None:
    upload, jobs = scene.upload(), [Worker().job_id for _ in range(3)]
    scene.accept(jobs[0], upload)
    scene.accept(jobs[1], upload)
    assert code_of(jobs[2], header_of(upload), TERMS_SHA256, scene) == "too_many_accepted_uploads"
    scene.acceptances.end(jobs[0])
    scene.accept(jobs[2], upload)


def test_what_is_no_acceptance(scene: Scene) -> None:
    header, job = header_of(scene.upload()), Worker().job_id
    stranger = header_of(seal_upload(str(HybridIdentity.generate().recipient), b""))
    for job_id, untrusted_header, terms, code in (
        (b"", header, TERMS_SHA256, "acceptance_malformed"),
        (job, header, b"", "acceptance_malformed"),
        (job, b"", TERMS_SHA256, "upload_header_invalid"),
        (job, header[:-1], TERMS_SHA256, "upload_header_invalid"),
        (job, header + b"x", TERMS_SHA256, "upload_header_invalid"),
        (job, header.replace(b"--- ", b"-> grease x\n\n--- "), TERMS_SHA256, "upload_header_invalid"),
        (job, stranger, TERMS_SHA256, "intake_key_unknown"),
    ):
        assert code_of(job_id, untrusted_header, terms, scene) == code
    scene.acceptances.end(b"no job at all")


def test_a_full_disk_costs_an_acceptance_and_nothing_that_stands(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, standing = scene.upload(), Worker().job_id
    scene.accept(standing, upload)

    def full_disk(_fd: int) -> None:
        raise OSError(28, "full")

    with monkeypatch.context() as patch:
        patch.setattr(durable.os, "fsync", full_disk)
        assert code_of(Worker().job_id, header_of(upload), TERMS_SHA256, scene) == "vault_store_unwritable"
        scene.acceptances.end(standing)
        assert scene.refusal(standing, upload) == "upload_not_accepted"
        assert scene.acceptances.seconds_to_next_destruction() == 1.0, "the disk is tried again soon"
    scene.acceptances.destroy_due()
    assert bytes(scene.store.read(ENTRY)) == b""


def test_the_stored_form_is_strict(store: Keystore, clock: Clock) -> None:
    keys = IntakeKeys(store, CONFIG, clock)
    store.write(ENTRY, bytes(7))
    with pytest.raises(VaultStartError) as reason:
        Acceptances(store, keys, CONFIG, clock)
    assert reason.value.code == "vault_store_corrupt"


def test_no_repr_shows_a_key(scene: Scene) -> None:
    upload, job = scene.upload(), Worker().job_id
    scene.accept(job, upload)
    accepted = next(iter(scene.acceptances._accepted.items.values()))
    assert bytes(accepted.file_key.view).hex() not in repr(accepted)
    assert "file_key" not in repr(accepted)
