"""Regions and voices put back into an anonymized file, for some stretches of it; nothing else comes out.

What comes out is coded without loss, so that a restored pixel is the original's, to the bit. Of a video it is
the stretches alone, one after the other: the rest of the result is nobody's business here.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import BinaryIO, Final

import cv2

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.recovery.beneath import put_back
from anonymizer.recovery.passage import (
    VIDEO,
    ByFrame,
    Passage,
    Released,
    Restored,
    Stretch,
    after_cut,
)
from anonymizer.recovery.sounding import SoundBack, Voices
from anonymizer.settings import Limits
from anonymizer.sound.alone import SoundWriter
from anonymizer.sound.reading import SoundReader
from anonymizer.still import decode_still, planes_of
from anonymizer.video.reading import Reader

__all__ = ["Released", "Restored", "Stretch", "restore"]

_STILLS: Final = {"image/jpeg": Format.JPEG, "image/png": Format.PNG, "image/webp": Format.WEBP}
_SOUND: Final = "audio/mp4"


def restore(
    result: BinaryIO,
    media_type: str,
    sink: BinaryIO,
    released: Released,
    stretches: Sequence[Stretch],
    limits: Limits,
    threads: int = 1,
) -> Restored:
    """Takes the covers of some things off, for a while.

    Args:
        result: the anonymized file, seekable.
        media_type: of it.
        sink: writable and seekable; gets an MP4 or a PNG.
        released: more than the stretches need is passed over.
        stretches: rising, none touching the next. A still is at 0.
        limits: what it may cost.
        threads: of decoder and encoder.

    Raises:
        AnonymizerError: record_refused, where something does not fit; media_empty, where nothing lies in the
            stretches; media_unsupported; those of the decoders.
    """
    if media_type in _STILLS:
        return _restore_still(result, _STILLS[media_type], sink, released, stretches, limits)
    if media_type == _SOUND:
        return _restore_sound(result, sink, released, stretches, limits)
    if media_type != VIDEO:
        raise AnonymizerError("media_unsupported")
    reader = Reader(result, Format.MP4, limits, threads)
    try:
        return Passage(reader, sink, released, stretches, limits, threads).run()
    finally:
        reader.close()


def _restore_sound(
    result: BinaryIO,
    sink: BinaryIO,
    released: Released,
    stretches: Sequence[Stretch],
    limits: Limits,
) -> Restored:
    reader = SoundReader(result, Format.MP4, limits)
    voices = Voices(released.heard)
    form = voices.form(reader.sound)
    writer = SoundWriter(sink, form, None)
    try:
        back = SoundBack(
            writer.sound, form, voices, stretches, Fraction(0), limits.max_duration_seconds, writer.mux
        )
        for frame in reader.frames():
            back.write(frame)
        back.write(None)
        if not back.samples:
            raise AnonymizerError("media_empty")
        writer.finish()
    except BaseException:
        writer.abandon()
        raise
    finally:
        reader.close()
    return Restored(_SOUND, 0, 0)


def _restore_still(
    result: BinaryIO,
    kind: Format,
    sink: BinaryIO,
    released: Released,
    stretches: Sequence[Stretch],
    limits: Limits,
) -> Restored:
    if after_cut(Fraction(0), stretches) is None:
        raise AnonymizerError("media_empty")
    content = result.read(limits.max_still_bytes + 1)
    if len(content) > limits.max_still_bytes:
        raise AnonymizerError("media_too_large")
    image = decode_still(content, kind)
    found = ByFrame(released.seen).at(0)
    put_back(planes_of(image), found)
    done, encoded = cv2.imencode(".png", image)
    if not done:
        raise AnonymizerError("media_unsupported")
    sink.write(bytes(encoded))
    return Restored("image/png", 1, int(bool(found)))
