"""Files of sound alone: the walk over an Ogg's pages, and the whole way of a damaged file to a made voice."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from anonymizer import AnonymizerError, Limits, Models, Settings, anonymize, load_models
from anonymizer.errors import MESSAGES
from anonymizer.intake.ogg import check_ogg
from tests.fuzz.rooms.media import SUBMITTER
from tests.fuzz.target import Target
from tests.sound_factory import SPEECH_RATE, as_file

SUFFIXES = (".wav", ".flac", ".mp3", ".aac", ".m4a", ".opus", ".mka")
LIMITS = Limits(max_frame_pixels=256 * 256, max_duration_seconds=5)
TOKENS = (b"OggS", b"fLaC", b"ID3", b"RIFF", b"WAVE", b"fmt ", b"data", b"\xff\xfb", b"\xff\xf1", b"OpusHead")


@cache
def sample(suffix: str) -> bytes:
    """Half a second of a buzz that changes, which costs a converter little."""
    time = np.arange(SPEECH_RATE // 2) / SPEECH_RATE
    buzz = sum(np.sin(2 * np.pi * 130 * tone * time) / tone for tone in range(1, 9))
    with TemporaryDirectory() as folder:
        samples = (0.1 * buzz * np.hanning(len(time))).astype(np.float32)
        return as_file(Path(folder) / f"in{suffix}", samples).read_bytes()


def samples() -> tuple[bytes, ...]:
    """One of each kind."""
    return tuple(map(sample, SUFFIXES))


@cache
def _models() -> Models:
    return load_models("cpu")


def take_whole(untrusted: bytes) -> None:
    """The whole anonymizer with a made voice: a result or a published code, and never both."""
    sink = io.BytesIO()
    chosen = Settings(mode="fast", audio="anonymize", threads=1)
    refusal: AnonymizerError | None = None
    try:
        anonymize(io.BytesIO(untrusted), sink, settings=chosen, models=_models(), limits=LIMITS)
    except AnonymizerError as error:
        refusal = error
    assert bool(sink.getvalue()) == (refusal is None)
    if refusal is not None:
        assert refusal.code in MESSAGES
        raise refusal


TARGETS = (
    Target(
        name="ogg",
        sender=SUBMITTER,
        parsers=("anonymizer.intake.ogg.check_ogg",),
        parse=lambda untrusted: check_ogg(io.BytesIO(untrusted)),
        seeds=lambda: (sample(".opus"),),
        errors=(AnonymizerError,),
        tokens=TOKENS,
        examples=400,
    ),
    Target(
        name="sound",
        sender=SUBMITTER,
        parsers=("anonymizer.sound.alone.transform_sound",),
        parse=take_whole,
        seeds=samples,
        errors=(AnonymizerError,),
        tokens=TOKENS,
        examples=150,
    ),
)
