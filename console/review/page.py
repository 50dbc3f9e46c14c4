"""The review sheet as one page that a person can look at, decide on and keep. One file; nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from console.report.markup import Markup, bullets, code, element, text
from console.review import stage, voices, words
from console.review.cards import card
from console.review.elements import island, tag
from console.review.script import CONTENT_POLICY, SCRIPT
from console.review.style import STYLE
from enclave.review.decisions import Draw, WholeFrame
from enclave.review.sheet import KINDS, Sheet

_TITLE = "Review of an anonymized file"


def render(sheet: Sheet) -> str:
    """Makes the page of a sheet."""
    body = "".join(part.source for part in _parts(sheet))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(_TITLE)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n{_bar().source}\n{island('sheet', _for_script(sheet)).source}\n"
        f"<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _for_script(sheet: Sheet) -> dict[str, Any]:
    earlier = {
        "stretches": [each.to_object() for each in sheet.decisions if isinstance(each, WholeFrame)],
        "drawings": [each.to_object() for each in sheet.decisions if isinstance(each, Draw)],
        "muted": voices.for_script(sheet),
    }
    return {"record_sha256": sheet.record_sha256, **earlier}


def _parts(sheet: Sheet) -> Iterator[Markup]:
    yield element("h1", _TITLE)
    yield element("p", _summary(sheet), name="quiet")
    yield tag(
        "div",
        {"class": "note"},
        element(
            "p",
            "Every picture on this page is of the result, with all of its covers. Whoever can still be "
            "recognized here can be recognized there.",
        ),
        element("p", "This page sends nothing anywhere. Keep it as you keep the result itself."),
    )
    yield from voices.voices(sheet)
    # What follows is about a picture.
    if sheet.frames:
        yield from _tracks(sheet)
    if sheet.frames and "whole_frame" in sheet.may:
        yield stage.stretches(sheet)
    if sheet.frames and "draw" in sheet.may:
        yield stage.drawing(sheet)
    yield _afterwards(sheet)


def _summary(sheet: Sheet) -> str:
    if not sheet.frames:
        size, length = "sound alone", f", {words.clock(sheet.duration_ms)}"
    else:
        size = f"{sheet.width} × {sheet.height}"
        length = "" if sheet.frames == 1 else f", {words.clock(sheet.duration_ms)}, {sheet.frames:,} frames"
    return f"{sheet.media_type}, {size}{length}; policy {sheet.policy}, mode {sheet.mode}."


def _tracks(sheet: Sheet) -> Iterator[Markup]:
    if not sheet.tracks:
        yield element("h2", "Nothing was found")
        yield element("p", "No detector saw anything to cover. Look at the result yourself.")
    for kind in KINDS:
        tracks = [track for track in sheet.tracks if track.kind == kind]
        if not tracks:
            continue
        several = words.KINDS[kind][1]
        cards = [card(sheet, track, number) for number, track in enumerate(tracks, start=1)]
        yield tag("section", {}, element("h2", f"{several} ({len(tracks)})"), *cards)
    if sheet.unlisted:
        more = [f"{words.KINDS[kind][1]}: {count:,} more" for kind, count in sheet.unlisted.items()]
        yield element("h2", "Not on this sheet")
        yield element("p", "A sheet holds only so much. What follows was covered, and is not shown here:")
        yield bullets(more)


def _afterwards(sheet: Sheet) -> Markup:
    return tag(
        "section",
        {},
        element("h2", "Then"),
        element(
            "p",
            "Save the decisions, and have them carried out on the original, which the service has not kept:",
        ),
        element("p", code("bauta review OUT.review --decide decisions.json --original ORIGINAL -o NEW")),
        element(
            "p",
            "The decisions are signed with the key that was made for this review. That somebody was kept "
            "visible by a person's decision stands in the new proof.",
            name="quiet",
        ),
        tag(
            "details",
            {},
            element("summary", "The decisions as text"),
            tag("textarea", {"id": "json", "readonly": True, "aria-label": "The decisions as JSON"}),
        ),
        element("p", "Job ", code(sheet.job), ", record ", code(sheet.record_sha256), name="quiet"),
    )


def _bar() -> Markup:
    return tag(
        "div",
        {"class": "bar"},
        tag(
            "div",
            {},
            tag("output", {"id": "said", "aria-live": "polite"}, "Decisions need this page's script."),
            tag("button", {"type": "button", "id": "save"}, "Save decisions"),
        ),
    )
