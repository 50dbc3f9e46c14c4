"""The check of an anchor beside a proof, and the blocks that its reader believes to be on the chain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from console.report.verdict import Verdict
from provenance.anchors.checking import BlockSource, verify_anchored
from provenance.anchors.covered import MAX_COVERED_BYTES
from provenance.anchors.header import MAX_HEADER_BYTES, BlockHeader
from provenance.checklist import VerificationError
from provenance.errors import FormatError

_BLOCK_HASH = re.compile(r"(?:0x)?([0-9a-fA-F]{64})", re.ASCII)
_HEX_TEXT = re.compile(rb"\s*(?:0x)?((?:[0-9a-fA-F]{2})+)\s*", re.ASCII)


def parse_block_hash(text: str) -> bytes:
    """Reads a block's hash as explorers show it: 0x and 64 hexadecimal digits.

    Raises:
        FormatError: `block_hash_malformed`.
    """
    found = _BLOCK_HASH.fullmatch(text)
    if found is None:
        raise FormatError("a block's hash is 0x and 64 hexadecimal digits", "block_hash_malformed")
    return bytes.fromhex(found[1])


def hash_of_saved_header(path: Path) -> bytes:
    """Gives the hash of a saved header: RLP, as bytes or in hexadecimal (`debug_getRawHeader`).

    Raises:
        FormatError: it is none.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        # In hexadecimal it has twice the length; two more for 0x, and some for line ends.
        content = file.read(2 * MAX_HEADER_BYTES + 16)
    as_text = _HEX_TEXT.fullmatch(content)
    header = content if as_text is None else bytes.fromhex(as_text[1].decode("ascii"))
    return BlockHeader.from_bytes(header).block_hash


def named_blocks(hashes: Sequence[str], headers: Sequence[Path]) -> set[bytes]:
    """Gives the blocks that somebody named, by hash or by a saved header.

    Raises:
        FormatError: one is none.
        OSError: a header cannot be read.
    """
    return {*map(parse_block_hash, hashes), *map(hash_of_saved_header, headers)}


def with_anchor(verdict: Verdict, file: Path, believed_blocks: BlockSource) -> Verdict:
    """Checks an anchor beside a proof that holds; one that does not hold is not looked at.

    Args:
        verdict: of the proof.
        file: the anchor.
        believed_blocks: asked last.

    Raises:
        OSError: the file cannot be read.
    """
    if verdict.failure is not None or verdict.result is None or verdict.trust is None:
        return verdict
    with file.open("rb") as stream:
        untrusted_file = stream.read(MAX_COVERED_BYTES + 1)
    try:
        anchored = verify_anchored(untrusted_file, verdict.trust, verdict.result.checkpoint, believed_blocks)
    except VerificationError as error:
        return verdict.with_failure(error)
    return replace(verdict.with_steps(*anchored.steps), anchored=anchored)
