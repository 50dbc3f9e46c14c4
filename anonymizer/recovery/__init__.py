"""What was covered, so that it can be had back: taken out of frames and sound, as bytes, and put back.

- `beneath`: regions of one frame, apart for each thing; where two overlap, both are needed. And back again.
- `pixels`: such regions of one track as bytes, and read again.
- `sound`: what somebody said, as bytes, and read again. `voices`: a track of sound cut by who speaks.
- `restoring`: a file with some of it put back; `passage`: its pictures, `sounding`: its sound.
- `showing`: one covered thumbnail of each thing, for people who decide.

Nothing here encrypts: whoever brings a `Keeper` (anonymizer/keeping.py) does. The formats are in
docs/recovery.md.
"""

from anonymizer.recovery.beneath import VOICES_FROM, Beneath, beneath_of, put_back, voice_track
from anonymizer.recovery.pixels import bands_of, read_pixels, write_pixels
from anonymizer.recovery.sound import Said, read_sound, said_of, write_sound

__all__ = [
    "VOICES_FROM",
    "Beneath",
    "Said",
    "bands_of",
    "beneath_of",
    "put_back",
    "read_pixels",
    "read_sound",
    "said_of",
    "voice_track",
    "write_pixels",
    "write_sound",
]
