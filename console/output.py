"""Results on stdout, as text or as one JSON object; progress and complaints on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import typer
from rich.console import Console

stderr = Console(stderr=True, highlight=False)


@dataclass
class Mode:
    """How this command speaks; set once from `--json`."""

    as_json: bool = False


MODE = Mode()


def _switch(value: bool) -> bool:
    MODE.as_json = MODE.as_json or value
    return value


def json_option() -> Any:
    """The `--json` option that every command has."""
    return typer.Option("--json", help="Print one JSON object on stdout.", callback=_switch)


def result(document: Mapping[str, Any], text: str) -> None:
    """Prints what a command found: the document with `--json`, the text without."""
    if MODE.as_json:
        sys.stdout.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    elif text:
        sys.stdout.write(text + "\n")


def error(code: str, message: str) -> None:
    """Prints why a command did not do what it was asked."""
    if MODE.as_json:
        sys.stdout.write(json.dumps({"error": {"code": code, "message": message}}, indent=2) + "\n")
    else:
        stderr.print(f"[bold red]error[/] [bold]{code}[/]: ", end="")
        stderr.print(message, markup=False)
