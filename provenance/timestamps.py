"""Other people's clocks: which of a proof's tokens count, and what a reader should be told about them.

A token shows that an authority saw the digest of the statement's envelope at its own time, so that the
statement is no younger. Chains and signatures are verified by OpenSSL through `rfc3161-client`, at the time
that the token tells; what that library leaves open, `tokens` has checked before. The table of what fails and
what is only told stands in docs/timestamps.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from provenance.cms import reading_timestamps
from provenance.errors import FormatError, ProvenanceError, SignatureError
from provenance.proof import ProofFile
from provenance.statements.fields import parse_instant
from provenance.tokens import Token, read_token

TOLERANCE = timedelta(minutes=5)
"""How far two honest clocks may be apart before a reader is told."""


@dataclass(frozen=True)
class Root:
    """A root of time-stamping authorities that somebody believes.

    Attributes:
        certificate: self-signed.
    """

    certificate: x509.Certificate

    @property
    def sha256(self) -> str:
        """Fingerprint: hex, of the certificate's DER."""
        return hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).hexdigest()

    @property
    def name(self) -> str:
        """Its subject, RFC 4514."""
        return self.certificate.subject.rfc4514_string()

    @property
    def key(self) -> bytes:
        """Its public key: two certificates of one key are one authority."""
        return self.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Timestamp:
    """A token that is sound, and about the digest that was asked for.

    Attributes:
        token: what the authority says.
        root: the believed root that it leads to; None if it leads to none of them.
    """

    token: Token
    root: Root | None


@dataclass(frozen=True)
class Remark:
    """Something that fails no check, and that a reader should know.

    Attributes:
        code: stable, snake_case.
        sentence: for people.
    """

    code: str
    sentence: str


def read_timestamps(
    untrusted_tokens: Sequence[bytes], digest: bytes, roots: Sequence[bytes]
) -> tuple[Timestamp, ...]:
    """Checks every token that is there, and finds out whose it is.

    Args:
        untrusted_tokens: TimeStampTokens, DER.
        digest: SHA-256 of the envelope that they must be about.
        roots: DER certificates that are believed.

    Raises:
        FormatError, SignatureError: as `tokens.read_token`; `timestamp_root_malformed`.
        SignatureError: `timestamp_of_another`, a token is about something else.
    """
    believed = [read_root(root) for root in roots]
    return tuple(_timestamp(token, digest, believed) for token in untrusted_tokens)


def read_root(der: bytes) -> Root:
    """Reads a root.

    Raises:
        FormatError: `timestamp_root_malformed`; it is no certificate, or somebody else issued it.
    """
    try:
        with reading_timestamps():
            certificate = x509.load_der_x509_certificate(der)
            own = certificate.issuer == certificate.subject
            certificate.public_key()
    except FormatError:
        own = False
    if not own:
        raise FormatError(
            "a root for timestamps is no certificate, or not one that issued itself",
            "timestamp_root_malformed",
        )
    return Root(certificate)


def missing_timestamps(timestamps: Sequence[Timestamp], required: int) -> int:
    """Says how many more authorities, different ones that are believed, would have to stamp this."""
    return max(0, required - len({stamp.root.key for stamp in timestamps if stamp.root is not None}))


def require_timestamps(timestamps: Sequence[Timestamp], required: int) -> None:
    """Checks that enough authorities that have nothing to do with each other stamped this.

    Raises:
        ProvenanceError: `timestamp_missing`.
    """
    missing = missing_timestamps(timestamps, required)
    if missing:
        raise ProvenanceError(
            f"{required} timestamps by different authorities that you believe are required, {missing} of "
            "them missing; `bauta proof complete` can add them",
            "timestamp_missing",
        )


def with_timestamps(proof: ProofFile, tokens: Sequence[bytes]) -> ProofFile:
    """Adds tokens to a proof and changes nothing else of it.

    An authority that stamped it already, by the name of who certified it, does not do so again, so that
    adding twice is adding once.

    Args:
        proof: whose own tokens may be anything.
        tokens: sound ones (`read_token`), about the proof's statement.

    Raises:
        FormatError, SignatureError: as `tokens.read_token`, of the new tokens.
        FormatError: `too_large`, more than a proof may hold.
    """
    kept = list(proof.timestamps)
    issuers = {issuer for token in kept if (issuer := _issuer(token)) is not None}
    for token in map(read_token, tokens):
        if token.issuer not in issuers:
            kept.append(token.der)
            issuers.add(token.issuer)
    return replace(proof, timestamps=tuple(kept))


def remarks_on(
    timestamps: Sequence[Timestamp], finished_at: str, logged_at: int | None
) -> tuple[Remark, ...]:
    """What a reader should be told of timestamps that fail no check.

    Args:
        timestamps: of one proof.
        finished_at: the job's end by the worker's clock, an instant of the statement.
        logged_at: POSIX seconds of the log's clock.
    """
    found: list[Remark] = []
    if not timestamps:
        found.append(Remark("timestamp_absent", "No clock but the service's own says when this was made."))
    for stamp in timestamps:
        if stamp.root is None:
            found.append(
                Remark("timestamp_not_believed", "The proof carries a timestamp by nobody you believe.")
            )
        elif parse_instant(finished_at) - stamp.token.at > TOLERANCE:
            found.append(
                Remark(
                    "timestamp_before_job",
                    "A timestamp is older than the job by the service's clock: that clock was wrong.",
                )
            )
        elif logged_at is not None and abs(stamp.token.at - _moment(logged_at)) > TOLERANCE:
            found.append(
                Remark(
                    "timestamp_far_from_log",
                    "A timestamp and the log's own time are minutes or more apart: it was added later, or "
                    "one of the two clocks was wrong.",
                )
            )
    return tuple(found)


def _timestamp(untrusted_token: bytes, digest: bytes, roots: Sequence[Root]) -> Timestamp:
    token = read_token(untrusted_token)
    if token.imprint != digest:
        raise SignatureError(
            "a timestamp is about something else than this statement", "timestamp_of_another"
        )
    return Timestamp(token, next((root for root in roots if _leads_to(token, root)), None))


def _leads_to(token: Token, root: Root) -> bool:
    # The library trusts nothing but this root, and takes certificates between out of the token.
    verifier = VerifierBuilder(roots=[root.certificate], intermediates=[]).build()
    with reading_timestamps():
        try:
            return verifier.verify(decode_timestamp_response(token.response), token.imprint)
        except VerificationError:
            return False


def _issuer(untrusted_token: bytes) -> bytes | None:
    try:
        return read_token(untrusted_token).issuer
    except ProvenanceError:
        return None


def _moment(posix_seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(posix_seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=UTC)
