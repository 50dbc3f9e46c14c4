"""Two files, or two folders, as pairs of an original and what was made of it.

In a folder PERSON/FILE the folder says whose the face is; files that lie in the folder itself are of whoever
is in them (persons.py). A result may have another ending than its original: what was a MOV is an MP4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from evaluation.errors import EvaluationError

View = Literal["original", "anonymized", "alike", "known_key"]
"""The original; the result that is attacked; the original anonymized once more by the same system, under
other keys; and the same under the key that the result has."""

ENDINGS: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".m4v", ".mov", ".mkv", ".avi", ".webm"}
)


@dataclass(frozen=True)
class Pairing:
    """One original with everything that was made of it.

    Attributes:
        source: what tells it from other originals; for nobody's eyes.
        person: who is in it; empty where nothing says so.
        paths: of each view that there is; always of "original" and "anonymized".
    """

    source: str
    person: str
    paths: Mapping[View, Path]


def pairings(
    original: Path, anonymized: Path, alike: Path | None = None, known_key: Path | None = None
) -> list[Pairing]:
    """Returns the pairs, in the order of their names.

    Args:
        original: a file or a folder.
        anonymized: likewise.
        alike, known_key: likewise, of further views; where a counterpart is missing, so is the view.

    Raises:
        EvaluationError: files_do_not_pair.
    """
    others: dict[View, Path] = {"anonymized": anonymized}
    others |= {"alike": alike} if alike is not None else {}
    others |= {"known_key": known_key} if known_key is not None else {}
    if not original.is_dir():
        if any(path.is_dir() for path in others.values()):
            raise EvaluationError("files_do_not_pair")
        return [Pairing("", "", {"original": original, **others})]
    made = {view: _by_stem(path) for view, path in others.items()}
    found = []
    for stem, path in sorted(_by_stem(original).items()):
        paths: dict[View, Path] = {"original": path}
        paths |= {view: files[stem] for view, files in made.items() if stem in files}
        if "anonymized" in paths:
            person = stem.parent.as_posix()
            found.append(Pairing(stem.as_posix(), "" if person == "." else person, paths))
    if not found:
        raise EvaluationError("files_do_not_pair")
    return found


def _by_stem(folder: Path) -> dict[Path, Path]:
    """The media of a folder by their names without endings, which are relative to it."""
    if not folder.is_dir():
        raise EvaluationError("files_do_not_pair")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix.lower() in ENDINGS)
    return {path.relative_to(folder).with_suffix(""): path for path in files}
