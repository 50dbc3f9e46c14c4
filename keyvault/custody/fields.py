"""Strict reading of one TOML table of a custody policy: every key known, every type exact.

As `enclave.policy.fields` reads policies, which lies above this package. An error names the key and says what
is wanted, and never repeats a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from keyvault.custody.errors import CustodianError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Table:
    """One table. Read each key once, then call `finish`.

    Args:
        values: the parsed table.
        path: dotted name of the table, empty for the whole document.
    """

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        self._values = dict(values)
        self._path = path

    def table(self, key: str) -> Table:
        """Reads a sub-table."""
        value = self._take(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "must be a table")
        return Table(value, self._name(key))

    def tables(self, key: str, most: int) -> list[Table]:
        """Reads a list of sub-tables (`[[key]]`), at least one."""
        value = self._take(key)
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise self.wrong(key, f"must be 1 to {most} tables")
        if not all(isinstance(item, dict) for item in value):
            raise self.wrong(key, f"must be 1 to {most} tables")
        return [Table(item, self._name(key)) for item in value]

    def text(self, key: str, max_characters: int) -> str:
        """Reads one line of printable text."""
        value = self._take(key)
        if not isinstance(value, str) or not 0 < len(value) <= max_characters or not value.isprintable():
            raise self.wrong(key, f"must be one line of text, 1 to {max_characters} characters")
        return value

    def shaped(self, key: str, shape: re.Pattern[str], what: str) -> str:
        """Reads a text of one exact shape."""
        value = self._take(key)
        if not isinstance(value, str) or shape.fullmatch(value) is None:
            raise self.wrong(key, f"must be {what}")
        return value

    def name(self, key: str) -> str:
        """Reads a short name."""
        return self.shaped(key, _NAME, "a lower-case letter, then letters, digits or hyphens, at most 32")

    def names(self, key: str, most: int) -> tuple[str, ...]:
        """Reads a list of short names, at least one, none twice, order kept."""
        value = self._take(key)
        wanted = f"must be a list of 1 to {most} names, none twice"
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise self.wrong(key, wanted)
        names = [item for item in value if isinstance(item, str) and _NAME.fullmatch(item)]
        if len(names) != len(value) or len(set(names)) != len(names):
            raise self.wrong(key, wanted)
        return tuple(names)

    def words(
        self, key: str, allowed: Sequence[str], otherwise: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """Reads a list of some of a few words, none twice; one that is left out is `otherwise`, if given."""
        if otherwise is not None and key not in self._values:
            return otherwise
        value = self._take(key)
        wanted = f"must be a list of one or more of {', '.join(allowed)}, none twice"
        if not isinstance(value, list) or not value:
            raise self.wrong(key, wanted)
        words = [item for item in value if isinstance(item, str) and item in allowed]
        if len(words) != len(value) or len(set(words)) != len(words):
            raise self.wrong(key, wanted)
        return tuple(words)

    def choice(self, key: str, allowed: Sequence[str]) -> str:
        """Reads one of a few words."""
        value = self._take(key)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(key, f"must be one of {', '.join(allowed)}")
        return value

    def count(self, key: str, lowest: int, highest: int, words: Sequence[str] = ()) -> int | str:
        """Reads a whole number within a closed range, or one of these words in its place."""
        value = self._take(key)
        if isinstance(value, str) and value in words:
            return value
        if type(value) is not int or not lowest <= value <= highest:
            or_words = "".join(f', or "{word}"' for word in words)
            raise self.wrong(key, f"must be a whole number from {lowest} to {highest}{or_words}")
        return value

    def number(self, key: str, lowest: int, highest: int) -> int:
        """Reads a whole number within a closed range."""
        return int(self.count(key, lowest, highest))

    def finish(self) -> None:
        """Refuses keys that nobody read: a typing error must not become a weaker policy."""
        if self._values:
            raise self.wrong(min(self._values), "is not a known key")

    def wrong(self, key: str, what: str) -> CustodianError:
        """The refusal of a key. An unknown key is a stranger's own text: it is cut, and kept on one line."""
        name = "".join(sign if sign.isprintable() else "?" for sign in self._name(key)[:64])
        return CustodianError("custody_policy_invalid", f"custody policy: {name} {what}")

    def _take(self, key: str) -> object:
        if key not in self._values:
            raise self.wrong(key, "is missing")
        return self._values.pop(key)

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key
