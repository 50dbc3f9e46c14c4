"""Voices on the review page: when each speaks, what can be decided about it, and stretches that are muted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from console.review.page import render
from console.review.voices import spoken
from enclave.review.decisions import Decision, Mute, OnSpeaker, OnTrack
from enclave.review.speakers import SheetSpeaker
from tests.unit.console.test_console_review_page import Page, chip, used
from tests.unit.enclave.review_makers import a_sheet

LOUD = SheetSpeaker(0, "keep", 4000, 250, 2, ((0, 1000), (5000, 8000)))


def voice(speaker: int, value: str) -> str:
    """The selector of one choice about one voice."""
    return f'input[data-speaker="{speaker}"][value="{value}"]'


def test_a_voice_has_a_line_of_its_turns() -> None:
    page = Page(render(a_sheet(tracks=(), views=(), speakers=(LOUD,), duration_ms=9999)))
    drawn = [rect for rect in page.all("rect") if rect.get("height") == "100"]
    assert [(rect["x"], rect["width"]) for rect in drawn] == [("0", "1000"), ("5000", "3000")]
    assert "0:00.0 to 0:01.0, 0:05.0 to 0:08.0" in page.texts["p"]
    assert spoken(LOUD) == "speaks 2 times, 0:04.0 in all, 0:00.2 of it unsure"
    assert [article["class"] for article in page.all("article")] == ["voice kept"]


def test_turns_that_the_sheet_has_no_place_for_are_counted() -> None:
    page = Page(render(a_sheet(speakers=(replace(LOUD, count=7),))))
    assert "0:00.0 to 0:01.0, 0:05.0 to 0:08.0 and 5 shorter ones" in page.texts["p"]


def test_only_what_the_policy_allows_can_be_chosen_for_a_voice() -> None:
    sheet = a_sheet(may=("mute",), effects={"voice": ("bleep", "remove")}, roles=())
    page = Page(render(sheet))
    radios = {radio["value"] for radio in page.all("input") if radio.get("name") == "speaker-1"}
    assert radios == {"", "effect:bleep", "effect:remove"}
    assert 'id="mute-add"' not in render(a_sheet(may=("draw",)))


def test_where_nobody_was_heard_the_page_does_not_speak_of_voices() -> None:
    silent = render(a_sheet(speakers=()))
    assert "<h2>Voices" not in silent
    assert 'id="muting"' not in silent


def test_a_recording_without_a_picture_has_no_parts_about_pictures() -> None:
    sheet = a_sheet(media_type="audio/mp4", width=0, height=0, frames=0, tracks=(), views=(), unlisted={})
    page = render(sheet)
    assert "audio/mp4, sound alone, 0:10.0; policy trial" in page
    assert "Voices (2)" in page
    for part in ("Nothing was found", "Cover what nobody found", "Cover the whole picture"):
        assert part not in page


def test_each_choice_about_a_voice_is_the_decision_that_it_says() -> None:
    told = used(
        a_sheet(effects={"voice": ("keep", "anonymize", "bleep", "remove")}),
        ["check", chip(1, "keep")],
        ["check", voice(0, "role:teacher")],
        ["check", voice(1, "effect:keep")],
        ["set", "#mute-from", "1"],
        ["set", "#mute-to", "2,5"],
        ["set", "#mute-with", "remove"],
        ["click", "#mute-add"],
    )
    assert told.decisions.decisions == (
        OnTrack("keep", 1),
        OnSpeaker("role", 0, "teacher"),
        OnSpeaker("effect", 1, "keep"),
        Mute(1000, 2500, "remove"),
    )
    assert told.said == (
        "4 decisions, 1 of them to keep somebody or something visible, 1 of them to let a voice be heard."
    )


@pytest.mark.parametrize(
    "decision", [OnSpeaker("role", 0, "teacher"), OnSpeaker("effect", 1, "remove"), Mute(5, 80, "bleep")]
)
def test_what_was_decided_before_is_chosen_again(decision: Decision) -> None:
    assert used(a_sheet(decisions=(decision,))).decisions.decisions == (decision,)


def test_a_muted_stretch_needs_both_of_its_times() -> None:
    told = used(a_sheet(), ["set", "#mute-from", "3"], ["set", "#mute-to", "3"], ["click", "#mute-add"])
    assert told.bad
    assert told.decisions.decisions == ()
