"""Test vendors' certificates: authorities, bad certificates of every kind, revocation lists, signatures.

Elliptic keys come from fixed seeds, so that a failing test fails again; RSA keys are made once a run.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID, ObjectIdentifier

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
YEAR = timedelta(days=365)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def elliptic(name: str, curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
    """A key that belongs to a name."""
    return ec.derive_private_key(int.from_bytes(hashlib.sha256(name.encode()).digest()[:31], "big"), curve)


@functools.cache
def rsa_key(name: str) -> rsa.RSAPrivateKey:
    """A 4,096-bit key, the same for a name throughout a run."""
    return rsa.generate_private_key(65537, 4096)


def named(common_name: str) -> x509.Name:
    """A name of one part."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


@dataclass(frozen=True)
class Authority:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: PrivateKey

    def issue(self, name: str, key: PrivateKey, **options: Any) -> Authority:
        """Makes a certificate below this one; see `make_certificate`."""
        return Authority(make_certificate(name, key, issuer=self, **options), key)


def make_certificate(
    name: str,
    key: PrivateKey,
    issuer: Authority | None = None,
    *,
    ca: bool | None = False,
    path_length: int | None = None,
    usage: str | None = "sign",
    start: datetime = NOW - YEAR,
    end: datetime = NOW + YEAR,
    extensions: Sequence[tuple[str, bytes, bool]] = (),
    issuer_name: str | None = None,
    serial: int | None = None,
    digest: hashes.HashAlgorithm | None = None,
    authority_key: bytes | None = None,
) -> x509.Certificate:
    """Makes a certificate; every argument but the first two is something that a bad one may get wrong.

    Args:
        name: the subject.
        key: the subject's.
        issuer: None makes a root.
        ca: basicConstraints; None leaves the extension out.
        path_length: of an authority.
        usage: "sign" (documents), "certify" (certificates) or None, which leaves the extension out.
        start, end: validity.
        extensions: OID, raw value, critical.
        issuer_name: another one than the issuer's.
        serial: drawn when None.
        digest: SHA-384, or SHA-256 below a P-256 key.
        authority_key: an authority key identifier.
    """
    signing_key = issuer.key if issuer else key
    issuing = named(issuer_name) if issuer_name else issuer.certificate.subject if issuer else named(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(issuing)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, path_length), critical=True)
    if usage is not None:
        certify = usage == "certify"
        builder = builder.add_extension(
            x509.KeyUsage(not certify, False, False, False, False, certify, certify, False, False),
            critical=True,
        )
    if ca:
        identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    if authority_key is not None:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier(authority_key, None, None), critical=False
        )
    for oid, value, critical in extensions:
        builder = builder.add_extension(x509.UnrecognizedExtension(ObjectIdentifier(oid), value), critical)
    if isinstance(signing_key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        return builder.sign(signing_key, digest or hashes.SHA384(), rsa_padding=pss)
    short = isinstance(signing_key.curve, ec.SECP256R1)
    return builder.sign(signing_key, digest or (hashes.SHA256() if short else hashes.SHA384()))


def revocation_list(
    issuer: Authority, revoked: Sequence[x509.Certificate], due: datetime = NOW + YEAR
) -> x509.CertificateRevocationList:
    """The issuer's list."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW - YEAR)
        .next_update(due)
    )
    for certificate in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder()
            .serial_number(certificate.serial_number)
            .revocation_date(NOW - YEAR)
            .build()
        )
    if isinstance(issuer.key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(hashes.SHA384()), 48)
        return builder.sign(issuer.key, hashes.SHA384(), rsa_padding=pss)
    return builder.sign(
        issuer.key, hashes.SHA256() if isinstance(issuer.key.curve, ec.SECP256R1) else hashes.SHA384()
    )


def scalars(key: ec.EllipticCurvePrivateKey, message: bytes, size: int, order: str) -> tuple[bytes, bytes]:
    """Signs; r and s as `size` bytes each, "big" or "little"."""
    digest = hashes.SHA256() if isinstance(key.curve, ec.SECP256R1) else hashes.SHA384()
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(size, order), s.to_bytes(size, order)  # type: ignore[arg-type]  # a literal
