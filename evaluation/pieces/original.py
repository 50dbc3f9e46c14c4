"""An original committed to again, as its worker or its device did, by whoever holds it and its secret."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from evaluation.pieces.decoding import decoded
from evaluation.pieces.records import Frame, Looks, Sound, SoundBegins, Taken
from provenance.pieces.description import Commitment
from provenance.pieces.original import OriginalTrees

_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class CommittedOriginal:
    """An original in pieces.

    Attributes:
        trees: all of them.
        commitment: to them.
        times_us: of the frames, from the first one.
        sound_begins_us: from the first frame; 0 in a file of sound alone.
        sound_bytes: of all samples.
        sound_is_float: whether its samples are fractions.
        looks: how its pictures are to be shown; None where there are none.
    """

    trees: OriginalTrees
    commitment: Commitment
    times_us: array[int]
    sound_begins_us: int
    sound_bytes: int
    sound_is_float: bool
    looks: Looks | None


def commit_to(original: Path, secret: bytes, *, tiles: bool) -> CommittedOriginal:
    """Reads an original once as a file and once as what its decoders give.

    Args:
        original: the file.
        secret: of the commitment, 32 bytes.
        tiles: whether frames are cut into tiles as well.

    Raises:
        EvaluationError: it cannot be decoded.
        PiecesError: the secret has another length.
        OSError: the file cannot be read.
    """
    trees = OriginalTrees(secret, tiles=tiles)
    with original.open("rb") as source:
        while chunk := source.read(_CHUNK_BYTES):
            trees.container(chunk)
    times, begins, looks = array("q"), SoundBegins(0, is_float=False), None
    sound_bytes = 0
    with decoded(original) as records:
        for record in records:
            if isinstance(record, Frame):
                trees.frame(record.time_us, record.numbers, record.planes)
                times.append(record.time_us)
            elif isinstance(record, Sound):
                trees.sound(record.numbers, record.samples)
                sound_bytes += len(record.samples)
            elif isinstance(record, SoundBegins):
                begins = record
            elif isinstance(record, Looks):
                looks = record
            elif isinstance(record, Taken) and record.kind == "frames":
                trees.no_frames()
            else:
                trees.no_sound()
    trees.finish()
    return CommittedOriginal(
        trees=trees,
        commitment=trees.commitment(),
        times_us=times,
        sound_begins_us=begins.time_us,
        sound_bytes=sound_bytes,
        sound_is_float=begins.is_float,
        looks=looks,
    )
