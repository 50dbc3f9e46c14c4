"""The figures of a result, and which of them fall short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal

import numpy as np

from anonymizer.quality.readback import Contents, Looks
from anonymizer.quality.witness import Witness
from anonymizer.sound.figures import SoundFigures

Check = Literal["black", "clicks", "duration", "frames", "frozen", "lip_sync", "loudness", "sound", "ssim"]
# Those of sound that is made anew: encoding the pictures once more mends none of them.
OF_MADE_SOUND: Final[frozenset[Check]] = frozenset({"clicks", "lip_sync", "loudness"})

# A tick may be rounded; a frame that is missing at the end is more.
MOST_DURATION_OFF_MS: Final = 2
# Rec. ITU-R BT.1359: sound that is 45 ms early is noticed, and 125 ms late; AAC counts in 21 to 128 ms.
MOST_SOUND_OFF_MS: Final = 45
# Of speech against the original's. No sound moves by more than 17 ms; where the onsets of donors and of the
# speaker differ, the measure itself errs by as much again (docs/quality.md).
MOST_LIP_SYNC_OFF_MS: Final = 40
MOST_LOUDNESS_OFF_LU: Final = 2.0
# By mode: under what every clip of ours has (docs/quality.md), so that only what is worse is made again.
LEAST_SSIM: Final[Mapping[str, float]] = {
    "original": 0.90,
    "quality": 0.87,
    "balanced": 0.82,
    "fast": 0.78,
}


@dataclass(frozen=True)
class Quality:
    """What was measured on a finished video, and how it fell out.

    Attributes:
        encodings: 1, or 2 where the first result fell short and was made again, finer.
        frames_missing: frames that were sent to the encoder and are not in the file, or the other way round.
        duration_off_ms: by how much the pictures end too early or too late.
        sound_off_ms: by how much the sound begins or ends too early or too late; 0 without sound.
        frames_read: frames that were decoded again; the three figures below are of these alone.
        frames_black: black in the result, bright in the original.
        frames_frozen: the same as the frame before, where the original moved outside the covers.
        ssim: mean similarity to the original outside the covers, 0 to 1; None where no tile could be taken.
        ssim_worst: of the frame that is least like it.
        cover_gaps: covers that were away for a moment (flicker.py).
        bits_per_second: of the pictures.
        original_bits_per_second: the same of the original. Not for a statement: it tells the original's size.
        lip_sync_off_ms: by how much speech lies before or behind where it was; None where nobody can tell.
        loudness_off_lu: by how much speech is louder or quieter than it was; None where there is none.
        sound_clicks: where made sound was joined; None where none was made.
        short: the checks that the result does not pass, sorted. A gap in a cover is none of them: the encoder
            has no part in it, and cannot mend it.
    """

    encodings: int
    frames_missing: int
    duration_off_ms: int
    sound_off_ms: int
    frames_read: int
    frames_black: int
    frames_frozen: int
    ssim: float | None
    ssim_worst: float | None
    cover_gaps: int
    bits_per_second: int
    original_bits_per_second: int
    short: tuple[Check, ...]
    lip_sync_off_ms: int | None = None
    loudness_off_lu: float | None = None
    sound_clicks: int | None = None

    @property
    def can_be_finer(self) -> bool:
        """Whether it falls short in something that a finer encoding may mend."""
        return bool(set(self.short) - OF_MADE_SOUND)


@dataclass(frozen=True)
class MadeSound:
    """What was measured on sound that was made anew, and what of it falls short.

    Attributes:
        lip_sync_off_ms, loudness_off_lu, sound_clicks: as in Quality.
        held: which checks it passes.
    """

    lip_sync_off_ms: int | None
    loudness_off_lu: float | None
    sound_clicks: int | None
    held: Mapping[Check, bool]

    @classmethod
    def of(cls, figures: SoundFigures | None) -> MadeSound:
        """Takes what was told of the sound; nothing where none was made."""
        if figures is None:
            return cls(None, None, None, {})
        lip_sync = None if figures.off_seconds is None else round(abs(figures.off_seconds) * 1000)
        loudness = None if figures.loudness_off_lu is None else abs(figures.loudness_off_lu)
        held: dict[Check, bool] = {
            "clicks": figures.clicks == 0,
            "lip_sync": lip_sync is None or lip_sync <= MOST_LIP_SYNC_OFF_MS,
            "loudness": loudness is None or loudness <= MOST_LOUDNESS_OFF_LU,
        }
        return cls(lip_sync, loudness, figures.clicks, held)


@dataclass(frozen=True)
class Expected:
    """What the file is to hold, by the original's own clock.

    Attributes:
        ends: of the last picture, seconds.
        sound_begins, sound_ends: seconds; None without sound.
        sound_frame: the length of one packet of sound, by which an encoder may fill up the end; seconds.
        original_picture_bytes: of the original's pictures.
        least_ssim: under it the result falls short.
    """

    ends: Fraction
    sound_begins: Fraction | None
    sound_ends: Fraction | None
    sound_frame: Fraction
    original_picture_bytes: int
    least_ssim: float


def judged(
    contents: Contents,
    looks: Looks,
    witness: Witness,
    expected: Expected,
    figures: SoundFigures | None = None,
) -> Quality:
    """Compares a file with what it is to hold."""
    made = MadeSound.of(figures)
    wanted, there = (np.asarray(times, np.int64) for times in (witness.times, contents.times))
    missing = max(len(np.setxor1d(wanted, there)), abs(len(wanted) - len(there)))
    duration_off = _ms(abs(contents.ends - expected.ends))
    sound_off = _sound_off_ms(contents, expected)
    ssim = float(np.mean(looks.similarities)) if looks.similarities else None
    held: dict[Check, bool] = {
        "black": looks.black == 0,
        "duration": duration_off <= MOST_DURATION_OFF_MS,
        "frames": missing == 0,
        "frozen": looks.frozen == 0,
        "sound": sound_off <= MOST_SOUND_OFF_MS,
        "ssim": ssim is None or ssim >= expected.least_ssim,
        **made.held,
    }
    length = float(max(contents.ends - contents.begins, contents.tick))
    return Quality(
        encodings=1,
        frames_missing=missing,
        duration_off_ms=duration_off,
        sound_off_ms=sound_off,
        frames_read=looks.frames,
        frames_black=looks.black,
        frames_frozen=looks.frozen,
        ssim=ssim,
        ssim_worst=min(looks.similarities, default=None),
        cover_gaps=witness.flicker.gaps,
        bits_per_second=round(contents.picture_bytes * 8 / length),
        original_bits_per_second=round(expected.original_picture_bytes * 8 / length),
        short=tuple(sorted(check for check, holds in held.items() if not holds)),
        lip_sync_off_ms=made.lip_sync_off_ms,
        loudness_off_lu=made.loudness_off_lu,
        sound_clicks=made.sound_clicks,
    )


def _sound_off_ms(contents: Contents, expected: Expected) -> int:
    ends = (contents.sound_begins, contents.sound_ends, expected.sound_begins, expected.sound_ends)
    if all(end is None for end in ends):
        return 0
    begins, stops, wanted_begins, wanted_stops = ends
    if begins is None or stops is None or wanted_begins is None or wanted_stops is None:
        # There is sound where there should be none, or none where there should be some.
        return _ms(contents.ends) + MOST_SOUND_OFF_MS + 1
    # What the encoder puts before and after the sound, to fill its packets, is no shift.
    early = max(abs(begins - wanted_begins) - expected.sound_frame, Fraction(0))
    late = max(abs(stops - wanted_stops) - 2 * expected.sound_frame, Fraction(0))
    return _ms(max(early, late))


def _ms(seconds: Fraction) -> int:
    return round(seconds * 1000)
