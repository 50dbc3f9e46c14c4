"""The clocks of the voice: samples, frames and steps."""

from __future__ import annotations

from typing import Final

# Samples a second of all speech here.
SPEECH_RATE: Final = 16_000
# Samples from one spectrum to the next: ten milliseconds.
FRAME: Final = 160
# The networks go two frames at a time.
FRAMES_A_STEP: Final = 2
STEP: Final = FRAME * FRAMES_A_STEP
STEP_SECONDS: Final = STEP / SPEECH_RATE
