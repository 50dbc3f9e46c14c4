"""What can become of a voice, from the weakest to the strongest."""

from __future__ import annotations

from typing import Final, Literal

VoiceEffect = Literal["keep", "anonymize", "bleep", "remove"]
# "keep" lets a voice through, "anonymize" gives it another one that says the same, "bleep" puts a tone in its
# place and "remove" the faint noise of an empty room.
BY_STRENGTH: Final[tuple[VoiceEffect, ...]] = ("keep", "anonymize", "bleep", "remove")

# Programs that find spoken words, where they are installed; empty stands for none.
RECOGNIZERS: Final = ("", "pocketsphinx")
MOST_WORDS: Final = 1000
MOST_WORD_CHARACTERS: Final = 40


def strength(effect: VoiceEffect) -> int:
    """Returns the place in BY_STRENGTH."""
    return BY_STRENGTH.index(effect)


def strongest(*effects: VoiceEffect) -> VoiceEffect:
    """Returns the one that lets least through."""
    return max(effects, key=strength)
