"""What an evaluation of faces found, said in plain words: for a terminal, and as sections of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from evaluation.faces.attackers import Attack, Knowledge
from evaluation.faces.bands import band
from evaluation.faces.drift import Path
from evaluation.faces.findings import FaceFindings
from evaluation.figures.writing import percent
from evaluation.report.curves import Axis, Line, plot
from evaluation.report.markup import Content, Markup, bullets, element, figure, section, table
from evaluation.report.strips import strip

KNOWLEDGE: Final[dict[Knowledge, str]] = {
    "original": "has other pictures of everybody, uncovered",
    "alike": "has other pictures of everybody, sent through the same system",
    "known_key": "has those under the very key of the result",
}
BANDS: Final = {
    "excellent": "Excellent: under 10 % are named.",
    "good": "Good: 10 to 25 % are named.",
    "moderate": "Moderate: 25 to 50 % are named.",
    "poor": "Poor: half of all, or more, are named.",
}
NO_BAND: Final = "There are too few people for a word: a guess alone would name more than one in ten."
WEAK: Final = "Weak: an attacker names more than 30 %."
MOST_DRIFTS: Final = 6

CAVEATS: Final[tuple[str, ...]] = (
    "These figures are those of the attackers named beside them. A better recognizer, or more pictures, does "
    "better; no attack that fails shows that none can succeed.",
    "Attackers are given the place and the turn of every face from the original. What is measured is what is "
    "left to see in it and around it: hair, neck and clothes name people too.",
    "Many attacks were tried, and the highest figure is the one to read; among so many, luck alone lifts the "
    "highest one a little above chance.",
    "That a detector finds no face says nothing about who can be named: what no detector takes for a face "
    "may still be matched.",
    "Results under one pseudonym are meant to be linked. A gallery of other results measures that too, "
    "unless every one of them has a key of its own.",
)


def lines(found: FaceFindings) -> list[str]:
    """Returns the findings for a terminal."""
    told = [_counted(found)]
    if found.attacks:
        told.append(f"{'attacker has':14}{'does first':32}{'with':16}{'Rank-1':26}{'chance':>8}")
    for each in found.attacks:
        told.append(
            f"{each.knowledge.replace('_', ' '):14}{each.preparation:32}{each.recognizer:16}"
            f"{percent(each.figures.rank_1):26}{100 * each.figures.chance_rank_1:6.1f} %"
        )
    if found.attacks:
        told += [found.attacks[0].figures.sample_in_words, _verdict(found)]
    return [*told, *found.not_tried, _detected(found), *map(_drifted, found.drift[:MOST_DRIFTS])]


def sections(found: FaceFindings) -> list[Markup]:
    """Returns the findings for a page."""
    told: list[Content] = [element("p", _counted(found))]
    if found.attacks:
        state = "weak" if found.weak else "strong"
        told.append(element("p", _verdict(found), class_=f"verdict {state}"))
        told += [_table(found.attacks), element("p", found.attacks[0].figures.sample_in_words), _cmc(found)]
    told += [element("p", each) for each in found.not_tried]
    parts = [section("Whose face it is", *told)]
    shown = [strip(f"Person {each.person}", each.pictures) for each in found.strips]
    parts.append(
        section(
            "What the results show",
            element("p", _detected(found)),
            element("p", "Squares of the results alone, where faces were; no original is on this page."),
            *shown,
        )
    )
    if found.drift:
        parts.append(section("How steady the faces are", *_drift(found.drift)))
    networks = "; ".join(f"{name}, SHA-256 {digest}" for name, digest in found.recognizers.items())
    caveats = (*CAVEATS, f"The recognizers: {networks}.")
    parts.append(section("How to read the figures about faces", bullets(caveats)))
    return parts


def _table(attacks: Sequence[Attack]) -> Markup:
    rows = [
        (
            KNOWLEDGE[each.knowledge],
            each.preparation,
            each.recognizer,
            percent(each.figures.rank_1),
            percent(each.figures.rank_5),
            percent(each.figures.mean_average_precision),
            f"{100 * each.figures.chance_rank_1:.1f} %",
        )
        for each in attacks
    ]
    head = ("Attacker", "Does first", "With", "Rank-1", "Rank-5", "mAP", "Rank-1 by chance")
    caption = (
        "How often the person is the first of all candidates, or among the first five; and the mean average "
        "precision. In brackets: the 95 % interval, people drawn anew 1,000 times."
    )
    return table(caption, head, rows)


def _cmc(found: FaceFindings) -> Markup:
    """The strongest attack of each knowledge."""
    drawn = []
    for knowledge in KNOWLEDGE:
        each = found.strongest(knowledge)
        if each is not None:
            curve = each.figures.cmc
            name = f"{KNOWLEDGE[knowledge]}; {each.preparation}"
            drawn.append(Line(name, curve.across, curve.up, curve.low, curve.high))
    places = max((line.across for line in drawn), key=len)
    drawn.append(Line("a guess", places, places / places[-1]))
    axes = (
        Axis("candidates looked at, best first", 1.0, float(places[-1])),
        Axis("the person is among them", percent=True),
    )
    caption = "Identification (CMC) by the strongest attack of each kind. Bands hold 95 %."
    return figure(caption, plot(drawn, *axes))


def _drift(drift: Sequence[Path]) -> list[Content]:
    drawn = []
    for each in drift[:MOST_DRIFTS]:
        drawn.append(Line(f"person {each.person}, result", each.seconds, each.to_first))
        drawn.append(Line(f"person {each.person}, original", each.seconds, each.original_to_first))
    seconds = np.concatenate([line.across for line in drawn])
    least = min(float(line.up.min()) for line in drawn)
    axes = (
        Axis("seconds", float(seconds.min()), float(seconds.max())),
        Axis("cosine to the first moment", min(0.0, least), 1.0),
    )
    caption = (
        "How like its first moment each face stays to the recognizer, in the result and in the original."
    )
    return [figure(caption, plot(drawn, *axes)), bullets(_drifted(each) for each in drift)]


def _drifted(each: Path) -> str:
    return (
        f"Person {each.person}: from one moment to the next the face in the result moves by {each.step:.3f} "
        f"(1 - cosine), in the original by {each.original_step:.3f}."
    )


def _verdict(found: FaceFindings) -> str:
    strongest = found.strongest()
    assert strongest is not None
    word = band(strongest.figures)
    said = BANDS[word] if word is not None else NO_BAND
    return (
        f"{f'{WEAK} ' if found.weak else ''}{said} The strongest of {len(found.attacks)} attacks "
        f"{KNOWLEDGE[strongest.knowledge]} ({strongest.preparation}): {percent(strongest.figures.rank_1)}."
    )


def _detected(found: FaceFindings) -> str:
    return f"The detector still finds a face in {percent(found.detected)} of the places."


def _counted(found: FaceFindings) -> str:
    left_out = f" Left out: {found.unreadable} pairs of files." if found.unreadable else ""
    people = "1 person" if found.people == 1 else f"{found.people} people"
    return f"{found.samples} faces of {people} in {found.pictures} pictures.{left_out}"
