"""The error of this package."""

from __future__ import annotations

from provenance.errors import ProvenanceError


class PiecesError(ProvenanceError):
    """A part of an original is not what was committed to, or a package about one is malformed.

    Codes: `pieces_malformed`, `pieces_too_large`, `pieces_no_such_part`, `pieces_not_committed` (the package
    does not lead to the commitment), `pieces_differ` (a piece is not the original's; the message says which
    one), `pieces_missing` (fewer or more pieces than the package is about), `pieces_not_signed`.
    """

    code = "pieces_malformed"
