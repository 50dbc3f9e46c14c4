"""What a policy may ask for: words of its own, and classes of words that every language has few of.

There is no class of names and none of places: no list holds them all, and one that is nearly whole would be
taken for a whole one. Whoever writes a policy knows which names must not be heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from anonymizer.errors import AnonymizerError

MOST_WORDS: Final = 1_000
_WORD: Final = re.compile(r"[a-z]+(?:['-][a-z]+)*")
_MOST_LETTERS: Final = 40


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NUMBERS: Final = _listed(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand
    million billion first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
    thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth thirtieth
    double triple dozen
    """
)
# "may" and "march" are more often something else; a tone too many is the smaller harm.
_DATES: Final = _listed(
    """
    january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday
    yesterday today tomorrow tonight christmas easter
    """
)
CLASSES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    # A day of a month is a number as well.
    {"numbers": _NUMBERS, "dates": _DATES | _NUMBERS}
)


@dataclass(frozen=True)
class WordList:
    """The words to be covered, in small letters.

    Attributes:
        words: all of them; their plurals and possessives count as well.
    """

    words: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, asked: Iterable[str]) -> WordList:
        """Returns the words that a policy asks for: names of classes, and single words.

        Raises:
            AnonymizerError: settings_invalid; the message holds no word.
        """
        words: set[str] = set()
        for each in asked:
            word = each.lower()
            if len(word) > _MOST_LETTERS or _WORD.fullmatch(word) is None:
                raise AnonymizerError("settings_invalid", "words: single words of English letters.")
            words |= CLASSES.get(word, {word})
        if not 0 < len(words) <= MOST_WORDS:
            raise AnonymizerError("settings_invalid", f"words: 1 to {MOST_WORDS} of them.")
        return cls(frozenset(words))

    def holds(self, heard: str) -> bool:
        """Says whether a heard word is one of these, or its plural or possessive."""
        return any(form in self.words for form in _forms(heard.lower()))


def _forms(word: str) -> Iterable[str]:
    yield word
    for ending in ("'s", "s'", "s", "es"):
        if word.endswith(ending):
            yield word[: -len(ending)]
    if word.endswith("ies"):
        yield word[:-3] + "y"
