"""Specimens with timestamps: good ones, bad ones, and none where some are demanded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from provenance.encoding import base64_text
from provenance.proof import MAX_TIMESTAMP_BYTES, MAX_TIMESTAMPS, ProofFile
from tests.corpus.specimen import Specimen, Workshop, bad, good
from tests.time_authority import (
    SHA1,
    STAMPED_AT,
    TIME_STAMPING,
    YEAR,
    TimeAuthority,
    integer,
    sequence,
    time_authority,
)

SOUND, BELIEVED, FORM = "timestamps_sound", "timestamps_believed", "proof_well_formed"


def _digest(shop: Workshop) -> bytes:
    return ProofFile.from_bytes(shop.honest.proof).statement.digest


def _with_tokens(
    shop: Workshop,
    tokens: Sequence[bytes],
    *,
    believed: Sequence[TimeAuthority] = (),
    required: int = 0,
) -> Specimen:
    """The honest proof with these tokens, for somebody who believes these authorities."""
    roots = tuple(authority.root_der for authority in believed)
    trust = replace(shop.house.trust, timestamp_roots=roots, required_timestamps=required)
    stamped = shop.honest.with_proof(timestamps=[base64_text(token) for token in tokens])
    return replace(stamped, trust=trust.to_bytes())


def _token(name: str, code: str, authority: TimeAuthority | None = None, **changes: Any) -> None:
    """A token made in a wrong way, by an authority that is believed."""
    maker = authority or time_authority()

    @bad(f"timestamp: {name}", SOUND, code)
    def make(shop: Workshop) -> Specimen:
        return _with_tokens(shop, [maker.stamp(_digest(shop), **changes)], believed=[maker])


OTHER = time_authority("other")
_token("its signature is not one", "timestamp_forged", flip_signature=True)
_token("its content is not the one that was signed", "timestamp_forged", message_digest=bytes(32))
_token("bound to another certificate", "timestamp_forged", bound_to=OTHER.certificate)
_token("bound to another certificate, by SHA-1", "timestamp_forged", bound_to=OTHER.root, old_binding=True)
_token("bound to no certificate", "timestamp_malformed", unbound=True)
_token("without its certificate", "timestamp_malformed", certificates=())
_token("with the certificate of somebody else", "timestamp_malformed", certificates=(OTHER.certificate,))
_token("two signers", "timestamp_malformed", twice=True)
_token("signed as something else", "timestamp_malformed", signed_type="1.2.840.113549.1.7.1")
_token("holds something else", "timestamp_malformed", content_type="1.2.840.113549.1.7.1")
_token("of another version", "timestamp_malformed", version=2)
_token("an unknown critical extension", "timestamp_malformed", extensions=True)
_token("names another hash", "timestamp_unknown_algorithm", imprint_oid=SHA1)
_token("signed over a broken hash", "timestamp_unknown_algorithm", digest_oid=SHA1)
_token("an unknown signature", "timestamp_unknown_algorithm", algorithm="1.3.101.112")
_token("after its certificate ended", "timestamp_certificate_expired", at=STAMPED_AT + 4 * YEAR)
_token("before its certificate began", "timestamp_certificate_expired", at=STAMPED_AT - 2 * YEAR)
_token(
    "an expired certificate",
    "timestamp_certificate_expired",
    time_authority("expired", until=STAMPED_AT - timedelta(seconds=1)),
)
_token(
    "a certificate for servers", "timestamp_wrong_key_use", time_authority("tls", use=("1.3.6.1.5.5.7.3.1",))
)
_token("a certificate for nothing", "timestamp_wrong_key_use", time_authority("none", use=()))
_token(
    "a certificate for servers besides",
    "timestamp_wrong_key_use",
    time_authority("both", use=(*TIME_STAMPING, "1.3.6.1.5.5.7.3.1")),
)
_token("a use that nobody must heed", "timestamp_wrong_key_use", time_authority("lax", critical=False))
_token("a certificate signed with SHA-1", "timestamp_unknown_algorithm", time_authority("weak", weak=True))


@bad("timestamp: of another statement", SOUND, "timestamp_of_another")
def _replayed(shop: Workshop) -> Specimen:
    elsewhere = ProofFile.from_bytes(shop.thrice_signed.proof).statement.digest
    authority = time_authority()
    return _with_tokens(shop, [authority.stamp(elsewhere)], believed=[authority])


@bad("timestamp: of another statement, by nobody believed", SOUND, "timestamp_of_another")
def _replayed_by_a_stranger(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [OTHER.stamp(bytes(32))], believed=[time_authority()])


@bad("timestamp: a flipped byte in a stranger's", SOUND, "timestamp_forged")
def _stranger_forged(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [OTHER.stamp(_digest(shop), flip_signature=True)], believed=[time_authority()])


@bad("timestamp: a good one and a bad one", SOUND, "timestamp_forged")
def _one_bad(shop: Workshop) -> Specimen:
    authority = time_authority()
    tokens = [authority.stamp(_digest(shop)), OTHER.stamp(_digest(shop), flip_signature=True)]
    return _with_tokens(shop, tokens, believed=[authority, OTHER], required=1)


@bad("timestamp: no DER", SOUND, "timestamp_malformed")
def _noise(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [b"not a token"])


@bad("timestamp: bytes behind it", SOUND, "timestamp_malformed")
def _trailing(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [time_authority().stamp(_digest(shop)) + b"\0"])


@bad("timestamp: too large", FORM, "too_large")
def _large(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [bytes(MAX_TIMESTAMP_BYTES + 1)])


@bad("timestamp: too many", FORM, "too_large")
def _many(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [bytes([number]) for number in range(MAX_TIMESTAMPS + 1)])


@bad("timestamp: one twice", FORM, "malformed")
def _twice(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [time_authority().stamp(_digest(shop))[:-1]] * 2)


@bad("timestamp: none, and one is required", BELIEVED, "timestamp_missing")
def _missing(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [], believed=[time_authority()], required=1)


@bad("timestamp: one by nobody believed, and one is required", BELIEVED, "timestamp_missing")
def _stranger(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [OTHER.stamp(_digest(shop))], believed=[time_authority()], required=1)


@bad("timestamp: two by one authority, and two are required", BELIEVED, "timestamp_missing")
def _same(shop: Workshop) -> Specimen:
    authority = time_authority()
    tokens = [authority.stamp(_digest(shop)), authority.stamp(_digest(shop), nonce=7)]
    return _with_tokens(shop, tokens, believed=[authority, OTHER], required=2)


@bad("timestamp: a root of the same name under another key", BELIEVED, "timestamp_missing")
def _impostor(shop: Workshop) -> Specimen:
    impostor = time_authority("impostor", called="time")
    return _with_tokens(shop, [impostor.stamp(_digest(shop))], believed=[time_authority()], required=1)


@bad("trust file: a root for timestamps that is no certificate", SOUND, "timestamp_root_malformed")
def _no_root(shop: Workshop) -> Specimen:
    trust = replace(shop.house.trust, timestamp_roots=(b"\x30\x00",))
    return replace(shop.honest, trust=trust.to_bytes())


@bad("trust file: a root for timestamps that somebody else issued", SOUND, "timestamp_root_malformed")
def _no_root_of_its_own(shop: Workshop) -> Specimen:
    issued = time_authority().certificate.public_bytes(Encoding.DER)
    trust = replace(shop.house.trust, timestamp_roots=(issued,))
    return replace(shop.honest, trust=trust.to_bytes())


@good("a timestamp by an authority that is believed")
def _stamped(shop: Workshop) -> Specimen:
    authority = time_authority()
    return _with_tokens(shop, [authority.stamp(_digest(shop))], believed=[authority], required=1)


@good("two timestamps by two authorities, and two are required")
def _stamped_twice(shop: Workshop) -> Specimen:
    tokens = [time_authority().stamp(_digest(shop)), OTHER.stamp(_digest(shop), old_binding=True)]
    return _with_tokens(shop, tokens, believed=[OTHER, time_authority()], required=2)


@good("a timestamp by nobody believed, and none is required")
def _by_a_stranger(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [OTHER.stamp(_digest(shop))], believed=[time_authority()])


@good("a timestamp, and nobody believes in any")
def _for_nobody(shop: Workshop) -> Specimen:
    return _with_tokens(shop, [OTHER.stamp(_digest(shop))])


@good("a timestamp of a year later, that tells how exact it is")
def _late(shop: Workshop) -> Specimen:
    authority = time_authority()
    late = authority.stamp(_digest(shop), at=STAMPED_AT + YEAR, accuracy=sequence(integer(1)))
    return _with_tokens(shop, [late], believed=[authority])
