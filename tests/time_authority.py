"""A time-stamping authority of the tests, in Python: stamps what it is told, at any time, in any wrong way.

The honest ones of the tests are `openssl ts` itself (tests/interop/test_timestamp_openssl.py); this one makes
the tokens that no honest program would, the same ones in every run.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID, ObjectIdentifier

from provenance.der import (
    CONTEXT_0,
    CONTEXT_1,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    element,
    parse_der,
)

# Nine seconds after the job of `provenance_makers.job_facts` ended, one before its log signed.
STAMPED_AT = datetime(2026, 11, 21, 10, 0, 18, tzinfo=UTC)
YEAR = timedelta(days=365)
_TRUE = b"\x01\x01\xff"
_BOOLEAN = 0x01
_GENERALIZED_TIME = 0x18
_SHA256 = "2.16.840.1.101.3.4.2.1"
TIME_STAMPING = ("1.3.6.1.5.5.7.3.8",)
SHA1 = "1.3.14.3.2.26"
ECDSA_SHA256 = "1.2.840.10045.4.3.2"


def oid(dotted: str) -> bytes:
    """An object identifier, encoded."""
    first, second, *rest = map(int, dotted.split("."))
    content = b""
    for arc in (40 * first + second, *rest):
        digits = [arc & 0x7F]
        while arc := arc >> 7:
            digits.insert(0, arc & 0x7F | 0x80)
        content += bytes(digits)
    return element(OBJECT_IDENTIFIER, content)


def sequence(*members: bytes) -> bytes:
    """A SEQUENCE."""
    return element(SEQUENCE, b"".join(members))


def set_of(*members: bytes) -> bytes:
    """A SET OF, sorted as DER demands."""
    return element(SET, b"".join(sorted(members)))


def integer(value: int) -> bytes:
    """An INTEGER."""
    return element(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return element(OCTET_STRING, content)


@functools.cache
def elliptic(name: str, curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    """The key that belongs to a name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    return ec.derive_private_key(number, curve or ec.SECP256R1())


@dataclass(frozen=True)
class Way:
    """How a token is made; the defaults are the right way.

    Attributes:
        at: the time in the token.
        nonce: repeated in the token, if the request had one.
        imprint_oid: the hash that the token names.
        version: of the TSTInfo.
        accuracy: the DER of an Accuracy, or nothing.
        extensions: a critical one, or none.
        content_type: the kind of content.
        signed_type: the kind of content that the signer's attributes name.
        message_digest: instead of the right one.
        bound_to: the certificate that the attributes name, instead of the signer's.
        old_binding: by SHA-1 (RFC 2634), as `openssl ts` does it unless told otherwise.
        unbound: no certificate is named at all.
        algorithm: of the signature, by name.
        digest_oid: of the signature and the content, by name.
        flip_signature: the signature is not one.
        certificates: that come along, instead of the signer's and its issuers'.
        unsorted: the certificates come in the order that DER forbids, as most authorities send them.
        twice: two signers.
    """

    at: datetime = STAMPED_AT
    nonce: int | None = None
    imprint_oid: str = _SHA256
    version: int = 1
    accuracy: bytes = b""
    extensions: bool = False
    content_type: str = "1.2.840.113549.1.9.16.1.4"
    signed_type: str = "1.2.840.113549.1.9.16.1.4"
    message_digest: bytes | None = None
    bound_to: x509.Certificate | None = None
    old_binding: bool = False
    unbound: bool = False
    algorithm: str = ECDSA_SHA256
    digest_oid: str = _SHA256
    flip_signature: bool = False
    certificates: Sequence[x509.Certificate] | None = None
    unsorted: bool = False
    twice: bool = False


@dataclass(frozen=True)
class TimeAuthority:
    """An authority under a root of its own.

    Attributes:
        name: every key belongs to it.
        root: DER.
        certificate: of the authority.
        key: of the authority.
        between: the certificate between the two, if there is one.
    """

    name: str
    root: x509.Certificate
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    between: x509.Certificate | None = None

    @property
    def root_pem(self) -> bytes:
        """The root, as an operator's file has it."""
        return self.root.public_bytes(Encoding.PEM)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """What comes along with a token."""
        return (self.certificate, *((self.between,) if self.between else ()), self.root)

    @property
    def root_der(self) -> bytes:
        """The root, as a trust file has it."""
        return self.root.public_bytes(Encoding.DER)

    def stamp(self, digest: bytes, **changes: Any) -> bytes:
        """Makes a token over a digest; see `Way`."""
        way = replace(Way(), **changes)
        content = _content(digest, way)
        chain = self.chain if way.certificates is None else way.certificates
        certificates = sorted((item.public_bytes(Encoding.DER) for item in chain), reverse=way.unsorted)
        signer = self._signer(content, way)
        signed_data = sequence(
            integer(3),
            set_of(sequence(oid(way.digest_oid))),
            sequence(oid(way.content_type), element(CONTEXT_0, octets(content))),
            element(CONTEXT_0, b"".join(certificates)),
            set_of(signer, *((self._signer(content, replace(way, old_binding=True)),) if way.twice else ())),
        )
        return sequence(oid("1.2.840.113549.1.7.2"), element(CONTEXT_0, signed_data))

    def _signer(self, content: bytes, way: Way) -> bytes:
        bound = way.bound_to or self.certificate
        digest = hashlib.sha256(content).digest() if way.message_digest is None else way.message_digest
        attributes = [
            sequence(oid("1.2.840.113549.1.9.3"), set_of(oid(way.signed_type))),
            sequence(oid("1.2.840.113549.1.9.4"), set_of(octets(digest))),
        ]
        if not way.unbound:
            named = hashes.SHA1() if way.old_binding else hashes.SHA256()
            kind = "1.2.840.113549.1.9.16.2.12" if way.old_binding else "1.2.840.113549.1.9.16.2.47"
            certificate = sequence(octets(bound.fingerprint(named)))
            attributes.append(sequence(oid(kind), set_of(sequence(sequence(certificate)))))
        signed = set_of(*attributes)
        signature = self.key.sign(signed, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        if way.flip_signature:
            signature = self.key.sign(signed + b"\0", ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return sequence(
            integer(1),
            sequence(self.certificate.issuer.public_bytes(), integer(self.certificate.serial_number)),
            sequence(oid(way.digest_oid)),
            bytes([CONTEXT_0]) + signed[1:],
            sequence(oid(way.algorithm)),
            octets(signature),
        )


def _content(digest: bytes, way: Way) -> bytes:
    time = element(_GENERALIZED_TIME, f"{way.at:%Y%m%d%H%M%SZ}".encode())
    extension = sequence(sequence(oid("1.2.3.4"), _TRUE, octets(b"unknown")))
    return sequence(
        integer(way.version),
        oid("1.2.3.4.1"),
        sequence(sequence(oid(way.imprint_oid)), octets(digest)),
        integer(0x5EED),
        time,
        way.accuracy,
        b"" if way.nonce is None else integer(way.nonce),
        bytes([CONTEXT_1]) + extension[1:] if way.extensions else b"",
    )


@functools.cache
def time_authority(
    name: str = "time",
    *,
    called: str = "",
    use: tuple[str, ...] | None = None,
    critical: bool = True,
    from_: datetime = STAMPED_AT - YEAR,
    until: datetime = STAMPED_AT + 3 * YEAR,
    curve: ec.EllipticCurve | None = None,
    weak: bool = False,
    between: bool = False,
    root_serial: int = 1,
) -> TimeAuthority:
    """Makes an authority.

    Args:
        name: its keys belong to it, and what it is called unless `called` says otherwise.
        called: in its certificates.
        use: of the certificate's key, by dotted names; None for timestamps alone, empty for nothing said.
        critical: whether that must be heeded.
        from_, until: validity of the authority's certificate.
        curve: of the authority's key.
        weak: the certificate says that a broken hash was signed.
        between: the root has not issued it itself.
        root_serial: of the root's certificate.
    """
    root_key, middle_key, key = elliptic(name + "/root"), elliptic(name + "/between"), elliptic(name, curve)
    called = called or name
    root = _sign(_builder("root", called, root_key, "root").serial_number(root_serial), root_key)
    middle = _sign(_builder("between", called, middle_key, "root").serial_number(3), root_key)
    issuer, issuer_key = ("between", middle_key) if between else ("root", root_key)
    builder = _builder("clock", called, key, issuer, from_, until).serial_number(2)
    purposes = [ObjectIdentifier(item) for item in (TIME_STAMPING if use is None else use)]
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=critical)
    certificate = builder.sign(issuer_key, hashes.SHA256(), ecdsa_deterministic=True)
    return TimeAuthority(
        name, root, _weakened(certificate) if weak else certificate, key, middle if between else None
    )


def _builder(
    what: str,
    called: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    from_: datetime = STAMPED_AT - 10 * YEAR,
    until: datetime = STAMPED_AT + 10 * YEAR,
) -> x509.CertificateBuilder:
    def name(who: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Test {who} {called}")])

    base = x509.CertificateBuilder().subject_name(name(what)).issuer_name(name(issuer))
    return base.public_key(key.public_key()).not_valid_before(from_).not_valid_after(until)


def _sign(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """As one that may issue others."""
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    return builder.add_extension(constraints, critical=True).sign(
        key, hashes.SHA256(), ecdsa_deterministic=True
    )


def _weakened(certificate: x509.Certificate) -> x509.Certificate:
    """The certificate as if SHA-1 had been signed, which no library does any more; the signature is false."""
    body, algorithm, signature = parse_der(certificate.public_bytes(Encoding.DER)).members()
    sha1 = sequence(oid("1.2.840.10045.4.1"))
    parts = [sha1 if part.encoded == algorithm.encoded else part.encoded for part in body.members()]
    return x509.load_der_x509_certificate(sequence(sequence(*parts), sha1, signature.encoded))
