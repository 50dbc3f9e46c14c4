"""What a policy and a mode mean to the anonymizer: one line a field."""

from __future__ import annotations

import os
from typing import Any

from anonymizer import FaceSettings, Limits, Settings
from enclave.order import JobLimits
from enclave.policy import Terms

# Each of the decoder, the detector and the encoder starts this many; together they stay below the wall's
# limit on threads, and more than this gains nothing.
_MOST_THREADS = 16


def settings_of(terms: Terms) -> Settings:
    """Gives the anonymizer's settings. Both sides check the words, so they are passed as they are."""
    faces = terms.policy.faces
    words: dict[str, Any] = {"effect": faces.effect, "shape": faces.shape}
    job: dict[str, Any] = {"mode": terms.mode, "audio": terms.policy.audio.effect}
    return Settings(
        faces=FaceSettings(
            scale=faces.scale,
            threshold=faces.threshold,
            passes=faces.passes,
            linger_seconds=faces.linger_seconds,
            lookahead_seconds=faces.lookahead_seconds,
            **words,
        ),
        threads=min(len(os.sched_getaffinity(0)), _MOST_THREADS),
        **job,
    )


def limits_of(limits: JobLimits) -> Limits:
    """Gives the anonymizer's limits."""
    return Limits(max_frame_pixels=limits.max_frame_pixels, max_frames=limits.max_frames)
