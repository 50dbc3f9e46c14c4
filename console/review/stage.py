"""The parts of the page that are about times and places: stretches of whole pictures, and drawn boxes."""

from __future__ import annotations

from collections.abc import Iterator

from console.report.markup import Content, Markup, element
from console.review import words
from console.review.elements import jpeg, tag
from enclave.review.decisions import WHOLE
from enclave.review.sheet import Sheet

_EDGES = (("left", "Left", 35), ("top", "Top", 35), ("right", "Right", 65), ("bottom", "Bottom", 65))


def end_ms(sheet: Sheet) -> int:
    """A time after the last picture: a decision up to it holds to the end, and a still has one moment."""
    return sheet.duration_ms + 1


def stretches(sheet: Sheet) -> Markup:
    """The part in which whole pictures are covered for a while."""
    return tag(
        "section",
        {"id": "stretches"},
        element("h2", "Cover the whole picture for a while"),
        element("p", "Where too much can be seen to cover one by one. Sound is not touched.", name="quiet"),
        row(
            moment("stretch-from", "From", 0),
            moment("stretch-to", "to before", end_ms(sheet)),
            button("stretch-add", "Add"),
        ),
        tag("ul", {"id": "stretch-list", "class": "list"}),
    )


def drawing(sheet: Sheet) -> Markup:
    """The part in which boxes are drawn on covered pictures."""
    intro = element("h2", "Cover what nobody found")
    if not sheet.views:
        return tag("section", {}, intro, element("p", "The package has no picture to draw on.", name="quiet"))
    return tag(
        "section",
        {"id": "drawing"},
        intro,
        element(
            "p",
            "Go to a moment, draw a box with the mouse (or set its edges, or move it with the arrow keys), "
            "and add it. A box that is placed at several moments moves evenly from one to the next.",
            name="quiet",
        ),
        tag("div", {"class": "stage"}, *_views(sheet), _canvas()),
        row(
            button("view-back", "◀ Earlier"),
            _moments(sheet),
            button("view-on", "Later ▶"),
            tag("output", {"id": "view-time"}, words.clock(sheet.views[0].at_ms)),
        ),
        row(*(_edge(edge, label, value) for edge, label, value in _EDGES)),
        row(
            tag("label", {}, "Add to ", tag("select", {"id": "draw-into"}, _new_box())),
            moment("draw-from", "from", 0),
            moment("draw-to", "to before", end_ms(sheet)),
            button("draw-add", "Add"),
        ),
        tag("ul", {"id": "draw-list", "class": "list"}),
    )


def _views(sheet: Sheet) -> Iterator[Markup]:
    for place, view in enumerate(sheet.views):
        yield tag(
            "img",
            {
                "src": jpeg(view.jpeg),
                "alt": f"The covered picture at {words.clock(view.at_ms)}",
                "data-view": view.at_ms,
                "hidden": place > 0,
                "decoding": "async",
            },
        )


def _canvas() -> Markup:
    return tag(
        "svg",
        {
            "id": "canvas",
            "viewBox": f"0 0 {WHOLE} {WHOLE}",
            "preserveAspectRatio": "none",
            "tabindex": 0,
            "role": "application",
            "aria-label": "Box to draw. Arrow keys move it, with Shift they change its size, Enter adds it.",
        },
    )


def _new_box() -> Markup:
    return tag("option", {"value": ""}, "a new box")


def _moments(sheet: Sheet) -> Markup:
    last = len(sheet.views) - 1
    slider = _input("range", "view-at", 0, {"max": last, "step": 1, "disabled": last == 0})
    return tag("label", {"class": "slider"}, tag("span", {"class": "unseen"}, "Moment"), slider)


def row(*content: Content) -> Markup:
    """Fields side by side."""
    return tag("div", {"class": "row"}, *content)


def button(name: str, label: str) -> Markup:
    """A button that the script knows by its name."""
    return tag("button", {"type": "button", "id": name}, label)


def moment(name: str, label: str, milliseconds: int) -> Markup:
    """A field for a time, in seconds."""
    seconds = f"{milliseconds / 1000:.3f}"
    return tag("label", {}, f"{label} ", _input("number", name, seconds, {"step": "any"}), " s")


def _edge(name: str, label: str, percent: int) -> Markup:
    edge = _input("number", f"edge-{name}", percent, {"max": 100, "step": "any"})
    return tag("label", {}, f"{label} ", edge, " %")


def _input(kind: str, name: str, value: str | int, more: dict[str, str | int | bool]) -> Markup:
    return tag("input", {"type": kind, "id": name, "min": 0, "value": value, **more})
