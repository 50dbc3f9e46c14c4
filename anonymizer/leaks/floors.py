"""Which figures a policy does not bear."""

from __future__ import annotations

from typing import Final

from anonymizer.leaks.figures import Leaks
from anonymizer.settings import LeakSettings

# Covering once more, wider and more sensitive, mends none of these.
NOT_MENDED: Final = frozenset({"result_unchecked", "result_tells_metadata", "result_shows_voices"})


def miss(leaks: Leaks, settings: LeakSettings) -> str | None:
    """Returns the code of the worst that a policy does not bear; None where the result holds.

    Args:
        leaks: the figures of a result.
        settings: the floors, in 1000 of what was looked at.
    """
    frames = leaks.frames_attacked
    misses = {
        "result_unchecked": leaks.frames_unchecked > 0,
        "result_tells_metadata": leaks.metadata_left > 0,
        "result_shows_faces": _is_over(leaks.faces_open, frames, settings.faces)
        or _is_over(leaks.faces_under, leaks.faces_attacked, settings.under),
        "result_shows_identities": _is_over(
            leaks.identities_matched, leaks.identities_compared, settings.identities
        ),
        "result_shows_text": _is_over(leaks.texts_open, frames, settings.texts),
        "result_shows_voices": _is_over(leaks.voice_matched, leaks.voice_windows, settings.voices),
    }
    return next((code for code, is_missed in misses.items() if is_missed), None)


def _is_over(found: int | None, of: int | None, most: int) -> bool:
    return found is not None and of is not None and found * 1000 > most * of
