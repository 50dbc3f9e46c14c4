"""Mutual TLS for real: a server and clients on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from grpc_api.errors import ServiceError
from grpc_api.identity import caller
from grpc_api.tls import (
    TlsFiles,
    channel_credentials,
    create_authority,
    create_client,
    create_server,
    server_credentials,
)


class _Health(health.HealthServicer):
    def __init__(self) -> None:
        super().__init__()
        self.callers: list[str] = []

    def Check(self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext):
        self.callers.append(caller(context))
        return super().Check(request, context)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[tuple[str, Path, _Health]]:
    tls = tmp_path / "tls"
    create_authority(tls)
    files = create_server(tls, ("localhost", "127.0.0.1"))
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        servicer = _Health()
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
        port = server.add_secure_port("127.0.0.1:0", server_credentials(files))
        server.start()
        yield f"127.0.0.1:{port}", tls, servicer
        # Later tests of this process fork.
        server.stop(None).wait()


def _check(address: str, credentials: grpc.ChannelCredentials) -> None:
    with grpc.secure_channel(address, credentials) as channel:
        health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=120)


def test_each_client_is_an_identity_of_its_own(service: tuple[str, Path, _Health], tmp_path: Path) -> None:
    address, tls, servicer = service
    for name in ("alice", "bob"):
        _check(address, channel_credentials(create_client(tls, tmp_path / name)))
    alice, bob = servicer.callers
    assert alice != bob
    assert alice.startswith("x509:")


def test_strangers_are_not_heard(service: tuple[str, Path, _Health], tmp_path: Path) -> None:
    address, tls, servicer = service
    other = tmp_path / "other"
    create_authority(other)
    stranger = create_client(other, tmp_path / "stranger")
    authority = (tls / "ca.pem").read_bytes()
    strangers = {
        "no certificate": grpc.ssl_channel_credentials(authority),
        "a certificate of another authority": grpc.ssl_channel_credentials(
            authority, stranger.private_key.read_bytes(), stranger.certificate.read_bytes()
        ),
        "the server's own certificate, used as a client": channel_credentials(TlsFiles(tls, "server")),
    }
    for name, credentials in strangers.items():
        with pytest.raises(grpc.RpcError) as refused:
            _check(address, credentials)
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE, name
    assert servicer.callers == []


def test_a_client_refuses_another_server(service: tuple[str, Path, _Health], tmp_path: Path) -> None:
    address, _, servicer = service
    other = tmp_path / "other"
    create_authority(other)
    with pytest.raises(grpc.RpcError):
        _check(address, channel_credentials(create_client(other, tmp_path / "client")))
    assert servicer.callers == []


def test_private_keys_are_private(service: tuple[str, Path, _Health]) -> None:
    _, tls, _ = service
    keys = list(tls.glob("*.key"))
    assert {path.name for path in keys} == {"ca.key", "server.key"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in keys)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match=r"server\.key") as missing:
        server_credentials(TlsFiles(tmp_path, "server"))
    assert missing.value.code == "tls_files_missing"
