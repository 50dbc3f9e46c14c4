"""A real vault process and a front desk that says what it likes; and a client whose vault does."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keyvault.client import VaultClient, VaultUnavailableError
from protos.bauta.internal.v1.vault_pb2 import Describe, VaultRequest, VaultResponse
from protos.framing import read_message, write_message
from tests.unit.keyvault.vault.harness import RunningVault


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[RunningVault]:
    """A vault with its worker host ready."""
    with RunningVault(tmp_path / "vault") as running:
        running.hello()
        yield running


def _frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def test_the_front_desk_may_say_anything_and_is_answered_after_it(vault: RunningVault) -> None:
    for saying, code in (
        (_frame(b"\xff" * 50), "request_malformed"),
        (_frame(b""), "request_unknown"),
        (struct.pack(">I", 300_000) + bytes(300_000), "request_too_large"),
        (struct.pack(">I", 5_000_000) + bytes(5_000_000), "request_too_large"),
    ):
        front = socket.socket(fileno=os.dup(vault.front_fd))
        with front:
            front.sendall(saying)
            response = read_message(front.fileno(), VaultResponse, 1 << 20)
        assert response == VaultResponse(error_code=code)
        assert vault.client.describe().log_origin


def test_the_vault_ends_when_the_front_desk_is_gone_even_within_a_request(vault: RunningVault) -> None:
    os.write(vault.front_fd, struct.pack(">I", 1000) + b"half")
    code, errors = vault.stop()
    assert (code, errors) == (0, "")


def test_a_client_without_a_vault_says_so(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as vault:
        vault.client.describe()
        vault.process.kill()
        vault.process.wait(60)
        for _ in range(2):
            with pytest.raises(VaultUnavailableError) as reason:
                vault.client.describe()
            assert reason.value.code == "vault_unavailable"


def test_a_client_does_not_take_a_late_answer_for_the_next_one() -> None:
    ours, theirs = socket.socketpair()
    client = VaultClient(ours.detach(), timeout_seconds=0.2)
    with theirs:
        with pytest.raises(VaultUnavailableError):
            client.describe()
        assert read_message(theirs.fileno(), VaultRequest, 1000) == VaultRequest(describe=Describe())
        assert theirs.recv(1) == b"", "the channel is closed for good"
        with pytest.raises(VaultUnavailableError):
            client.describe()


@pytest.mark.parametrize(
    "response",
    [
        VaultResponse(),
        VaultResponse(checkpoint=b"an answer to something else"),
        VaultResponse(description={"node": {"ed25519": b"no key"}}),
    ],
)
def test_a_client_takes_no_answer_that_it_did_not_ask_for(response: VaultResponse) -> None:
    ours, theirs = socket.socketpair()
    client = VaultClient(ours.detach(), timeout_seconds=5)
    with theirs:
        write_message(theirs.fileno(), response)
        with pytest.raises(VaultUnavailableError):
            client.describe()
    client.close()


def test_requests_of_many_threads_do_not_mix(vault: RunningVault) -> None:
    def one(number: int) -> bool:
        if number % 2:
            return vault.client.describe().log_origin.startswith("bauta.log/")
        return b"payload" in vault.client.sign_failure(number.to_bytes(16, "big"), "media_corrupt")

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(80)))
