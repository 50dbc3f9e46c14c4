"""Who was heard: a line of turns for each voice, what can be decided about it, and stretches to be muted.

Nothing can be heard on the page, and nothing that was said is on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from console.report.markup import Markup, element
from console.review import words
from console.review.elements import tag
from console.review.stage import button, end_ms, moment, row
from enclave.review.decisions import MUTING, Mute, OnSpeaker
from enclave.review.sheet import VOICE, Sheet
from enclave.review.speakers import SheetSpeaker

# A line of turns: so many units wide, whatever the page's width.
_WIDE, _HIGH = 10_000, 100
_LEAST_WIDE = 12


def voices(sheet: Sheet) -> Iterator[Markup]:
    """Makes the part about those who were heard; nothing where nobody was."""
    if not sheet.speakers:
        return
    intro = element(
        "p",
        "Each voice with the times at which it speaks. What was found to be one voice can be two, and the "
        "other way round: listen to the result.",
        name="quiet",
    )
    cards = [_card(sheet, speaker) for speaker in sheet.speakers]
    yield tag("section", {}, element("h2", f"Voices ({len(cards)})"), intro, *cards)
    if "mute" in sheet.may:
        yield _muting(sheet)


def for_script(sheet: Sheet) -> list[dict[str, object]]:
    """What is muted already, for the script."""
    return [each.to_object() for each in sheet.decisions if isinstance(each, Mute)]


def decided_about(sheet: Sheet, speaker: int) -> str:
    """The decision that this result was made by, as a chip's value; empty for none."""
    for decision in sheet.decisions:
        if isinstance(decision, OnSpeaker) and decision.speaker == speaker:
            return f"{decision.do}:{decision.name}"
    return ""


def title_of(speaker: SheetSpeaker) -> str:
    """What a voice is called: numbers for people begin with 1."""
    return f"Voice {speaker.speaker + 1}"


def spoken(speaker: SheetSpeaker) -> str:
    """How much it speaks, in words."""
    times = "once" if speaker.count == 1 else f"{speaker.count:,} times"
    unsure = f", {words.clock(speaker.unsure_ms)} of it unsure" if speaker.unsure_ms else ""
    return f"speaks {times}, {words.clock(speaker.spoken_ms)} in all{unsure}"


def _card(sheet: Sheet, speaker: SheetSpeaker) -> Markup:
    title = title_of(speaker)
    turns = ", ".join(f"{words.clock(begin)} to {words.clock(end)}" for begin, end in speaker.turns)
    more = speaker.count - len(speaker.turns)
    return tag(
        "article",
        {"class": "voice kept" if speaker.effect == "keep" else "voice", "aria-label": title},
        element("h3", title, tag("span", {"class": "under"}, words.VOICE_EFFECTS[speaker.effect][1])),
        element("p", spoken(speaker), name="quiet"),
        _line(sheet, speaker, title),
        tag(
            "details",
            {},
            element("summary", "When"),
            element("p", turns + (f" and {more:,} shorter ones" if more > 0 else ""), name="quiet"),
        ),
        _choice(sheet, speaker, title),
    )


def _line(sheet: Sheet, speaker: SheetSpeaker, title: str) -> Markup:
    share = _WIDE / end_ms(sheet)
    turns = [
        tag(
            "rect",
            {
                "x": int(begin * share),
                "y": 0,
                "width": max(_LEAST_WIDE, int((end - begin) * share)),
                "height": _HIGH,
            },
        )
        for begin, end in speaker.turns
    ]
    attributes: dict[str, str | int | bool] = {
        "class": "turns",
        "viewBox": f"0 0 {_WIDE} {_HIGH}",
        "preserveAspectRatio": "none",
        "role": "img",
        "aria-label": f"When {title} speaks, from the beginning to the end",
    }
    return tag("svg", attributes, *turns)


def _choice(sheet: Sheet, speaker: SheetSpeaker, title: str) -> Markup:
    decided = decided_about(sheet, speaker.speaker)
    options = [("", "No decision" if decided else "Leave as it is"), *_options(sheet)]
    if len(options) == 1:
        return element("p", "The policy allows no decision about it.", name="quiet")
    chips = [
        tag(
            "label",
            {"class": "chip danger" if value == "effect:keep" else "chip"},
            tag(
                "input",
                {
                    "type": "radio",
                    "name": f"speaker-{speaker.speaker}",
                    "value": value,
                    "data-speaker": speaker.speaker,
                    "checked": value == decided,
                },
            ),
            tag("span", {}, label),
        )
        for value, label in options
    ]
    return tag("fieldset", {}, tag("legend", {"class": "unseen"}, f"What to do about {title}"), *chips)


def _options(sheet: Sheet) -> Iterator[tuple[str, str]]:
    for effect in sheet.effects.get(VOICE, ()):
        yield f"effect:{effect}", words.VOICE_EFFECTS[effect][0]
    if "role" in sheet.may:
        for role in sheet.roles:
            yield f"role:{role}", words.DECISIONS["role"] + role


def _muting(sheet: Sheet) -> Markup:
    options = [tag("option", {"value": effect}, words.VOICE_EFFECTS[effect][0]) for effect in MUTING]
    return tag(
        "section",
        {"id": "muting"},
        element("h2", words.DECISIONS["mute"]),
        element("p", "For a name, or whatever else must not be understood, whoever says it.", name="quiet"),
        row(
            moment("mute-from", "From", 0),
            moment("mute-to", "to before", end_ms(sheet)),
            tag("label", {}, "instead ", tag("select", {"id": "mute-with"}, *options)),
            button("mute-add", "Add"),
        ),
        tag("ul", {"id": "mute-list", "class": "list"}),
    )
