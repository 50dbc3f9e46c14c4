"""Rings wait for their job, are kept when it is done, and are gone from the disk when they are not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from keyvault.custody.sharing import job_context
from keyvault.recovery.ring import RecoveryRing
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from keyvault.vault.rings import Rings

JOB, OTHER = bytes(range(16)), bytes(range(1, 17))


def ring_of(job_id: bytes = JOB, fill: int = 7, tracks: int = 3) -> RecoveryRing:
    return RecoveryRing(job_context(job_id), {track: bytes([fill]) * 48 for track in range(tracks)})


def digest_of(ring: RecoveryRing) -> bytes:
    return hashlib.sha256(ring.to_bytes()).digest()


def kept(rings: Rings, job_id: bytes = JOB) -> RecoveryRing:
    ring = ring_of(job_id)
    rings.offer(job_id, ring.to_bytes())
    rings.keep(job_id, digest_of(ring))
    return ring


def refusal(code: str) -> pytest.RaisesExc[VaultRequestError]:
    return pytest.RaisesExc(VaultRequestError, check=lambda error: error.code == code)


@pytest.fixture
def rings(store: Keystore) -> Rings:
    return Rings(store)


def test_a_ring_that_waits_is_given_to_nobody_and_a_kept_one_is(rings: Rings) -> None:
    ring = ring_of()
    rings.offer(JOB, ring.to_bytes())
    with refusal("ring_unknown"):
        rings.get(JOB)
    rings.keep(JOB, digest_of(ring))
    rings.keep(JOB, digest_of(ring))
    assert rings.get(JOB) == ring


def test_a_second_attempt_replaces_the_ring_of_the_first(rings: Rings) -> None:
    rings.offer(JOB, ring_of(fill=1).to_bytes())
    rings.offer(JOB, ring_of(fill=2).to_bytes())
    with refusal("ring_unknown"):
        rings.keep(JOB, digest_of(ring_of(fill=1)))
    rings.keep(JOB, digest_of(ring_of(fill=2)))
    assert rings.get(JOB) == ring_of(fill=2)


def test_a_job_that_runs_again_waits_again(rings: Rings) -> None:
    """The front desk was killed after it had kept the ring, and before the job was done."""
    kept(rings)
    rings.offer(JOB, ring_of(fill=9).to_bytes())
    with refusal("ring_unknown"):
        rings.get(JOB)
    rings.keep(JOB, digest_of(ring_of(fill=9)))
    assert rings.get(JOB) == ring_of(fill=9)


NO_RINGS = {
    "nothing": b"",
    "no JSON": b"ring",
    "another job's": ring_of(OTHER).to_bytes(),
    "one with a space": ring_of().to_bytes() + b" ",
    "a huge one": b" " * (2 << 20),
}


@pytest.mark.parametrize("name", NO_RINGS)
def test_what_is_no_ring_of_the_job_is_refused(rings: Rings, name: str) -> None:
    with refusal("ring_malformed"):
        rings.offer(JOB, NO_RINGS[name])
    with refusal("ring_unknown"):
        rings.keep(JOB, digest_of(ring_of()))


def test_the_end_of_a_job_destroys_its_ring_only_while_it_waits(rings: Rings) -> None:
    kept(rings)
    rings.offer(OTHER, ring_of(OTHER).to_bytes())
    for job_id in (JOB, OTHER, bytes(16)):
        rings.end(job_id)
    assert rings.get(JOB) == ring_of()
    with refusal("ring_unknown"):
        rings.keep(OTHER, digest_of(ring_of(OTHER)))


def test_after_a_start_only_rings_of_open_jobs_wait_on(rings: Rings) -> None:
    third = bytes(16)
    kept(rings)
    for job_id in (OTHER, third):
        rings.offer(job_id, ring_of(job_id).to_bytes())
    rings.retain([third])
    rings.keep(third, digest_of(ring_of(third)))
    assert rings.get(JOB) == ring_of()
    with refusal("ring_unknown"):
        rings.keep(OTHER, digest_of(ring_of(OTHER)))


def test_a_change_is_durable_and_the_old_ring_is_gone_from_the_disk(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    store = open_store(folder)
    rings = Rings(store)
    kept(rings)
    path = folder / "keystore" / f"ring-{JOB.hex()}.sealed"
    with path.open("rb") as before:
        old = before.read()
        rings.change(JOB, lambda ring: ring.without({1}))
        before.seek(0)
        assert before.read() == bytes(len(old)), "the old entry's own bytes are overwritten"
    store.close()
    again = open_store(folder)
    assert Rings(again).get(JOB).wrapped[1] is None
    Rings(again).drop(JOB)
    assert not path.exists()
    with refusal("ring_unknown"):
        Rings(again).get(JOB)
    again.close()


def test_a_change_that_fails_changes_nothing(rings: Rings) -> None:
    ring = kept(rings)

    def fail(_ring: RecoveryRing) -> RecoveryRing:
        raise LookupError

    with pytest.raises(LookupError):
        rings.change(JOB, fail)
    with refusal("ring_malformed"):
        rings.replace(JOB, ring_of(OTHER))
    assert rings.get(JOB) == ring


def test_a_damaged_entry_is_no_ring(tmp_path: Path) -> None:
    store = open_store(tmp_path / "vault")
    rings = Rings(store)
    kept(rings)
    path = tmp_path / "vault" / "keystore" / f"ring-{JOB.hex()}.sealed"
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with refusal("ring_unknown"):
        rings.get(JOB)
    store.close()
