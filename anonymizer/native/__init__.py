"""What a decoder gave, as bytes: pictures as their planes, sound as interleaved samples; nothing converted.

A commitment to an original is made over these bytes, by the worker and, from the original again, by whoever
shows a part of it. Both must cut the same bytes, so both read them here.

pictures.py  a decoded frame, or a still, as planes
samples.py   decoded sound as interleaved samples
"""

from __future__ import annotations

from anonymizer.native.pictures import NativePicture, PictureReader, native_still, time_us_of
from anonymizer.native.samples import BLOCK_SAMPLES, NativeSamples, native_samples

__all__ = [
    "BLOCK_SAMPLES",
    "NativePicture",
    "NativeSamples",
    "PictureReader",
    "native_samples",
    "native_still",
    "time_us_of",
]
