"""A recording key's signature over a commitment: what a camera, or an app, says at the time of recording.

With it the packages of this room are checked without believing the worker that anonymized the recording. It
is a DSSE signature (the same pre-authentication encoding, a payload type of its own) by a hybrid key as all
others of Bauta.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from provenance import canonical
from provenance.dsse import pae
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError, SignatureError
from provenance.keys import HybridPublicKey, Signature, Signer
from provenance.pieces.description import digest_of
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import HASH_BYTES

RECORDING_TYPE = "application/vnd.bauta.recording+json"
FORMAT = "bauta.recording/v1"
MAX_RECORDING_BYTES = 32 << 10


@dataclass(frozen=True)
class Recording:
    """A commitment and the signatures of whoever recorded; well formed, not yet verified.

    Attributes:
        root: of the commitment, 32 bytes.
        signatures: in the order of `provenance.keys.STATEMENT_SIGNATURES`.
    """

    root: bytes
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """Gives the canonical JSON."""
        signatures = [{"keyid": item.key_id, "sig": base64_text(item.signature)} for item in self.signatures]
        return canonical.dumps({"commitment": self.root.hex(), "format": FORMAT, "signatures": signatures})

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Recording:
        """Reads what `to_bytes` wrote.

        Raises:
            PiecesError: anything else.
        """
        try:
            fields = canonical.loads(untrusted, MAX_RECORDING_BYTES)
            if not isinstance(fields, dict) or fields.keys() != {"commitment", "format", "signatures"}:
                raise PiecesError("a recording's signature does not have the fields of its format")
            if fields["format"] != FORMAT:
                raise PiecesError("a recording's signature is of another format")
            return cls(digest_of(fields["commitment"]), _signatures_of(fields["signatures"]))
        except FormatError:
            raise PiecesError("a recording's signature is malformed") from None

    def verify(self, key: HybridPublicKey) -> bytes:
        """Gives the commitment's root, once every signature is found to be this key's.

        Raises:
            PiecesError: `pieces_not_signed`.
        """
        try:
            key.verify(_signed(self.root), self.signatures)
        except SignatureError:
            raise PiecesError("the recording key did not sign this", "pieces_not_signed") from None
        return self.root


def sign_recording(root: bytes, signer: Signer) -> Recording:
    """Signs a commitment's root, as the device that records."""
    return Recording(root, signer.sign(_signed(root)))


def _signed(root: bytes) -> bytes:
    if len(root) != HASH_BYTES:
        raise PiecesError("the root of a commitment is not 32 bytes")
    return pae(RECORDING_TYPE, canonical.dumps({"commitment": root.hex(), "format": FORMAT}))


def _signatures_of(untrusted: object) -> tuple[Signature, ...]:
    if not isinstance(untrusted, Sequence) or isinstance(untrusted, str) or not 0 < len(untrusted) <= 3:
        raise PiecesError("a recording has no signatures, or too many")
    if any(not isinstance(item, dict) or item.keys() != {"keyid", "sig"} for item in untrusted):
        raise PiecesError("a recording's signature is malformed")
    if any(not isinstance(item["keyid"], str) for item in untrusted):
        raise PiecesError("a recording's signature is malformed")
    return tuple(Signature(item["keyid"], base64_bytes(item["sig"])) for item in untrusted)
