"""Which share of a lossless copy is the original's, as a section of a report for people."""

from __future__ import annotations

from collections.abc import Iterator

from console.report.markup import Content, Markup, element, section, table
from console.report.verdict import Verdict
from provenance.pieces.untouched import UntouchedReport

_PLANES = ("brightness", "colour (blue)", "colour (red)")


def untouched(verdict: Verdict) -> Iterator[Markup]:
    """Makes the section, where an untouched package was held beside the file."""
    if verdict.untouched is None:
        return
    by = (
        "" if verdict.recorder is None else f" Recorder {verdict.recorder} signed what it recorded: the same."
    )
    yield share_of(verdict.untouched, by)


def share_of(report: UntouchedReport, whose: str) -> Markup:
    """Makes the section.

    Args:
        report: of the check.
        whose: who says what the original was, as a sentence.
    """
    rows: list[tuple[Content, ...]] = [
        ("Proven to be the original's, of the whole picture", f"{report.proven_permille / 10:.1f} %"),
        ("Squares of 64 by 64 samples, in all pictures", f"{report.tiles:,}"),
        ("Of these the original's, sample for sample", f"{report.tiles_proven:,}"),
        (
            "Not opened, so that nothing is proven: covers, or whatever else stands there now",
            f"{report.tiles_hidden:,}",
        ),
        ("Opened, and not the original's", f"{report.tiles_differing:,}"),
        ("Pictures shown at another time", f"{report.frames_retimed:,} of {report.frames:,}"),
    ]
    said = (
        "The original was cut into squares and committed to before it was anonymized. Every square that "
        "the package opens was compared with that now, without the original, and without believing the "
        "program that covered; what stands in the others, a cover or not, is for your eyes to judge."
        + whose
        + " Nothing of the sound is proven by this."
    )
    parts = [element("p", said), table("How much of the picture is the original", ("What", "How much"), rows)]
    if report.differences:
        parts.append(_places(report))
    return section("What was left untouched", *parts)


def _places(report: UntouchedReport) -> Markup:
    rows: list[tuple[Content, ...]] = [
        (
            f"{place.frame:,}",
            _PLANES[place.plane],
            f"{place.left:,} from the left, {place.top:,} from the top",
        )
        for place in report.differences
    ]
    caption = f"Where it differs: the first {len(rows)} of {report.tiles_differing:,} squares"
    return table(caption, ("Picture, from 0", "Of its", "Corner, in samples"), rows)
