"""The sound of an original as everybody gets it: decoded by a decoder whose samples are the same everywhere.

Lossy sound is mostly decoded in floating point, and then two processors, or two builds of one library, differ
in the last bit: a commitment to such samples could be opened on the machine that made it and nowhere else.
So AAC, MP3 and AC-3 are decoded in whole numbers here, for the commitment alone; what is heard in a result
comes from the usual decoder. A codec without such a decoder (Opus, Vorbis, AMR) is not committed to as sound,
only as a part of the container's bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import BinaryIO, Final

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.stream import Discard

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.native.samples import NativeSamples, native_samples
from anonymizer.settings import Limits
from anonymizer.video.opening import AUDIO_DECODERS, Opener
from anonymizer.video.streams import Source

# FFmpeg's usual decoder and the one that gives the same samples everywhere.
_IN_WHOLE_NUMBERS: Final = {
    **dict.fromkeys(("aac", "aac_fixed"), "aac_fixed"),
    **dict.fromkeys(("ac3", "ac3_fixed"), "ac3_fixed"),
    **dict.fromkeys(("mp3", "mp3float"), "mp3"),
    **dict.fromkeys(("mp2", "mp2float"), "mp2"),
    **dict.fromkeys(("mp1", "mp1float"), "mp1"),
    **{name: name for name in AUDIO_DECODERS if name.startswith(("pcm_", "adpcm_"))},
    **{name: name for name in ("flac", "alac")},
}


def exact_sound(source: BinaryIO, kind: Format, limits: Limits) -> Iterator[NativeSamples]:
    """Decodes the first sound stream of an original, exactly; nothing where that cannot be.

    Args:
        source: readable and seekable; left where it is when the iterator ends.
        kind: its format.
        limits: on its pictures.

    Raises:
        AnonymizerError: it cannot be opened, or what was decoded so far is not all of it: it is damaged, or
            longer than its limit.
        Exception: whatever the stream itself raised.
    """
    tap = Source(source)
    with closing(Opener(tap, kind, limits).open()) as container:
        try:
            sound = next(iter(container.streams.audio), None)
            decoder = exact_decoder(sound)
            if sound is not None and decoder is not None:
                yield from _decoded(container, sound, decoder, limits)
        except (av.FFmpegError, ValueError):
            tap.raise_failure()
            raise AnonymizerError("media_corrupt") from None
        tap.raise_failure()


def exact_decoder(sound: AudioStream | None) -> AudioCodecContext | None:
    """Opens a decoder for a stream whose samples are the same everywhere; None where there is none."""
    # PyAV types the context as always there; it is None where FFmpeg has no decoder.
    context: object = sound.codec_context if sound is not None else None
    if not isinstance(context, AudioCodecContext) or context.codec.name not in _IN_WHOLE_NUMBERS:
        return None
    decoder = av.CodecContext.create(_IN_WHOLE_NUMBERS[context.codec.name], "r")
    decoder.extradata = context.extradata
    decoder.sample_rate = context.sample_rate
    if context.layout is not None:
        decoder.layout = context.layout
    decoder.thread_count = 1
    return decoder


def _decoded(
    container: InputContainer, sound: AudioStream, decoder: AudioCodecContext, limits: Limits
) -> Iterator[NativeSamples]:
    for other in container.streams:
        if other is not sound:
            other.discard = Discard.all
    seconds = 0.0
    for packet in container.demux(sound):
        for frame in decoder.decode(packet if packet.size else None):
            seconds += frame.samples / max(1, frame.sample_rate)
            if seconds > limits.max_duration_seconds:
                raise AnonymizerError("media_too_long")
            yield native_samples(frame)
