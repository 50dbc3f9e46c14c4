"""The outcome of a check of a part, or of a copy without its worker's word, as one page for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from console.report import words
from console.report.markup import Content, Markup, bullets, code, element, section, table
from console.report.page import clock, steps_table, whole_page
from console.report.pieces import PiecesVerdict, shown_in_words
from console.report.untouched_section import share_of


def render_pieces(verdict: PiecesVerdict, checked_at: datetime) -> str:
    """Makes the page.

    Args:
        verdict: of the check.
        checked_at: the moment of the check on the checker's own clock, with a time zone.
    """
    title = "Verified" if verdict.failure is None else "Not verified"
    return whole_page(f"{title}: report on a part of an original", _parts(verdict, checked_at))


def _parts(verdict: PiecesVerdict, checked_at: datetime) -> Iterator[Markup]:
    yield element("h1", "Report on a part of an original")
    yield element(
        "p", f"Checked on {clock(checked_at)}, by the clock of the computer that checked.", name="quiet"
    )
    yield _banner(verdict)
    if verdict.failure is None:
        yield _proven(verdict)
        if verdict.report is not None:
            yield share_of(verdict.report, "")
        yield _not_proven(verdict)
    yield steps_table(verdict.steps)


def _banner(verdict: PiecesVerdict) -> Markup:
    if verdict.failure is None:
        return element(
            "div",
            element("strong", "Verified: every check held."),
            element("p", verdict.answer.removeprefix("VERIFIED: ")),
            "Please read what this does not prove.",
            name="verdict holds",
        )
    failure = verdict.failure
    return element(
        "div",
        element("strong", "Not verified: a check did not hold."),
        element("p", f"Why: {failure.message}. ", words.ADVICE[failure.step]),
        element("p", "Step ", code(failure.step), ", code ", code(failure.code), "."),
        element("p", "A failed check does not say who is at fault, or whether anybody is."),
        name="verdict fails",
    )


def _proven(verdict: PiecesVerdict) -> Markup:
    if verdict.origin is None:
        raise AssertionError("what holds has somebody who committed")
    rows: list[tuple[Content, ...]] = [("Commitment to the original", code(verdict.origin.root.hex()))]
    if verdict.package is not None:
        rows.append(("Shown", shown_in_words(verdict.package)))
    if verdict.origin.recorder is not None:
        rows.append(("Signed when it was recorded, by recorder", code(verdict.origin.recorder)))
    if verdict.origin.stated is not None:
        facts = verdict.origin.stated.facts
        rows += [
            ("Handed in as job", code(facts.job_id)),
            ("Which was finished, by the clock of its program", facts.finished_at),
            ("Entry of the log", f"{verdict.origin.stated.log_index:,}"),
        ]
    said = "Samples were compared one by one, and nothing else is in the file."
    return section(
        "What is proven", element("p", said), table("The part and its original", ("What", "Value"), rows)
    )


def _not_proven(verdict: PiecesVerdict) -> Markup:
    items: list[Content] = [
        "What the recording shows: that it is true, complete, or from the place and time that somebody says.",
        "That pictures, sound and file belong together: who committed could have joined what never was one "
        "recording.",
        "How the picture is to be turned, stretched and coloured: the samples are proven, and no more.",
        "Anything of the rest of the original. Whoever holds all of this cannot even confirm a guess of it.",
    ]
    if verdict.sound_after_us is not None:
        items.append(
            f"That the sound begins {verdict.sound_after_us / 1_000_000:.3f} seconds after the pictures: so "
            "it is in this part, and nobody committed to it."
        )
    if verdict.origin is not None and verdict.origin.stated is None:
        items.append("When it was recorded. A recording key signs no time; a log or a time stamp would.")
    return section("What is not proven", bullets(items))
