"""What attackers found in several frames, added up."""

from __future__ import annotations

from dataclasses import dataclass

from anonymizer.leaks.eyes import FrameFindings


@dataclass(frozen=True)
class Tally:
    """Sums; the attributes are those of Leaks (figures.py)."""

    frames_attacked: int = 0
    faces_open: int | None = None
    faces_attacked: int = 0
    faces_under: int | None = None
    identities_compared: int | None = None
    identities_matched: int | None = None
    texts_open: int | None = None

    def plus(self, found: FrameFindings) -> Tally:
        """Adds a frame: of open faces and texts counts whether there is one."""
        return Tally(
            self.frames_attacked + 1,
            _sum(self.faces_open, found.faces_open and 1),
            self.faces_attacked + found.faces_attacked,
            _sum(self.faces_under, found.faces_under),
            _sum(self.identities_compared, found.identities_compared),
            _sum(self.identities_matched, found.identities_matched),
            _sum(self.texts_open, found.texts_open and 1),
        )


def _sum(one: int | None, other: int | None) -> int | None:
    """Adds what could be told; None where neither could."""
    return None if one is None and other is None else (one or 0) + (other or 0)
