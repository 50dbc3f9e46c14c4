"""What a submission leaves on the disk: private files that get their names only once all is well."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def proof_path(output: Path) -> Path:
    """Where the proof of an output lies."""
    return output.with_name(output.name + ".proof")


def review_path(output: Path) -> Path:
    """Where the sealed review package of an output lies."""
    return output.with_name(output.name + ".review")


def review_key_path(output: Path) -> Path:
    """Where the submitter's own half of an output's review lies."""
    return output.with_name(output.name + ".review-key")


def untouched_path(output: Path) -> Path:
    """Where the untouched package of an output lies."""
    return output.with_name(output.name + ".untouched")


def scores_path(output: Path) -> Path:
    """Where the encrypted scores beside an output lie."""
    return output.with_name(output.name + ".scores")


def commit(work: Path, output: Path, proof: bytes, review_key: bytes | None) -> None:
    """Gives every file its name, the result last: it never stands there without its proof.

    Args:
        work: a folder beside the output, with the files `result` and, where there are any, `review`,
            `untouched` and `scores`.
        output: the result's name.
        proof: of the result.
        review_key: the submitter's half of a review; None without one.

    Raises:
        OSError: the disk is full.
    """
    _write_private(work / "proof", proof)
    names = {work / "proof": proof_path(output), work / "result": output}
    if review_key is not None:
        _write_private(work / "review-key", review_key)
        names = {
            work / "review-key": review_key_path(output),
            work / "review": review_path(output),
            **names,
        }
    if (work / "untouched").exists():
        names = {work / "untouched": untouched_path(output), **names}
    if (work / "scores").exists():
        names = {work / "scores": scores_path(output), **names}
    for path in names:
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for path, name in names.items():
        path.replace(name)


def create_private(path: Path) -> BinaryIO:
    """Opens a new file that only its owner can read.

    Raises:
        OSError: it is there already, or cannot be made.
    """
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write_private(path: Path, content: bytes) -> None:
    with create_private(path) as file:
        file.write(content)
