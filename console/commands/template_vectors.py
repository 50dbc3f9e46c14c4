"""What `bauta template` looks for in files, on its user's own machine: faces or voices, as vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from grpc_api.errors import invalid

if TYPE_CHECKING:
    # The networks are loaded where they are needed: no other command has them.
    from evaluation.vectors.found import Found


def vectors_in(
    faces: Sequence[Path], voices: Sequence[Path], recognizer: Path | None, *, one_each: bool = False
) -> Found:
    """Finds everybody in pictures and films, or the voice of each recording.

    Args:
        faces: pictures and films; or
        voices: recordings.
        recognizer: the manifest of another recognizer of faces than dlib's.
        one_each: whether every picture has to show one face and no other.

    Raises:
        typer.BadParameter: both or neither are given.
        ServiceError: with one of the codes of `evaluation` or of media.
    """
    if bool(faces) == bool(voices):
        raise typer.BadParameter("Name pictures (--face) or recordings (--voice), not both.")
    if voices and recognizer is not None:
        raise typer.BadParameter("--recognizer is for faces.")
    from evaluation.errors import EvaluationError
    from evaluation.vectors.faces import faces_in
    from evaluation.vectors.voices import voices_in

    try:
        return faces_in(faces, recognizer, one_each=one_each) if faces else voices_in(voices)
    except EvaluationError as error:
        raise invalid(error.code, str(error)) from None
