"""The one base error of this package."""

from __future__ import annotations


class KeyvaultError(Exception):
    """Something about keys or sealed files is wrong.

    Attributes:
        code: stable snake_case reason, safe to send across a wall; never made from input.
    """

    code = "keyvault_error"
