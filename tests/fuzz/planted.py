"""Parsers that break the rule on purpose, each in another way: what both fuzzers must find.

Not in the registry. A fuzzer that finds nothing here finds nothing anywhere.
"""

from __future__ import annotations

import re

from tests.fuzz.target import Target


class PlantedError(Exception):
    """The refusal that these parsers may use."""

    code = "planted"


def deep(untrusted: bytes) -> None:
    """Breaks five bytes deep, one comparison after the other: no luck finds that, coverage does."""
    if untrusted[:1] != b"b":
        raise PlantedError("refused")
    if untrusted[1:2] != b"a":
        raise PlantedError("refused")
    if untrusted[2:3] != b"u":
        raise PlantedError("refused")
    if untrusted[3:4] != b"t":
        raise PlantedError("refused")
    if untrusted[4:5] == b"a":
        raise KeyError("planted")


def short(untrusted: bytes) -> int:
    """Reads past the end of what is cut short."""
    return untrusted[untrusted[0]]


def talkative(untrusted: bytes) -> None:
    """Says what it read."""
    if untrusted != b"good":
        raise PlantedError(f"cannot read {untrusted!r}"[:200])


def loose(untrusted: bytes) -> None:
    """Hides the content from its message, and lets the traceback tell it."""
    text = untrusted.decode("latin-1")
    try:
        number = int(text)
    except ValueError as cause:
        raise PlantedError("no number") from cause
    assert number >= 0 or re.match("-", text)


def wordy(untrusted: bytes) -> None:
    """Gives a line for each byte."""
    if untrusted != b"good":
        raise PlantedError("\n".join("bad" for _ in untrusted))


def lossy(untrusted: bytes) -> None:
    """Takes two spellings of one value."""
    assert untrusted.strip() == untrusted


def _planted(parse: object, seed: bytes, *errors: type[Exception]) -> Target:
    name: str = parse.__name__  # type: ignore[attr-defined]  # a function
    return Target(name, "a test", (), parse, lambda: (seed,), errors)  # type: ignore[arg-type]  # a function


TARGETS = {
    target.name: target
    for target in (
        _planted(deep, b"bX", PlantedError),
        _planted(short, b"\2ab"),
        _planted(talkative, b"good", PlantedError),
        _planted(loose, b"12", PlantedError),
        _planted(wordy, b"good", PlantedError),
        _planted(lossy, b"good"),
    )
}
