"""Gathered anchors as static files: old or new after a crash, readable by any web server, never half.

    anchors/PLACE/sizes        the anchored trees' sizes, rising, one a line
    anchors/PLACE/SIZE         the anchor file of one of them

PLACE names chain, contract, anchorer and log (`AnchorPlace.folder`), so that whoever moves to another chain
keeps what the old one remembers.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_left
from pathlib import Path

from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import parse_decimal
from provenance.errors import FormatError, LogError, ProvenanceError
from provenance.tiles.files import FolderFiles, StaticFiles

SIZES = "sizes"
_PATH = re.compile(r"[0-9a-f]{32}/(?:sizes|[1-9][0-9]{0,18})", re.ASCII)


class KeptAnchors:
    """The anchors of one log at one place. Thread-safe.

    Args:
        files: of all places.
        place: which chain, contract and anchorer.
        origin: of the log.

    Raises:
        LogError: the files cannot be read, or their list is none (`log_damaged`).
    """

    def __init__(self, files: StaticFiles, place: AnchorPlace, origin: str) -> None:
        self._files = files
        self._line = place.line(origin)
        self._folder = place.folder(origin)
        self._lock = threading.Lock()
        self._sizes = _read_sizes(files.read(f"{self._folder}/{SIZES}") or b"")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Of the anchored trees, rising."""
        with self._lock:
            return self._sizes

    @property
    def largest(self) -> int:
        """The largest anchored tree's size; 0 where there is none."""
        return max(self.sizes, default=0)

    def keep(self, size: int, proof: AnchorProof) -> None:
        """Keeps the anchor of a tree; durable when it returns. A second one of the same tree replaces it.

        Raises:
            LogError: it could not be written.
            ProvenanceError: larger than a reader would take.
        """
        content = proof.to_bytes()
        with self._lock:
            sizes = tuple(sorted({*self._sizes, size}))
            # The file before the list, which promises it.
            self._files.write({f"{self._folder}/{size}": content})
            self._files.write({f"{self._folder}/{SIZES}": "".join(f"{one}\n" for one in sizes).encode()})
            self._sizes = sizes

    def covering(self, size: int) -> tuple[int, AnchorProof] | None:
        """The anchor of the smallest anchored tree that has this size or more; None where there is none.

        Raises:
            LogError: it cannot be read, or is none of this log's (`log_damaged`).
        """
        sizes = self.sizes
        at = bisect_left(sizes, size)
        return None if at == len(sizes) else (sizes[at], self.read(sizes[at]))

    def read(self, size: int) -> AnchorProof:
        """The anchor of a tree that `sizes` names.

        Raises:
            LogError: as for `covering`.
        """
        content = self._files.read(f"{self._folder}/{size}") or b""
        try:
            proof = AnchorProof.from_bytes(content)
            if proof.check(self._line).checkpoint.size != size:
                raise FormatError("the anchor is of another tree")
        except ProvenanceError:
            raise LogError("a kept anchor is missing, or is not what it should be", "log_damaged") from None
        return proof


def is_anchor_path(untrusted: str) -> bool:
    """Tells whether this is the path of an anchor, or of a list of them, in its only spelling."""
    return _PATH.fullmatch(untrusted) is not None


def open_anchors(folder: Path, place: AnchorPlace, origin: str) -> KeptAnchors:
    """Opens what a data folder keeps of one place.

    Raises:
        LogError: as for `KeptAnchors`.
    """
    return KeptAnchors(FolderFiles(folder), place, origin)


def _read_sizes(content: bytes) -> tuple[int, ...]:
    try:
        sizes = tuple(map(parse_decimal, content.decode("ascii").splitlines()))
    except (UnicodeDecodeError, FormatError):
        raise LogError("the list of kept anchors is none", "log_damaged") from None
    if any(later <= earlier for earlier, later in zip((0, *sizes), sizes, strict=False)):
        raise LogError("the list of kept anchors does not rise", "log_damaged")
    return sizes
