"""What a decoder gave, as bytes: pictures as their planes, sound as interleaved samples; nothing converted.

A commitment to an original is made over these bytes, by the worker and, from the original again, by whoever
shows a part of it. Both must cut the same bytes, so both read them here.

pictures.py  a decoded frame, or a still, as planes
samples.py   decoded sound as interleaved samples
sound.py     sound decoded to the same samples everywhere
telling.py   tells all of that to whoever commits to it
"""

from __future__ import annotations

from anonymizer.native.pictures import NativePicture, PictureReader, native_still, time_us_of
from anonymizer.native.samples import BLOCK_SAMPLES, NativeSamples, native_samples
from anonymizer.native.sound import exact_sound
from anonymizer.native.telling import Committer, FrameTeller, tell_sound, tell_still

__all__ = [
    "BLOCK_SAMPLES",
    "Committer",
    "FrameTeller",
    "NativePicture",
    "NativeSamples",
    "PictureReader",
    "exact_sound",
    "native_samples",
    "native_still",
    "tell_sound",
    "tell_still",
    "time_us_of",
]
