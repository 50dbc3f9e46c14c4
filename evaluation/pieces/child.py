"""The process that decodes: `python -m evaluation.pieces.child FORM WHAT`, a file at 0, a pipe at 1.

It imports what it needs, raises the wall of a job around itself (no files, no network, no other programs, no
way to start one, a short list of system calls, limits), and only then reads the file. Where that wall does
not stand it refuses.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from fractions import Fraction
from typing import BinaryIO, Final, cast

import av
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.sidedata.sidedata import SideData, Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange

from anonymizer import AnonymizerError, Limits
from anonymizer.intake.sniff import Format, sniff
from anonymizer.intake.still_size import still_header
from anonymizer.intake.wholeness import check_whole
from anonymizer.native import FrameTeller, tell_sound, tell_still
from anonymizer.native.sound import exact_decoder
from anonymizer.sound.alone import is_sound_alone
from anonymizer.still import decode_still
from anonymizer.video.opening import AUDIO_DECODERS, Opener
from anonymizer.video.reading import Reader, time_of
from anonymizer.video.streams import Source
from enclave import wall
from enclave.errors import WallError
from enclave.wall import descriptors, limits, process
from evaluation.pieces.records import DONE, Looks, RecordWriter

MEMORY_BYTES: Final = 4 << 30
CPU_SECONDS: Final = 6 * 3600
THREADS: Final = 2
# What a part or a copy is made of, and nothing else: whoever looks at one must not be shown another stream
# than was checked.
_PCM: Final = ("pcm_u8", "pcm_s16le", "pcm_s32le", "pcm_f32le", "pcm_f64le")
PART_CODECS: Final = {"video": frozenset({"ffv1"}), "audio": frozenset(_PCM)}
COPY_CODECS: Final = {"video": frozenset({"h264", "ffv1"}), "audio": AUDIO_DECODERS}
FORMATS: Final = {
    "part": frozenset({Format.MATROSKA, Format.PNG}),
    "copy": frozenset({Format.MATROSKA, Format.MP4}),
}
# Matroska rounds times to milliseconds.
UNEVEN_SECONDS: Final = Fraction(2, 1000)
_SHOWN_OTHERWISE: Final = frozenset({Type.DISPLAYMATRIX, Type.SPHERICAL, Type.STEREO3D})
_US: Final = 1_000_000


def main(form: str, what: str) -> None:
    """Decodes the file at 0 and tells it to the pipe at 1.

    Args:
        form: "any"; "part": Matroska with one lossless stream of each kind, or a PNG; "copy": MP4 or
            Matroska with one stream of each kind.
        what: "pictures", "sound" or "both".
    """
    process.die_with_parent()
    inherited = limits.address_space_bytes()
    descriptors.keep_only((0, 1), os.open(os.devnull, os.O_RDWR))
    _import_what_loads_late()
    standing = wall.raise_outer_wall()
    child_limits = wall.ChildLimits(MEMORY_BYTES, 0, CPU_SECONDS)
    standing = wall.raise_child_wall(standing, child_limits, inherited)
    with open(3, "rb") as source, open(4, "wb") as sink:  # descriptors, not paths
        writer = RecordWriter(sink)
        writer.end(_code_of(lambda: _tell(source, writer, form, what), standing))


def _import_what_loads_late() -> None:
    """PyAV loads a module for each kind of stream and codec when it meets the first one: too late here."""
    for module in pkgutil.walk_packages(av.__path__, "av."):
        if not module.name.endswith((".__main__", ".datasets")):
            importlib.import_module(module.name)


def _code_of(work: Callable[[], None], standing: set[str]) -> str:
    try:
        wall.require_floor(standing)
        work()
    except (AnonymizerError, WallError) as error:
        return error.code
    return DONE


def _tell(source: BinaryIO, writer: RecordWriter, form: str, what: str) -> None:
    kind, allowed = sniff(source), Limits()
    if kind not in FORMATS.get(form, Format):
        raise AnonymizerError("media_unsupported")
    check_whole(source, kind, allowed)
    if kind.is_still:
        content = source.read(allowed.max_still_bytes + 1)
        if len(content) > allowed.max_still_bytes:
            raise AnonymizerError("media_too_large")
        still_header(content, kind, allowed)
        image = decode_still(content, kind)
        _require_opaque(form, is_opaque=image.shape[2] != 4)
        tell_still(image, writer)
        return
    if form != "any":
        _require_one_of_each(source, kind, form)
    alone = kind.may_be_sound and is_sound_alone(source, kind, allowed)
    if what != "sound" and not alone:
        source.seek(0)
        _tell_pictures(source, kind, writer, form)
    if what != "pictures":
        if alone:
            with closing(Opener(Source(source), kind, allowed).open()) as container:
                _tell_when_sound_begins(next(iter(container.streams.audio), None), writer, Fraction(0))
        tell_sound(source, kind, allowed, writer)


def _require_opaque(form: str, *, is_opaque: bool) -> None:
    """Nobody committed to what is transparent: by it a forger would choose what of a picture is seen."""
    if form != "any" and not is_opaque:
        raise AnonymizerError("media_unsupported")


def _is_shown_otherwise(frame: VideoFrame) -> bool:
    """Whether a player is asked to turn, mirror, bend or halve a picture: a mirrored one has no rotation."""
    try:
        # PyAV's container, despite its stub, iterates over its values.
        attached = list(cast("Iterable[SideData]", frame.side_data))
    except ValueError:  # PyAV does not know every kind by name, and then gives none
        return True
    return bool(frame.rotation) or any(item.type in _SHOWN_OTHERWISE for item in attached)


def _tell_pictures(source: BinaryIO, kind: Format, writer: RecordWriter, form: str) -> None:
    """Tells what the first frame looks like, when the sound begins, and then every frame."""
    teller, is_first = FrameTeller(writer), True
    with closing(Reader(source, kind, Limits(), THREADS)) as reader:
        for frame in reader.frames(with_sound=False):
            if not isinstance(frame, VideoFrame):
                continue
            if form != "any" and _is_shown_otherwise(frame):
                raise AnonymizerError("media_unsupported")
            _require_opaque(form, is_opaque=not any(part.is_alpha for part in frame.format.components))
            if is_first:
                writer.looks(_looks_of(frame, reader))
                _tell_when_sound_begins(reader.sound, writer, time_of(frame))
            is_first = False
            teller.tell(frame)


def _tell_when_sound_begins(sound: AudioStream | None, writer: RecordWriter, pictures: Fraction) -> None:
    decoder = exact_decoder(sound)
    if sound is None or decoder is None:
        return
    # A start below zero is the sound codec's run-up, which its decoder drops.
    starts = max((sound.start_time or 0) * (sound.time_base or Fraction(0)), Fraction(0))
    writer.sound_begins(int((starts - pictures) * _US), is_float=decoder.codec.name.startswith("pcm_f"))


def _looks_of(frame: VideoFrame, reader: Reader) -> Looks:
    aspect = reader.video.sample_aspect_ratio or Fraction(1)
    is_full = frame.format.name.startswith("yuvj") or frame.color_range == ColorRange.JPEG
    return Looks(
        is_rgb=frame.format.is_rgb or frame.format.name == "pal8",
        bits=frame.format.components[0].bits,
        color_range=int(ColorRange.JPEG if is_full else ColorRange.MPEG),
        colorspace=int(frame.colorspace),
        aspect=(aspect.numerator, aspect.denominator),
    )


def _require_one_of_each(source: BinaryIO, kind: Format, form: str) -> None:
    codecs = PART_CODECS if form == "part" else COPY_CODECS
    seen: set[str] = set()
    with closing(Opener(Source(source), kind, Limits()).open()) as container:
        # Ordered chapters show a film in another order, or parts of it only, in players that heed them.
        if container.chapters():
            raise AnonymizerError("media_unsupported")
        for stream in container.streams:
            # PyAV types the context as always there; it is None where FFmpeg has no decoder.
            context: object = getattr(stream, "codec_context", None)
            if context is None or stream.type in seen:
                raise AnonymizerError("media_unsupported")
            if stream.codec_context.codec.name not in codecs.get(stream.type, frozenset()):
                raise AnonymizerError("media_unsupported")
            seen.add(stream.type)
        if form == "part":
            _require_even_sound(container)
    source.seek(0)


def _require_even_sound(container: InputContainer) -> None:
    """Whoever listens hears samples when their packets say: none may be early, late or silent in between."""
    sound = next(iter(container.streams.audio), None)
    if sound is None:
        return
    frame_bytes = sound.channels * sound.format.bytes
    expected: Fraction | None = None
    for packet in container.demux(sound):
        if packet.pts is None or packet.time_base is None:
            continue
        at = packet.pts * packet.time_base
        expected = at if expected is None else expected
        if abs(at - expected) > UNEVEN_SECONDS:
            raise AnonymizerError("media_unsupported")
        expected += Fraction(packet.size // frame_bytes, sound.rate)


if __name__ == "__main__":
    main(*sys.argv[1:])
