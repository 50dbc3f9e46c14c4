"""Decoded sound as interleaved samples in the decoder's own form, little-endian."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from anonymizer.errors import AnonymizerError

# Samples of each channel in one piece: 85 ms at 48 kHz.
BLOCK_SAMPLES: Final = 4096


@dataclass(frozen=True)
class NativeSamples:
    """A stretch of sound.

    Attributes:
        numbers: samples a second, channels, bytes a sample.
        form: "u8", "s16", "s32", "s64", "flt" or "dbl".
        samples: interleaved.
    """

    numbers: tuple[int, int, int]
    form: str
    samples: bytes = field(repr=False)


def native_samples(frame: AudioFrame) -> NativeSamples:
    """Returns a frame's samples.

    Raises:
        AnonymizerError: media_unsupported: it has no channel.
    """
    decoded: npt.NDArray[Any] = frame.to_ndarray()
    samples = np.ascontiguousarray(decoded.T if frame.format.is_planar else decoded)
    if sys.byteorder == "big":
        samples = samples.byteswap()
    channels = len(frame.layout.channels)
    if not channels:
        raise AnonymizerError("media_unsupported", "Its sound has no channel.")
    return NativeSamples(
        (frame.sample_rate, channels, samples.dtype.itemsize),
        frame.format.packed.name,
        samples.tobytes(),
    )
