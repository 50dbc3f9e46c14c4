"""Canonical JSON: the one encoding of a value, so that a hash or a signature has one meaning.

Sorted keys, no spaces, UTF-8, no escapes that are not needed. Only objects, arrays, strings, booleans,
null and integers that every JSON reader holds exactly; a float has several spellings and is refused.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from provenance.errors import FormatError

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
# The integers that RFC 8259, section 6, calls interoperable.
MAX_INTEGER = (1 << 53) - 1


def dumps(obj: Any) -> bytes:
    """Encodes a value.

    Raises:
        FormatError: the value holds something that has no canonical form.
    """
    _check(obj, depth=1)
    try:
        text = json.dumps(obj, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode("utf-8")
    except (UnicodeEncodeError, ValueError, TypeError):
        raise FormatError("the value has no canonical JSON form") from None


def loads(data: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """Decodes bytes that must be exactly what `dumps` writes.

    Raises:
        FormatError: the bytes are too large, too deep, not JSON, or not in canonical form.
    """
    value = loads_relaxed(data, max_bytes)
    if dumps(value) != data:
        raise FormatError("the JSON is not in its canonical form")
    return value


def loads_relaxed(data: bytes, max_bytes: int = MAX_BYTES) -> Any:
    """Decodes JSON whose spacing and key order are free, for files that people edit.

    Raises:
        FormatError: as for `loads`, except that the form may differ.
    """
    if len(data) > max_bytes:
        raise FormatError(f"the JSON is larger than {max_bytes} bytes", "too_large")
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_object_without_duplicates,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError):
        raise FormatError("the bytes are not JSON of the accepted kind") from None
    _check(value, depth=1)
    return value


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise FormatError("a JSON object names a key twice")
    return result


def _refuse_number(_text: str) -> NoReturn:
    raise FormatError("a JSON number is not an integer")


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise FormatError("the JSON is nested too deep")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise FormatError("a JSON integer is too large")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise FormatError("a JSON key is not a string")
            _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    else:
        raise FormatError("the value has no canonical JSON form")
