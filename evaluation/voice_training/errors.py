"""What can go wrong while the voice is trained, as stable codes."""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "data_missing": "A recording that the manifest names is not in the folder.",
    "data_changed": "A recording is not the one that the manifest names.",
    "data_unreadable": "A recording cannot be decoded.",
    "program_missing": "A program that the training needs is not installed.",
    "program_failed": "A program that the training needs ended with an error.",
}


class VoiceTrainingError(Exception):
    """The voice could not be trained; no weights were written.

    Attributes:
        code: one of MESSAGES.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """Takes a published code and, where it helps, a detail."""
        self.code: Final = code
        super().__init__(f"{MESSAGES[code]} {detail}".strip())
