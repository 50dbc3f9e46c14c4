"""A real vault process against a hostile front desk, a hostile worker host and hostile children."""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault.age import MAX_HEADER_BYTES
from keyvault.client import VaultRefusedError
from keyvault.vault.config import VaultConfig
from protos.bauta.internal.v1.release_pb2 import ReleaseChallenge, ReleaseOffer, ReleaseResponse
from protos.framing import write_message
from provenance.dsse import Envelope
from provenance.statements.release import ReleaseFacts
from tests.unit.keyvault.vault.harness import (
    MEASUREMENT,
    RunningVault,
    Worker,
    header_of,
    make_request,
    open_upload,
    read,
    seal_upload,
)

PLAINTEXT = os.urandom(200_000)
HASTE_SECONDS = 10


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[RunningVault]:
    """A vault that gives a child more time than any of these needs, with its worker host ready."""
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "120") as running:
        running.hello()
        yield running


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[RunningVault]:
    """One that gives a child a few seconds, four at a time: for what is there to run out."""
    limits = ("--release-timeout-seconds", str(HASTE_SECONDS), "--max-open-releases", "4")
    with RunningVault(tmp_path / "vault", *limits) as running:
        running.hello()
        yield running


@pytest.fixture
def upload(vault: RunningVault) -> bytes:
    """Sealed to the vault's intake."""
    return sealed_to(vault)


def sealed_to(vault: RunningVault) -> bytes:
    return seal_upload(vault.intake().recipient, PLAINTEXT)


def check_releases(vault: RunningVault, upload: bytes) -> None:
    """An honest child still gets its key: whatever came before, the vault lives."""
    worker = Worker()
    response = vault.release(worker, upload)
    assert response.error_code == ""
    file_key = worker.key.open_file_key(response.sealed_file_key, worker.job_id, header_of(upload))
    assert open_upload(upload, file_key) == PLAINTEXT
    statement = Envelope.from_bytes(response.evidence).verify(vault.client.describe().node)
    facts = ReleaseFacts.from_statement(statement)
    assert facts.worker_key == worker.signer.public
    assert (facts.job_id, facts.measurement, facts.tier) == (
        worker.job_id.hex(),
        MEASUREMENT.hex(),
        "process",
    )


def test_a_released_key_opens_the_upload(vault: RunningVault, upload: bytes) -> None:
    check_releases(vault, upload)
    code, errors = vault.stop()
    assert (code, errors) == (0, "")


def test_a_child_cannot_ask_for_another_job(vault: RunningVault, upload: bytes) -> None:
    worker = Worker()
    with vault.register(secrets.token_bytes(16)) as child:
        offer = make_request(child, worker.request(header_of(upload)))
    assert offer == ReleaseOffer(error_code="release_job_mismatch")
    check_releases(vault, upload)


def test_a_registration_is_good_for_one_answer(vault: RunningVault, upload: bytes) -> None:
    worker = Worker()
    vault.accept(worker, upload)
    with vault.register(worker.job_id) as child:
        assert vault.ask(child, worker.request(header_of(upload))).sealed_file_key
        # The channel is open for one claim (test_claim_channel.py) and for nothing else.
        write_message(child.fileno(), worker.request(header_of(upload)))
        with pytest.raises((AssertionError, OSError)):
            read(child, ReleaseOffer)
    with vault.register(worker.job_id) as child:
        assert make_request(child, worker.request(b"noise")).error_code == "upload_header_invalid"
        with pytest.raises((AssertionError, OSError)):
            make_request(child, worker.request(header_of(upload)))


def test_a_job_that_is_registered_again_is_answered_again(vault: RunningVault, upload: bytes) -> None:
    """A job that restarts after a crash asks with fresh keys."""
    first = Worker()
    assert vault.release(first, upload).sealed_file_key
    second = Worker(job_id=first.job_id)
    response = vault.release(second, upload)
    assert second.key.open_file_key(response.sealed_file_key, second.job_id, header_of(upload))


def test_a_request_recorded_earlier_does_not_answer_a_new_challenge(
    vault: RunningVault, upload: bytes
) -> None:
    worker = Worker()
    vault.accept(worker, upload)
    request = worker.request(header_of(upload))
    with vault.register(worker.job_id) as child:
        assert vault.ask(child, request).sealed_file_key
    with vault.register(worker.job_id) as child:
        read(child, ReleaseChallenge)
        write_message(child.fileno(), request)
        assert read(child, ReleaseOffer) == ReleaseOffer(error_code="release_nonce_wrong")


def hung_up(channel: socket.socket) -> bool:
    """Says whether the vault closed its end, with or without reading what was sent."""
    try:
        return channel.recv(1) == b""
    except ConnectionResetError:
        return True


def open_descriptors(vault: RunningVault) -> int:
    """How many descriptors the vault holds."""
    return len(list(Path(f"/proc/{vault.process.pid}/fd").iterdir()))


def _frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


SAYINGS = [
    ("a frame of noise", _frame(b"\xff" * 500), "release_request_malformed"),
    ("an empty frame", _frame(b""), "release_job_mismatch"),
    ("a frame of 4 GiB", b"\xff\xff\xff\xff" + bytes(100), "request_too_large"),
    ("a frame one byte over the cap", struct.pack(">I", (80 << 10) + 1) + bytes(100), "request_too_large"),
]


@pytest.mark.parametrize(("name", "saying", "code"), SAYINGS, ids=[row[0] for row in SAYINGS])
def test_what_a_child_says_wrong_gets_a_code(
    vault: RunningVault, upload: bytes, name: str, saying: bytes, code: str
) -> None:
    with vault.register(secrets.token_bytes(16)) as child:
        read(child, ReleaseChallenge)
        child.sendall(saying)
        assert read(child, ReleaseOffer) == ReleaseOffer(error_code=code)
    check_releases(vault, upload)


def test_silent_and_slow_children_are_ended_and_their_places_come_back(hasty: RunningVault) -> None:
    upload = sealed_to(hasty)
    started = time.monotonic()
    children = [hasty.register(secrets.token_bytes(16)) for _ in range(4)]
    with hasty.register(secrets.token_bytes(16)) as child:
        read(child, ReleaseChallenge)
        assert read(child, ReleaseOffer).error_code == "vault_busy"
    honest = Worker().request(header_of(upload)).SerializeToString()
    children[1].sendall(b"\0")
    children[2].sendall(_frame(honest)[:-1])
    children[3].close()
    assert hasty.client.describe().log_origin, "the front desk does not wait for children"
    for child in children[:3]:
        read(child, ReleaseChallenge)
        assert read(child, ReleaseOffer).error_code == "release_too_slow"
        child.close()
    assert time.monotonic() - started < HASTE_SECONDS + 60
    check_releases(hasty, upload)


def test_a_drip_does_not_extend_the_deadline(hasty: RunningVault) -> None:
    with hasty.register(secrets.token_bytes(16)) as child:
        child.setblocking(True)
        child.sendall(struct.pack(">I", 1000))
        started = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - started < HASTE_SECONDS + 90:
                child.sendall(b"x")
                time.sleep(0.2)
        assert time.monotonic() - started < HASTE_SECONDS + 60
    check_releases(hasty, sealed_to(hasty))


def test_a_child_that_never_reads_its_answer_does_not_keep_a_place(hasty: RunningVault) -> None:
    upload = sealed_to(hasty)
    children = []
    for _ in range(6):
        child = hasty.register(job_id := secrets.token_bytes(16))
        child.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        # Where all places are taken it is refused, and its channel closed, before it has asked.
        with contextlib.suppress(ConnectionError):
            write_message(child.fileno(), Worker(job_id=job_id).request(header_of(upload)))
        children.append(child)
    # A place is free again before the channel of whoever had it is closed.
    for child in children:
        closed = select.poll()
        closed.register(child, 0)
        assert closed.poll((HASTE_SECONDS + 60) * 1000), "the vault waits for ever"
    check_releases(hasty, upload)
    for child in children:
        child.close()


def test_a_child_that_sends_descriptors_gives_the_vault_none(vault: RunningVault, upload: bytes) -> None:
    before = open_descriptors(vault)
    worker = Worker()
    vault.accept(worker, upload)
    with vault.register(worker.job_id) as child:
        request = worker.request(header_of(upload))
        request.nonce = read(child, ReleaseChallenge).nonce
        socket.send_fds(child, [_frame(request.SerializeToString())], [0, 1, 2])
        vault.record(worker.job_id, read(child, ReleaseOffer).evidence)
        assert read(child, ReleaseResponse).sealed_file_key
    check_releases(vault, upload)
    # The vault closes a channel a moment after its child did.
    until = time.monotonic() + 60
    while open_descriptors(vault) > before and time.monotonic() < until:
        time.sleep(0.02)
    assert open_descriptors(vault) <= before


@pytest.mark.parametrize("kind", ["nothing", "two descriptors", "a file", "a pipe", "a listening socket"])
def test_a_host_that_breaks_the_protocol_loses_its_channel_and_no_more(
    vault: RunningVault, upload: bytes, tmp_path: Path, kind: str
) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    pipe = os.pipe()
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    fds = {
        "nothing": [],
        "two descriptors": [file, file],
        "a file": [file],
        "a pipe": [pipe[0]],
        "a listening socket": [listener.fileno()],
    }[kind]
    vault.send_registration(secrets.token_bytes(16), fds)
    assert hung_up(vault.worker), "the vault hangs up"
    with pytest.raises(VaultRefusedError) as refusal:
        vault.client.announce_intake()
    assert refusal.value.code == "worker_not_ready", "what no worker can open must not be announced"
    assert vault.client.describe().log_origin
    assert vault.process.poll() is None
    listener.close()
    for fd in (*pipe, file):
        os.close(fd)


def test_a_registration_may_come_in_pieces(vault: RunningVault, upload: bytes) -> None:
    worker = Worker()
    child, vault_end = socket.socketpair()
    vault.send_registration(worker.job_id[:5], [vault_end.fileno()])
    time.sleep(0.1)
    vault.worker.sendall(worker.job_id[5:])
    vault_end.close()
    vault.accept(worker, upload)
    with child:
        assert vault.ask(child, worker.request(header_of(upload))).sealed_file_key


HELLOS = [
    ("noise", _frame(b"\xff" * 30)),
    ("no measurement", _frame(b"")),
    ("a frame of 4 GiB", b"\xff" * 8),
    ("a short measurement", _frame(b"\x0a\x02xx")),
    ("a wall of free text", _frame(b"\x0a\x20" + bytes(32) + b"\x12\x09A B/../.\n")),
]


@pytest.mark.parametrize(("name", "hello"), HELLOS, ids=[row[0] for row in HELLOS])
def test_a_bad_hello_is_no_worker(tmp_path: Path, name: str, hello: bytes) -> None:
    with RunningVault(tmp_path / "vault", "--hello-wait-seconds", "0.3") as vault:
        vault.worker.sendall(hello)
        assert hung_up(vault.worker)
        with pytest.raises(VaultRefusedError) as refusal:
            vault.client.announce_intake()
        assert refusal.value.code == "worker_not_ready"
        assert vault.client.describe().log_origin


def test_an_announcement_waits_for_a_worker_host_that_is_still_warming_up(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault", "--hello-wait-seconds", "5") as vault:
        with pytest.raises(VaultRefusedError) as refusal:
            vault.client.announce_intake()
        assert refusal.value.code == "worker_not_ready"
        vault.hello()
        assert vault.intake().worker_measurements == (MEASUREMENT.hex(),)


def test_the_largest_header_that_age_accepts_fits_a_request() -> None:
    limits = VaultConfig()
    assert limits.max_age_header_bytes == MAX_HEADER_BYTES
    assert Worker().request(bytes(MAX_HEADER_BYTES)).ByteSize() < limits.max_release_request_bytes
