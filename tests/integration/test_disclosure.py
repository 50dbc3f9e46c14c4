"""A cover taken off behind the real wall: one person for two seconds, to the bit, and nothing else."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from enclave.errors import HostError
from enclave.host import DisclosureRefusedError
from keyvault.age import AgeError, HybridIdentity, open_sealed
from provenance.checklist import VerificationError
from provenance.disclosing import verify_disclosure, verify_worker
from provenance.dsse import Envelope
from provenance.statements import DisclosureReleaseFacts, DisclosureRequestFacts
from tests.disclosure_world import FPS, LATER, RATE, Asked, World, frames_of, heard_in, outline, spoken
from tests.integration.disclosure_harness import Door, Started, opened
from tests.unit.keyvault.custody.custody_makers import ASKED_AT, person

SHOWN = 2 * FPS


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    with Door(folder, World.make(folder)) as made:
        yield made


@pytest.fixture
def world(door: Door) -> World:
    door.world.log.now = ASKED_AT
    door.is_released = True
    return door.world


def asked_of(started: Started, request: Envelope, proof: bytes, *approving: str) -> Asked:
    """Evidence on record, custodians who check it and agree, and the cool-off over."""
    world = started.door.world
    facts = started.admit()
    assert started.admitted is not None
    recorded = world.proof(started.admitted, "disclosure-worker")
    asked = Asked(world, request, proof, facts.worker_hpke)
    verify_worker(recorded, started.door.release_proof, world.trust, request.digest)
    asked.approve(*approving)
    world.log.now = LATER
    return asked


def test_two_people_one_is_disclosed_for_two_seconds(door: Door, world: World) -> None:
    request = world.request()
    proof = world.log.prove(request, "disclosure-request")
    with door.start(request) as started:
        asked = asked_of(started, request, proof, "ada", "ben")
        video, release = started.disclose(asked)
        started.running.stop()
    frames = frames_of(video)
    covered = frames_of(world.media.result)
    begins = next(n for n, entry in enumerate(world.log.entries) if entry.envelope_sha256 == request.digest)
    assert len(frames) == SHOWN
    for number, planes in enumerate(frames):
        beneath = world.media.beneath[number]
        for plane, pixels in enumerate(planes):
            original = world.media.originals[number][plane]
            shown, hidden = (outline(beneath[track], plane, pixels.shape) for track in (1, 2))
            # The region is the original's before anything was encoded, and all else the result's: lossless.
            assert np.array_equal(pixels[shown], original[shown])
            assert np.array_equal(pixels[~shown], covered[number][plane][~shown])
            assert not np.array_equal(pixels[hidden], original[hidden])
    # The log tells all of it, in order; and the proof of the release holds for whoever got it.
    assert [entry.kind for entry in world.log.entries[begins:]] == [
        "disclosure-request",
        "disclosure-worker",
        "disclosure-approval",
        "disclosure-approval",
        "disclosure-count",
        "disclosure-release",
    ]
    assert started.admitted is not None
    recorded = world.proof(release, "disclosure-release", started.admitted)
    facts = DisclosureRequestFacts.from_statement(request.payload)
    said = verify_disclosure(recorded, world.trust, facts).facts
    assert (said.tracks, said.stretches) == ((1,), ((0, 2000),))
    assert said.approvals_sha256 == tuple(sorted(one.envelope.digest.hex() for one in asked.approvals))


def test_a_voice_comes_back_sample_for_sample(door: Door, world: World, tmp_path: Path) -> None:
    """Another job of the same service: its log has the same keys."""
    other = World.make(tmp_path, made=spoken())
    door.world, door.rings.ring = other, other.written.ring
    try:
        request = other.request(tracks=(1 << 31,), stretches=((500, 1500),))
        proof = other.log.prove(request, "disclosure-request")
        with door.start(request) as started:
            video, _ = started.disclose(asked_of(started, request, proof, "ben", "chloe"))
    finally:
        door.world, door.rings.ring = world, world.written.ring
    rate, samples = heard_in(video)
    said = np.concatenate([piece.samples for piece in other.media.said[1 << 31]], axis=1)
    assert rate == RATE
    assert np.array_equal(samples, said[:, RATE // 2 : RATE * 3 // 2])
    assert len(frames_of(video)) == FPS


def test_nothing_opens_before_the_release_is_on_record(door: Door, world: World) -> None:
    request = world.request()
    proof = world.log.prove(request, "disclosure-request")
    with door.start(request) as started:
        asked = asked_of(started, request, proof, "ada", "chloe")
        started.count()
        disclosed = started.running.proceed(asked.materials())
        stored = (started.folder / "disclosure").read_bytes()
        assert 0 < len(stored) < disclosed.sealed_bytes
        with pytest.raises(AgeError):
            open_sealed(io.BytesIO(stored), io.BytesIO(), [person("desk").identity])
        # Another statement's proof, and none at all, get the same answer: not yet.
        for wrong in (proof, b"no proof"):
            with pytest.raises(DisclosureRefusedError):
                started.running.hand_out(wrong)
        release = Envelope.from_bytes(disclosed.statement)
        header = started.running.hand_out(world.log.prove(release, "disclosure-release"))
        assert opened(header + stored)
        with pytest.raises(AgeError):
            open_sealed(io.BytesIO(header + stored), io.BytesIO(), [HybridIdentity.generate()])
        said = DisclosureReleaseFacts.from_statement(release.payload)
        assert said.disclosure_sha256 == disclosed.sealed_sha256.hex()
    # A second worker on the same request: its approvals are for the first one, and the log has the answer.
    with door.start(request) as again:
        again.admit()
        again.count()
        with pytest.raises(DisclosureRefusedError) as refused:
            again.running.proceed(asked.materials())
        assert refused.value.code == "request_released"


def test_a_worker_waits_until_all_holds(door: Door, world: World) -> None:
    request = world.request()
    proof = world.log.prove(request, "disclosure-request")
    with door.start(request) as started:
        asked = asked_of(started, request, proof, "ada")
        codes = []

        def try_it(**changes: Any) -> None:
            started.count()
            with pytest.raises(DisclosureRefusedError) as refused:
                started.running.proceed(asked.materials(**changes))
            codes.append(refused.value.code)

        try_it()
        world.log.now = ASKED_AT + timedelta(minutes=10)
        asked.approve("ben")
        try_it()
        try_it(sharing=b"{}")
        stale = asked.materials()
        started.count()
        with pytest.raises(DisclosureRefusedError) as refused:
            started.running.proceed(stale)
        codes.append(refused.value.code)
        world.log.now = LATER
        assert codes == ["quorum_not_met", "cool_off_running", "sharing_invalid", "history_stale"]
        assert started.running.is_there()
        assert len(frames_of(started.disclose(asked)[0])) == SHOWN


def test_a_package_that_was_swapped(door: Door, world: World) -> None:
    request = world.request()
    proof = world.log.prove(request, "disclosure-request")
    changed = bytearray(world.package)
    changed[len(changed) // 2] ^= 1
    asked_before = door.rings.asked
    with door.start(request, package=bytes(changed)) as started:
        asked = asked_of(started, request, proof, "ada", "ben")
        started.count()
        with pytest.raises(DisclosureRefusedError) as refused:
            started.running.proceed(asked.materials())
        assert refused.value.code == "package_changed"
    assert door.rings.asked == asked_before  # The vault was never asked for a key.


def test_a_version_that_nobody_released_is_not_admitted(door: Door, world: World) -> None:
    door.is_released = False
    request = world.request()
    world.log.prove(request, "disclosure-request")
    with door.start(request) as started, pytest.raises(HostError) as refused:
        started.running.admission()
    assert refused.value.code == "release_refused"


def test_one_request_has_one_worker_at_a_time(door: Door, world: World) -> None:
    """Two with one number would hear each other's confirmations."""
    request = world.request()
    world.log.prove(request, "disclosure-request")
    with door.start(request) as first:
        first.admit()
        with door.start(request) as second, pytest.raises(HostError) as refused:
            second.running.admission()
        assert refused.value.code == "worker_not_ready"


def test_a_trust_file_of_another_node_gets_no_worker(door: Door, world: World) -> None:
    """The worker knows the node that certifies it by the trust file: with another's it says so at once."""
    request = world.request()
    world.log.prove(request, "disclosure-request")
    other = dataclasses.replace(world.trust, node=person("eve").signer.public)
    with door.start(request, trust=other) as started, pytest.raises(HostError) as refused:
        started.running.admission()
    assert refused.value.code == "release_refused"


def test_custodians_give_no_share_to_a_worker_with_another_trust_file(door: Door, world: World) -> None:
    request = world.request()
    world.log.prove(request, "disclosure-request")
    weaker = dataclasses.replace(world.trust, witness_policy="")
    with door.start(request, trust=weaker) as started:
        started.admit()
        assert started.admitted is not None
        recorded = world.proof(started.admitted, "disclosure-worker")
        with pytest.raises(VerificationError) as refused:
            verify_worker(recorded, door.release_proof, world.trust, request.digest)
        assert refused.value.code == "trust_differs"


def test_the_vault_gives_nothing_when_its_ring_is_gone(door: Door, world: World) -> None:
    request = world.request()
    proof = world.log.prove(request, "disclosure-request")
    ring, door.rings.ring = door.rings.ring, None
    try:
        with door.start(request) as started:
            asked = asked_of(started, request, proof, "ada", "ben")
            started.count()
            with pytest.raises(HostError) as refused:
                started.running.proceed(asked.materials())
            assert refused.value.code == "release_refused"
    finally:
        door.rings.ring = ring


def test_a_worker_ends_with_its_front_desk(door: Door, world: World) -> None:
    request = world.request()
    world.log.prove(request, "disclosure-request")
    with door.start(request) as started:
        started.admit()
        assert started.running.is_there()
        started.running.stop()
        started.running.wait_until_gone(120)
        with pytest.raises(HostError) as gone:
            started.running.count()
        assert gone.value.code == "worker_died"
