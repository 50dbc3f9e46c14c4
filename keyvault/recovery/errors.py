"""What can be wrong with a recovery package or its keys. Messages name the defect, never the bytes."""

from __future__ import annotations

from keyvault.errors import KeyvaultError


class RecoveryError(KeyvaultError):
    """A recovery package or its keys cannot be used.

    Codes: package_malformed, package_key_wrong, package_entry_damaged, package_too_large, ring_malformed,
    sheet_malformed, track_unknown, track_erased.

    Attributes:
        code: as above.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
