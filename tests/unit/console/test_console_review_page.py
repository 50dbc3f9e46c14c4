"""The review page: it shows what a sheet holds, runs its one script, and what that saves is decisions."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from console.review import words
from console.review.page import render
from console.review.style import STYLE
from console.review.words import clock
from enclave.review.decisions import (
    VOICE_EFFECTS,
    WORDS,
    Decisions,
    Draw,
    Key,
    OnTrack,
    WholeFrame,
    parse_decisions,
)
from enclave.review.sheet import KINDS, Sheet
from provenance.statements import vocabulary
from tests.unit.enclave.review_makers import RECORD_SHA256, a_sheet, a_track

PROGRAM = Path(__file__).with_name("page_in_node.mjs")


class Page(HTMLParser):
    """Reads a page: its elements, and whether each is closed in its order."""

    _EMPTY = ("meta", "img", "input")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in self._EMPTY:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]


@dataclass(frozen=True)
class Told:
    """What a page said after a person's actions."""

    json: str
    said: str
    bad: bool
    saved: list[dict[str, str]]
    stretches: list[str]
    boxes: list[str]
    shapes: list[str]

    @property
    def decisions(self) -> Decisions:
        """What the page's text stands for."""
        return parse_decisions(self.json.encode())


def used(sheet: Sheet, *actions: Any) -> Told:
    """What a page says once a person has done these things; skipped, and told so, without Node."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("the page's script runs under Node, which is not here")
    done = subprocess.run(
        [node, str(PROGRAM)],
        input=json.dumps({"page": render(sheet), "actions": actions}),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Told(**json.loads(done.stdout))


def chip(track: int, value: str) -> str:
    """The selector of one choice about one track."""
    return f'input[data-track="{track}"][value="{value}"]'


def test_the_words_are_complete() -> None:
    assert set(words.KINDS) == set(KINDS)
    assert set(words.DECISIONS) == set(WORDS)
    assert set(words.EFFECTS) == set(vocabulary.EFFECTS)
    assert set(words.VOICE_EFFECTS) == set(VOICE_EFFECTS)


def test_times_read_as_on_a_player() -> None:
    assert [clock(at) for at in (0, 99, 2500, 62_500, 3_600_000)] == [
        "0:00.0",
        "0:00.0",
        "0:02.5",
        "1:02.5",
        "1:00:00.0",
    ]


def test_the_page_may_run_its_one_script_and_nothing_else() -> None:
    source = render(a_sheet())
    page = Page(source)
    policy = next(meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    allowed = policy["content"] or ""
    assert allowed.startswith("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; ")
    for tag, rule in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", source, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in allowed
    assert "unsafe" not in allowed
    assert source.index("Content-Security-Policy") < source.index("<style>")


def test_the_page_loads_nothing_and_carries_no_handler() -> None:
    page = Page(render(a_sheet()))
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "a", "video", "audio"}
        assert not [
            name for name in attributes if name.startswith("on") or name in {"style", "href", "srcset"}
        ]
    sources = [attributes["src"] or "" for _, attributes in page.elements if "src" in attributes]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,/9j/") for source in sources)
    assert "http://www.w3.org/2000/svg" in render(a_sheet())  # A name, not an address: nothing is fetched.
    assert len(re.findall(r"https?://", render(a_sheet()))) == 1


def test_every_picture_of_the_sheet_is_on_the_page() -> None:
    sheet = a_sheet()
    page = Page(render(sheet))
    shown = [base64.b64decode((image["src"] or "").partition(",")[2]) for image in page.all("img")]
    expected = [each.jpeg for track in sheet.tracks for each in track.strip]
    assert shown == expected + [view.jpeg for view in sheet.views]
    assert all(image["alt"] for image in page.all("img"))


def test_what_is_kept_visible_stands_out() -> None:
    page = Page(render(a_sheet(tracks=(a_track(1), a_track(2, effect="keep")), speakers=())))
    assert [article["class"] for article in page.all("article")] == ["", "kept"]


def test_a_sheet_of_nothing_says_so() -> None:
    source = render(
        a_sheet(tracks=(), unlisted={}, views=(), frames=1, duration_ms=0, media_type="image/png")
    )
    assert "Nothing was found" in source
    assert "no picture to draw on" in source


def test_what_is_not_on_the_sheet_is_told() -> None:
    assert "Text: 12 more" in Page(render(a_sheet())).texts["li"]


def test_data_for_the_script_cannot_end_its_element() -> None:
    from console.review.elements import island

    assert island("x", {"a": "</script><script>alert(1)</script>"}).source.count("</script>") == 1


def test_only_what_the_policy_allows_can_be_chosen() -> None:
    page = Page(render(a_sheet(may=("draw", "stronger", "whole_frame"), effects={}, roles=())))
    assert {radio["value"] for radio in page.all("input") if radio.get("type") == "radio"} == {"", "stronger"}
    bare = render(a_sheet(may=(), effects={}, roles=()))
    assert "The policy allows no decision about it." in bare
    assert 'id="canvas"' not in bare
    assert 'id="stretch-add"' not in bare


def test_every_control_has_a_name_for_those_who_do_not_see_it() -> None:
    source = render(a_sheet())
    page = Page(source)
    assert page.all("fieldset")
    assert len(page.all("fieldset")) == len(page.all("legend"))
    labelled = re.findall(r"<label[^>]*>(?:(?!</label>).)*<(?:input|select)", source, re.DOTALL)
    assert len(labelled) == len(page.all("input")) + len(page.all("select"))
    assert all(area["aria-label"] for area in page.all("textarea"))


def test_every_colour_of_text_stands_out_from_its_ground() -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1, on the page and on its cards; white on what is chosen."""
    named = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", STYLE))
    assert {"quiet", "ink", "red", "blue"} <= named.keys()
    for ground in ("#ffffff", re.findall(r"body {[^}]*background: (#[0-9a-f]{6})", STYLE)[0]):
        for name in ("quiet", "ink", "red", "blue"):
            assert contrast(named[name], ground) >= 4.5, (name, ground)


def contrast(one: str, other: str) -> float:
    """Of two colours, "#rrggbb"."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_nothing_is_decided_until_somebody_decides() -> None:
    told = used(a_sheet())
    assert told.decisions == Decisions(RECORD_SHA256, ())
    assert told.said == "Nothing is decided."


def test_each_choice_is_the_decision_that_it_says() -> None:
    told = used(
        a_sheet(tracks=tuple(a_track(number) for number in range(1, 7))),
        ["check", chip(1, "cover")],
        ["check", chip(2, "keep")],
        ["check", chip(3, "stronger")],
        ["check", chip(4, "role:teacher")],
        ["check", chip(5, "effect:mosaic")],
        ["check", chip(6, "keep")],
        ["set", 'input[data-from="6"]', "1,5"],
        ["set", 'input[data-to="6"]', "4"],
    )
    assert told.decisions.decisions == (
        OnTrack("cover", 1),
        OnTrack("keep", 2),
        OnTrack("stronger", 3),
        OnTrack("role", 4, "teacher"),
        OnTrack("effect", 5, "mosaic"),
        OnTrack("keep", 6, span=(1500, 4000)),
    )
    assert told.said == "6 decisions, 2 of them to keep somebody or something visible."


def test_a_choice_can_be_taken_back() -> None:
    told = used(a_sheet(), ["check", chip(2, "keep")], ["check", chip(2, "")])
    assert told.decisions.decisions == ()


def test_whole_pictures_are_covered_for_a_while() -> None:
    told = used(
        a_sheet(),
        ["set", "#stretch-from", "2"],
        ["set", "#stretch-to", "3"],
        ["click", "#stretch-add"],
        ["set", "#stretch-from", "9.9996"],
        ["set", "#stretch-to", "10.001"],
        ["click", "#stretch-add"],
    )
    assert told.decisions.decisions == (WholeFrame(2000, 3000), WholeFrame(10_000, 10_001))
    assert told.stretches == ["2.000 s to before 3.000 s", "10.000 s to before 10.001 s"]


NO_STRETCH = {"turned round": ("3", "2"), "empty": ("", "2"), "no time": ("x", "2"), "of nothing": ("2", "2")}


@pytest.mark.parametrize("ends", NO_STRETCH.values(), ids=NO_STRETCH.keys())
def test_times_that_do_not_fit_are_no_decision(ends: tuple[str, str]) -> None:
    told = used(
        a_sheet(),
        ["set", "#stretch-from", ends[0]],
        ["set", "#stretch-to", ends[1]],
        ["click", "#stretch-add"],
    )
    assert told.bad
    assert told.decisions.decisions == ()


def test_a_span_that_is_half_filled_in_is_not_saved_as_none() -> None:
    told = used(
        a_sheet(), ["check", chip(2, "keep")], ["set", 'input[data-from="2"]', "1"], ["click", "#save"]
    )
    assert told.bad
    assert told.saved == []


def test_a_box_is_drawn_with_the_mouse() -> None:
    told = used(
        a_sheet(),
        ["set", "#view-at", "1"],
        ["drag", "#canvas", [0.5, 0.75], [0.25, 0.25]],
        ["set", "#draw-from", "2"],
        ["set", "#draw-to", "4"],
        ["click", "#draw-add"],
    )
    assert told.decisions.decisions == (Draw(2000, 4000, (Key(2500, (2500, 2500, 5000, 7500)),)),)
    assert told.boxes == ["Box 1: 2.000 s to before 4.000 s"]
    assert told.shapes == ["drawn", "working"]


def test_a_box_is_drawn_with_the_keyboard_alone() -> None:
    told = used(
        a_sheet(),
        *[["set", f"#edge-{edge}", value] for edge, value in (("left", "10"), ("right", "20"))],
        ["press", "#canvas", "ArrowRight"],
        ["press", "#canvas", "ArrowDown", True],
        ["press", "#canvas", "Enter"],
    )
    (box,) = told.decisions.decisions
    assert box == Draw(0, 10_001, (Key(0, (1100, 3500, 2100, 6600)),))


def test_a_box_moves_from_place_to_place() -> None:
    told = used(
        a_sheet(),
        ["drag", "#canvas", [0, 0], [0.1, 0.1]],
        ["click", "#draw-add"],
        ["set", "#draw-into", "0"],
        ["click", "#view-on"],
        ["click", "#view-on"],
        ["drag", "#canvas", [0.4, 0.4], [0.6, 0.6]],
        ["click", "#draw-add"],
        ["click", "#view-back"],
    )
    keys = (Key(0, (0, 0, 1000, 1000)), Key(5000, (4000, 4000, 6000, 6000)))
    assert told.decisions.decisions == (Draw(0, 10_001, keys),)
    assert told.boxes == ["Box 1: 0.000 s to before 10.001 s, 2 places"]


def test_a_box_without_an_inside_is_no_decision() -> None:
    told = used(a_sheet(), ["set", "#edge-left", "20"], ["set", "#edge-right", "20"], ["click", "#draw-add"])
    assert told.bad
    assert told.decisions.decisions == ()


def test_what_was_listed_can_be_removed() -> None:
    told = used(
        a_sheet(),
        ["click", "#stretch-add"],
        ["click", "#draw-add"],
        ["click", "#stretch-list button"],
        ["click", "#draw-list button"],
    )
    assert told.decisions.decisions == ()


def test_a_second_review_starts_from_what_was_decided() -> None:
    earlier = (
        OnTrack("keep", 2, span=(0, 4000)),
        OnTrack("role", 4, "teacher"),
        WholeFrame(2000, 3000),
        Draw(0, 1500, (Key(0, (0, 0, 100, 100)),)),
    )
    assert used(a_sheet(decisions=earlier)).decisions.decisions == earlier
    taken_back = used(
        a_sheet(decisions=earlier),
        ["check", chip(2, "")],
        ["check", chip(4, "")],
        ["click", "#stretch-list button"],
        ["click", "#draw-list button"],
    )
    assert taken_back.decisions.decisions == ()


def test_saving_makes_a_file_that_says_the_same() -> None:
    told = used(a_sheet(), ["check", chip(2, "keep")], ["click", "#save"])
    (file,) = told.saved
    assert file["name"] == "decisions.json"
    assert parse_decisions(file["text"].encode()).decisions == (OnTrack("keep", 2),)


def test_a_still_is_decided_upon_too() -> None:
    still = a_sheet(frames=1, duration_ms=0, media_type="image/png", views=a_sheet().views[:1])
    told = used(still, ["click", "#stretch-add"], ["click", "#draw-add"])
    whole, drawn = told.decisions.decisions
    assert whole == WholeFrame(0, 1)
    assert isinstance(drawn, Draw)
    assert (drawn.from_ms, drawn.to_ms, drawn.keys[0].at_ms) == (0, 1, 0)
