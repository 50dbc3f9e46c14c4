"""What an evaluation found, said in plain words: for a terminal, and as sections of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from evaluation.faces.attackers import Attack, Knowledge
from evaluation.faces.bands import band, is_weak
from evaluation.faces.drift import Path
from evaluation.faces.findings import RecognitionFindings
from evaluation.faces.subjects import Subject
from evaluation.figures.attacked import Attacked
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

TRIED_MANY: Final = (
    "Many attacks were tried, and the highest figure is the one to read; among so many, luck alone lifts the "
    "highest one a little above chance."
)
BETTER: Final = (
    "These figures are those of the attackers named beside them. A better recognizer, or more pictures, does "
    "better; no attack that fails shows that none can succeed."
)
LINKED: Final = (
    "Results under one pseudonym are meant to be linked. A gallery of other results measures that too, "
    "unless every one of them has a key of its own."
)


def lines(found: RecognitionFindings) -> list[str]:
    """Returns the findings for a terminal."""
    told = [_counted(found)]
    if found.attacks:
        told.append(f"{'attacker has':14}{'does first':32}{'with':16}{'Rank-1':26}{'chance':>8}")
    for each in found.attacks:
        told.append(
            f"{each.knowledge.replace('_', ' '):14}{each.preparation:32}{each.recognizer:16}"
            f"{percent(each.figures.rank_1):26}{100 * each.figures.chance_rank_1:6.1f} %"
            f"{'  weak' if is_weak(each.figures) else ''}"
        )
    if found.attacks:
        told += [found.attacks[0].figures.sample_in_words, _verdict(found)]
    drifts = [_drifted(found.subject, each) for each in found.drift[:MOST_DRIFTS]]
    return [*told, *found.not_tried, *_detected(found), *drifts]


def sections(found: RecognitionFindings) -> list[Markup]:
    """Returns the findings for a page."""
    told: list[Content] = [element("p", _counted(found))]
    if found.attacks:
        state = "weak" if found.weak else "strong"
        told.append(element("p", _verdict(found), class_=f"verdict {state}"))
        told += [_table(found.attacks), element("p", found.attacks[0].figures.sample_in_words)]
        told += [_cmc(found), _roc(found)]
    told += [element("p", each) for each in found.not_tried]
    subject = found.subject
    parts = [section(subject.title, *told)]
    shown = [strip(f"Person {each.person}", each.pictures) for each in found.strips]
    squares = f"Parts of the results alone, where {subject.many} were; no original is on this page."
    seen = [bullets(_detected(found)), element("p", squares)]
    parts.append(section(subject.shown, *seen, *shown))
    if found.drift:
        parts.append(section(f"How steady the {subject.many} are", *_drift(found)))
    parts.append(section(subject.how_to_read, bullets(_caveats(found))))
    return parts


def _caveats(found: RecognitionFindings) -> list[str]:
    subject = found.subject
    networks = "; ".join(f"{name}, SHA-256 {digest}" for name, digest in found.recognizers.items())
    return [
        BETTER,
        f"{subject.given} What is measured is what is left to see in it and around it: {subject.besides}.",
        TRIED_MANY,
        f"That a detector finds no {subject.one} says nothing about who can be named: what no detector takes "
        f"for a {subject.one} may still be matched.",
        LINKED,
        f"The recognizers: {networks}.",
    ]


def _table(attacks: Sequence[Attack]) -> Markup:
    rows = [
        (
            KNOWLEDGE[each.knowledge],
            each.preparation,
            each.recognizer,
            percent(each.figures.rank_1),
            percent(each.figures.rank_5),
            "" if each.figures.retrieved is None else percent(each.figures.retrieved.rank_5),
            percent(each.figures.mean_average_precision),
            f"{100 * each.figures.chance_rank_1:.1f} %",
            "weak" if is_weak(each.figures) else "",
        )
        for each in attacks
    ]
    head = (
        "Attacker",
        "Does first",
        "With",
        "Rank-1",
        "Rank-5",
        "Rank-5 over pictures",
        "mAP",
        "Rank-1 by chance",
        "Weak?",
    )
    caption = (
        "How often the person is the first of all candidates, or among the first five; how often one of the "
        "first five pictures is theirs; and the mean average precision. In brackets: the 95 % interval, "
        "people drawn anew 1,000 times. Weak: the attacker names more than 30 %, and more than a guess."
    )
    return table(caption, head, rows)


def _strongest(found: RecognitionFindings) -> list[tuple[str, Attacked]]:
    """The strongest attack of each knowledge, and what it is called."""
    chosen = ((knowledge, found.strongest(knowledge)) for knowledge in KNOWLEDGE)
    return [
        (f"{KNOWLEDGE[knowledge]}; {each.preparation}", each.figures)
        for knowledge, each in chosen
        if each is not None
    ]


def _cmc(found: RecognitionFindings) -> Markup:
    curves = [(name, figures.cmc) for name, figures in _strongest(found)]
    drawn = [Line(name, curve.across, curve.up, curve.low, curve.high) for name, curve in curves]
    places = max((line.across for line in drawn), key=len)
    drawn.append(Line("a guess", places, places / places[-1]))
    axes = (
        Axis("candidates looked at, best first", 1.0, float(places[-1])),
        Axis("the person is among them", percent=True),
    )
    caption = "Identification (CMC) by the strongest attack of each kind. Bands hold 95 %."
    return figure(caption, plot(drawn, *axes))


def _roc(found: RecognitionFindings) -> Markup:
    curves = [(name, figures.roc) for name, figures in _strongest(found)]
    drawn = [Line(name, curve.across, curve.up, curve.low, curve.high) for name, curve in curves]
    guess = np.linspace(0.0, 1.0, 2)
    axes = Axis("other people accepted", percent=True), Axis("the person accepted", percent=True)
    caption = "Verification (ROC) by the same attacks: right people accepted, by wrong ones. Bands hold 95 %."
    return figure(caption, plot([*drawn, Line("a guess", guess, guess)], *axes))


def _drift(found: RecognitionFindings) -> list[Content]:
    drawn = []
    for each in found.drift[:MOST_DRIFTS]:
        drawn.append(Line(f"person {each.person}, result", each.seconds, each.to_first))
        drawn.append(Line(f"person {each.person}, original", each.seconds, each.original_to_first))
    seconds = np.concatenate([line.across for line in drawn])
    least = min(float(line.up.min()) for line in drawn)
    axes = (
        Axis("seconds", float(seconds.min()), float(seconds.max())),
        Axis("cosine to the first moment", min(0.0, least), 1.0),
    )
    caption = (
        f"How like its first moment each {found.subject.one} stays to the recognizer, in the result and in "
        "the original."
    )
    told = bullets(_drifted(found.subject, each) for each in found.drift)
    return [figure(caption, plot(drawn, *axes)), told]


def _drifted(subject: Subject, each: Path) -> str:
    return (
        f"Person {each.person}: from one moment to the next the {subject.one} in the result moves by "
        f"{each.step:.3f} (1 - cosine), in the original by {each.original_step:.3f}."
    )


def _verdict(found: RecognitionFindings) -> str:
    strongest = found.strongest()
    assert strongest is not None
    word = band(strongest.figures)
    said = BANDS[word] if word is not None else NO_BAND
    return (
        f"{f'{WEAK} ' if found.weak else ''}{said} The strongest of {len(found.attacks)} attacks "
        f"{KNOWLEDGE[strongest.knowledge]} ({strongest.preparation}): {percent(strongest.figures.rank_1)}."
    )


def _detected(found: RecognitionFindings) -> list[str]:
    """What each detector still finds."""
    return [
        f"{each.detector} still finds a {found.subject.one} in {percent(each.after)} of the places; in the "
        f"originals in {percent(each.before)}."
        for each in found.detectors
    ]


def _counted(found: RecognitionFindings) -> str:
    left_out = f" Left out: {found.unreadable} pairs of files." if found.unreadable else ""
    people = "1 person" if found.people == 1 else f"{found.people} people"
    return f"{found.samples} {found.subject.many} of {people} in {found.pictures} pictures.{left_out}"
