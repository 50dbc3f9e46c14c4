"""How good bytes are spoiled: the same for both fuzzers, which draw their random numbers differently.

Bytes are flipped, cut, spliced, inserted and repeated, a true beginning goes on with anything, and numbers
are replaced by those that lengths and counts break at. Where the bytes have a structure (JSON, protobuf), one
value in it is replaced and the whole encoded again: so the damage gets past the outermost parser.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message

from tests.fuzz.target import CANARY, Target

ODD_BYTES = (
    b"",
    b"\0",
    b"\xff" * 4,
    b"\n",
    b"\n\n",
    b"A" * 70,
    b"[" * 600,
    b"\xed\xa0\x80",
    b"\xc3\xa9",
    CANARY,
)
ODD_NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0xFFFFFFFF,
    (1 << 63) - 1,
    (1 << 64) - 1,
)
ODD_JSON: tuple[Any, ...] = (
    *(None, True, 0, -1, 1, 1 << 53, 1 << 70, 0.5, "", "\0", "\u00e9", "\ud800", "a" * 300, "=" * 8),
    *(
        [],
        {},
        [[]],
        [None],
        {"": None},
        {CANARY.decode(): 1},
        CANARY.decode(),
        "0" * 64,
        "2026-02-30T00:00:00Z",
    ),
)
ODD_FLOATS = (0.0, -1.0, 1e308, float("nan"), float("inf"), float("-inf"))


def mutate(target: Target, seed: bytes, random: Random) -> bytes:
    """Spoils a seed, in one place or in a few."""
    spoiled = seed
    if target.json and random.randrange(2):
        spoiled = _other_json(spoiled, random)
    if target.message is not None and random.randrange(2):
        spoiled = _other_message(target.message, spoiled, random)
    for _ in range(random.randrange(0 if spoiled != seed else 1, 4)):
        spoiled = random.choice(BYTE_MUTATIONS)(spoiled, target, random)
    return spoiled[: target.max_bytes]


def _flip(seed: bytes, _target: Target, random: Random) -> bytes:
    if not seed:
        return b"\1"
    at = random.randrange(len(seed))
    return seed[:at] + bytes([seed[at] ^ 1 << random.randrange(8)]) + seed[at + 1 :]


def _cut(seed: bytes, _target: Target, random: Random) -> bytes:
    start, end = _span(seed, random)
    return seed[:start] if random.randrange(2) else seed[:start] + seed[end:]


def _splice(seed: bytes, target: Target, random: Random) -> bytes:
    other = random.choice(target.seeds())
    return seed[: random.randrange(len(seed) + 1)] + other[random.randrange(len(other) + 1) :]


def _insert(seed: bytes, target: Target, random: Random) -> bytes:
    at = random.randrange(len(seed) + 1)
    return seed[:at] + random.choice((*ODD_BYTES, *target.tokens)) + seed[at + random.randrange(3) :]


def _repeat(seed: bytes, _target: Target, random: Random) -> bytes:
    start, end = _span(seed, random)
    return seed[:end] + seed[start:end] * random.choice((1, 2, 50)) + seed[end:]


def _renumber(seed: bytes, _target: Target, random: Random) -> bytes:
    at, size = random.randrange(len(seed) + 1), random.choice((1, 2, 4, 8))
    number = random.choice(ODD_NUMBERS) % (1 << 8 * size)
    return seed[:at] + number.to_bytes(size, random.choice(("big", "little"))) + seed[at + size :]


def _begin_well(seed: bytes, _target: Target, random: Random) -> bytes:
    """A true beginning, and then anything."""
    tail = random.randrange(300)
    return seed[: random.randrange(8, 64)] + random.getrandbits(8 * tail + 1).to_bytes(tail + 1, "big")


BYTE_MUTATIONS: tuple[Callable[[bytes, Target, Random], bytes], ...] = (
    *(_flip, _cut, _splice, _insert, _repeat, _renumber, _begin_well),
)


def _span(seed: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(seed) + 1)
    length = random.choice((1, 2, 4, 48, 300, len(seed)))
    return start, min(len(seed), start + length)


def _other_json(seed: bytes, random: Random) -> bytes:
    try:
        content = json.loads(seed)
    except (ValueError, RecursionError):
        return seed
    content = _changed(content, random)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass") + (b"\n" if seed.endswith(b"\n") else b"")


def _changed(value: Any, random: Random) -> Any:
    """The value with one value in it replaced, left out, or taken from beside it."""
    if not value or not isinstance(value, dict | list) or not random.randrange(6):
        return random.choice(ODD_JSON)
    keys: Sequence[Any] = sorted(value) if isinstance(value, dict) else range(len(value))
    key, copy = random.choice(keys), value.copy()
    match random.randrange(8):
        case 0:
            del copy[key]
        case 1:
            copy[key] = value[random.choice(keys)]
        case 2 if isinstance(copy, list):
            copy.append(value[key])
        case _:
            copy[key] = _changed(value[key], random)
    return copy


def _other_message(kind: type[Message], seed: bytes, random: Random) -> bytes:
    message = kind()
    try:
        message.ParseFromString(seed)
    except DecodeError:
        return seed
    _change_field(message, random)
    return message.SerializeToString()


def _change_field(message: Message, random: Random) -> None:
    fields = message.DESCRIPTOR.fields
    if not fields:
        return
    # Mostly a field that is there: the others are other branches of a choice.
    present = [field for field, _ in message.ListFields()]
    field = random.choice(present if present and random.randrange(4) else fields)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        getattr(message, field.name)[random.choice(("", "open", "\0", "a" * 300))] = random.choice(ODD_FLOATS)
    elif field.is_repeated:
        many = getattr(message, field.name)
        for _ in range(random.choice((1, 2, 70))):
            if field.message_type is not None:
                _change_field(many.add(), random)
            else:
                many.append(_odd_value(field, random))
        if not random.randrange(3):
            del many[:]
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        _change_field(inner, random)
    else:
        setattr(message, field.name, _odd_value(field, random))


def _odd_value(field: FieldDescriptor, random: Random) -> Any:
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING if field.type == FieldDescriptor.TYPE_BYTES:
            return random.choice((*ODD_BYTES, bytes(16), bytes(32), bytes(1216), bytes(1952), b"\n" * 70_000))
        case FieldDescriptor.CPPTYPE_STRING:
            return random.choice(("", "seccomp", "open", "cpu", "\0", "\u00e9", "a" * 300, CANARY.decode()))
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return random.choice(ODD_FLOATS)
        case FieldDescriptor.CPPTYPE_BOOL:
            return bool(random.randrange(2))
        case FieldDescriptor.CPPTYPE_INT32 | FieldDescriptor.CPPTYPE_ENUM:
            return random.choice((0, 1, -1, (1 << 31) - 1, -(1 << 31)))
        case FieldDescriptor.CPPTYPE_INT64:
            return random.choice((0, 1, -1, (1 << 63) - 1, -(1 << 63)))
        case FieldDescriptor.CPPTYPE_UINT32:
            return random.choice(ODD_NUMBERS) % (1 << 32)
        case _:
            return random.choice(ODD_NUMBERS)
