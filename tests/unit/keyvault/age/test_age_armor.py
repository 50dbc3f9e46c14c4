"""Armor: what is tolerated, and everything that is not."""

from __future__ import annotations

import base64
import io
import os

import pytest

from keyvault.age import AgeArmorError, ArmorReader, ArmorWriter
from keyvault.age.armor import BEGIN, END, MAX_WHITESPACE_BYTES

CONTENT = os.urandom(100)
LINES = [base64.b64encode(CONTENT[at : at + 48]) for at in range(0, 100, 48)]


def armored(*lines: bytes) -> bytes:
    return b"\n".join([BEGIN, *lines, END, b""])


GOOD = armored(*LINES)
TOLERATED = {
    "plain": GOOD,
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "no newline at the end": GOOD[:-1],
    "space before": b" \t\r\n\n" + GOOD,
    "space after": GOOD + b" \n\t\n",
    "as much space as allowed": b"\n" * MAX_WHITESPACE_BYTES + GOOD + b" " * MAX_WHITESPACE_BYTES,
}
REFUSED = {
    "empty": b"",
    "space alone": b"\n\n\n",
    "no END line": GOOD[: -len(END) - 1],
    "cut within a line": GOOD[:70],
    "text before": b"hello\n" + GOOD,
    "text before on the same line": b"hello" + GOOD,
    "text after": GOOD + b"hello\n",
    "a second block": GOOD + GOOD,
    "BEGIN in lower case": GOOD.replace(BEGIN, BEGIN.lower()),
    "another label": GOOD.replace(b"AGE ENCRYPTED FILE", b"MESSAGE"),
    "END with another label": GOOD.replace(END, b"-----END MESSAGE-----"),
    "space before BEGIN on its line": b" " + GOOD,
    "space after BEGIN on its line": GOOD.replace(BEGIN, BEGIN + b" "),
    "space after END on its line, then more": GOOD + b" x",
    "a header field": armored(b"Comment: x", b"", *LINES),
    "an empty line": armored(b"", *LINES),
    "an empty line within": armored(LINES[0], b"", *LINES[1:]),
    "an empty line at the end": armored(*LINES, b""),
    "a short line within": armored(LINES[0][:60], *LINES[1:]),
    "a long line": armored(LINES[0] + LINES[1], LINES[2]),
    "a very long line": armored(b"A" * 1_000_000),
    "no padding": armored(*LINES[:-1], LINES[-1].rstrip(b"=")),
    "padding and more": armored(*LINES, b"AAAA"),
    "spare bits set": armored(*LINES[:-1], LINES[-1][:-3] + b"/=="),
    "the URL alphabet": armored(b"-_" * 32),
    "a space within a line": armored(LINES[0][:10] + b" " + LINES[0][11:], *LINES[1:]),
    "a space at the end of a line": armored(LINES[0] + b" ", *LINES[1:]),
    "a lone carriage return within": armored(LINES[0] + b"\r" + LINES[1], LINES[2]),
    "two carriage returns": GOOD.replace(b"\n", b"\r\r\n"),
    "a PGP checksum": armored(*LINES, b"=x3Rz"),
    "a NUL": armored(LINES[0][:-1] + b"\0", *LINES[1:]),
    "too much space before": b"\n" * (MAX_WHITESPACE_BYTES + 1) + GOOD,
    "too much space before, on one line": b" " * (MAX_WHITESPACE_BYTES + 1) + b"\n" + GOOD,
    "too much space after": GOOD + b" " * (MAX_WHITESPACE_BYTES + 1),
}


def drain(reader: ArmorReader) -> None:
    while reader.read(10):
        pass


@pytest.mark.parametrize("text", TOLERATED.values(), ids=TOLERATED)
def test_tolerated(text: bytes) -> None:
    assert ArmorReader(io.BytesIO(text)).read() == CONTENT


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: bytes) -> None:
    reader = ArmorReader(io.BytesIO(text))
    with pytest.raises(AgeArmorError) as caught:
        drain(reader)
    assert caught.value.code == "age_armor_invalid"
    with pytest.raises(AgeArmorError):
        reader.read(10)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 46, 47, 48, 49, 96, 1000, 4800])
@pytest.mark.parametrize("step", [1, 7, 48, 5000])
def test_every_length_written_in_any_steps_reads_back(size: int, step: int) -> None:
    content = os.urandom(size)
    sink = io.BytesIO()
    writer = ArmorWriter(sink)
    for at in range(0, size, step):
        writer.write(content[at : at + step])
    writer.close()
    lines = sink.getvalue().split(b"\n")
    assert (lines[0], lines[-2], lines[-1]) == (BEGIN, END, b"")
    assert all(len(line) == 64 for line in lines[1:-3])
    assert ArmorReader(io.BytesIO(sink.getvalue())).read() == content


def test_an_armor_that_was_not_closed_is_refused() -> None:
    sink = io.BytesIO()
    writer = ArmorWriter(sink)
    writer.write(CONTENT)
    del writer
    with pytest.raises(AgeArmorError):
        ArmorReader(io.BytesIO(sink.getvalue())).read()
