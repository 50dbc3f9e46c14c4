"""`bauta models`: the networks that find things, and faces to put on others (docs/models.md).

The work is done by a program of the worker's side, `python -m anonymizer.adding`: this one opens no graph.
"""

from __future__ import annotations

import base64
import json as json_format
import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from console import output
from console.commands.options import JsonOption, say
from grpc_api.errors import ServiceError, precondition

app = typer.Typer(no_args_is_help=True, help="List, check, add and remove detectors and faces.")

_PROGRAM = "anonymizer.adding"
_SECONDS = 120.0
_CHANGED = (
    "The worker is another version now: release it (`bauta release make`) and start the service again, "
    "or the vault gives it no key."
)


class Kind(StrEnum):
    """What a detector finds, or a face is for."""

    FACE = "face"
    PERSON = "person"
    TEXT = "text"
    PLATE = "plate"
    SOURCE_FACE = "source-face"
    GENERATOR = "generator"
    FACE_EMBEDDING = "face-embedding"


@app.command("list")
def list_(json: JsonOption = False) -> int:
    """List the installed models with their digests, licences and sources."""
    told = _ask("list")
    output.result(told, "\n".join(_line(model) for model in told["models"]))
    return 0


@app.command("verify")
def verify(json: JsonOption = False) -> int:
    """Check the digest of every model, and run each added one once."""
    told = _ask("verify")
    output.result(told, f"ok: {', '.join(model['name'] for model in told['models'])}")
    return 0


@app.command("add")
def add(
    manifest: Annotated[Path, typer.Argument(help="Its manifest, a TOML file.", exists=True, dir_okay=False)],
    json: JsonOption = False,
) -> int:
    """Add a detector or a face by its manifest, in place of the added one of its kind."""
    told = _ask("add", str(manifest.resolve()))
    say(_CHANGED)
    output.result(told, _line(told["added"]))
    return 0


@app.command("remove")
def remove(
    kind: Annotated[Kind, typer.Argument(help="What it finds or is.")],
    json: JsonOption = False,
) -> int:
    """Remove what was added of a kind."""
    told = _ask("remove", kind.value)
    say(_CHANGED)
    output.result(told, told["removed"])
    return 0


@app.command("embed")
def embed(
    picture: Annotated[
        Path, typer.Argument(help="A JPEG or PNG with one face.", exists=True, dir_okay=False)
    ],
    target: Annotated[
        Path, typer.Option("--output", "-o", help="Where the vector goes: a .f32 for `bauta submit --enrol`.")
    ],
    json: JsonOption = False,
) -> int:
    """Make a vector of a face, to enrol somebody without handing in their picture."""
    told = _ask("embed", str(picture.resolve()))
    vector = base64.b64decode(told["embedding"])
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(vector)
    output.result({"output": str(target), "dimension": len(vector) // 4}, str(target))
    return 0


def _ask(*words: str) -> dict[str, Any]:
    """Runs the program and gives its answer.

    Raises:
        ServiceError: with the program's code, or `models_unanswered`.
    """
    try:
        done = subprocess.run(
            # -I: neither the current folder nor the user's environment can put code into it.
            [sys.executable, "-I", "-m", _PROGRAM, *words],
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
        told = json_format.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        told = None
    if not isinstance(told, dict):
        raise precondition("models_unanswered", "The program that opens models gave no answer.")
    if "error" in told:
        raise _refusal(told)
    return told


def _refusal(told: dict[str, Any]) -> ServiceError:
    return precondition(str(told["error"]), str(told.get("message", "")))


def _line(model: dict[str, Any]) -> str:
    origin = f"{model['licence']}, from {model['source']}"
    return f"{model['name']:<14} {model['kind']:<6} {model['sha256']}  {origin}"
