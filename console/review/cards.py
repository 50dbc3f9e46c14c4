"""One thing that was followed: its strip of covered pictures, and what can be decided about it."""

from __future__ import annotations

from collections.abc import Iterator

from console.report.markup import Markup, element
from console.review import words
from console.review.elements import jpeg, tag
from enclave.review.decisions import WHOLE, OnTrack
from enclave.review.sheet import Sheet, SheetTrack, Thumbnail


def card(sheet: Sheet, track: SheetTrack, number: int) -> Markup:
    """Makes the card of one thing.

    Args:
        sheet: which it is on.
        track: the thing.
        number: among those of its kind, from 1, for people; the script knows it by its track.
    """
    title = f"{words.KINDS[track.kind][0]} {number}"
    return tag(
        "article",
        {"class": "kept" if track.effect == "keep" else "", "aria-label": title},
        element("h3", title, tag("span", {"class": "under"}, _under(track))),
        element("p", _seen(track), name="quiet"),
        tag("div", {"class": "strip"}, *(_thumbnail(title, each) for each in track.strip)),
        _choice(sheet, track, title),
    )


def _under(track: SheetTrack) -> str:
    return "visible" if track.effect == "keep" else f"under {words.EFFECTS[track.effect]}"


def _seen(track: SheetTrack) -> str:
    frames = "1 frame" if track.frames == 1 else f"{track.frames:,} frames"
    return (
        f"{words.clock(track.first_ms)} to {words.clock(track.last_ms)}, {frames}, "
        f"up to {track.width} × {track.height} pixels"
    )


def _thumbnail(title: str, thumbnail: Thumbnail) -> Markup:
    left, top, right, bottom = thumbnail.box
    frame = tag(
        "svg",
        {"viewBox": f"0 0 {WHOLE} {WHOLE}", "preserveAspectRatio": "none", "aria-hidden": "true"},
        tag("rect", {"x": left, "y": top, "width": right - left, "height": bottom - top}),
    )
    at = words.clock(thumbnail.at_ms)
    picture = tag(
        "img", {"src": jpeg(thumbnail.jpeg), "alt": f"{title} at {at}, covered", "decoding": "async"}
    )
    return tag("figure", {}, tag("div", {"class": "shot"}, picture, frame), element("figcaption", at))


def _choice(sheet: Sheet, track: SheetTrack, title: str) -> Markup:
    decided = decided_about(sheet, track)
    options = list(_options(sheet, track, decided))
    if len(options) == 1:
        return element("p", "The policy allows no decision about it.", name="quiet")
    chips = [
        tag(
            "label",
            {"class": "chip danger" if value == "keep" else "chip"},
            tag(
                "input",
                {
                    "type": "radio",
                    "name": f"track-{track.track}",
                    "value": value,
                    "data-track": track.track,
                    "checked": value == decided,
                },
            ),
            tag("span", {}, label),
        )
        for value, label in options
    ]
    legend = tag("legend", {"class": "unseen"}, f"What to do about {title}")
    return tag("fieldset", {}, legend, *chips, *(_how_long(sheet, track) if "keep" in sheet.may else ()))


def _how_long(sheet: Sheet, track: SheetTrack) -> Iterator[Markup]:
    """For how long a thing is kept visible; shown once that is chosen."""
    decision = _decision(sheet, track)
    span = None if decision is None else decision.span
    first, last = ("", "") if span is None else (f"{at / 1000:.3f}" for at in span)
    hint = "Left empty: until it could be taken for another one that it meets."
    yield tag(
        "div",
        {"class": "row how-long"},
        _moment(track, "from", "Visible from", first),
        _moment(track, "to", "to before", last),
        tag("span", {"class": "quiet"}, hint),
    )


def _moment(track: SheetTrack, end: str, label: str, seconds: str) -> Markup:
    field: dict[str, str | int | bool] = {"type": "number", "min": 0, "step": "any", "value": seconds}
    return tag("label", {}, f"{label} ", tag("input", {**field, f"data-{end}": track.track}), " s")


def decided_about(sheet: Sheet, track: SheetTrack) -> str:
    """The decision that this result was made by, as a chip's value; empty for none."""
    decision = _decision(sheet, track)
    if decision is None:
        return ""
    return f"{decision.do}:{decision.name}" if decision.name else decision.do


def _decision(sheet: Sheet, track: SheetTrack) -> OnTrack | None:
    for decision in sheet.decisions:
        if isinstance(decision, OnTrack) and decision.track == track.track:
            return decision
    return None


def _options(sheet: Sheet, track: SheetTrack, decided: str) -> Iterator[tuple[str, str]]:
    yield "", "No decision" if decided else "Leave as it is"
    may = set(sheet.may)
    # Where nothing can have uncovered it, to cover it by the rule would change nothing.
    if "cover" in may and (track.effect == "keep" or sheet.roles or decided == "cover"):
        yield "cover", words.DECISIONS["cover"]
    if "stronger" in may:
        yield "stronger", words.DECISIONS["stronger"]
    if "effect" in may:
        for effect in sheet.effects.get(track.kind, ()):
            yield f"effect:{effect}", words.DECISIONS["effect"] + words.EFFECTS[effect]
    if "role" in may:
        for role in sheet.roles:
            yield f"role:{role}", words.DECISIONS["role"] + role
    if "keep" in may:
        yield "keep", words.DECISIONS["keep"]
