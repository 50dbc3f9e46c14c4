"""HTML in small pieces. Text becomes markup in one place only, `text`, which escapes it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Markup:
    """Markup that is safe to put in a page: made here, from parts that were escaped here.

    Attributes:
        source: HTML.
    """

    source: str


Content = str | Markup
"""A plain string is text, whatever it looks like, and will be escaped."""


def text(content: Content) -> str:
    """The HTML of a piece of content. Characters that cannot be seen become question marks."""
    if isinstance(content, Markup):
        return content.source
    return html.escape("".join(sign if sign.isprintable() else "?" for sign in content), quote=True)


def element(tag: str, *content: Content, name: str = "") -> Markup:
    """One element; `name` is its class, a word of ours."""
    attribute = f' class="{html.escape(name, quote=True)}"' if name else ""
    return Markup(f"<{tag}{attribute}>{''.join(map(text, content))}</{tag}>")


def code(content: str) -> Markup:
    """A digest, a fingerprint or a code."""
    return element("code", content)


def bullets(items: Iterable[Content]) -> Markup:
    """A list."""
    return element("ul", *(element("li", item) for item in items))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """A table with a caption and column heads; the first cell of a row names the row."""
    columns = "".join(f'<th scope="col">{text(title)}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{text(first)}</th>{"".join(f"<td>{text(cell)}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return Markup(
        f"<table><caption>{text(caption)}</caption><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>"
    )


def section(title: str, *content: Content) -> Markup:
    """A heading and what stands under it."""
    return Markup(f"<section><h2>{text(title)}</h2>\n{''.join(map(text, content))}</section>\n")
