"""Detectors that whoever runs the worker has added: one for each kind, in a folder of this package.

They lie among the code, as `custom-face.toml` and `custom-face.onnx`, on purpose. The measurement covers
every file there: a worker with an added model is another version, which the vault gives no key until somebody
has released it, and no setting, variable or policy can put one in at run time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from anonymizer.errors import AnonymizerError
from anonymizer.manifest import MAX_MANIFEST_BYTES, Manifest, added_name, parse_manifest
from anonymizer.settings import Kind

FOLDER: Final = Path(__file__).parent / "detectors_added"
MAX_MODEL_BYTES: Final = 512 << 20
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


@dataclass(frozen=True)
class Offered:
    """A detector that lies somewhere else, checked as far as reading goes.

    Attributes:
        manifest: what it says.
        manifest_bytes, model_bytes: both files.
    """

    manifest: Manifest
    manifest_bytes: bytes
    model_bytes: bytes


def read_added(folder: Path = FOLDER) -> Mapping[str, tuple[Manifest, bytes]]:
    """Reads the manifest and the bytes of every added model, by name.

    Raises:
        AnonymizerError: model_manifest_invalid, or model_missing where a manifest has no model.
    """
    found = {}
    for kind in _KINDS:
        path = folder / f"{added_name(kind)}.toml"
        if path.is_file():
            manifest = parse_manifest(_read(path, MAX_MANIFEST_BYTES, "model_manifest_invalid"))
            if manifest.kind != kind:
                raise AnonymizerError("model_manifest_invalid", "kind is another than its place says.")
            found[manifest.name] = (
                manifest,
                _read(path.with_suffix(".onnx"), MAX_MODEL_BYTES, "model_missing"),
            )
    return found


def read_offered(manifest_path: Path) -> Offered:
    """Reads a manifest and the model beside it, and compares the digest.

    Raises:
        AnonymizerError: model_manifest_invalid, model_missing or model_digest_mismatch.
    """
    manifest_bytes = _read(manifest_path, MAX_MANIFEST_BYTES, "model_manifest_invalid")
    manifest = parse_manifest(manifest_bytes)
    model_bytes = _read(manifest_path.parent / manifest.file, MAX_MODEL_BYTES, "model_missing")
    if hashlib.sha256(model_bytes).hexdigest() != manifest.sha256:
        raise AnonymizerError("model_digest_mismatch")
    return Offered(manifest, manifest_bytes, model_bytes)


def put(offered: Offered, folder: Path = FOLDER) -> None:
    """Puts a detector among the code, in place of the one of its kind. The manifest comes last.

    Raises:
        OSError: the folder cannot be written: only whoever may change the code may add a model.
    """
    folder.mkdir(exist_ok=True)
    place = folder / offered.manifest.name
    place.with_suffix(".toml").unlink(missing_ok=True)
    _write(place.with_suffix(".onnx"), offered.model_bytes)
    _write(place.with_suffix(".toml"), offered.manifest_bytes)


def remove(kind: Kind, folder: Path = FOLDER) -> None:
    """Removes the added detector of a kind.

    Raises:
        AnonymizerError: model_missing, where there is none.
        OSError: the folder cannot be written.
    """
    place = folder / added_name(kind)
    try:
        place.with_suffix(".toml").unlink()
    except FileNotFoundError:
        raise AnonymizerError("model_missing") from None
    place.with_suffix(".onnx").unlink(missing_ok=True)


def _read(path: Path, most: int, code: str) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError:
        raise AnonymizerError(code) from None
    if len(content) > most:
        raise AnonymizerError(code, f"It is larger than {most} bytes.")
    return content


def _write(path: Path, content: bytes) -> None:
    made = path.with_suffix(f"{path.suffix}.new")
    with made.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    made.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
