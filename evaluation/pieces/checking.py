"""A part against its package, a lossless copy against its untouched package; decoded behind the wall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from evaluation.errors import EvaluationError
from evaluation.pieces.decoding import decoded
from evaluation.pieces.records import Frame, Looks, Record, Sound, SoundBegins
from provenance.committed import Sources, VerifiedCopy, VerifiedPart, verify_copy, verify_part
from provenance.pieces.committing import frame_piece
from provenance.pieces.cutting import blocks_of
from provenance.pieces.description import TreeDescription
from provenance.pieces.errors import PiecesError
from provenance.pieces.opening import Opening
from provenance.pieces.reveal import RevealPackage
from provenance.pieces.untouched import TIME_SLACK_US, TimedFrame, UntouchedReport, verify_untouched

_R = TypeVar("_R", Frame, Sound)

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS: Final = (b"IHDR", b"IDAT", b"IEND")
_MOST_PNG_BYTES: Final = 256 << 20
_CHUNK_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class CheckedPart:
    """A part that is the original's.

    Attributes:
        verified: who committed, what is shown, and the steps.
        sound_after_us: how much later than its pictures the original's sound began, as the part has it; no
            commitment is over that. None without both.
    """

    verified: VerifiedPart
    sound_after_us: int | None


def check_part(part: Path, untrusted_package: bytes, sources: Sources) -> CheckedPart:
    """Checks a part of an original.

    Args:
        part: the clip or picture, from a stranger.
        untrusted_package: the reveal package beside it.
        sources: who committed to the original.

    Raises:
        VerificationError: with the first step that failed.
        OSError: the part cannot be read.
    """
    with ExitStack() as stack:
        reader = _PartReader(part, stack)
        verified = verify_part(sources, untrusted_package, reader.pieces_of)
    return CheckedPart(verified, reader.sound_after_us(verified.package))


def check_copy(copy: Path, untrusted_package: BinaryIO, sources: Sources) -> VerifiedCopy:
    """Checks a lossless copy of which only the original's commitment is known.

    Raises:
        VerificationError: with the first step that failed.
        OSError: a file cannot be read.
    """
    with decoded(copy, "pictures", "copy") as records:
        return verify_copy(sources, untrusted_package, _timed(records))


def untouched_share(copy: Path, untrusted_package: BinaryIO, root: bytes) -> UntouchedReport:
    """Finds out how much of a lossless copy is proven to be the original's; differences are counted.

    Raises:
        PiecesError: the package is not about this original, or about another film than the copy.
        OSError: a file cannot be read.
    """
    with decoded(copy, "pictures", "copy") as records:
        return verify_untouched(untrusted_package, root, _timed(records))


def _timed(records: Iterator[Record]) -> Iterator[TimedFrame]:
    for record in _told(records):
        if isinstance(record, Frame):
            yield record.time_us, record.planes
        elif not isinstance(record, Looks | SoundBegins):
            raise PiecesError("the file's pictures are not of one form to its end", "media_unsupported")


def _told(records: Iterator[Record]) -> Iterator[Record]:
    """Passes on what the decoder tells; what it refuses is a failure of the step that asked."""
    try:
        yield from records
    except EvaluationError as error:
        raise PiecesError(str(error).rstrip("."), error.code) from None


class _PartReader:
    """Reads the pieces of a part as its package asks for them, and refuses whatever else is in it."""

    def __init__(self, part: Path, stack: ExitStack) -> None:
        self._part, self._stack = part, stack
        self._ahead: Record | None = None
        self._records: Iterator[Record] = iter(())
        self._sound_begins_us: int | None = None

    def pieces_of(self, package: RevealPackage) -> Mapping[str, Iterable[bytes]]:
        """Gives the pieces, tree by tree, in the order of the trees."""
        shown = {tree.kind: (tree, opening) for tree, opening in package.trees}
        if any(len(opening.stretches) != 1 for _, opening in shown.values()):
            raise PiecesError("a part is one stretch of each kind; the package is about several")
        if "bytes" in shown:
            if len(shown) > 1:
                raise PiecesError("a range of a file is a part of its own; the package is about more")
            return {"bytes": self._blocks(shown["bytes"][0])}
        if self._is_png():
            _require_plain_png(self._part)
        self._records = _told(self._stack.enter_context(decoded(self._part, form="part")))
        pieces: dict[str, Iterable[bytes]] = {}
        if "frames" in shown:
            pieces["frames"] = self._frames(package.times, is_last="audio" not in shown)
        if "audio" in shown:
            pieces["audio"] = self._sound(*shown["audio"])
        return pieces

    def sound_after_us(self, package: RevealPackage) -> int | None:
        """Where the original's sound begins after its first frame, by where this part puts it."""
        sound = next(((tree, opening) for tree, opening in package.trees if tree.kind == "audio"), None)
        if sound is None or self._sound_begins_us is None or not package.times:
            return None
        block_samples, rate, _, _ = sound[0].shape
        first_us = sound[1].stretches[0][0] * block_samples * 1_000_000 // rate
        return self._sound_begins_us + package.times[0] - first_us

    def _blocks(self, tree: TreeDescription) -> Iterator[bytes]:
        with self._part.open("rb") as part:
            yield from blocks_of(iter(lambda: part.read(_CHUNK_BYTES), b""), tree.piece_bytes)

    def _frames(self, times: tuple[int, ...], *, is_last: bool) -> Iterator[bytes]:
        for number, record in enumerate(self._of(Frame)):
            # One frame too many is the package's to refuse.
            time_us = times[number] if number < len(times) else 0
            if number < len(times) and abs(record.time_us - (time_us - times[0])) > TIME_SLACK_US:
                raise PiecesError(f"frame {number} of the part is shown at another time", "pieces_differ")
            yield frame_piece(time_us, record.planes)
        if is_last:
            self._require_end()

    def _sound(self, tree: TreeDescription, opening: Opening) -> Iterator[bytes]:
        def samples() -> Iterator[bytes]:
            for record in self._of(Sound):
                if record.numbers != tree.shape[1:]:
                    raise PiecesError("the sound of the part has another form", "pieces_differ")
                yield record.samples

        yield from blocks_of(samples(), tree.piece_bytes)
        self._require_end()

    def _of(self, kind: type[_R]) -> Iterator[_R]:
        """The next records of one kind, up to one of another."""
        while (record := self._next()) is not None:
            if not isinstance(record, kind):
                self._ahead = record
                return
            yield record

    def _next(self) -> Record | None:
        record, self._ahead = self._ahead, None
        while record is None:
            record = next(self._records, None)
            if record is None:
                return None
            if isinstance(record, SoundBegins):
                self._sound_begins_us = record.time_us
            if isinstance(record, SoundBegins | Looks):
                record = None
        return record

    def _require_end(self) -> None:
        if self._next() is not None:
            raise PiecesError("the part shows more than its package is about", "pieces_missing")

    def _is_png(self) -> bool:
        with self._part.open("rb") as part:
            return part.read(len(_PNG)) == _PNG


def _require_plain_png(part: Path) -> None:
    """A picture has its pixels and nothing that would have them shown otherwise than they are checked.

    Raises:
        PiecesError: it has more.
    """
    with part.open("rb") as file:
        untrusted = file.read(_MOST_PNG_BYTES + 1)
    at = len(_PNG)
    while at < len(untrusted) <= _MOST_PNG_BYTES and untrusted[at + 4 : at + 8] in _PNG_CHUNKS:
        at += 12 + int.from_bytes(untrusted[at : at + 4], "big")
    if at != len(untrusted):
        raise PiecesError("the picture holds more than its pixels", "media_unsupported")
