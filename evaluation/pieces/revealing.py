"""The whole way of a part: an original and its secret in; a lossless clip or picture and its package out.

The commitment is made again and has to be the one that was signed. The part is checked, as its readers will
check it, before anything is handed over.
"""

from __future__ import annotations

import mmap
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from evaluation.errors import EvaluationError
from evaluation.pieces.checking import CheckedPart, check_part
from evaluation.pieces.decoding import decoded
from evaluation.pieces.original import CommittedOriginal, commit_to
from evaluation.pieces.parts import PartSound, write_clip, write_still
from evaluation.pieces.records import Frame, Sound
from provenance.committed import Sources
from provenance.pieces.committing import PieceTree
from provenance.pieces.description import TreeDescription
from provenance.pieces.opening import Opening, Stretch
from provenance.pieces.reveal import RevealPackage, make_reveal

STILLS: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
CLIPS: Final = frozenset({".mkv", ".mka"})


@dataclass(frozen=True)
class Asked:
    """What of an original is to be shown.

    Attributes:
        original: the file.
        secret: of its commitment, 32 bytes.
        root: of the commitment that was signed.
        tiles: whether that has a tree of tiles.
        from_us: where the stretch begins, microseconds from the first frame (of sound alone: sample).
        to_us: where it ends.
        with_sound: whether the sound of the stretch is shown.
        suffix: of the part: a clip's, ".png" for a still's pixels, or the still's own for all its bytes.
    """

    original: Path
    secret: bytes = field(repr=False)
    root: bytes
    tiles: bool
    from_us: int
    to_us: int
    with_sound: bool
    suffix: str


def reveal(asked: Asked, target: Path, sources: Sources) -> tuple[bytes, CheckedPart]:
    """Writes a part and gives its package.

    Args:
        asked: what to show.
        target: takes the part, a file in a folder of its owner's.
        sources: who committed; the part is checked against them before this returns.

    Raises:
        EvaluationError: `pieces_made_otherwise`: the commitment that was signed is not to what this file
            decodes to here; `reveal_nothing`; `part_unwritable`; or the file cannot be decoded.
        VerificationError: the part would not hold.
        OSError: a file cannot be read or written.
    """
    committed = commit_to(asked.original, asked.secret, tiles=asked.tiles)
    if committed.commitment.root != asked.root:
        raise EvaluationError("pieces_made_otherwise")
    write = _clip if asked.suffix in CLIPS else _still
    opened = write(asked, committed, target).to_bytes()
    return opened, check_part(target, opened, sources)


def _still(asked: Asked, committed: CommittedOriginal, target: Path) -> RevealPackage:
    """All of a picture: its pixels, or every byte of its file."""
    if asked.suffix != ".png" or asked.original.suffix.lower() == ".png":
        tree = committed.trees.bytes_tree
        shutil.copyfile(asked.original, target)
        return make_reveal(committed.commitment, [_opened(tree, (0, len(tree.leaves)))])
    tree = _tree(committed.trees.frames_tree)
    with decoded(asked.original, "pictures") as records:
        frame = next((record for record in records if isinstance(record, Frame)), None)
    if frame is None or len(committed.times_us) != 1:
        raise EvaluationError("reveal_nothing")
    write_still(target, frame)
    return make_reveal(committed.commitment, [_opened(tree, (0, 1))], [0])


def _clip(asked: Asked, committed: CommittedOriginal, target: Path) -> RevealPackage:
    frames = committed.trees.frames_tree
    shown = []
    first, end = 0, 0
    if frames is not None:
        first, end = (bisect_left(committed.times_us, at) for at in (asked.from_us, asked.to_us))
        if first < end:
            shown.append(_opened(frames, (first, end)))
    heard = _heard(asked, committed)
    if heard is not None:
        shown.append(_opened(heard[0], heard[1]))
    if not shown:
        raise EvaluationError("reveal_nothing")
    begins_us = committed.times_us[first] if first < end else None
    sound = None if heard is None else _sound(asked, committed, heard, begins_us)
    write_clip(target, _frames(asked.original, first, end), end - first, committed.looks, sound)
    return make_reveal(committed.commitment, shown, committed.times_us[first:end])


def _heard(asked: Asked, committed: CommittedOriginal) -> tuple[PieceTree, Stretch] | None:
    """The blocks of sound that lie wholly within what was asked for: no sample from outside is shown."""
    tree = committed.trees.audio_tree
    if tree is None or not asked.with_sound:
        return None
    samples, rate, channels, sample_bytes = tree.describe().shape
    from_us, to_us = (at - committed.sound_begins_us for at in (asked.from_us, asked.to_us))
    first = max(0, -(-from_us * rate // (samples * 1_000_000)))
    end = max(0, to_us * rate // (samples * 1_000_000))
    # The last block may be shorter than the others.
    if to_us * rate >= committed.sound_bytes // (channels * sample_bytes) * 1_000_000:
        end = len(tree.leaves)
    return (tree, (first, end)) if first < end else None


def _sound(
    asked: Asked, committed: CommittedOriginal, heard: tuple[PieceTree, Stretch], begins_us: int | None
) -> PartSound:
    tree, (first, end) = heard
    block_samples, rate, channels, sample_bytes = tree.describe().shape
    block_bytes = block_samples * channels * sample_bytes
    wanted = (first * block_bytes, end * block_bytes)
    # An hour of it may be more than memory holds: it lies in a file without a name.
    with tempfile.TemporaryFile() as kept, decoded(asked.original, "sound") as records:
        at = 0
        for record in records:
            if isinstance(record, Sound):
                low, high = (min(max(edge - at, 0), len(record.samples)) for edge in wanted)
                kept.write(record.samples[low:high])
                at += len(record.samples)
            if at >= wanted[1]:
                break
        kept.flush()
        samples = mmap.mmap(kept.fileno(), 0, access=mmap.ACCESS_READ)
    starts_us = committed.sound_begins_us + first * block_samples * 1_000_000 // rate
    after = 0 if begins_us is None else starts_us - begins_us
    return PartSound((rate, channels, sample_bytes), committed.sound_is_float, after, samples)


def _frames(original: Path, first: int, end: int) -> Iterator[Frame]:
    """Decodes again, up to the stretch's end."""
    if first >= end:
        return
    number = 0
    with decoded(original, "pictures") as records:
        for record in records:
            if not isinstance(record, Frame):
                continue
            if first <= number:
                yield record
            number += 1
            if number >= end:
                return


def _opened(tree: PieceTree, stretch: Stretch) -> tuple[TreeDescription, Opening]:
    return tree.describe(), tree.open([stretch])


def _tree(tree: PieceTree | None) -> PieceTree:
    if tree is None:
        raise EvaluationError("reveal_nothing")
    return tree
