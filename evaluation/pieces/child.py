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
from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from typing import BinaryIO, Final

import av
from av.video.frame import VideoFrame

from anonymizer import AnonymizerError, Limits
from anonymizer.intake.sniff import Format, sniff
from anonymizer.intake.still_size import still_header
from anonymizer.intake.wholeness import check_whole
from anonymizer.native import FrameTeller, tell_sound, tell_still
from anonymizer.sound.alone import is_sound_alone
from anonymizer.still import decode_still
from anonymizer.video.opening import Opener
from anonymizer.video.reading import Reader, time_of
from anonymizer.video.streams import Source
from enclave import wall
from enclave.errors import WallError
from enclave.wall import descriptors, limits, process
from evaluation.pieces.records import DONE, RecordWriter

MEMORY_BYTES: Final = 4 << 30
CPU_SECONDS: Final = 6 * 3600
THREADS: Final = 2
# What a part is made of, and nothing else: whoever looks at one must not be shown another stream than was
# checked.
_PCM: Final = ("pcm_u8", "pcm_s16le", "pcm_s32le", "pcm_f32le", "pcm_f64le")
PART_CODECS: Final = {"video": frozenset({"ffv1"}), "audio": frozenset(_PCM)}
_US: Final = 1_000_000


def main(form: str, what: str) -> None:
    """Decodes the file at 0 and tells it to the pipe at 1.

    Args:
        form: "any", or "part": Matroska with one lossless stream of each kind, or a PNG.
        what: "pictures", "sound" or "both".
    """
    process.die_with_parent()
    inherited = limits.address_space_bytes()
    descriptors.keep_only((0, 1), os.open(os.devnull, os.O_RDWR))
    _import_what_loads_late()
    standing = wall.raise_outer_wall()
    child_limits = wall.ChildLimits(MEMORY_BYTES, 0, CPU_SECONDS)
    standing = wall.raise_child_wall(standing, child_limits, inherited)
    with open(3, "rb") as source, open(4, "wb") as sink:  # noqa: PTH123  # descriptors, not paths
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
    if form == "part" and kind not in {Format.MATROSKA, Format.PNG}:
        raise AnonymizerError("media_unsupported")
    check_whole(source, kind, allowed)
    if kind.is_still:
        content = source.read(allowed.max_still_bytes + 1)
        if len(content) > allowed.max_still_bytes:
            raise AnonymizerError("media_too_large")
        still_header(content, kind, allowed)
        tell_still(decode_still(content, kind), writer)
        return
    if form == "part":
        _require_part(source, kind)
    alone = kind.may_be_sound and is_sound_alone(source, kind, allowed)
    if what != "sound" and not alone:
        source.seek(0)
        _tell_pictures(source, kind, writer, upright=form == "part")
    if what != "pictures":
        tell_sound(source, kind, allowed, writer)


def _tell_pictures(source: BinaryIO, kind: Format, writer: RecordWriter, *, upright: bool) -> None:
    """Tells when the sound begins, beside the first frame, and then every frame."""
    teller, is_first = FrameTeller(writer), True
    with closing(Reader(source, kind, Limits(), THREADS)) as reader:
        for frame in reader.frames(with_sound=False):
            if not isinstance(frame, VideoFrame):
                continue
            if upright and frame.rotation:
                raise AnonymizerError("media_unsupported")
            if is_first and reader.sound is not None:
                # A start below zero is the sound codec's run-up, which its decoder drops.
                starts = (reader.sound.start_time or 0) * (reader.sound.time_base or Fraction(0))
                writer.sound_begins(int((max(starts, Fraction(0)) - time_of(frame)) * _US))
            is_first = False
            teller.tell(frame)


def _require_part(source: BinaryIO, kind: Format) -> None:
    seen: set[str] = set()
    with closing(Opener(Source(source), kind, Limits()).open()) as container:
        for stream in container.streams:
            # PyAV types the context as always there; it is None where FFmpeg has no decoder.
            context: object = getattr(stream, "codec_context", None)
            if context is None or stream.type in seen:
                raise AnonymizerError("media_unsupported")
            if stream.codec_context.codec.name not in PART_CODECS.get(stream.type, frozenset()):
                raise AnonymizerError("media_unsupported")
            seen.add(stream.type)
    source.seek(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
