"""The header of a record: one line of JSON that says what was searched, and how large the whole was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from anonymizer.errors import AnonymizerError
from anonymizer.settings import Kind

# Blocks with higher numbers are of something else (recording.py).
MOST_SEARCHES: Final = 252
_MOST: Final = (1 << 31) - 1


@dataclass(frozen=True)
class Searched:
    """What one search followed.

    Attributes:
        kinds: in its order.
        believes_all: for each of them (detect/finders.py).
        turns: how many looks that are not alike took turns.
        begun: how many numbers its trackers gave, for each kind.
    """

    kinds: tuple[Kind, ...]
    believes_all: tuple[bool, ...]
    turns: int
    begun: tuple[int, ...]


def header_line(header: Mapping[str, Any]) -> bytes:
    """Gives the line."""
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def parse_header(untrusted: bytes) -> dict[str, Any]:
    """Reads the line: width, height, frames and searches.

    Raises:
        AnonymizerError: record_refused.
    """
    try:
        match json.loads(untrusted):
            case {
                "begun": list(begun),
                "frames": int(frames),
                "height": int(height),
                "searches": list(searches),
                "turns": list(turns),
                "width": int(width),
            }:
                read = tuple(
                    Searched(
                        tuple(_kind(kind) for kind, _ in pairs),
                        tuple(bool(believes) for _, believes in pairs),
                        _count(each_turns),
                        tuple(_count(number) for number in each_begun),
                    )
                    for pairs, each_turns, each_begun in zip(searches, turns, begun, strict=True)
                )
                sizes = {"width": _count(width), "height": _count(height), "frames": _count(frames)}
                if len(read) <= MOST_SEARCHES and all(
                    0 < len(each.kinds) == len(each.begun) for each in read
                ):
                    return {**sizes, "searches": read}
    # RecursionError: deep nesting.
    except (ValueError, TypeError, RecursionError):
        pass
    raise AnonymizerError("record_refused")


def _kind(word: object) -> Kind:
    if word in get_args(Kind):
        kind: Kind = word  # type: ignore[assignment]  # it is one of the words, which mypy does not see
        return kind
    raise AnonymizerError("record_refused")


def _count(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MOST:
        raise AnonymizerError("record_refused")
    return number
