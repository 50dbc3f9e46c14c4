"""Which figures a policy does not bear."""

from __future__ import annotations

from typing import Final

from anonymizer.leaks.figures import Leaks
from anonymizer.settings import LeakSettings, Settings

UNCHECKED: Final = "result_unchecked"
METADATA: Final = "result_tells_metadata"
FACES: Final = "result_shows_faces"
IDENTITIES: Final = "result_shows_identities"
TEXT: Final = "result_shows_text"
VOICES: Final = "result_shows_voices"


def misses(leaks: Leaks, floors: LeakSettings) -> tuple[str, ...]:
    """Returns the codes of what a policy does not bear, the worst first; none where the result holds.

    Args:
        leaks: the figures of a result.
        floors: in 1000 of what was looked at.
    """
    frames = leaks.frames_attacked
    missed = {
        UNCHECKED: leaks.frames_unchecked > 0,
        METADATA: leaks.metadata_left > 0,
        FACES: _is_over(leaks.faces_open, frames, floors.faces)
        or _is_over(leaks.faces_under, leaks.faces_attacked, floors.under),
        IDENTITIES: _is_over(leaks.identities_matched, leaks.identities_compared, floors.identities),
        TEXT: _is_over(leaks.texts_open, frames, floors.texts),
        VOICES: _is_over(leaks.voice_matched, leaks.voice_windows, floors.voices),
    }
    return tuple(code for code, is_missed in missed.items() if is_missed)


def can_mend(code: str, settings: Settings) -> bool:
    """Tells whether a second round may mend a miss.

    What nobody looked at, and what a file tells of itself, is a mistake of ours that would be made again; and
    a pseudonym always has the same voice.
    """
    return code not in {UNCHECKED, METADATA} and (code != VOICES or not settings.pseudonym)


def _is_over(found: int | None, of: int | None, most: int) -> bool:
    return found is not None and of is not None and found * 1000 > most * of
