"""What is erased is gone from the disk, signed for, and never brought back; and the log hears of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keyvault.custody.sharing import job_context
from keyvault.recovery import schedule
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import RecoveryRing
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.erasures import Erasures
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.keystore import Keystore
from keyvault.vault.process import open_store
from keyvault.vault.rings import Rings
from protos.bauta.internal.v1.vault_pb2 import EraseTracks
from provenance.dsse import Envelope
from provenance.statements import ErasureFacts
from tests.unit.keyvault.vault.conftest import Clock

JOB = bytes(range(16))
RECOVERY_KEY = bytes(32)
RESULT = (1 << 32) - 1
NODE = HybridSigner.generate()


def ring_of(*tracks: int) -> RecoveryRing:
    context = job_context(JOB)
    keys = {
        track: schedule.wrap_track_key(RECOVERY_KEY, context, track, bytes([track % 251]) * 32)
        for track in tracks
    }
    return RecoveryRing(context, keys)


def keep(rings: Rings, ring: RecoveryRing) -> None:
    rings.offer(JOB, ring.to_bytes())
    rings.keep(JOB, hashlib.sha256(ring.to_bytes()).digest())


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(VaultRequestError) as caught:
        yield
    assert caught.value.code == code


@pytest.fixture
def rings(store: Keystore) -> Rings:
    return Rings(store)


@pytest.fixture
def erasures(store: Keystore, rings: Rings, clock: Clock) -> Erasures:
    return Erasures(store, rings, NODE, clock)


def asked(*tracks: int, reason: str = "data_subject_request", job: bytes = JOB) -> EraseTracks:
    return EraseTracks(job_id=job, tracks=tracks, reason=reason)


def test_one_person_is_erased_and_the_others_are_not(rings: Rings, erasures: Erasures) -> None:
    ring = ring_of(1, 2, RESULT)
    keep(rings, ring)
    raw, left = erasures.erase(asked(1))
    facts = ErasureFacts.from_statement(Envelope.from_bytes(raw).verify(NODE.public))
    assert (facts.job_id, facts.tracks, facts.reason) == (JOB.hex(), (1,), "data_subject_request")
    assert facts.wrapped_keys_sha256 == ring.digests([1])
    assert left == 2
    after = rings.get(JOB)
    assert after.track_key(RECOVERY_KEY, 2) == bytes([2]) * 32
    with pytest.raises(RecoveryError) as caught:
        after.track_key(RECOVERY_KEY, 1)
    assert caught.value.code == "track_erased"


def test_the_wrapped_key_is_on_no_disk_any_more(rings: Rings, erasures: Erasures, folder: Path) -> None:
    keep(rings, ring_of(1, 2))
    before = {path: path.read_bytes() for path in folder.rglob("ring-*")}
    erasures.erase(asked(1))
    on_disk = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert before
    assert not any(sealed in on_disk for sealed in before.values())


def test_everything_is_erased_in_statements_of_64_tracks(rings: Rings, erasures: Erasures) -> None:
    keep(rings, ring_of(*range(100), RESULT))
    first, left = erasures.erase(asked())
    second, none = erasures.erase(asked())
    told = [ErasureFacts.from_statement(Envelope.from_bytes(raw).payload) for raw in (first, second)]
    assert (left, none) == (37, 0)
    assert told[0].tracks == tuple(range(64))
    assert told[1].tracks == (*range(64, 100), RESULT)
    with refused("track_erased"):
        erasures.erase(asked())


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(asked(9), "track_unknown", id="a track that never was"),
        pytest.param(asked(1, 9), "track_unknown", id="one that is and one that never was"),
        pytest.param(asked(2, 1), "erasure_malformed", id="out of order"),
        pytest.param(asked(1, 1), "erasure_malformed", id="twice"),
        pytest.param(asked(1, reason="no_reason"), "erasure_malformed", id="for no known reason"),
        pytest.param(asked(*range(65)), "erasure_malformed", id="too many at once"),
        pytest.param(asked(1, job=b"short"), "erasure_malformed", id="of no job"),
        pytest.param(asked(1, job=bytes(16)), "ring_unknown", id="of another job"),
    ],
)
def test_what_cannot_be_erased_leaves_everything(
    rings: Rings, erasures: Erasures, request_: EraseTracks, code: str
) -> None:
    ring = ring_of(1, 2)
    keep(rings, ring)
    with refused(code):
        erasures.erase(request_)
    assert rings.get(JOB) == ring
    assert erasures.pending() == []


def test_an_erasure_is_told_until_the_log_has_it(
    store: Keystore, rings: Rings, erasures: Erasures, clock: Clock
) -> None:
    keep(rings, ring_of(1, 2))
    raw, _ = erasures.erase(asked(1))
    again = Erasures(store, rings, NODE, clock)
    assert again.pending() == [raw]

    def not_there(_: bytes) -> None:
        raise VaultRequestError("entry_proof_invalid", "it is not")

    digest = Envelope.from_bytes(raw).digest
    with refused("entry_proof_invalid"):
        again.confirm(digest, not_there)
    assert again.pending() == [raw]
    seen: list[bytes] = []
    again.confirm(digest, seen.append)
    assert len(seen) == 1
    assert again.pending() == []
    assert Erasures(store, rings, NODE, clock).pending() == []
    with refused("erasure_unknown"):
        again.confirm(digest, seen.append)


def test_an_erasure_that_a_crash_broke_off_is_finished_at_the_next_start(folder: Path, clock: Clock) -> None:
    store = open_store(folder, None)
    rings = Rings(store)
    keep(rings, ring_of(1, 2))

    class Dies(Rings):
        def change(self, *_: object) -> RecoveryRing:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Erasures(store, Dies(store), NODE, clock).erase(asked(1))
    assert Rings(store).get(JOB).wrapped[1] is not None
    store.close()

    store = open_store(folder, None)
    again = Erasures(store, Rings(store), NODE, clock)
    assert Rings(store).get(JOB).wrapped[1] is None
    assert len(again.pending()) == 1
    store.close()
