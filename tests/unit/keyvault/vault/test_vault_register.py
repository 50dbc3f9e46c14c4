"""Which worker versions the vault announces, and by whose word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerFacts
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.register import ENTRY, WorkerRegister, load_release_keys, stored_form
from provenance.dsse import Envelope, sign_envelope
from provenance.statements import WorkerReleaseFacts
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.test_vault_frontdesk import WORKER

NODE, REVIEWER, STRANGER = (HybridSigner.generate() for _ in range(3))
FACTS = WorkerReleaseFacts(
    measurement=WORKER.measurement.hex(),
    version=WORKER.version,
    models=WORKER.models,
    policies=WORKER.policies,
    lock_sha256=WORKER.lock_sha256,
    released_at="2027-01-15T08:00:00Z",
)


def released_by(signer: HybridSigner, facts: WorkerReleaseFacts = FACTS) -> bytes:
    return sign_envelope(facts.to_statement(), signer).to_bytes()


def mixed(first: HybridSigner, second: HybridSigner) -> bytes:
    """An envelope with the Ed25519 signature of one and the ML-DSA-65 signature of the other."""
    one, other = (Envelope.from_bytes(released_by(signer)) for signer in (first, second))
    return Envelope(one.payload, (one.signatures[0], other.signatures[1])).to_bytes()


def code_of(step: Callable[[], object]) -> str:
    with pytest.raises(VaultRequestError) as reason:
        step()
    return reason.value.code


def test_an_operator_who_releases_for_himself_says_the_same_each_time(clock: Clock) -> None:
    register = WorkerRegister(NODE, [NODE.public], clock)
    assert code_of(lambda: register.require(WORKER.measurement)) == "worker_not_released"
    release = register.release(WORKER)
    clock.now += 60
    assert register.release(WORKER) == release, "a new signature each time would fill the log"
    assert WorkerReleaseFacts.from_statement(Envelope.from_bytes(release).verify(NODE.public)) == FACTS
    register.require(WORKER.measurement)
    assert code_of(lambda: register.require(bytes(32))) == "worker_not_released"


def test_where_others_release_the_node_does_not(clock: Clock) -> None:
    register = WorkerRegister(NODE, [REVIEWER.public], clock)
    assert code_of(lambda: register.release(WORKER)) == "release_key_not_own"
    assert code_of(lambda: register.register(WORKER, released_by(NODE))) == "worker_release_invalid"
    register.register(WORKER, released_by(REVIEWER))
    register.require(WORKER.measurement)


FALSE_RELEASES = {
    "by a stranger": released_by(STRANGER),
    "of another version": released_by(REVIEWER, replace(FACTS, measurement="11" * 32)),
    "a signature of each of two": mixed(REVIEWER, STRANGER),
    "noise": b"\xff" * 100,
    "nothing": b"",
    "cut short": released_by(REVIEWER)[:-1],
}


@pytest.mark.parametrize("release", FALSE_RELEASES.values(), ids=FALSE_RELEASES.keys())
def test_a_false_release_releases_nothing(clock: Clock, release: bytes) -> None:
    register = WorkerRegister(NODE, [REVIEWER.public, NODE.public], clock)
    assert code_of(lambda: register.register(WORKER, release)) == "worker_release_invalid"
    assert code_of(lambda: register.require(WORKER.measurement)) == "worker_not_released"


@pytest.mark.parametrize(
    "worker",
    [
        replace(WORKER, version="a name"),
        replace(WORKER, models={"anna": "00" * 32}),
        replace(WORKER, policies={}),
    ],
    ids=["a version of free text", "a model of free text", "no policy"],
)
def test_a_host_that_does_not_say_what_it_is_is_not_released(clock: Clock, worker: WorkerFacts) -> None:
    register = WorkerRegister(NODE, [NODE.public], clock)
    assert code_of(lambda: register.release(worker)) == "worker_release_invalid"


def test_release_keys_are_kept_in_the_store(store: Keystore) -> None:
    assert load_release_keys(store, NODE.public) == (NODE.public,)
    third = HybridSigner.generate(third=True)
    store.write(ENTRY, stored_form([REVIEWER.public, third.public]))
    assert load_release_keys(store, NODE.public) == (REVIEWER.public, third.public)
    for broken in (b"\xff" * 9, bytes(stored_form([REVIEWER.public]))[:-1]):
        store.write(ENTRY, broken)
        with pytest.raises(VaultStartError) as reason:
            load_release_keys(store, NODE.public)
        assert reason.value.code == "vault_store_corrupt"
