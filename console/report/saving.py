"""Writes a report: whole or not at all, readable by its owner alone, never over what was checked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from console.report.page import render
from console.report.verdict import Verdict, examine


def would_overwrite(target: Path, checked: Iterable[Path]) -> bool:
    """Says whether the report would take the place of one of these files."""
    return target.exists() and any(path.exists() and target.samefile(path) for path in checked)


def save(target: Path, verdict: Verdict, file: Path) -> None:
    """Lets the report of a check of this file, made now, appear once it is whole.

    Raises:
        OSError: it cannot be written; then nothing of it is left.
    """
    if verdict.failure is not None:
        verdict = replace(verdict, examined=examine(file))
    write_whole(target, render(verdict, datetime.now(UTC)).encode("utf-8"))


def write_whole(target: Path, content: bytes) -> None:
    """Lets a file appear once it is whole, readable by its owner alone.

    Raises:
        OSError: it cannot be written; then nothing of it is left.
    """
    with tempfile.NamedTemporaryFile(dir=target.absolute().parent, prefix=".bauta-", delete=False) as sink:
        temporary = Path(sink.name)
        try:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
