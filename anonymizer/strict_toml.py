"""Strict reading of what a person writes beside a model: an error names the key, never a value."""

from __future__ import annotations

import math
import re
import tomllib
from typing import Any, Final

from anonymizer.errors import AnonymizerError

SCHEMA: Final = "bauta.model/v1"
MAX_MANIFEST_BYTES: Final = 16 << 10
SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_DOTS_IN_LINE: Final = 64


def load(untrusted: bytes) -> dict[str, Any]:
    """Reads TOML, however hostile.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    if len(untrusted) > MAX_MANIFEST_BYTES:
        raise AnonymizerError("model_manifest_invalid", f"It is larger than {MAX_MANIFEST_BYTES} bytes.")
    # tomllib takes a key's parts in quadratic time.
    if any(line.count(b".") > _MOST_DOTS_IN_LINE for line in untrusted.split(b"\n")):
        raise AnonymizerError("model_manifest_invalid", "A line has too many dots.")
    try:
        return tomllib.loads(untrusted.decode())
    # ValueError: also what tomllib lets out for impossible dates; RecursionError: deep nesting.
    except (ValueError, RecursionError):
        raise AnonymizerError("model_manifest_invalid", "It is not TOML.") from None


def exactly(table: dict[str, Any], keys: frozenset[str], path: str) -> None:
    """Refuses a key too many and one that is missing.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    for key in sorted(keys - table.keys()):
        raise wrong(path + key, "is missing")
    if table.keys() - keys:
        raise wrong(f"{path}(a key)" if path else "a key", "is not known")


def word(table: dict[str, Any], key: str, allowed: tuple[str, ...], path: str = "") -> Any:
    """Returns one of some words.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    value = table[key]
    if not isinstance(value, str) or value not in allowed:
        raise wrong(path + key, f"must be one of {', '.join(allowed)}")
    return value


def text(table: dict[str, Any], key: str, shape: re.Pattern[str]) -> str:
    """Returns a text of some shape.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    value = table[key]
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise wrong(key, "does not have its shape")
    return value


def line(table: dict[str, Any], key: str) -> str:
    """Returns one line for people.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    value = table[key]
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise wrong(key, "must be one line of text, 1 to 200 characters")
    return value


def whole_number(table: dict[str, Any], key: str, lowest: int, highest: int, path: str = "") -> int:
    """Returns a whole number within bounds.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    value = table[key]
    if type(value) is not int or not lowest <= value <= highest:
        raise wrong(path + key, f"must be a whole number from {lowest} to {highest}")
    return value


def triple(
    table: dict[str, Any], key: str, lowest: float, highest: float, path: str = ""
) -> tuple[float, float, float]:
    """Returns three numbers within bounds.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    value = table[key]
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(type(v) in (int, float) and math.isfinite(v) and lowest <= v <= highest for v in value)
    ):
        raise wrong(path + key, f"must be three numbers from {lowest:g} to {highest:g}")
    return float(value[0]), float(value[1]), float(value[2])


def wrong(key: str, what: str) -> AnonymizerError:
    """Returns the error that names a key, never a value."""
    return AnonymizerError("model_manifest_invalid", f"{key} {what}.")
