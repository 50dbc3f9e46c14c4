"""What is said of tiles that a package does not open: nobody has shown that they are covers."""

from __future__ import annotations

from console.report.untouched import untouched_in_words
from console.report.untouched_section import share_of
from provenance.pieces.untouched import UntouchedReport


def test_a_tile_that_is_not_opened_is_not_called_covered() -> None:
    report = UntouchedReport(
        frames=10,
        tiles=100,
        tiles_proven=97,
        tiles_hidden=3,
        samples=1000,
        samples_proven=970,
        frames_retimed=0,
        differences=(),
    )
    for told in (untouched_in_words(report), str(share_of(report, ""))):
        assert "whatever else stands there now" in told
        assert "are covered" not in told
