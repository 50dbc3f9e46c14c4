"""Writes a report: whole or not at all, readable by its owner, never over what was checked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def would_overwrite(target: Path, checked: Iterable[Path]) -> bool:
    """Says whether the report would take the place of one of these files."""
    return target.exists() and any(path.exists() and target.samefile(path) for path in checked)


def save(target: Path, page: str) -> None:
    """Lets the report appear once it is whole.

    Raises:
        OSError: it cannot be written; then nothing of it is left.
    """
    with tempfile.NamedTemporaryFile(dir=target.absolute().parent, prefix=".bauta-", delete=False) as sink:
        temporary = Path(sink.name)
        try:
            sink.write(page.encode("utf-8"))
            sink.flush()
            os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
