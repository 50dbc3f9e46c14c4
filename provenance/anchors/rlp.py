"""RLP (Ethereum yellow paper, appendix B): byte strings and lists of them, in one spelling each.

What is decoded encodes back to the same bytes: hashes are over the encoded form, and a second spelling would
be a second block with the same content.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from provenance.errors import FormatError

Item: TypeAlias = "bytes | tuple[Item, ...]"
Encodable: TypeAlias = "bytes | Sequence[Encodable]"

MAX_DEPTH = 8
"""Lists in lists. A receipt's topics lie four deep, a node inside a node of a trie three."""

_STRING = 0x80
_LIST = 0xC0
_LONGEST_SHORT = 55
_MAX_LENGTH_BYTES = 3


class RlpError(FormatError):
    """Bytes are not RLP, or not of the shape that is asked for."""

    code = "anchor_malformed"


def decode(untrusted: bytes) -> Item:
    """Reads one item that fills the bytes; whoever calls has capped them.

    Raises:
        RlpError: anything else, another spelling of it, or lists nested deeper than `MAX_DEPTH`.
    """
    item, end = _item(untrusted, 0, len(untrusted), MAX_DEPTH)
    if end != len(untrusted):
        raise RlpError("there is more than one item where there should be one")
    return item


def encode(item: Encodable) -> bytes:
    """Writes an item."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < _STRING:
            return item
        return _head(_STRING, len(item)) + item
    content = b"".join(encode(member) for member in item)
    return _head(_LIST, len(content)) + content


def as_list(item: Item) -> tuple[Item, ...]:
    """Gives an item that must be a list.

    Raises:
        RlpError: it is a string.
    """
    if isinstance(item, bytes):
        raise RlpError("there is a string where there should be a list")
    return item


def as_bytes(item: Item, length: int | None = None) -> bytes:
    """Gives an item that must be a string, of this many bytes if that is said.

    Raises:
        RlpError: it is a list, or of another length.
    """
    if not isinstance(item, bytes) or (length is not None and len(item) != length):
        raise RlpError("there is something else than a string of the right length")
    return item


def as_number(item: Item) -> int:
    """Gives an item that must be a number of at most 8 bytes, without leading zeros.

    Raises:
        RlpError: anything else.
    """
    content = as_bytes(item)
    if len(content) > 8 or content[:1] == b"\0":
        raise RlpError("a number is not in its one form")
    return int.from_bytes(content, "big")


def number(value: int) -> bytes:
    """Gives a number's bytes, of which zero has none."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _head(base: int, length: int) -> bytes:
    if length <= _LONGEST_SHORT:
        return bytes([base + length])
    size = number(length)
    return bytes([base + _LONGEST_SHORT + len(size)]) + size


def _item(untrusted: bytes, start: int, limit: int, depth: int) -> tuple[Item, int]:
    if start >= limit:
        raise RlpError("an item ends too early")
    first = untrusted[start]
    if first < _STRING:
        return untrusted[start : start + 1], start + 1
    base = _LIST if first >= _LIST else _STRING
    begin, end = _content(untrusted, start, limit, first - base)
    if base == _STRING:
        if end - begin == 1 and untrusted[begin] < _STRING:
            raise RlpError("a byte is not in its one form")
        return untrusted[begin:end], end
    if depth == 0:
        raise RlpError("lists are nested too deep")
    members: list[Item] = []
    while begin < end:
        member, begin = _item(untrusted, begin, end, depth - 1)
        members.append(member)
    return tuple(members), end


def _content(untrusted: bytes, start: int, limit: int, length: int) -> tuple[int, int]:
    """Where the content of an item begins and ends."""
    begin = start + 1
    if length > _LONGEST_SHORT:
        count = length - _LONGEST_SHORT
        size = untrusted[begin : min(begin + count, limit)]
        length = int.from_bytes(size, "big")
        begin += count
        if count > _MAX_LENGTH_BYTES or len(size) != count or size[0] == 0 or length <= _LONGEST_SHORT:
            raise RlpError("a length is not in its one form")
    if begin + length > limit:
        raise RlpError("an item ends too early")
    return begin, begin + length
