"""Markup with attributes; all of it escaped here."""

from __future__ import annotations

import base64
import html
import json
from typing import Any

from console.report.markup import Content, Markup, text

_VOID = {"img", "input"}


def tag(name: str, attributes: dict[str, str | int | bool], *content: Content) -> Markup:
    """One element.

    Args:
        name: of the element, a word of ours.
        attributes: by name; True stands for the name alone, False for nothing.
        content: text, which is escaped, and markup, which was.
    """
    written = "".join(
        f" {key}" if value is True else f' {key}="{html.escape(str(value), quote=True)}"'
        for key, value in attributes.items()
        if value is not False
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{''.join(map(text, content))}</{name}>")


def jpeg(picture: bytes) -> str:
    """A picture as an address that loads nothing."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode("ascii")


def island(name: str, value: Any) -> Markup:
    """Data for the script. Nothing in it can end the element: every `<` is written as an escape."""
    written = json.dumps(value, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
    return Markup(f'<script type="application/json" id="{html.escape(name, quote=True)}">{written}</script>')
