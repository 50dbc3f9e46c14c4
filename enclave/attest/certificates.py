"""Reads certificates and revocation lists; whatever `cryptography` raises comes out as an EvidenceError."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from enclave.attest.errors import EvidenceError

MAX_CERTIFICATE_BYTES = 8 << 10
MAX_CERTIFICATES = 16

_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----[\r\n]+[A-Za-z0-9+/=\r\n]+-----END \1-----")
# `cryptography` reads certificates lazily and has no one error for bad ones.
_PARSING_ERRORS = (
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)


@contextlib.contextmanager
def reading_certificates(code: str = "evidence_malformed") -> Iterator[None]:
    """Turns what `cryptography` raises about malformed certificates into an EvidenceError with this code."""
    with warnings.catch_warnings():
        # It warns of what it reads all the same: certificates of AMD's chips have the serial number 0, which
        # RFC 5280 forbids. (A later release is to refuse them; the pinned one reads them.)
        warnings.simplefilter("ignore", UserWarning)
        try:
            yield
        except _PARSING_ERRORS:
            raise EvidenceError("a certificate or a revocation list is malformed", code) from None


def load_certificate(untrusted: bytes, code: str = "evidence_malformed") -> x509.Certificate:
    """Reads one DER certificate.

    Raises:
        EvidenceError: with `code`; not a certificate, or larger than `MAX_CERTIFICATE_BYTES`.
    """
    if len(untrusted) > MAX_CERTIFICATE_BYTES:
        raise EvidenceError("a certificate is larger than any that a vendor issues", code)
    with reading_certificates(code):
        return x509.load_der_x509_certificate(untrusted)


def load_pem(
    untrusted: bytes, code: str = "evidence_malformed"
) -> tuple[tuple[x509.Certificate, ...], tuple[x509.CertificateRevocationList, ...]]:
    """Reads every certificate and revocation list of a PEM text, in order.

    Raises:
        EvidenceError: with `code`; a block is malformed or of another kind, or there are too many or none.
    """
    certificates: list[x509.Certificate] = []
    lists: list[x509.CertificateRevocationList] = []
    blocks = list(_PEM_BLOCK.finditer(untrusted))
    # Counted by their first line as well, so that a block that is cut or garbled is not passed over.
    if not 1 <= len(blocks) <= MAX_CERTIFICATES or len(blocks) != untrusted.count(b"-----BEGIN "):
        raise EvidenceError("the PEM text does not hold a few whole blocks", code)
    for block in blocks:
        with reading_certificates(code):
            if block[1] == b"CERTIFICATE":
                certificates.append(x509.load_pem_x509_certificate(block[0]))
            elif block[1] == b"X509 CRL":
                lists.append(x509.load_pem_x509_crl(block[0]))
            else:
                raise EvidenceError("the PEM text holds something else than certificates", code)
    return tuple(certificates), tuple(lists)


def load_revocation_list(untrusted: bytes, code: str) -> x509.CertificateRevocationList:
    """Reads one DER revocation list.

    Raises:
        EvidenceError: with `code`.
    """
    with reading_certificates(code):
        return x509.load_der_x509_crl(untrusted)


def fingerprint(certificate: x509.Certificate) -> str:
    """Gives the hex SHA-256 of a certificate's DER encoding."""
    return certificate.fingerprint(SHA256()).hex()


def elliptic_key(certificate: x509.Certificate, curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePublicKey:
    """Gives the certified key, which must be on this curve.

    Raises:
        EvidenceError: it is not.
    """
    with reading_certificates():
        key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, curve):
        raise EvidenceError("a certificate is for another kind of key", "evidence_chain_untrusted")
    return key


def extension_bytes(certificate: x509.Certificate, oid: str) -> bytes | None:
    """Gives the raw value of an extension that `cryptography` does not know; None where there is none.

    Raises:
        EvidenceError: the extensions do not parse.
    """
    with reading_certificates():
        for extension in certificate.extensions:
            if extension.oid.dotted_string == oid and isinstance(extension.value, x509.UnrecognizedExtension):
                return extension.value.value
    return None
