"""What was measured on the result, in the words and whole numbers of a statement."""

from __future__ import annotations

from anonymizer import Quality


def quality_facts(quality: Quality | None) -> dict[str, int]:
    """Gives the figures of a video; an empty table for a still, of which nothing is measured.

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


def _permille(share: float) -> int:
    # Cut off, not rounded: 1000 means the very same pixels.
    return max(0, int(share * 1000))
