"""The signed frame of a timestamp (CMS, RFC 5652): one content, one signer, the certificates that came along.

`rfc3161-client` has OpenSSL verify this frame too, but hands out no signed attributes, and these are what
binds the signature to one certificate (RFC 2634, RFC 5816) and to one kind of content. And it cannot tell a
forged token from one by an authority that nobody believes: here the signature is checked by the certificate
in the token, whoever issued it.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from provenance.der import (
    CONTEXT_0,
    CONTEXT_1,
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    DerError,
    Element,
    element,
    parse_der,
)
from provenance.errors import FormatError, SignatureError

SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA384 = "2.16.840.1.101.3.4.2.2"
_SHA512 = "2.16.840.1.101.3.4.2.3"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    SHA256: hashes.SHA256(),
    _SHA384: hashes.SHA384(),
    _SHA512: hashes.SHA512(),
}
_RSA = "1.2.840.113549.1.1.1"
# Signature algorithms by the hash that they name; RSA alone leaves that to the digest algorithm.
_SIGNATURES = {
    "1.2.840.113549.1.1.11": SHA256,
    "1.2.840.113549.1.1.12": _SHA384,
    "1.2.840.113549.1.1.13": _SHA512,
    "1.2.840.10045.4.3.2": SHA256,
    "1.2.840.10045.4.3.3": _SHA384,
    "1.2.840.10045.4.3.4": _SHA512,
}
_MIN_RSA_BITS = 2048
_MAX_RSA_BITS = 8192
_MIN_CURVE_BITS = 256
_MAX_CERTIFICATES = 8

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
_SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

# Neither library has one error for bad bytes; both read some parts only when they are asked for.
_PARSING_ERRORS = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


def malformed(message: str) -> FormatError:
    """Gives the error for bytes that are no timestamp: always the same code."""
    return FormatError(message, "timestamp_malformed")


@contextlib.contextmanager
def reading_timestamps() -> Iterator[None]:
    """Turns what is raised about malformed bytes into a FormatError, `timestamp_malformed`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except DerError as error:
        raise malformed(f"a timestamp is malformed: {error}") from None
    except _PARSING_ERRORS:
        raise malformed("a timestamp is malformed") from None
    except BaseException as error:
        # A panic of Rust code; its class cannot be imported, and is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise malformed("a timestamp is malformed") from None


@dataclass(frozen=True)
class Signer:
    """The one SignerInfo, RFC 5652, section 5.3.

    Attributes:
        issuer: of its certificate, DER of the name.
        serial: of its certificate.
        digest: object identifier of the hash.
        attributes: what is signed: DER of a SET.
        algorithm: object identifier of the signature.
        signature: over the attributes.
    """

    issuer: bytes
    serial: int
    digest: str
    attributes: bytes
    algorithm: str
    signature: bytes


@dataclass(frozen=True)
class SignedContent:
    """A TSTInfo in its frame; nothing of it is verified yet.

    Attributes:
        content: DER of the TSTInfo.
        certificates: all that came along, in no order that means anything.
        signer: who is said to have signed.
    """

    content: bytes
    certificates: tuple[x509.Certificate, ...]
    signer: Signer

    def certificate(self) -> x509.Certificate:
        """Gives the signer's own.

        Raises:
            FormatError: it is not there; or `timestamp_unknown_algorithm`, one rests on a broken hash.
        """
        wanted = (self.signer.issuer, self.signer.serial)
        found = [
            item for item in self.certificates if (item.issuer.public_bytes(), item.serial_number) == wanted
        ]
        if len(found) != 1:
            raise malformed("a timestamp does not carry the certificate of its signer")
        for item in self.certificates:
            # A root signs itself, which shows nothing; of any other, a weak signature may be a forgery.
            with_hash = item.signature_hash_algorithm
            if item.issuer != item.subject and isinstance(with_hash, hashes.SHA1 | hashes.MD5):
                raise _unknown_algorithm()
        return found[0]

    def verify(self, certificate: x509.Certificate) -> None:
        """Checks what the signer signed, and the signature, by this certificate.

        Raises:
            FormatError: the attributes lack what they must say; `timestamp_unknown_algorithm`.
            SignatureError: `timestamp_forged`.
        """
        attributes = self._attributes()
        if attributes[_CONTENT_TYPE].oid() != _TST_INFO:
            raise malformed("a timestamp is signed as something else")
        digest = hashes.Hash(_hash(self.signer.digest))
        digest.update(self.content)
        if attributes[_MESSAGE_DIGEST].of(OCTET_STRING) != digest.finalize():
            raise _forged()
        bound = attributes.keys() & {_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_V2}
        if not bound:
            raise malformed("a timestamp does not say with which certificate it was signed")
        for name in bound:
            _check_binding(attributes[name], certificate, by_sha1=name == _SIGNING_CERTIFICATE)
        _check_signature(self.signer, certificate)

    def _attributes(self) -> dict[str, Element]:
        found: dict[str, Element] = {}
        for attribute in parse_der(self.signer.attributes).members(SET):
            kind, values = attribute.members()
            if kind.oid() in found:
                raise malformed("a timestamp's signer says something twice")
            found[kind.oid()] = values.only(SET)
        return found


def parse_signed_content(untrusted: bytes) -> SignedContent:
    """Reads a ContentInfo that holds a TSTInfo with one signer. To be called under `reading_timestamps`.

    Raises:
        FormatError: anything else.
    """
    kind, explicit = parse_der(untrusted).members()
    if kind.oid() != _SIGNED_DATA:
        raise malformed("a timestamp is no signed data")
    _version, _digests, encapsulated, *rest = explicit.only(CONTEXT_0).members()
    content_kind, content = encapsulated.members()
    if content_kind.oid() != _TST_INFO:
        raise malformed("a timestamp is signed data of another kind")
    untrusted_certificates: list[Element] = []
    if rest and rest[0].tag == CONTEXT_0:
        untrusted_certificates = rest.pop(0).members(CONTEXT_0)
    if rest and rest[0].tag == CONTEXT_1:
        rest.pop(0)  # Revocation lists: nobody here reads them.
    if len(rest) != 1 or len(untrusted_certificates) > _MAX_CERTIFICATES:
        raise malformed("a timestamp does not have its parts, or too many certificates")
    return SignedContent(
        content=content.only(CONTEXT_0).of(OCTET_STRING),
        certificates=tuple(x509.load_der_x509_certificate(item.encoded) for item in untrusted_certificates),
        signer=_signer(rest[0].only(SET)),
    )


def with_certificates_in_order(untrusted: bytes) -> bytes:
    """Sorts the certificates of a token as DER demands of a SET; nobody signs them, and few sort them.

    To be called under `reading_timestamps`.

    Raises:
        FormatError: it is no token.
    """
    kind, explicit = parse_der(untrusted).members()
    parts = [
        element(CONTEXT_0, b"".join(sorted(item.encoded for item in part.members(CONTEXT_0))))
        if part.tag == CONTEXT_0
        else part.encoded
        for part in explicit.only(CONTEXT_0).members()
    ]
    return element(SEQUENCE, kind.encoded + element(CONTEXT_0, element(SEQUENCE, b"".join(parts))))


def _signer(untrusted: Element) -> Signer:
    _version, who, digest, attributes, algorithm, signature, *unsigned = untrusted.members()
    issuer, serial = who.members()
    if len(unsigned) > 1 or (unsigned and unsigned[0].tag != CONTEXT_1):
        raise malformed("a timestamp's signer does not have its parts")
    return Signer(
        issuer=issuer.encoded,
        serial=int.from_bytes(serial.of(INTEGER), "big", signed=True),
        digest=digest.members()[0].oid(),
        # Signed under their own tag, sent under another: RFC 5652, section 5.4.
        attributes=element(SET, attributes.of(CONTEXT_0)),
        algorithm=algorithm.members()[0].oid(),
        signature=signature.of(OCTET_STRING),
    )


def _check_binding(attribute: Element, certificate: x509.Certificate, *, by_sha1: bool) -> None:
    # The first certificate named is the signer's: RFC 2634, section 5.4; RFC 5816.
    named = attribute.members()[0].members()[0].members()
    if by_sha1:
        expected = certificate.fingerprint(hashes.SHA1())  # noqa: S303 - RFC 2634 knows no other.
    else:
        with_hash = named.pop(0).members()[0].oid() if named[0].tag == SEQUENCE else SHA256
        expected = certificate.fingerprint(_hash(with_hash))
    if named[0].of(OCTET_STRING) != expected:
        raise _forged()


def _check_signature(signer: Signer, certificate: x509.Certificate) -> None:
    algorithm = _hash(signer.digest)
    if signer.algorithm != _RSA and _SIGNATURES.get(signer.algorithm) != signer.digest:
        raise _unknown_algorithm()
    key = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS:
            key.verify(signer.signature, signer.attributes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and _counts(key, signer.algorithm):
            key.verify(signer.signature, signer.attributes, ec.ECDSA(algorithm))
        else:
            raise _unknown_algorithm()
    except InvalidSignature:
        raise _forged() from None


def _counts(key: ec.EllipticCurvePublicKey, algorithm: str) -> bool:
    return key.key_size >= _MIN_CURVE_BITS and algorithm != _RSA


def _hash(oid: str) -> hashes.HashAlgorithm:
    if oid not in _HASHES:
        raise _unknown_algorithm()
    return _HASHES[oid]


def _forged() -> SignatureError:
    return SignatureError("a timestamp was changed, or never signed by its authority", "timestamp_forged")


def _unknown_algorithm() -> FormatError:
    return FormatError(
        "a timestamp rests on an algorithm or a key that does not count here", "timestamp_unknown_algorithm"
    )
