"""The figures of the attack on one result."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Leaks:
    """Whole numbers; a figure that nobody could take is None, and never 0.

    Attributes:
        rounds: 1, or 2 where the first result did not hold and all was covered again.
        frames_attacked: frames of the finished file that attackers looked at.
        frames_unchecked: frames that left though no detector had looked at them, or on both sides of them as
            often as the mode promises (checked.py); of all frames.
        faces_open: of the frames looked at, those with a face clearly outside of every cover and of all that
            is kept.
        faces_attacked: covers of faces that were looked at.
        faces_under: of those, under which a face is found again.
        identities_compared: covers of faces that a recognizer compared with the originals of all tracks.
        identities_matched: of those, matched to their own.
        texts_open: of the frames looked at, those with text outside of covers that can be read; None where
            the policy lets text stay.
        voice_windows: stretches of made speech that were compared with the originals of all speakers.
        voice_matched: of those, matched to their own.
        metadata_left: things in the file that tell more than pictures, sound and, where allowed, the month.
        attackers: names of the models that attacked, sorted.
        independent: of those, the ones that took no part in covering; sorted.
        exhaustive: whether every frame was looked at.
        seconds: what the attacks of all rounds took.
    """

    rounds: int
    frames_attacked: int
    frames_unchecked: int
    faces_open: int | None
    faces_attacked: int
    faces_under: int | None
    identities_compared: int | None
    identities_matched: int | None
    texts_open: int | None
    voice_windows: int | None
    voice_matched: int | None
    metadata_left: int
    attackers: tuple[str, ...]
    independent: tuple[str, ...]
    exhaustive: bool
    seconds: float
