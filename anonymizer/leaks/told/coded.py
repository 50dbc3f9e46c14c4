"""Messages within coded pictures and coded sound: units and elements that are neither.

Of pictures every unit is looked at (ITU-T H.264, 7.4.1). Of sound the first element of each piece: that is
where FFmpeg's encoder signs its work (ISO/IEC 14496-3, 4.4.2.1). What stands behind the last thing that is
decoded of a picture or of sound, only a decoder could tell.
"""

from __future__ import annotations

from typing import BinaryIO, Final

from anonymizer.errors import AnonymizerError
from anonymizer.leaks.told.samples import Samples

_LENGTH_BYTES: Final = 4
_UNIT: Final = 0x1F
# A slice of a picture, and one of a picture that needs no other.
_PICTURE_UNITS: Final = frozenset({1, 5})
# One channel, two, and the one for low frequencies; what is left are couplings, data, programs and fillings.
_SOUND_ELEMENTS: Final = frozenset({0, 1, 3})


def told_in_pictures(file: BinaryIO, pictures: Samples) -> int:
    """Counts the units that are no picture: messages, captions, fillings, private ones.

    Raises:
        AnonymizerError: result_unreadable.
    """
    told = 0
    for begins, size in zip(pictures.begins.tolist(), pictures.sizes.tolist(), strict=True):
        at, ends = begins, begins + size
        while at < ends:
            file.seek(at)
            untrusted_head = file.read(_LENGTH_BYTES + 1)
            length = int.from_bytes(untrusted_head[:_LENGTH_BYTES], "big")
            at += _LENGTH_BYTES + length
            if len(untrusted_head) <= _LENGTH_BYTES or length == 0 or at > ends:
                raise AnonymizerError("result_unreadable")
            told += (untrusted_head[_LENGTH_BYTES] & _UNIT) not in _PICTURE_UNITS
    return told


def told_in_sound(file: BinaryIO, sound: Samples) -> int:
    """Counts the pieces that begin with something else than sound."""
    told = 0
    for at in sound.begins.tolist():
        file.seek(at)
        untrusted_head = file.read(1)
        told += not untrusted_head or untrusted_head[0] >> 5 not in _SOUND_ELEMENTS
    return told
