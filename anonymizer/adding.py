"""The command `python -m anonymizer.adding`: lists, checks, adds and removes models, and runs one on a face.

A program of its own, because it opens a graph that a stranger may have made; whoever starts it reads one
line of JSON. It exits with 0, or with 1 and a code.
"""

from __future__ import annotations

import argparse
import base64
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from anonymizer.added import FOLDER, KINDS, AnyManifest, put, read_offered, remove
from anonymizer.detect.added_detector import AddedDetector
from anonymizer.effects.generator.network import GeneratorNetwork
from anonymizer.effects.swap.sources import face_of
from anonymizer.enrolled.embedding import EmbeddingNetwork
from anonymizer.enrolled.manifest import FaceEmbedding
from anonymizer.enrolled.portraits import LIMITS, open_portraits, seen_in
from anonymizer.errors import AnonymizerError
from anonymizer.face_manifests import Generator
from anonymizer.manifest import Manifest, added_name
from anonymizer.models import (
    ACTIVITY,
    BLAZEFACE,
    BODY,
    CENTERFACE,
    FACE_MESH,
    FULL_RANGE,
    IRIS,
    PLACES,
    POSE,
    READER,
    RECOGNIZER,
    SPEAKERS,
    TEXT,
    VOICE_DECODER,
    VOICE_ENCODER,
    Models,
    load_models,
)

# What those that come with packages find, and under which licence.
OWN: Final = {
    CENTERFACE: ("face", "MIT"),
    BLAZEFACE: ("face", "Apache-2.0"),
    FULL_RANGE: ("face", "Apache-2.0"),
    TEXT: ("text", "Apache-2.0"),
    READER: ("text", "Apache-2.0"),
    POSE: ("person", "Apache-2.0"),
    BODY: ("person", "Apache-2.0"),
    FACE_MESH: ("face", "Apache-2.0"),
    IRIS: ("face", "Apache-2.0"),
    SPEAKERS: ("voice", "Apache-2.0"),
    ACTIVITY: ("voice", "MIT"),
    VOICE_ENCODER: ("voice", "Apache-2.0"),
    VOICE_DECODER: ("voice", "Apache-2.0"),
    RECOGNIZER: ("word", "BSD-2-Clause"),
}
_ANY_THRESHOLD = 0.5
_ONE_THREAD = 1


def main(arguments: Sequence[str] | None = None, folder: Path = FOLDER) -> int:
    """Does what the command line asks for; prints one line of JSON."""
    asked = _asked(arguments)
    try:
        told = _do(asked, folder)
    except AnonymizerError as refusal:
        print(json.dumps({"error": refusal.code, "message": str(refusal)}))
        return 1
    except OSError as refusal:
        print(json.dumps({"error": "system_error", "message": f"The system refused: {refusal.strerror}."}))
        return 1
    print(json.dumps(told))
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m anonymizer.adding", description="Detectors.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="say which models are installed")
    commands.add_parser("verify", help="check and run each of them")
    commands.add_parser("add", help="add a detector or a face").add_argument("manifest", type=Path)
    commands.add_parser("remove", help="remove what was added of a kind").add_argument("kind", choices=KINDS)
    commands.add_parser("embed", help="make a vector of the face in a picture").add_argument(
        "picture", type=Path
    )
    return parser.parse_args(arguments)


def _do(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    if asked.command == "add":
        offered = read_offered(asked.manifest)
        _run_once(offered.model_bytes, offered.manifest, folder)
        put(offered, folder)
        return {"added": _added_entry(offered.manifest)}
    if asked.command == "remove":
        remove(asked.kind, folder)
        return {"removed": added_name(asked.kind)}
    models = load_models("cpu", folder)
    if asked.command == "embed":
        return {"embedding": _embedded(asked.picture, models)}
    if asked.command == "verify":
        for name, manifest in _added(models).items():
            _run_once(models.files[name], manifest, folder)
    return {"models": [_entry(name, models) for name in sorted(models.sha256)]}


def _embedded(picture: Path, models: Models) -> str:
    embedder, finder = open_portraits(models, _ONE_THREAD)
    with picture.open("rb") as file:
        vector = seen_in(file.read(LIMITS.max_still_bytes + 1), finder, embedder)
    return base64.b64encode(vector.astype("<f4").tobytes()).decode()


def _run_once(model: bytes, manifest: AnyManifest, folder: Path) -> None:
    if isinstance(manifest, Manifest):
        AddedDetector(model, manifest, _ANY_THRESHOLD, _ONE_THREAD)
    elif isinstance(manifest, Generator):
        GeneratorNetwork(model, manifest, _ONE_THREAD)
    elif isinstance(manifest, FaceEmbedding):
        EmbeddingNetwork(model, manifest, _ONE_THREAD)
    else:
        networks = load_models("cpu", folder).landmarks
        if networks is None:
            raise AnonymizerError("model_missing", "A face is read by networks that need OpenVINO.")
        face_of(model, networks)


def _added(models: Models) -> dict[str, AnyManifest]:
    faces = [
        each for each in (models.source_face, models.generator, models.face_embedding) if each is not None
    ]
    return {**models.added, **{each.name: each for each in faces}}


def _entry(name: str, models: Models) -> dict[str, Any]:
    added = _added(models)
    if name in added:
        return _added_entry(added[name])
    kind, licence = OWN[name]
    return {
        "name": name,
        "kind": kind,
        "sha256": models.sha256[name],
        "decoder": name,
        "licence": licence,
        "source": f"the package {PLACES[name][0] if name in PLACES else name}",
    }


def _added_entry(manifest: AnyManifest) -> dict[str, Any]:
    return {
        "name": manifest.name,
        "kind": manifest.kind,
        "sha256": manifest.sha256,
        "decoder": manifest.decoder if isinstance(manifest, Manifest) else manifest.kind,
        "licence": manifest.licence,
        "source": manifest.source,
    }


if __name__ == "__main__":
    sys.exit(main())
