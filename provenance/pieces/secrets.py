"""Where the secret of a commitment comes from."""

from __future__ import annotations

import hmac

from provenance.pieces.errors import PiecesError
from provenance.pieces.seeds import SEED_BYTES

_OF_UPLOAD = b"bauta.pieces/v1 secret"


def secret_of_upload(salt: bytes) -> bytes:
    """Gives the secret that an upload's pieces are salted from, 32 bytes.

    Args:
        salt: of the upload, 32 bytes, drawn by its submitter for this upload alone. It also opens the
            statement's commitment to the whole original, which is an HMAC over content and never over this.

    Raises:
        PiecesError: the salt has another length.
    """
    if len(salt) != SEED_BYTES:
        raise PiecesError("the salt of an upload is not 32 bytes")
    return hmac.digest(salt, _OF_UPLOAD, "sha256")
