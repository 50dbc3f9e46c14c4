"""What a sheet's words mean to people. The tests compare the tables with the closed lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "face": ("Face", "Faces"),
    "person": ("Person", "People"),
    "plate": ("Number plate", "Number plates"),
    "text": ("Text", "Text"),
}
"""One of a kind, and several."""

DECISIONS: Final[Mapping[str, str]] = {
    "cover": "Cover by the rule",
    "keep": "Keep visible",
    "stronger": "Cover more",
    "role": "Role: ",
    "effect": "Use ",
    "whole_frame": "Cover the whole picture",
    "draw": "Cover a drawn box",
    "mute": "Let nothing be understood for a while",
}

VOICE_EFFECTS: Final[Mapping[str, tuple[str, str]]] = {
    "keep": ("Let it be heard", "heard as it is"),
    "anonymize": ("Give it another voice", "heard as another voice"),
    "bleep": ("Bleep", "bleeped"),
    "remove": ("Silence", "silenced"),
}
"""What can be done to a voice, and what was done."""

EFFECTS: Final[Mapping[str, str]] = {
    "solid": "a solid patch",
    "blur": "blur",
    "mosaic": "a coarse mosaic",
    "persona": "a drawn face",
    "swap": "another face",
    "warp": "a changed shape",
    "generator": "a generated face",
    "remove": "the background",
    "silhouette": "an outline",
}
"""What covers a thing."""


def clock(milliseconds: int) -> str:
    """A time on the result's clock: "1:02.5"."""
    tenths = milliseconds // 100
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 10:02}.{rest % 10}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"
