"""Certificates for remote use: a small authority of the service's own, ECDSA P-256, mutual TLS 1.3.

gRPC's TLS library takes no Ed25519 certificates; P-256 is what it, and every client language, accepts.
The seal of an upload does not depend on TLS: it is post-quantum by itself.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from grpc_api.errors import ServiceError, invalid

_CA_DAYS = 3650
_LEAF_DAYS = 825
_SKEW = datetime.timedelta(minutes=5)


@dataclass(frozen=True)
class TlsFiles:
    """Where one party's three PEM files lie."""

    folder: Path
    name: str

    @property
    def authority(self) -> Path:
        """The authority that signs both sides."""
        return self.folder / "ca.pem"

    @property
    def certificate(self) -> Path:
        """This party's certificate."""
        return self.folder / f"{self.name}.pem"

    @property
    def private_key(self) -> Path:
        """This party's private key, mode 0600."""
        return self.folder / f"{self.name}.key"


def create_authority(folder: Path) -> None:
    """Makes `ca.pem` and `ca.key`, unless they are there."""
    files = TlsFiles(folder, "ca")
    if files.private_key.exists():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Bauta authority")
    certificate = (
        _builder(name, name, key.public_key(), _CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(files.certificate, certificate.public_bytes(Encoding.PEM), 0o644)
    _write_key(files.private_key, key)


def create_server(folder: Path, names: tuple[str, ...]) -> TlsFiles:
    """Makes the server's certificate for these host names and addresses."""
    alternatives = [_alternative(name) for name in names]
    return _create_leaf(folder, folder, "server", ExtendedKeyUsageOID.SERVER_AUTH, alternatives)


def create_client(folder: Path, bundle: Path) -> TlsFiles:
    """Makes one client's certificate in a folder that can be handed over."""
    bundle.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _create_leaf(folder, bundle, "client", ExtendedKeyUsageOID.CLIENT_AUTH, [])


def server_credentials(files: TlsFiles) -> grpc.ServerCredentials:
    """Mutual TLS: a client without a certificate of our authority cannot say a word."""
    return grpc.ssl_server_credentials(
        [(_read(files.private_key), _read(files.certificate))],
        _read(files.authority),
        require_client_auth=True,
    )


def channel_credentials(files: TlsFiles) -> grpc.ChannelCredentials:
    """The client's side of the same."""
    return grpc.ssl_channel_credentials(
        _read(files.authority), _read(files.private_key), _read(files.certificate)
    )


def _create_leaf(
    authority_folder: Path,
    folder: Path,
    name: str,
    usage: x509.ObjectIdentifier,
    alternatives: list[x509.GeneralName],
) -> TlsFiles:
    authority = TlsFiles(authority_folder, "ca")
    issuer = x509.load_pem_x509_certificate(_read(authority.certificate))
    issuer_key = load_pem_private_key(_read(authority.private_key), password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise invalid("tls_invalid", "The authority's key is not of the kind that this service makes.")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(f"Bauta {name}"), issuer.subject, key.public_key(), _LEAF_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    certificate = builder.sign(issuer_key, hashes.SHA256())
    files = TlsFiles(folder, name)
    _write(files.certificate, certificate.public_bytes(Encoding.PEM), 0o644)
    _write_key(files.private_key, key)
    if folder != authority_folder:
        _write(files.authority, _read(authority.certificate), 0o644)
    return files


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)


def _write(path: Path, content: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(content)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        raise ServiceError(
            "tls_files_missing",
            f"`{path.name}` cannot be read; `bauta serve --init` makes the certificates.",
            grpc.StatusCode.FAILED_PRECONDITION,
        ) from None
