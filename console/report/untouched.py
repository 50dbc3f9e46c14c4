"""Which share of a lossless copy is its original's, and where it differs: for programs and in words."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from provenance.pieces.untouched import UntouchedReport


def untouched_document(report: UntouchedReport) -> dict[str, Any]:
    """What is untouched, for programs; the places are those of the first 64 differences."""
    return {
        "frames": report.frames,
        "tiles": report.tiles,
        "tiles_proven": report.tiles_proven,
        "tiles_covered": report.tiles_hidden,
        "tiles_differing": report.tiles_differing,
        "proven_permille": report.proven_permille,
        "frames_retimed": report.frames_retimed,
        "differences": [asdict(place) for place in report.differences],
    }


def untouched_in_words(report: UntouchedReport) -> str:
    """What is untouched, in sentences."""
    share = report.proven_permille / 10
    told = (
        f"{share:.1f} % of the picture is the original's, sample for sample, over all {report.frames:,} "
        f"frames: {report.tiles_proven:,} of {report.tiles:,} tiles. The package does not open "
        f"{report.tiles_hidden:,}: covers, or whatever else stands there now."
    )
    if report.tiles_differing:
        told += f" {report.tiles_differing:,} DIFFER."
    return told


def differing_in_words(report: UntouchedReport) -> str:
    """Where a copy differs though it should not, as a list of places."""
    places = [
        f"frame {place.frame}, plane {place.plane}, {place.left} from the left and {place.top} from the top"
        for place in report.differences
    ]
    more = report.tiles_differing - len(places)
    return "; ".join(places) + (f"; and {more:,} more" if more > 0 else "")
