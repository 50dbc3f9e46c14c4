"""Starts the process that decodes one file, and reads what it tells."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal, cast

from evaluation.errors import EvaluationError
from evaluation.pieces.records import Record, read_records

Form = Literal["any", "part", "copy"]
What = Literal["pictures", "sound", "both"]

# No library starts threads of its own: whoever has several may enter no namespace.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
_ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def decoded(file: Path, what: What = "both", form: Form = "any") -> Iterator[Iterator[Record]]:
    """Decodes a file behind the wall. Who leaves early ends the decoding.

    Args:
        file: whoever it came from.
        what: of it: its pictures, then its sound.
        form: "part" refuses whatever is no Matroska file of one lossless stream of each kind, or a PNG;
            "copy" whatever has more than one stream of a kind, or is marked to be turned.

    Raises:
        EvaluationError: `decoder_failed`, one of the anonymizer's codes about media, or
            `wall_floor_missing`.
        OSError: the file cannot be read.
    """
    environment = {**os.environ, **_ENVIRONMENT, "PYTHONPATH": _search_path()}
    with file.open("rb") as source:
        child = subprocess.Popen(
            # -P: nothing is imported from the folder that a stranger's files were unpacked into.
            [sys.executable, "-P", "-m", "evaluation.pieces.child", form, what],
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
    try:
        yield _records(child)
    finally:
        child.kill()
        cast("BinaryIO", child.stdout).close()
        child.wait()


def _records(child: subprocess.Popen[bytes]) -> Iterator[Record]:
    # Killed by its wall or its limits, the other side ends without a last record: that is a failure too.
    yield from read_records(cast("BinaryIO", child.stdout))
    if child.wait() != 0:
        raise EvaluationError("decoder_failed")


def _search_path() -> str:
    """The child finds the packages where this process found them, wherever it was started."""
    # An empty entry would be the working folder again.
    given = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return os.pathsep.join([str(_ROOT), *given])
