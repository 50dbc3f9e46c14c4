"""What was measured on the result, in the words and whole numbers of a statement."""

from __future__ import annotations

import math
from typing import Any

from anonymizer import Quality
from anonymizer.sound.figures import SoundFigures

_OF_PICTURES = ("cover_gaps", "frames_black", "frames_frozen", "frames_missing", "frames_read")


def quality_facts(quality: Quality | None, *, of_pictures: bool = True) -> dict[str, int]:
    """Gives the figures of a video or of sound alone; an empty table for a still, of which none are taken.

    Of the original nothing is told that could be compared with a leaked copy, such as its size.
    """
    if quality is None:
        return {}
    figures = {
        "cover_gaps": quality.cover_gaps,
        "duration_off_ms": quality.duration_off_ms,
        "encodings": quality.encodings,
        "frames_black": quality.frames_black,
        "frames_frozen": quality.frames_frozen,
        "frames_missing": quality.frames_missing,
        "frames_read": quality.frames_read,
        "kbit_per_second": round(quality.bits_per_second / 1000),
        "sound_off_ms": quality.sound_off_ms,
    }
    if not of_pictures:
        figures = {name: figure for name, figure in figures.items() if name not in _OF_PICTURES}
    if quality.lip_sync_off_ms is not None:
        figures["lip_sync_off_ms"] = quality.lip_sync_off_ms
    if quality.loudness_off_lu is not None:
        figures["loudness_off_tenths"] = round(quality.loudness_off_lu * 10)
    if quality.sound_clicks is not None:
        figures["sound_clicks"] = quality.sound_clicks
    if quality.ssim is not None and quality.ssim_worst is not None:
        figures["ssim_permille"] = _permille(quality.ssim)
        figures["ssim_worst_permille"] = _permille(quality.ssim_worst)
    return figures


def sound_facts(figures: SoundFigures | None) -> dict[str, Any]:
    """Gives what happened to a sound that was listened to and made anew; nothing otherwise.

    What the room told is not told again: how a place sounds can be compared with another recording of it.
    """
    if figures is None:
        return {}
    return {
        "voices": figures.voices,
        "sound_seconds": {word: math.ceil(seconds) for word, seconds in figures.seconds.items()},
        "words_bleeped": figures.words_bleeped,
    }


def _permille(share: float) -> int:
    # Cut off, not rounded: 1000 means the very same pixels.
    return max(0, int(share * 1000))
