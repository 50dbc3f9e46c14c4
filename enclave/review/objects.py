"""Strict reading of small JSON objects: every key known, every number whole and in range, every word listed.

An error names the key and says what is wanted. It never repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from enclave.errors import ReviewError


class Reading:
    """One JSON object of a review. Made from a stranger's value; each key is read once by its kind.

    Args:
        untrusted: what should be an object with exactly these keys.
        keys: all of them.
        code: of the errors.

    Raises:
        ReviewError: it is something else.
    """

    def __init__(self, untrusted: Any, keys: Collection[str], code: str) -> None:
        self._code = code
        if not isinstance(untrusted, dict) or untrusted.keys() != set(keys):
            raise self.error(f"an object has exactly the keys {', '.join(sorted(keys))}")
        self._values: dict[str, Any] = untrusted

    def error(self, message: str) -> ReviewError:
        """Makes an error of this reading's code."""
        return ReviewError(f"review: {message}", self._code)

    def count(self, key: str, most: int, least: int = 0) -> int:
        """Reads a whole number within a closed range."""
        return self.whole(
            self._values[key], f"{key} must be a whole number from {least} to {most}", most, least
        )

    def whole(self, value: Any, message: str, most: int, least: int = 0) -> int:
        """Gives a value that is a whole number within a closed range; True is none."""
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.error(message)
        return value

    def word(self, key: str, allowed: Collection[str]) -> str:
        """Reads one of a few words."""
        value = self._values[key]
        if not isinstance(value, str) or value not in allowed:
            raise self.error(f"{key} must be one of {', '.join(allowed)}")
        return value

    def text(self, key: str, shape: re.Pattern[str]) -> str:
        """Reads a string of one exact shape."""
        value = self._values[key]
        if not isinstance(value, str) or shape.fullmatch(value) is None:
            raise self.error(f"{key} does not have its exact shape")
        return value

    def items(self, key: str, most: int, least: int = 0) -> list[Any]:
        """Reads a list of bounded length; its items are still a stranger's."""
        value = self._values[key]
        if not isinstance(value, list) or not least <= len(value) <= most:
            raise self.error(f"{key} must be a list of {least} to {most}")
        return value

    def words(self, key: str, allowed: Collection[str]) -> tuple[str, ...]:
        """Reads a list of some of a few words, none twice."""
        values = self.items(key, len(allowed))
        if not all(isinstance(value, str) and value in allowed for value in values):
            raise self.error(f"{key} must be a list of words among {', '.join(allowed)}")
        if len(set(values)) != len(values):
            raise self.error(f"{key} names a word twice")
        return tuple(values)

    def raw(self, key: str) -> Any:
        """Gives a value as it is, for another reader."""
        return self._values[key]
