"""One target of the fuzzers, and the one rule that all of them obey.

A parser that meets a stranger's bytes gives a value or one of its own errors: nothing else, and soon. The
error has a stable code and one short line of text, in which nothing of the bytes stands.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from google.protobuf.message import Message

CANARY = b"Kanari7Zq9x"
"""Put into inputs by the mutations; an error whose text holds it would carry content out."""

MAX_MESSAGE_CHARS = 400
CPU_SECONDS = 30
"""Processor time, so that a busy machine is no finding. Honest inputs of these sizes take milliseconds."""

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class FindingError(AssertionError):
    """A parser broke the rule."""


@dataclass(frozen=True)
class Target:
    """A parser under attack.

    Attributes:
        name: of the target; its corpus lies in `out/fuzz/NAME`.
        sender: who chooses the bytes.
        parsers: the functions that read them, as module and qualified name; the seeds reach every one.
        parse: reads the bytes; may assert more than that nothing breaks (that what is read encodes back).
        seeds: makes inputs that the parser takes; at least one.
        errors: the only exceptions that may come out.
        json: the bytes are JSON: the mutations also change one value and encode canonically again.
        message: the bytes are this protobuf message: the mutations also change one field.
        tokens: pieces that this parser knows, for insertions.
        echoes: why an error may quote its input, for parsers that a person reads the complaints of.
        examples: of a short run; few where one takes long.
        max_bytes: of the inputs that are tried.
    """

    name: str
    sender: str
    parsers: tuple[str, ...]
    parse: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    errors: tuple[type[Exception], ...]
    json: bool = False
    message: type[Message] | None = None
    tokens: tuple[bytes, ...] = ()
    echoes: str = ""
    examples: int = 200
    max_bytes: int = 64 << 10


def attempt(target: Target, untrusted: bytes) -> Exception | None:
    """Gives the bytes to the parser.

    Returns:
        The parser's own error; None when it took them.

    Raises:
        FindingError: it used its processor time up, or its error says too much.
        Exception: whatever else came out of the parser; a finding too.
    """
    try:
        with _limited_cpu():
            target.parse(untrusted)
    except target.errors as error:
        _check_error(target, error)
        return error
    return None


def shown_with(error: BaseException) -> Iterator[BaseException]:
    """The error and those that its traceback shows before it."""
    current: BaseException | None = error
    while current is not None:
        yield current
        before = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or before


def _check_error(target: Target, error: Exception) -> None:
    text = str(error)
    if len(text) > MAX_MESSAGE_CHARS or not text.isprintable():
        raise FindingError(f"{target.name}: {type(error).__name__} is no short line of printable text")
    code = getattr(error, "code", None)
    if code is not None and not _CODE.fullmatch(code):
        raise FindingError(f"{target.name}: {type(error).__name__} has no stable code")
    if not target.echoes and any(CANARY.decode() in str(shown) for shown in shown_with(error)):
        raise FindingError(f"{target.name}: {type(error).__name__} quotes its input")


@contextmanager
def _limited_cpu() -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise FindingError(f"the parser used {CPU_SECONDS} seconds of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
