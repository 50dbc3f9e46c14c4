"""The release decision, as a table: who gets a file key and who does not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keyvault.age import HybridIdentity
from keyvault.release import OneJobKey, ReleaseSealError, job_failure_code, seal_file_key
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.announcements import WorkerFacts
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.frames import parse
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.releases import Offer, ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import ReleaseRequest
from provenance.statements.release import ReleaseFacts
from provenance.statements.vocabulary import FAILURE_CODES
from tests.unit.keyvault.vault.conftest import Clock
from tests.unit.keyvault.vault.harness import (
    MEASUREMENT,
    POLICY_SHA256,
    TERMS_SHA256,
    WALLS,
    Worker,
    header_of,
    open_upload,
    seal_upload,
)

CONFIG = VaultConfig()
HOST = WorkerFacts(MEASUREMENT, frozenset(WALLS))
PLAINTEXT = b"what was sealed" * 10_000


NONCE = bytes(range(32))


@dataclass
class Scene:
    """A vault's desk, one honest upload that was accepted, one honest worker."""

    node: HybridSigner
    keys: IntakeKeys
    acceptances: Acceptances
    desk: ReleaseDesk
    upload: bytes
    worker: Worker

    @property
    def request(self) -> ReleaseRequest:
        request = self.worker.request(header_of(self.upload))
        request.nonce = NONCE
        return request

    def offer(self, request: ReleaseRequest, host: WorkerFacts = HOST) -> Offer:
        return self.desk.offer(self.worker.job_id, host, NONCE, request)

    def sealed_key(self, request: ReleaseRequest) -> bytes:
        return self.desk.seal(self.offer(request))

    def refusal(self, request: ReleaseRequest, host: WorkerFacts = HOST) -> str:
        with pytest.raises(VaultRequestError) as reason:
            self.offer(request, host)
        return reason.value.code


@pytest.fixture
def scene(store: Keystore, clock: Clock) -> Scene:
    """Everything in order."""
    node, keys = HybridSigner.generate(), IntakeKeys(store, CONFIG, clock)
    acceptances = Acceptances(store, keys, CONFIG, clock)
    upload, worker = seal_upload(keys.current(MEASUREMENT).recipient, PLAINTEXT), Worker()
    acceptances.accept(worker.job_id, header_of(upload), TERMS_SHA256)
    return Scene(node, keys, acceptances, ReleaseDesk(node, acceptances, CONFIG, clock), upload, worker)


def test_an_honest_worker_gets_the_key_and_the_evidence(scene: Scene) -> None:
    worker, header = scene.worker, header_of(scene.upload)
    offer = scene.offer(scene.request)
    file_key = worker.key.open_file_key(scene.desk.seal(offer), worker.job_id, header)
    assert open_upload(scene.upload, file_key) == PLAINTEXT
    statement = offer.evidence.verify(scene.node.public)
    assert ReleaseFacts.from_statement(statement) == ReleaseFacts(
        job_id=worker.job_id.hex(),
        tier="process",
        walls=WALLS,
        measurement=MEASUREMENT.hex(),
        policy_sha256=POLICY_SHA256.hex(),
        terms_sha256=TERMS_SHA256.hex(),
        upload_header_sha256=hashlib.sha256(header).hexdigest(),
        worker_ed25519=worker.signer.public.ed25519,
        worker_mldsa65=worker.signer.public.mldsa65,
        released_at="2027-01-15T08:00:00Z",
    )
    assert file_key not in offer.evidence.to_bytes()


def test_the_sealed_key_opens_for_this_key_job_and_upload_only(scene: Scene) -> None:
    worker, header = scene.worker, header_of(scene.upload)
    sealed = scene.sealed_key(scene.request)
    other_header = header_of(seal_upload(str(HybridIdentity.generate().recipient), b""))
    flipped = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for key, attempt, job_id, bound_header in (
        (OneJobKey.generate(), sealed, worker.job_id, header),
        (worker.key, sealed, bytes(16), header),
        (worker.key, sealed, worker.job_id, other_header),
        (worker.key, flipped, worker.job_id, header),
        (worker.key, sealed[:-1], worker.job_id, header),
        (worker.key, b"", worker.job_id, header),
    ):
        with pytest.raises(ReleaseSealError):
            key.open_file_key(attempt, job_id, bound_header)
    assert len(worker.key.open_file_key(sealed, worker.job_id, header)) == 16


def _header(change: Callable[[bytes], bytes]) -> Callable[[ReleaseRequest], None]:
    def apply(request: ReleaseRequest) -> None:
        request.age_header = change(request.age_header)

    return apply


def _set(**fields: object) -> Callable[[ReleaseRequest], None]:
    def apply(request: ReleaseRequest) -> None:
        for name, value in fields.items():
            if isinstance(value, list):
                request.ClearField("walls")
                request.walls.extend(value)
            else:
                setattr(request, name, value)

    return apply


def _flip_mac(header: bytes) -> bytes:
    at = header.rindex(b"--- ") + 4
    return header[:at] + (b"A" if header[at : at + 1] != b"A" else b"B") + header[at + 1 :]


def _add_stanza(header: bytes) -> bytes:
    at = header.rindex(b"--- ")
    return header[:at] + b"-> grease abc\n\n" + header[at:]


LOW_ORDER_X25519 = bytes(32)
HONEST_MLKEM = OneJobKey.generate().public_key[:1184]

REFUSED: list[tuple[str, str, Callable[[ReleaseRequest], None]]] = [
    ("another job", "release_job_mismatch", _set(job_id=bytes(16))),
    ("no job", "release_job_mismatch", _set(job_id=b"")),
    ("no header", "upload_header_invalid", _set(age_header=b"")),
    ("a header of noise", "upload_header_invalid", _set(age_header=bytes(range(256)) * 8)),
    ("a header cut short", "upload_header_invalid", _header(lambda header: header[:-10])),
    ("a header with payload behind it", "upload_header_invalid", _header(lambda header: header + b"\0" * 16)),
    ("a header of CRLF lines", "upload_header_invalid", _header(lambda h: h.replace(b"\n", b"\r\n"))),
    ("a changed MAC", "upload_not_accepted", _header(_flip_mac)),
    ("a stanza added after sealing", "upload_not_accepted", _header(_add_stanza)),
    ("a header without end", "upload_header_invalid", _set(age_header=b"age-encryption.org/v1\n" * 10_000)),
    ("an armored header", "upload_header_invalid", _set(age_header=b"-----BEGIN AGE ENCRYPTED FILE-----\n")),
    ("no HPKE key", "worker_key_invalid", _set(worker_hpke_key=b"")),
    ("an HPKE key of zeros", "worker_key_invalid", _set(worker_hpke_key=HONEST_MLKEM + LOW_ORDER_X25519)),
    ("an HPKE key that is no ML-KEM key", "worker_key_invalid", _set(worker_hpke_key=b"\xff" * 1216)),
    ("a long HPKE key", "worker_key_invalid", _set(worker_hpke_key=bytes(1217))),
    ("no Ed25519 key", "worker_key_invalid", _set(worker_ed25519_key=b"")),
    ("a short ML-DSA key", "worker_key_invalid", _set(worker_mldsa65_key=bytes(1951))),
    ("no terms", "release_refused", _set(terms_sha256=b"")),
    ("terms of another length", "release_refused", _set(terms_sha256=bytes(33))),
    ("no policy", "release_refused", _set(policy_sha256=b"")),
    ("no nonce", "release_nonce_wrong", _set(nonce=b"")),
    ("the nonce of another request", "release_nonce_wrong", _set(nonce=bytes(32))),
    ("other terms", "terms_not_accepted", _set(terms_sha256=bytes(32))),
    ("no walls", "release_refused", _set(walls=[])),
    ("a wall that the host does not give", "release_refused", _set(walls=[*WALLS, "seccomp"])),
    ("a wall twice", "release_refused", _set(walls=[*WALLS, WALLS[0]])),
    ("a wall of free text", "release_refused", _set(walls=["somebody's name"])),
]


@pytest.mark.parametrize(("name", "code", "change"), REFUSED, ids=[row[0] for row in REFUSED])
def test_what_is_refused(
    scene: Scene, name: str, code: str, change: Callable[[ReleaseRequest], None]
) -> None:
    request = scene.request
    change(request)
    assert scene.refusal(request) == code
    assert scene.sealed_key(scene.request)


PUBLISHED = {row[1] for row in REFUSED} | {
    "release_request_malformed",
    "upload_not_accepted",
    "upload_not_post_quantum",
}


@given(position=st.integers(0, 10_000), value=st.integers(0, 255), cut=st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_request_is_answered_or_refused_with_a_code(
    scene: Scene, position: int, value: int, cut: bool
) -> None:
    mutated = bytearray(scene.request.SerializeToString())
    position %= len(mutated)
    mutated[position] = value
    body = bytes(mutated[:position] if cut else mutated)
    outcome = "released"
    try:
        offer = scene.offer(parse(ReleaseRequest, body, "release_request_malformed"))
        statement = offer.evidence.verify(scene.node.public)
        outcome += ReleaseFacts.from_statement(statement).job_id
    except VaultRequestError as refusal:
        outcome = refusal.code
    assert outcome in PUBLISHED | {"released" + scene.worker.job_id.hex()}


def test_an_upload_that_was_not_accepted_is_not_opened(scene: Scene) -> None:
    other = seal_upload(scene.keys.current(MEASUREMENT).recipient, PLAINTEXT)
    request = scene.worker.request(header_of(other))
    request.nonce = NONCE
    assert scene.refusal(request) == "upload_not_accepted"


def test_a_job_that_ends_between_offer_and_record_gets_no_key(scene: Scene) -> None:
    offer = scene.offer(scene.request)
    scene.acceptances.end(scene.worker.job_id)
    with pytest.raises(VaultRequestError) as reason:
        scene.desk.seal(offer)
    assert reason.value.code == "upload_not_accepted"


def test_a_newer_worker_does_not_get_what_was_sealed_for_the_old_one(scene: Scene) -> None:
    newer = WorkerFacts(hashlib.sha256(b"newer code").digest(), frozenset(WALLS))
    assert scene.refusal(scene.request, newer) == "worker_measurement_changed"


def test_a_child_may_have_fewer_walls_than_its_host_gives(scene: Scene) -> None:
    request = scene.request
    _set(walls=["no_new_privs", "landlock_fs"])(request)
    statement = scene.offer(request).evidence.verify(scene.node.public)
    assert ReleaseFacts.from_statement(statement).walls == ("landlock_fs", "no_new_privs")


@pytest.mark.parametrize(
    "code", [row[1] for row in REFUSED] + ["intake_key_unknown", "vault_busy", "anything"]
)
def test_every_refusal_has_a_published_failure_code(code: str) -> None:
    assert job_failure_code(code) in FAILURE_CODES


def test_two_seals_of_one_key_differ() -> None:
    key = OneJobKey.generate()
    assert seal_file_key(bytes(16), key.public_key, bytes(16), b"") != seal_file_key(
        bytes(16), key.public_key, bytes(16), b""
    )
    assert repr(key) == "OneJobKey()"
