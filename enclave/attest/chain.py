"""A small, strict check of a vendor's chain: exactly these certificates, in this order, to a pinned root.

`cryptography.x509.verification` follows the web's rules (server names, extended key usages, an authority key
identifier everywhere), which none of the three vendors keeps. Here is what they do keep, each link checked
with the one signature algorithm that its vendor uses and no other (RFC 5280, section 6.1, without policies
and name
constraints: a critical extension that is not understood is a refusal).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.x509.oid import ExtensionOID

from enclave.attest.certificates import fingerprint, reading_certificates
from enclave.attest.errors import EvidenceError

MAX_CHAIN = 8
_UNDERSTOOD = {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE}


@dataclass(frozen=True)
class Scheme:
    """How one vendor signs certificates.

    Attributes:
        name: for people.
        curve: of the issuers' keys; None where they are RSA keys of 4,096 bits (PSS, SHA-384, 48-byte salt).
    """

    name: str
    curve: type[ec.EllipticCurve] | None

    def check(self, issuer: x509.Certificate, signature: bytes, message: bytes) -> None:
        """Checks one signature by a certificate's key.

        Raises:
            EvidenceError: `evidence_chain_untrusted`, the key is of another kind or the signature is wrong.
        """
        with reading_certificates():
            key = issuer.public_key()
        try:
            if self.curve is None and isinstance(key, rsa.RSAPublicKey) and key.key_size == 4096:
                key.verify(signature, message, padding.PSS(padding.MGF1(SHA384()), 48), SHA384())
            elif (
                self.curve is not None
                and isinstance(key, ec.EllipticCurvePublicKey)
                and isinstance(key.curve, self.curve)
            ):
                digest = SHA384() if self.curve is ec.SECP384R1 else SHA256()
                key.verify(signature, message, ec.ECDSA(digest))
            else:
                raise EvidenceError("an issuer has another kind of key", "evidence_chain_untrusted")
        except InvalidSignature:
            raise EvidenceError(
                "a certificate is not signed by the one above it", "evidence_chain_untrusted"
            ) from None


RSA_PSS_SHA384 = Scheme("RSA-PSS with SHA-384", None)
ECDSA_P256 = Scheme("ECDSA P-256 with SHA-256", ec.SECP256R1)
ECDSA_P384 = Scheme("ECDSA P-384 with SHA-384", ec.SECP384R1)


def check_chain(chain: Sequence[x509.Certificate], roots: Mapping[str, str], scheme: Scheme) -> str:
    """Checks everything about a chain but its dates.

    Args:
        chain: the leaf first, the root last; the issuer of each certificate follows it.
        roots: pinned fingerprints and what each vouches for.
        scheme: how every link, and the root itself, is signed.

    Returns:
        What the root vouches for.

    Raises:
        EvidenceError: `evidence_chain_untrusted` or `evidence_malformed`.
    """
    if not 2 <= len(chain) <= MAX_CHAIN:
        raise EvidenceError("the chain has too few or too many certificates", "evidence_chain_untrusted")
    vouched_for = roots.get(fingerprint(chain[-1]))
    if vouched_for is None:
        raise EvidenceError("the chain does not end in a root of the vendor", "evidence_chain_untrusted")
    for certificate, issuer in zip(chain, [*chain[1:], chain[-1]], strict=True):
        _check_link(certificate, issuer, scheme)
    for below, certificate in enumerate(chain):
        _check_role(certificate, below)
    return vouched_for


def check_dates(chain: Sequence[x509.Certificate], at: datetime) -> None:
    """Checks that every certificate is valid at a moment.

    Args:
        chain: certificates in any order.
        at: with a time zone.

    Raises:
        EvidenceError: `evidence_expired`.
    """
    with reading_certificates():
        for certificate in chain:
            if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
                start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
                raise EvidenceError(
                    f"a certificate is valid from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, "
                    f"and {at:%Y-%m-%d %H:%M} is not in that time",
                    "evidence_expired",
                )


def latest_start(chain: Sequence[x509.Certificate]) -> datetime:
    """Gives the first moment at which no certificate is too young any more."""
    with reading_certificates():
        return max(certificate.not_valid_before_utc for certificate in chain)


def _check_link(certificate: x509.Certificate, issuer: x509.Certificate, scheme: Scheme) -> None:
    with reading_certificates():
        if certificate.version is not x509.Version.v3 or certificate.issuer != issuer.subject:
            raise EvidenceError(
                "a certificate does not name the one above it as its issuer", "evidence_chain_untrusted"
            )
        scheme.check(issuer, certificate.signature, certificate.tbs_certificate_bytes)
        _check_key_identifiers(certificate, issuer)
        try:
            # Once more as the certificate itself describes its signature: inner and outer must agree.
            certificate.verify_directly_issued_by(issuer)
        except InvalidSignature:
            raise EvidenceError(
                "a certificate misdescribes its signature", "evidence_chain_untrusted"
            ) from None


def _check_key_identifiers(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        actual = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return
    if named.key_identifier is not None and named.key_identifier != actual.digest:
        raise EvidenceError("a certificate names another key as its issuer's", "evidence_chain_untrusted")


def _check_role(certificate: x509.Certificate, below: int) -> None:
    """A leaf (nothing below) may sign documents and no certificates; the others may sign certificates."""
    with reading_certificates():
        constraints: x509.BasicConstraints | None = None
        usage: x509.KeyUsage | None = None
        for extension in certificate.extensions:
            if extension.critical and extension.oid not in _UNDERSTOOD:
                raise EvidenceError(
                    "a certificate demands what is not known here", "evidence_chain_untrusted"
                )
            if isinstance(extension.value, x509.BasicConstraints):
                constraints = extension.value
            elif isinstance(extension.value, x509.KeyUsage):
                usage = extension.value
    is_authority = constraints is not None and constraints.ca
    signs_certificates = usage is not None and usage.key_cert_sign
    if below == 0:
        # AMD's leaves carry neither extension.
        sound = not is_authority and (usage is None or (usage.digital_signature and not signs_certificates))
    else:
        # `below` counts the leaf, a path length does not.
        depth = constraints.path_length if constraints is not None else None
        sound = is_authority and signs_certificates and (depth is None or below - 1 <= depth)
    if not sound:
        raise EvidenceError("a certificate is used for what it is not for", "evidence_chain_untrusted")
