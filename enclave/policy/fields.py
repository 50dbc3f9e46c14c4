"""Strict reading of one TOML table: every key known, every type exact, every number in range.

An error names the key and says what is wanted. It never repeats the value: a policy can come from a stranger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from enclave.errors import PolicyError


class Table:
    """One table of a policy. Read each key once, then call `finish`.

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
            raise self._wrong(key, "must be a table")
        return Table(value, self._name(key))

    def optional_table(self, key: str) -> Table | None:
        """Reads a sub-table that may be left out; None if it is."""
        return self.table(key) if key in self._values else None

    def has(self, key: str) -> bool:
        """Says whether a key is there and unread."""
        return key in self._values

    def text(self, key: str, max_characters: int) -> str:
        """Reads one line of printable text."""
        value = self._take(key)
        if not isinstance(value, str) or not 0 < len(value) <= max_characters or not value.isprintable():
            raise self._wrong(key, f"must be one line of text, 1 to {max_characters} characters")
        return value

    def choice(self, key: str, allowed: Sequence[str], otherwise: str | None = None) -> str:
        """Reads one of a few words; one that is left out is `otherwise`, where that is given."""
        if otherwise is not None and key not in self._values:
            return otherwise
        value = self._take(key)
        if not isinstance(value, str) or value not in allowed:
            raise self._wrong(key, f"must be one of {', '.join(allowed)}")
        return value

    def choices(
        self, key: str, allowed: Sequence[str], otherwise: tuple[str, ...] | None = None
    ) -> tuple[str, ...]:
        """Reads a list of some of a few words, at least one, none twice, order kept; `otherwise` likewise."""
        if otherwise is not None and key not in self._values:
            return otherwise
        value = self._take(key)
        wanted = f"must be a list of one or more of {', '.join(allowed)}, none twice"
        if not isinstance(value, list) or not value:
            raise self._wrong(key, wanted)
        words = [word for word in value if isinstance(word, str) and word in allowed]
        if len(words) != len(value) or len(set(words)) != len(words):
            raise self._wrong(key, wanted)
        return tuple(words)

    def choices_or(self, key: str, allowed: Sequence[str], default: tuple[str, ...]) -> tuple[str, ...]:
        """Reads such a list, which may be left out."""
        return self.choices(key, allowed) if key in self._values else default

    def tables(self, key: str, most: int) -> list[Table]:
        """Reads a list of sub-tables (`[[key]]`), which may be left out."""
        if key not in self._values:
            return []
        value = self._take(key)
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise self._wrong(key, f"must be 1 to {most} tables")
        if not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, f"must be 1 to {most} tables")
        return [Table(item, self._name(key)) for item in value]

    def flag(self, key: str) -> bool:
        """Reads true or false."""
        value = self._take(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return value

    def lines(self, key: str, most: int, max_characters: int) -> tuple[str, ...]:
        """Reads a list of 1 to `most` lines of printable text, none twice, order kept."""
        value = self._take(key)
        if (
            not isinstance(value, list)
            or not 1 <= len(value) <= most
            or not all(
                isinstance(line, str) and 0 < len(line) <= max_characters and line.isprintable()
                for line in value
            )
            or len(set(value)) != len(value)
        ):
            raise self._wrong(
                key, f"must be a list of 1 to {most} lines of 1 to {max_characters} characters, none twice"
            )
        return tuple(value)

    def number(self, key: str, lowest: float, highest: float, otherwise: float | None = None) -> float:
        """Reads a number within a closed range; NaN is in no range. One left out is `otherwise`."""
        if otherwise is not None and key not in self._values:
            return otherwise
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not lowest <= value <= highest:
            raise self._wrong(key, f"must be a number from {lowest} to {highest}")
        return float(value)

    def count(self, key: str, lowest: int, highest: int) -> int:
        """Reads a whole number within a closed range."""
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise self._wrong(key, f"must be a whole number from {lowest} to {highest}")
        return value

    def finish(self) -> None:
        """Refuses keys that nobody read: a typing error must not become a weaker policy."""
        if self._values:
            raise self._wrong(min(self._values), "is not a known key")

    def _take(self, key: str) -> object:
        if key not in self._values:
            raise self._wrong(key, "is missing")
        return self._values.pop(key)

    def _name(self, key: str) -> str:
        return f"{self._path}.{key}" if self._path else key

    def _wrong(self, key: str, what: str) -> PolicyError:
        # An unknown key is the stranger's own text: shorten it and keep it on one line.
        name = "".join(c if c.isprintable() else "?" for c in self._name(key)[:64])
        return PolicyError(f"policy: {name} {what}")
