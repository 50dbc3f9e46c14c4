"""What an evaluation of voices found, said in plain words: for a terminal, and as sections of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from evaluation.figures.writing import percent
from evaluation.report.curves import Axis, Line, plot
from evaluation.report.markup import Content, Markup, bullets, element, figure, section, table
from evaluation.voice.findings import Tried, VoiceFindings, WordsKept

ATTACKERS: Final = {
    "ignorant": "compares results with original recordings",
    "lazy": "compares results with other results of the same people, under other keys",
    "semi": "does so after learning from results of other people",
    "linked": "asks which of the results are of one person",
}
EARS: Final = {
    "resemblyzer": "Resemblyzer's network for speakers",
    "acoustics": "spectrum, pitch and pace",
}
# Resemblyzer's on the originals of ../shared/media/voice, two files each: the middle of one person's and of
# two people's cosines, and the threshold between them.
LIKE_ONE_PERSON, LIKE_TWO_PEOPLE, LIKE_THRESHOLD = 0.87, 0.51, 0.74

CAVEATS: Final[tuple[str, ...]] = (
    "These figures are those of the attackers named beside them. A better attacker does better: against the "
    "attackers of the VoicePrivacy challenge, the best published systems reach an equal error rate of about "
    "17 %, where a guess has 50 %.",
    "The ignorant attacker's figure deceives: effects that fool somebody who compares with originals are "
    "undone by whoever runs the same system. Read the lowest figure of all.",
    "What is said names people too: names, places, a dialect, turns of phrase. No figure here counts that.",
    "The recognizer is weak and errs on originals as well; its word error is against its own reading of the "
    "original. STOI was made for noise. Only listening tells whether speech is understood.",
)


def lines(found: VoiceFindings) -> list[str]:
    """Returns the findings for a terminal."""
    told = [f"{found.recordings} recordings of {_people(found.people)}, {found.seconds:.0f} s."]
    if found.tried:
        told.append(f"{'attacker':10}{'hears by':13}{'equal error rate':26}{'Rank-1':26}{'chance':>8}")
    for each in found.tried:
        figures = each.figures
        told.append(
            f"{each.attacker:10}{each.ears:13}{percent(figures.eer):26}{percent(figures.rank_1):26}"
            f"{100 * figures.chance_rank_1:6.1f} %"
        )
    if found.tried:
        told.append(found.tried[0].figures.sample_in_words)
    told += [
        f"Not tried: {name}, which needs --{needed.replace(' and ', ' and --')}."
        for name, needed in found.not_tried().items()
        if found.tried
    ]
    told += [_likeness(found)] if found.likeness else []
    told += _words(found.words) if found.words else []
    told += _left_out(found)
    return told


def sections(found: VoiceFindings) -> list[Markup]:
    """Returns the findings for a page."""
    told: list[Content] = [
        element(
            "p", f"{found.recordings} recordings of {_people(found.people)}, {found.seconds:.0f} seconds."
        )
    ]
    parts = []
    if found.tried:
        told += _attacked(found)
    told += [element("p", _likeness(found))] if found.likeness else []
    told += [element("p", line) for line in _left_out(found)]
    parts.append(section("Whose voice it is", *told))
    if found.words is not None:
        parts.append(section("What is left of the words", bullets(_words(found.words))))
    parts.append(section("How to read the figures about voices", bullets(CAVEATS)))
    return parts


def _attacked(found: VoiceFindings) -> list[Content]:
    rows = [
        (
            f"{each.attacker}: {ATTACKERS[each.attacker]}",
            EARS[each.ears],
            percent(each.figures.eer),
            percent(each.figures.tpr_at_1_fpr),
            percent(each.figures.rank_1),
            f"{100 * each.figures.chance_rank_1:.1f} %",
        )
        for each in found.tried
    ]
    head = (
        "Attacker",
        "Hears by",
        "Equal error rate",
        "True positives at 1 % false",
        "Rank-1",
        "Rank-1 by chance",
    )
    caption = (
        "An attacker who knows nothing has an equal error rate of 50 % and a Rank-1 of chance; one who is "
        "never wrong 0 % and 100 %. In brackets: the 95 % interval, people drawn anew 1,000 times."
    )
    missing = [
        element("p", f"Not tried: {name}, {ATTACKERS[name]}; that takes {needed}.")
        for name, needed in found.not_tried().items()
    ]
    return [
        table(caption, head, rows),
        element("p", found.tried[0].figures.sample_in_words),
        *missing,
        _roc(found.tried),
        _cmc(found.tried),
    ]


def _roc(tried: Sequence[Tried]) -> Markup:
    drawn = [
        Line(
            _name(each),
            each.figures.roc.across,
            each.figures.roc.up,
            each.figures.roc.low,
            each.figures.roc.high,
        )
        for each in tried
    ]
    guess = np.linspace(0.0, 1.0, 2)
    axes = Axis("other people accepted", percent=True), Axis("the person accepted", percent=True)
    caption = (
        "Verification (ROC): how many of the right people an attacker accepts, by how many wrong ones. The "
        "nearer to a guess, the less is known. Bands hold 95 %."
    )
    return figure(caption, plot([*drawn, Line("a guess", guess, guess)], *axes))


def _cmc(tried: Sequence[Tried]) -> Markup:
    drawn = [
        Line(
            _name(each),
            each.figures.cmc.across,
            each.figures.cmc.up,
            each.figures.cmc.low,
            each.figures.cmc.high,
        )
        for each in tried
    ]
    places = max((each.figures.cmc.across for each in tried), key=len)
    axes = (
        Axis("candidates looked at, best first", 1.0, float(places[-1])),
        Axis("the person is among them", percent=True),
    )
    caption = (
        "Identification (CMC): how often the person is among an attacker's best candidates. Bands hold 95 %."
    )
    return figure(caption, plot([*drawn, Line("a guess", places, places / places[-1])], *axes))


def _name(each: Tried) -> str:
    return f"{each.attacker}, {EARS[each.ears]}"


def _likeness(found: VoiceFindings) -> str:
    assert found.likeness is not None
    return (
        f"Original and result are {found.likeness.value:.2f} alike to Resemblyzer's network (originals of "
        f"one person: about {LIKE_ONE_PERSON}; of two people: about {LIKE_TWO_PEOPLE}; from {LIKE_THRESHOLD} "
        "on it takes them for one person). Low is needed, and not enough: an informed attacker compares "
        "results with results."
    )


def _words(words: WordsKept) -> list[str]:
    if words.recognizer is None:
        read = "Word error: not measured, pocketsphinx is not installed (`pip install 'bauta[evaluation]'`)."
    elif words.word_error is None:
        read = "Word error: not measured, the recognizer read nothing in the originals."
    else:
        read = (
            f"Word error: {percent(words.word_error)}, {words.recognizer}'s reading of {words.pairs} results "
            "against its own of the originals."
        )
    if words.stoi is None:
        return [read, "STOI: not measured, pystoi is not installed (`pip install 'bauta[evaluation]'`)."]
    low, high = words.stoi.within.low, words.stoi.within.high
    return [
        read,
        f"STOI: {words.stoi.value:.2f} ({low:.2f} to {high:.2f}) over {words.pairs} results, of about 1.",
    ]


def _left_out(found: VoiceFindings) -> list[str]:
    told = [
        f"Left out: {count} files, {code}."
        for code, count in sorted(Counter(each.code for each in found.skipped).items())
    ]
    if found.unpaired:
        told.append(f"{found.unpaired} results have no original of the same name.")
    return told


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
