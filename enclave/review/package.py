"""The review package: the sheet and the record in one file. This is what stands inside its seal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from enclave.errors import ReviewError
from enclave.policy.review import MAX_RECORD_BYTES
from enclave.review.sheet import CODE, Sheet, sheet_from_object
from provenance import canonical
from provenance.errors import FormatError

MAGIC = b"bauta.review/v1\n"
MAX_SHEET_BYTES = 24 << 20
MAX_PACKAGE_BYTES = len(MAGIC) + MAX_SHEET_BYTES + 1 + MAX_RECORD_BYTES


@dataclass(frozen=True)
class ReviewPackage:
    """What a person looks over, and what a second run replays.

    Attributes:
        sheet: for the person.
        record: sealed; for a worker alone.

    Raises:
        ReviewError: the sheet is of another record, or one of the two is too large.
    """

    sheet: Sheet
    record: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.record) <= MAX_RECORD_BYTES:
            raise ReviewError(f"review: a record has 1 to {MAX_RECORD_BYTES} bytes", CODE)
        if self.sheet.record_sha256 != hashlib.sha256(self.record).hexdigest():
            raise ReviewError("review: the sheet is of another record", CODE)

    def to_bytes(self) -> bytes:
        """Gives the file.

        Raises:
            ReviewError: the sheet is too large.
        """
        sheet = canonical.dumps(self.sheet.to_object())
        if len(sheet) > MAX_SHEET_BYTES:
            raise ReviewError(f"review: a sheet has at most {MAX_SHEET_BYTES} bytes", CODE)
        return MAGIC + sheet + b"\n" + self.record


def parse_package(untrusted: bytes) -> ReviewPackage:
    """Reads what `ReviewPackage.to_bytes` wrote.

    Raises:
        ReviewError: `review_package_invalid`, or `decisions_invalid`.
    """
    if not untrusted.startswith(MAGIC) or len(untrusted) > MAX_PACKAGE_BYTES:
        raise ReviewError("review: the file is no review package", CODE)
    end = untrusted.find(b"\n", len(MAGIC), len(MAGIC) + MAX_SHEET_BYTES + 1)
    if end < 0:
        raise ReviewError("review: the sheet does not end", CODE)
    try:
        untrusted_sheet = canonical.loads(untrusted[len(MAGIC) : end], MAX_SHEET_BYTES)
    except FormatError:
        raise ReviewError("review: the sheet is not canonical JSON", CODE) from None
    return ReviewPackage(sheet_from_object(untrusted_sheet), untrusted[end + 1 :])
