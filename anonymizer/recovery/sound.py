"""What somebody said as bytes, without loss: what an entry of kind "sound" holds (docs/recovery.md).

    head     coding, 1 byte: 1; number of the first sample, 8; samples a second, 4; samples, 4; channels, 1
    streams  of two channels together, else of one channel each: STREAMINFO of FLAC, 34 bytes; number of
             frames, 2; and for each FLAC frame its length, 4, and its bytes (RFC 9639)

Numbers are big-endian; samples have 24 bits. Decoders give floating point; beyond 24 bits it holds no sound.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from anonymizer.errors import AnonymizerError
from anonymizer.keeping import Samples

Integers = npt.NDArray[np.int32]

CODING: Final = 1
MOST_SAMPLES: Final = 192_000
"""Of one entry: a second of the highest rate."""
MOST_CHANNELS: Final = 8

_HEAD = struct.Struct(">BQIIB")
_FRAMES = struct.Struct(">H")
_LENGTH = struct.Struct(">I")
_STREAMINFO_BYTES = 34
_HIGHEST = (1 << 23) - 1
_LAYOUTS = {1: "mono", 2: "stereo"}
# FLAC's 24 bits stand in the upper part of FFmpeg's 32.
_SHIFT = 8


@dataclass(frozen=True)
class Said:
    """A second, or less, of somebody's voice.

    Attributes:
        first: number of the first sample, from the time that is zero in the result.
        rate: samples a second; that of the original.
        samples: (channels, n) int32, of 24 bits.
    """

    first: int
    rate: int
    samples: Integers

    @property
    def as_float(self) -> Samples:
        """(channels, n) float32, from -1 to 1."""
        return (self.samples / np.float32(_HIGHEST + 1)).astype(np.float32)


def said_of(first: int, rate: int, samples: Samples) -> Said:
    """Takes samples as a decoder gives them, (channels, n) float32."""
    wide = np.round(samples.astype(np.float64) * (_HIGHEST + 1))
    return Said(first, rate, np.clip(wide, -_HIGHEST - 1, _HIGHEST).astype(np.int32))


def write_sound(said: Said) -> bytes:
    """Packs a stretch."""
    channels, count = said.samples.shape
    streams = [_encoded(said.samples[group], said.rate) for group in _groups(channels)]
    return _HEAD.pack(CODING, said.first, said.rate, count, channels) + b"".join(streams)


def read_sound(untrusted: bytes) -> Said:
    """Reads what `write_sound` gave.

    Raises:
        AnonymizerError: record_refused.
    """
    reader = _Reader(untrusted)
    coding, first, rate, count, channels = _HEAD.unpack(reader.next(_HEAD.size))
    if coding != CODING or not 0 < count <= MOST_SAMPLES or not 0 < channels <= MOST_CHANNELS or not rate:
        raise AnonymizerError("record_refused")
    decoded = []
    for group in _groups(channels):
        streaminfo = reader.next(_STREAMINFO_BYTES)
        (frames,) = _FRAMES.unpack(reader.next(_FRAMES.size))
        packets = [reader.next(*_LENGTH.unpack(reader.next(_LENGTH.size))) for _ in range(frames)]
        decoded.append(_decoded(streaminfo, packets, group.stop - group.start, count))
    if not reader.is_at_end:
        raise AnonymizerError("record_refused")
    return Said(first, rate, np.concatenate(decoded))


def _groups(channels: int) -> list[slice]:
    return [slice(0, 2)] if channels == 2 else [slice(channel, channel + 1) for channel in range(channels)]


def _encoded(samples: Integers, rate: int) -> bytes:
    layout = _LAYOUTS[samples.shape[0]]
    context = av.CodecContext.create("flac", "w")
    context.sample_rate, context.layout, context.format = rate, layout, "s32"
    context.time_base = Fraction(1, rate)
    context.open()
    packets = []
    for at in range(0, samples.shape[1], context.frame_size):
        part = samples[:, at : at + context.frame_size] << _SHIFT
        interleaved = np.ascontiguousarray(part.T).reshape(1, -1)
        frame = AudioFrame.from_ndarray(interleaved, format="s32", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        packets += context.encode(frame)
    streaminfo = context.extradata or b""
    packets += context.encode(None)
    # The last packet has no sound: it would tell a file's writer the checksum.
    frames = [bytes(packet) for packet in packets if packet.size]
    packed = b"".join(_LENGTH.pack(len(frame)) + frame for frame in frames)
    return streaminfo + _FRAMES.pack(len(frames)) + packed


def _decoded(streaminfo: bytes, packets: list[bytes], channels: int, count: int) -> Integers:
    context = av.CodecContext.create("flac", "r")
    context.extradata = streaminfo
    parts: list[Integers] = []
    left = count
    try:
        for packet in [*(av.Packet(packet) for packet in packets), None]:
            for frame in context.decode(packet):
                left -= frame.samples
                if frame.format.name != "s32" or len(frame.layout.channels) != channels or left < 0:
                    raise AnonymizerError("record_refused")
                interleaved = np.asarray(frame.to_ndarray(), np.int32)
                parts.append(interleaved.reshape(-1, channels).T >> _SHIFT)
    except (av.FFmpegError, ValueError):
        raise AnonymizerError("record_refused") from None
    if left:
        raise AnonymizerError("record_refused")
    return np.concatenate(parts, axis=1).astype(np.int32)


class _Reader:
    def __init__(self, packed: bytes) -> None:
        self._packed = packed
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at == len(self._packed)

    def next(self, size: int) -> bytes:
        part = self._packed[self._at : self._at + size]
        if not size or len(part) != size:
            raise AnonymizerError("record_refused")
        self._at += size
        return part
