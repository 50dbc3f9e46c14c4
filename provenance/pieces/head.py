"""The beginning that both packages share: a line that names the format, then one line of canonical JSON."""

from __future__ import annotations

from typing import Any

from provenance import canonical
from provenance.errors import FormatError
from provenance.pieces.errors import PiecesError

MAX_HEAD_BYTES = 64 << 10


def head_bytes(magic: bytes, fields: dict[str, Any]) -> bytes:
    """Gives both lines.

    Raises:
        PiecesError: `pieces_too_large`, the second one is over 64 KiB.
    """
    line = canonical.dumps(fields)
    if len(line) > MAX_HEAD_BYTES:
        raise PiecesError("a package has too many parts", "pieces_too_large")
    return magic + line + b"\n"


def head_fields(untrusted_line: bytes, names: frozenset[str]) -> dict[str, Any]:
    """Reads the second line, without its end.

    Raises:
        PiecesError: it is not canonical JSON of at most 64 KiB with exactly these fields.
    """
    try:
        fields = canonical.loads(untrusted_line, MAX_HEAD_BYTES)
    except FormatError as defect:
        code = "pieces_too_large" if defect.code == "too_large" else "pieces_malformed"
        raise PiecesError("the package's first lines are not canonical JSON", code) from None
    if not isinstance(fields, dict) or fields.keys() != names:
        raise PiecesError("the package's first lines do not have the fields of its format")
    return fields
