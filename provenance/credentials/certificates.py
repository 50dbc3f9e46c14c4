"""The certificates under a manifest: those that the vault makes for itself, and checks of either kind.

A signer's certificate has the form of C2PA 2.2, 14.5.1. A root of ours signs one certificate and is then
forgotten. Nothing in either names a machine, a person or a place.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from provenance.credentials.claim import SIGNATURE_BYTES, Claim, to_be_signed
from provenance.credentials.labels import CLAIM_SIGNING, DOCUMENT_SIGNING
from provenance.errors import FormatError

MAX_CERTIFICATES: Final = 4
MAX_CERTIFICATE_BYTES: Final = 8 << 10

NO_END: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""A certificate that has no well-defined end (RFC 5280, 4.1.2.5)."""

_ORGANIZATION: Final = "Bauta"
_NAME_DIGITS: Final = 16

_PURPOSES: Final = (x509.ObjectIdentifier(CLAIM_SIGNING), x509.ObjectIdentifier(DOCUMENT_SIGNING))
ExtensionT = TypeVar("ExtensionT", bound=x509.ExtensionType)


def own_chain(
    root_key: ec.EllipticCurvePrivateKey, claim_key: ec.EllipticCurvePublicKey, since: datetime
) -> tuple[bytes, bytes]:
    """Makes the certificate of a claim key, and the root that it leads to.

    Args:
        root_key: to be forgotten after this.
        claim_key: P-256.
        since: when both begin, with a time zone.

    Returns:
        The claim key's certificate and the root, DER.
    """
    root_key_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    claim_key_id = x509.SubjectKeyIdentifier.from_public_key(claim_key)
    # Readers look for an issuer by its name, so each has one of its own.
    root_name = _name(f"{_ORGANIZATION} root {root_key_id.digest.hex()[:_NAME_DIGITS]}")
    claim_name = _name(f"{_ORGANIZATION} claims {claim_key_id.digest.hex()[:_NAME_DIGITS]}")
    root = (
        _builder(root_name, root_name, root_key.public_key(), since)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .add_extension(root_key_id, critical=False)
        .sign(root_key, SHA256())
    )
    leaf = (
        _builder(claim_name, root_name, claim_key, since)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_PURPOSES), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_key_id), critical=False
        )
        .add_extension(claim_key_id, critical=False)
        .sign(root_key, SHA256())
    )
    return leaf.public_bytes(Encoding.DER), root.public_bytes(Encoding.DER)


def signing_request(claim_key: ec.EllipticCurvePrivateKey) -> bytes:
    """Makes what a certificate authority is asked with (PKCS #10, PEM)."""
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(_name(f"{_ORGANIZATION} claims"))
        .add_extension(_usage(certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(_PURPOSES[:1]), critical=False)
        .sign(claim_key, SHA256())
    )
    return request.public_bytes(Encoding.PEM)


def check_chain(certificates: Sequence[bytes], claim_key: ec.EllipticCurvePublicKey, now: datetime) -> None:
    """Checks certificates that somebody else made for a claim key.

    Args:
        certificates: DER, from the claim key's own to a root that signed itself.
        claim_key: P-256.
        now: with a time zone.

    Raises:
        FormatError: with the reason.
    """
    if not 2 <= len(certificates) <= MAX_CERTIFICATES:
        raise FormatError(f"a chain has 2 to {MAX_CERTIFICATES} certificates, the root last")
    chain = [parse_certificate(der) for der in certificates]
    leaf, root = chain[0], chain[-1]
    if leaf.public_key() != claim_key:
        raise FormatError("the first certificate is not of the key that it was asked for")
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None or not set(_PURPOSES) & set(purposes):
        raise FormatError("the first certificate is not for signing claims or documents")
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        raise FormatError("the first certificate is an authority's")
    for certificate, issuer in itertools.pairwise([*chain, root]):
        try:
            certificate.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise FormatError("a certificate is not signed by the next one, or the root by itself") from None
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise FormatError("a certificate is not valid now")


def check_signature(claim: Claim, chain: Sequence[bytes], signature: bytes) -> None:
    """Checks a claim's signature against the first certificate.

    Raises:
        FormatError: `credentials_refused`, it is another's, or none.
    """
    key = parse_certificate(chain[0]).public_key()
    try:
        if len(signature) != SIGNATURE_BYTES or not isinstance(key, ec.EllipticCurvePublicKey):
            raise InvalidSignature
        half = SIGNATURE_BYTES // 2
        numbers = (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        key.verify(encode_dss_signature(*numbers), to_be_signed(claim, chain), ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise FormatError("the claim's signature is not by its certificate", "credentials_refused") from None


def parse_certificate(der: bytes) -> x509.Certificate:
    """Reads one certificate.

    Raises:
        FormatError: it is none, or larger than any should be.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise FormatError("a certificate is larger than any should be")
    try:
        certificate = x509.load_der_x509_certificate(der)
        certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        raise FormatError("a certificate is not one") from None
    return certificate


def _extension(certificate: x509.Certificate, kind: type[ExtensionT]) -> ExtensionT | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (ValueError, x509.ExtensionNotFound):
        return None


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, since: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(NO_END)
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )
