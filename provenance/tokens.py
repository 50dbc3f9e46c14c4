"""One RFC 3161 token read, and sound in itself: whether anybody believes its authority is not asked here.

`rfc3161-client` reads what an authority says; `cms` checks who signed it, and with what.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from rfc3161_client import TimeStampResponse, decode_timestamp_response

from provenance.cms import (
    SHA256,
    malformed,
    parse_signed_content,
    reading_timestamps,
    with_certificates_in_order,
)
from provenance.der import CONTEXT_1, INTEGER, SEQUENCE, element, parse_der
from provenance.errors import FormatError, ProvenanceError, SignatureError
from provenance.proof import MAX_TIMESTAMP_BYTES

MAX_RESPONSE_BYTES = MAX_TIMESTAMP_BYTES + (1 << 10)
_GRANTED = element(SEQUENCE, element(INTEGER, b"\0"))
_TRUE = b"\x01\x01\xff"
_SHA256_BYTES = 32


@dataclass(frozen=True)
class Token:
    """A token that its authority signed, with the certificate that came along.

    Attributes:
        der: the TimeStampToken.
        imprint: the SHA-256 that was stamped, 32 bytes.
        at: the authority's time, UTC, whole seconds.
        accuracy: how far off that may be, as the authority says; None if it does not say.
        serial: the authority's number for the token.
        nonce: what the request asked to have repeated, if anything.
        certificate: of the authority.
        chain: every certificate that came along.
    """

    der: bytes
    imprint: bytes
    at: datetime
    accuracy: timedelta | None
    serial: int
    nonce: int | None
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]

    @property
    def response(self) -> bytes:
        """The token as the answer to a request that was granted, which `openssl ts -verify -in` reads."""
        return _as_response(self.der)

    @property
    def issuer(self) -> bytes:
        """Who certified the authority: DER of the name."""
        return self.certificate.issuer.public_bytes()

    @property
    def chain_pem(self) -> bytes:
        """The certificates as other people's tools read them."""
        return b"".join(item.public_bytes(Encoding.PEM) for item in self.chain)


def read_token(untrusted: bytes) -> Token:
    """Reads a TimeStampToken and checks all of it that needs no root: form, certificate, time, signature.

    Raises:
        FormatError: `timestamp_malformed`; `timestamp_unknown_algorithm`, a hash or signature that does not
            count here; `timestamp_wrong_key_use`, by a certificate that is not for timestamps alone.
        SignatureError: `timestamp_forged`; `timestamp_certificate_expired`, the certificate was not valid at
            the time that the token tells.
    """
    if len(untrusted) > MAX_TIMESTAMP_BYTES:
        raise malformed("a timestamp is too large")
    with reading_timestamps():
        signed = parse_signed_content(untrusted)
        certificate = signed.certificate()
        said = decode_timestamp_response(_as_response(untrusted))
        token = _token(untrusted, said, certificate, signed.certificates)
        _check_extensions(signed.content)
        _check_certificate(token)
        signed.verify(certificate)
    return token


def token_of(untrusted_response: bytes) -> bytes:
    """Takes the token out of an authority's answer, in the one form that is kept.

    Of the rest of an answer, which nobody signed, nothing is kept.

    Raises:
        FormatError: `timestamp_malformed`, it is no answer.
        ProvenanceError: `timestamp_refused`, the authority did not grant the request.
    """
    if len(untrusted_response) > MAX_RESPONSE_BYTES:
        raise malformed("a timestamp is too large")
    with reading_timestamps():
        status, *found = parse_der(untrusted_response).members()
        granted = int.from_bytes(status.members()[0].of(INTEGER), "big") == 0
        if not granted:
            raise ProvenanceError("the time-stamping authority refused the request", "timestamp_refused")
        (token,) = found
        return with_certificates_in_order(token.encoded)


def _as_response(token: bytes) -> bytes:
    return element(SEQUENCE, _GRANTED + token)


def _token(
    untrusted: bytes,
    said: TimeStampResponse,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
) -> Token:
    info = said.tst_info
    imprint = info.message_imprint
    if info.version != 1:
        raise malformed("a timestamp is of another version")
    if imprint.hash_algorithm.dotted_string != SHA256 or len(imprint.message) != _SHA256_BYTES:
        raise FormatError("a timestamp is not over a SHA-256", "timestamp_unknown_algorithm")
    accuracy = None
    if info.accuracy is not None:
        # Each part may be absent, whatever the library's types say.
        parts = (info.accuracy.seconds, info.accuracy.millis, info.accuracy.micros)
        seconds, milliseconds, microseconds = (part or 0 for part in parts)
        accuracy = timedelta(seconds=seconds, milliseconds=milliseconds, microseconds=microseconds)
    return Token(
        der=untrusted,
        imprint=imprint.message,
        at=info.gen_time,
        accuracy=accuracy,
        serial=info.serial_number,
        nonce=cast("int | None", info.nonce),  # Likewise.
        certificate=certificate,
        chain=chain,
    )


def _check_extensions(content: bytes) -> None:
    """RFC 3161, section 2.4.2: an extension that is critical and unknown makes a token invalid."""
    for extensions in parse_der(content).members():
        if extensions.tag == CONTEXT_1:
            for extension in extensions.members(CONTEXT_1):
                if any(member.encoded == _TRUE for member in extension.members()):
                    raise malformed("a timestamp has a critical extension that nobody here knows")


def _check_certificate(token: Token) -> None:
    """RFC 3161, section 2.3: for timestamps and nothing else; and valid when it signed."""
    certificate = token.certificate
    try:
        use = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        alone = use.critical and list(use.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    except x509.ExtensionNotFound:
        alone = False
    if not alone:
        raise FormatError(
            "a timestamp is signed with a certificate that is not for timestamps alone",
            "timestamp_wrong_key_use",
        )
    if not certificate.not_valid_before_utc <= token.at <= certificate.not_valid_after_utc:
        raise SignatureError(
            "a timestamp's certificate was not valid at the time that it tells",
            "timestamp_certificate_expired",
        )
