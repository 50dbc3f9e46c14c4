"""The leak report of a job: what attackers found in the finished file before it left, for any reader.

A figure that nobody could take is told as one that nobody took. It is never told as nothing found.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from console.report import words
from console.report.markup import Content, Markup, bullets, code, element, section, table
from provenance.statements import JobFacts
from provenance.statements.leaks import NO_LOOK

# What was found, in how many, and what those are.
_FOUND: Final = (
    ("faces_open", "frames_attacked", "pictures looked at"),
    ("faces_under", "faces_attacked", "covers looked at"),
    ("identities_matched", "identities_compared", "covers compared"),
    ("texts_open", "frames_attacked", "pictures looked at"),
    ("voice_matched", "voice_windows", "stretches listened to"),
)
_NOT_TRIED: Final[dict[str, str]] = {
    "faces_open": "Nobody tried: there was no attacker for faces.",
    "faces_under": "Nobody tried: there was no attacker for faces.",
    "identities_matched": "Nobody tried: there was no program that tells faces apart.",
    "texts_open": "Nobody tried: the rules let text stay, or there was no program that reads.",
    "voice_matched": "Nobody tried: no voice was made anew, or there was no attacker for voices.",
}
# Of sound alone there is nothing to tell about pictures.
_OF_SOUND: Final = ("voice_matched",)
_BRIEFLY: Final[dict[str, str]] = {
    "faces_open": "a face open in {found}",
    "faces_under": "a face found again under {found} of {whole} covers",
    "identities_matched": "somebody known again under {found} of {whole}",
    "texts_open": "text readable in {found}",
    "voice_matched": "a voice known again in {found} of {whole} stretches",
}
_LIMITS: Final = (
    "A figure of 0 says that these attackers found nothing where they looked. Others may.",
    "Nobody attacked how somebody walks, is built or dresses, what they say, or the place around them.",
    "Nobody attacked with the secret from which made faces and voices come, and none of the attackers had "
    "learned from other results of this service.",
)


def attacked_in_a_line(facts: JobFacts) -> str:
    """Says what attackers found, as one line for a terminal."""
    if facts.leaks_look == NO_LOOK:
        return "Not attacked: the worker made no leak report."
    found = [
        _BRIEFLY[what].format(found=f"{facts.leaks[what]:,}", whole=f"{facts.leaks[whole]:,}")
        for what, whole, _ in _FOUND
        if what in facts.leaks
    ]
    looked = f" {facts.leaks['frames_attacked']:,} of {facts.frames:,} frames" if facts.frames else ""
    again = ", after it was covered again" if facts.leaks["rounds"] > 1 else ""
    told = ", ".join([*found, f"metadata left: {facts.leaks['metadata_left']:,}"])
    return f"Attacked before it left{again}:{looked and looked + ';'} {told}."


def attacked(facts: JobFacts) -> Markup:
    """Makes the section about what attackers found."""
    told = element("p", words.LEAKS_LOOKS[facts.leaks_look])
    if facts.leaks_look == NO_LOOK:
        return section("What attackers found", told)
    return section(
        "What attackers found",
        told,
        table("What was found, and in how many", ("What was looked for", "Found"), _rows(facts)),
        _attackers(facts),
        bullets(_LIMITS),
    )


def _rows(facts: JobFacts) -> Iterator[tuple[Content, ...]]:
    leaks = facts.leaks
    if "frames_attacked" in leaks:
        yield words.LEAKS["frames_attacked"], f"{leaks['frames_attacked']:,} of {facts.frames:,}"
    for what, whole, those in _FOUND:
        if what in leaks:
            yield words.LEAKS[what], f"{leaks[what]:,} of {leaks[whole]:,} {those}"
        elif "frames_attacked" in leaks or what in _OF_SOUND:
            yield words.LEAKS[what], _NOT_TRIED[what]
    if "frames_unchecked" in leaks:
        yield words.LEAKS["frames_unchecked"], f"{leaks['frames_unchecked']:,} of {facts.frames:,}"
    yield words.LEAKS["metadata_left"], f"{leaks['metadata_left']:,}"
    yield (
        words.LEAKS["rounds"],
        "Once."
        if leaks["rounds"] == 1
        else "Twice: what attackers found at first was more than the rules bear, and everything was covered "
        "again, wider and with more care. The figures are those of the second time.",
    )
    yield words.LEAKS["seconds"], f"{leaks['seconds']:,} s or less"


def _attackers(facts: JobFacts) -> Markup:
    if not facts.attackers:
        return element("p", "There was no attacker but the search for metadata.")
    rows: list[tuple[Content, ...]] = [
        (
            name,
            "No: what it finds, it finds on its own."
            if name in facts.independent
            else "Yes: what it missed when it covered, it is likely to miss again.",
            code(digest),
        )
        for name, digest in facts.attackers.items()
    ]
    return table("Who attacked", ("Program", "Did it also help to cover?", "SHA-256"), rows)
