"""A manifest put into a finished file: sized, hashed, signed, and then written out in one pass.

The size of everything in a manifest is known before its content is, so the file with the manifest exists only
as it is written: no copy, and no more memory for a long video than for a short one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, Final

from provenance.credentials.assertions import SHA256_BYTES, Assertion, bmff_hash, data_hash
from provenance.credentials.carriers import CARRIERS, Carrier, Place, UnplaceableError, mp4, pieces
from provenance.credentials.certificates import check_signature
from provenance.credentials.claim import SIGNATURE_BYTES, Claim, manifest_store

# The lengths of numbers in the binding settle in a round or two.
_ROUNDS: Final = 8

Sign = Callable[[Claim], bytes]
"""Gives the 64-byte ES256 signature of `to_be_signed(claim, chain)`."""

Draft = Callable[[Assertion], bytes]
"""Gives the manifest store with a binding, unsigned."""


def with_credentials(
    file: BinaryIO,
    media_type: str,
    actions: Assertion,
    evidence: tuple[bytes, str],
    chain: Sequence[bytes],
    sign: Sign,
) -> Iterator[bytes]:
    """Gives a file with its manifest inside, in pieces of at most 1 MiB.

    Args:
        file: finished, without a manifest; readable, writable, seekable. The chunk offsets of an MP4 are
            moved in it, so it is no playable video afterwards: what is given out is.
        media_type: of the file.
        actions: what was done.
        evidence: SHA-256 of the envelope of the job's release statement, and the log that has it.
        chain: DER certificates of the signer, without the root.
        sign: called once, with the finished claim.

    Raises:
        UnplaceableError: the file is not laid out as expected.
        FormatError: the signature is not by the first certificate's key (`credentials_refused`).
    """
    carrier = CARRIERS[media_type]

    def claim_of(binding: Assertion) -> Claim:
        return Claim(*evidence, actions.sha256, binding.label, binding.sha256)

    def store_of(binding: Assertion, signature: bytes) -> bytes:
        claim = claim_of(binding)
        return manifest_store(claim, (actions, claim.evidence, binding), chain, signature)

    bind = _bind_mp4 if carrier is mp4.CARRIER else _bind_picture
    place, binding = bind(file, carrier, lambda draft: store_of(draft, bytes(SIGNATURE_BYTES)))
    claim = claim_of(binding)
    signature = sign(claim)
    check_signature(claim, chain, signature)
    yield from pieces(file, (*place.before, carrier.wrap(store_of(binding, signature)), *place.after))


def _bind_mp4(file: BinaryIO, carrier: Carrier, draft: Draft) -> tuple[Place, Assertion]:
    length = len(carrier.wrap(draft(bmff_hash(bytes(SHA256_BYTES)))))
    mp4.move_chunks(file, length)
    return carrier.find(file, length), bmff_hash(mp4.content_sha256(file, length))


def _bind_picture(file: BinaryIO, carrier: Carrier, draft: Draft) -> tuple[Place, Assertion]:
    length = padding = 0
    for _round in range(_ROUNDS):
        place = carrier.find(file, length)
        store = draft(data_hash(place.start, length, bytes(SHA256_BYTES), padding))
        if len(store) % 2:
            # RIFF would put a zero behind it, of which readers do not agree whose it is.
            padding = 1 - padding
            continue
        needed = len(carrier.wrap(store))
        if needed == length:
            digest = hashlib.sha256()
            for piece in pieces(file, (*place.before, *place.after)):
                digest.update(piece)
            return place, data_hash(place.start, length, digest.digest(), padding)
        length = needed
    raise UnplaceableError("the manifest does not come to a size")
