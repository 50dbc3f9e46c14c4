"""Counts what a finished file tells besides pictures, sound and, where a policy keeps it, their month.

Not through FFmpeg's tags, of which a file can hold what they do not show: told/ knows what our own writers
write, and what is not that, counts. So for a file of ours the answer is 0, whatever was asked for; anything
else is a mistake of ours that a decoder, a library or a change brought in, and such a file must not leave.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO, Final

from anonymizer.errors import AnonymizerError
from anonymizer.leaks.told.boxes import places_in, read
from anonymizer.leaks.told.coded import told_in_pictures, told_in_sound
from anonymizer.leaks.told.jpeg import told_by_jpeg
from anonymizer.leaks.told.movie import PICTURES, SOUND, Movie
from anonymizer.leaks.told.png import told_by_png
from anonymizer.leaks.told.samples import samples_of, unused_stretches
from anonymizer.leaks.told.webp import told_by_webp

# A still of the largest size that is taken, with four channels and without any packing, has half of this.
MOST_STILL_BYTES: Final = 512 << 20

_STILLS: Final[Mapping[str, Callable[[bytes, str | None], int]]] = {
    "image/jpeg": told_by_jpeg,
    "image/png": told_by_png,
    "image/webp": told_by_webp,
}
# What each may hold, and what its first box says (ISO/IEC 14496-12, 4.3).
_BRANDS: Final = b"isom\0\0\2\0isomiso2"
_MOVIES: Final = {
    "video/mp4": (frozenset({PICTURES, SOUND}), _BRANDS + b"avc1mp41"),
    "audio/mp4": (frozenset({SOUND}), _BRANDS + b"mp41"),
}


def metadata_left(result: BinaryIO, media_type: str, *, month: str | None) -> int:
    """Counts the things in a finished file that tell more than they should; 0 for every file of ours.

    Args:
        result: readable and seekable, before content credentials are added; left at its start.
        media_type: what it is: "video/mp4", "audio/mp4", "image/jpeg", "image/png" or "image/webp".
        month: that the file may say, such as "2019-08"; None where it may say none.

    Raises:
        AnonymizerError: result_unreadable, for what is not of that type.
        Exception: whatever the stream itself raises.
    """
    result.seek(0)
    try:
        if media_type in _MOVIES:
            return _told_by_movie(result, *_MOVIES[media_type], month)
        if media_type not in _STILLS:
            raise AnonymizerError("result_unreadable")
        content = result.read(MOST_STILL_BYTES + 1)
        if len(content) > MOST_STILL_BYTES:
            raise AnonymizerError("result_unreadable")
        return _STILLS[media_type](content, month)
    finally:
        result.seek(0)


def _told_by_movie(
    untrusted_file: BinaryIO, may_hold: frozenset[bytes], brands: bytes, month: str | None
) -> int:
    places, behind = places_in(untrusted_file)
    known = {kind: [each for each in places if each.kind == kind] for kind in (b"ftyp", b"mdat", b"moov")}
    if not all(known.values()):
        raise AnonymizerError("result_unreadable")
    types, data, index = (read_first[0] for read_first in known.values())
    # Room that is kept for a longer size of the sample data, empty.
    free = [each for each in places if each.kind == b"free" and each.begins == each.ends][:1]
    told = int(behind > 0) + len(places) - len({types, data, index, *free})
    told += read(untrusted_file, types) != brands
    movie = Movie(read(untrusted_file, index), may_hold=may_hold, month=month)
    samples = [samples_of(track.tables) for track in movie.tracks]
    told += movie.told + unused_stretches(samples, data)
    for track, lie in zip(movie.tracks, samples, strict=True):
        told += (told_in_pictures if track.kind == PICTURES else told_in_sound)(untrusted_file, lie)
    return told
