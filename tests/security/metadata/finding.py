"""Looks for needles: as they are, in UTF-16, in hexadecimal, deflated, at any bit; and by exiftool."""

from __future__ import annotations

import re
import subprocess
import zlib
from pathlib import Path
from typing import Final

import numpy as np

from tests.security.metadata.needles import STEM

_NEEDLE: Final = re.compile(STEM.encode() + rb"[0-9A-Z]*z")
_WIDE: Final = "".join(f"{c}\0" for c in STEM).encode()
MOST_INFLATED: Final = 1 << 20


def needles_in(content: bytes) -> set[str]:
    """Every needle in a file, by its text without the stem and the z."""
    found = _plain(content)
    for form in (_narrowed(content), _unhexed(content), *_inflated(content), *_shifted(content)):
        found |= _plain(form)
    return found


def _plain(content: bytes) -> set[str]:
    return {match[0].decode()[len(STEM) : -1] for match in _NEEDLE.finditer(content)}


def _narrowed(content: bytes) -> bytes:
    """Both byte orders of UTF-16 read as ASCII, whichever byte they begin at."""
    return content.replace(b"\0", b"")


def _unhexed(content: bytes) -> bytes:
    runs = re.findall(rb"(?:[0-9a-fA-F]{2}){8,}", content)
    return b" ".join(bytes.fromhex(run.decode()) for run in runs)


def _inflated(content: bytes) -> list[bytes]:
    """What is deflated with zlib's header, as PNG and most makers do it, wherever it begins."""
    found = []
    for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", content):
        try:
            found.append(zlib.decompressobj().decompress(content[match.start() :], MOST_INFLATED))
        except zlib.error:
            continue
    return found


def _shifted(content: bytes) -> list[bytes]:
    """The file from its second bit, its third, and so on: in a coded stream nothing need begin at a byte."""
    octets = np.frombuffer(content, np.uint8).astype(np.uint16)
    pairs = octets[:-1] << 8 | octets[1:]
    return [(pairs >> (8 - bits)).astype(np.uint8).tobytes() for bits in range(1, 8)]


def exiftool(path: Path, *options: str) -> list[tuple[str, str, str]]:
    """What exiftool tells: group, tag and value; unknown tags and embedded documents too."""
    command = ["exiftool", "-a", "-u", "-U", "-G1", "-ee3", "-s", "-n", *options, str(path)]
    text = subprocess.run(command, capture_output=True, check=False).stdout.decode("utf-8", "replace")
    rows = (re.match(r"\[(.*?)\]\s+(\S+)\s*: ?(.*)", line) for line in text.splitlines())
    return [(row[1], row[2], row[3]) for row in rows if row]
