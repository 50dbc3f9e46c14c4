"""HTML in small pieces. Text becomes markup in one place only, `text`, which escapes it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Markup:
    """Markup that is safe to put in a page: made here, from parts that were escaped here.

    Attributes:
        source: HTML or SVG.
    """

    source: str


# Elements of HTML that have neither content nor end.
VOID: Final = frozenset({"br", "img"})

Content = str | Markup
"""A plain string is text, whatever it looks like, and will be escaped."""


def text(content: Content) -> str:
    """Returns the HTML of a piece of content. Characters that cannot be seen become question marks."""
    if isinstance(content, Markup):
        return content.source
    return html.escape("".join(sign if sign.isprintable() else "?" for sign in content), quote=True)


def element(tag: str, *content: Content, **attributes: str | float) -> Markup:
    """Returns one element. In an attribute's name an underscore is a hyphen, and at its end nothing."""
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(_value(value))}"' for name, value in attributes.items()
    )
    inner = "".join(map(text, content))
    return Markup(f"<{tag}{written}>" if tag in VOID else f"<{tag}{written}>{inner}</{tag}>")


def _value(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def bullets(items: Iterable[Content]) -> Markup:
    """Returns a list."""
    return element("ul", *(element("li", item) for item in items))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """Returns a table with a caption and column heads; the first cell of a row names the row."""
    columns = (element("th", title, scope="col") for title in head)
    body = (
        element("tr", element("th", first, scope="row"), *(element("td", cell) for cell in rest))
        for first, *rest in rows
    )
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *columns)),
        element("tbody", *body),
    )


def section(title: str, *content: Content) -> Markup:
    """Returns a heading and what stands under it."""
    return element("section", element("h2", title), *content)


def figure(caption: str, drawing: Markup) -> Markup:
    """Returns a drawing with the words that belong to it."""
    return element("figure", drawing, element("figcaption", caption))
