"""A sealed file in small pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

READ_BYTES = 256 << 10


def chunks_from(path: Path, offset: int) -> Iterator[bytes]:
    """What a file holds from an offset on, in pieces of at most 256 KiB."""
    with path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(READ_BYTES):
            yield chunk
