"""Models and faces that whoever runs the worker has added: one for each kind, in a folder of this package.

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
from typing import Final, Literal, get_args

from anonymizer.enrolled.manifest import FaceEmbedding, read_embedding
from anonymizer.errors import AnonymizerError
from anonymizer.face_manifests import FACE_KINDS, FaceKind, Generator, SourceFace, parse_face_manifest
from anonymizer.manifest import Manifest, added_name, parse_manifest
from anonymizer.settings import Kind
from anonymizer.strict_toml import MAX_MANIFEST_BYTES, load

FOLDER: Final = Path(__file__).parent / "detectors_added"
MAX_MODEL_BYTES: Final = 512 << 20
MAX_FACE_BYTES: Final = 32 << 20

EmbeddingKind = Literal["face-embedding"]
AddedKind = Kind | FaceKind | EmbeddingKind
AnyManifest = Manifest | SourceFace | Generator | FaceEmbedding
KINDS: Final[tuple[AddedKind, ...]] = (*get_args(Kind), *FACE_KINDS, FaceEmbedding.kind)
# Under this ending lies what a manifest tells of.
_ENDINGS: Final[Mapping[str, str]] = {"source-face": ".picture"}


@dataclass(frozen=True)
class Offered:
    """A model or a face that lies somewhere else, checked as far as reading goes.

    Attributes:
        manifest: what it says.
        manifest_bytes, model_bytes: both files.
    """

    manifest: AnyManifest
    manifest_bytes: bytes
    model_bytes: bytes


def read_added(folder: Path = FOLDER) -> Mapping[str, tuple[AnyManifest, bytes]]:
    """Reads the manifest and the bytes of everything that was added, by name.

    Raises:
        AnonymizerError: model_manifest_invalid, or model_missing where a manifest has no model.
    """
    found = {}
    for kind in KINDS:
        path = folder / f"{added_name(kind)}.toml"
        if path.is_file():
            manifest = parse_any(read_capped(path, MAX_MANIFEST_BYTES, "model_manifest_invalid"))
            if manifest.kind != kind:
                raise AnonymizerError("model_manifest_invalid", "kind is another than its place says.")
            found[manifest.name] = (manifest, _read_model(path.with_suffix(_ending(kind)), kind))
    return found


def parse_any(untrusted: bytes) -> AnyManifest:
    """Reads a manifest of any kind.

    Raises:
        AnonymizerError: model_manifest_invalid.
    """
    table = load(untrusted)
    kind = table.get("kind")
    if kind == FaceEmbedding.kind:
        return read_embedding(table)
    return parse_face_manifest(untrusted) if kind in FACE_KINDS else parse_manifest(untrusted)


def read_offered(manifest_path: Path) -> Offered:
    """Reads a manifest and the model beside it, and compares the digest.

    Raises:
        AnonymizerError: model_manifest_invalid, model_missing or model_digest_mismatch.
    """
    manifest_bytes = read_capped(manifest_path, MAX_MANIFEST_BYTES, "model_manifest_invalid")
    manifest = parse_any(manifest_bytes)
    model_bytes = _read_model(manifest_path.parent / manifest.file, manifest.kind)
    if hashlib.sha256(model_bytes).hexdigest() != manifest.sha256:
        raise AnonymizerError("model_digest_mismatch")
    return Offered(manifest, manifest_bytes, model_bytes)


def put(offered: Offered, folder: Path = FOLDER) -> None:
    """Puts what is offered among the code, in place of the one of its kind. The manifest comes last.

    Raises:
        OSError: the folder cannot be written: only whoever may change the code may add a model.
    """
    folder.mkdir(exist_ok=True)
    place = folder / offered.manifest.name
    place.with_suffix(".toml").unlink(missing_ok=True)
    _write(place.with_suffix(_ending(offered.manifest.kind)), offered.model_bytes)
    _write(place.with_suffix(".toml"), offered.manifest_bytes)


def remove(kind: AddedKind, folder: Path = FOLDER) -> None:
    """Removes what was added of a kind.

    Raises:
        AnonymizerError: model_missing, where there is none.
        OSError: the folder cannot be written.
    """
    place = folder / added_name(kind)
    try:
        place.with_suffix(".toml").unlink()
    except FileNotFoundError:
        raise AnonymizerError("model_missing") from None
    place.with_suffix(_ending(kind)).unlink(missing_ok=True)


def _ending(kind: AddedKind) -> str:
    return _ENDINGS.get(kind, ".onnx")


def _read_model(path: Path, kind: AddedKind) -> bytes:
    return read_capped(path, MAX_FACE_BYTES if kind == "source-face" else MAX_MODEL_BYTES, "model_missing")


def read_capped(path: Path, most: int, code: str) -> bytes:
    """Reads a small file.

    Raises:
        AnonymizerError: of this code, it cannot be read or is larger than so many bytes.
    """
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
