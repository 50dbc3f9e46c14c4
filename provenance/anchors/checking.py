"""The check of an anchor beside a proof that holds: three steps, each named.

Whether a block is on the chain is not for a file to say. So the last step asks whoever verifies: a hash that
they were told, a header that they saved, or a node that they believe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provenance.anchors.anchor_proof import Anchor, AnchorProof, require_anchored, require_believed
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.place import AnchorPlace
from provenance.checklist import Checklist, Step
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError
from provenance.statements.fields import format_instant
from provenance.trust import Trust

ANCHOR_STEPS = {
    "anchor_sound": "The anchorer in the trust file had a chain's contract state a tree head of this log.",
    "anchor_covers": "The anchored tree is the one that the proof is recorded in, or begins with it.",
    "anchor_block_believed": "The block in which that happened is one that you named.",
}

UNKNOWN = "anchor_place_unknown"


@dataclass(frozen=True)
class Anchored:
    """An anchor, and whose.

    Attributes:
        place: which chain, contract and anchorer, as the trust file names them.
        anchor: the block and the tree head.
        steps: one report a step, in order; none before all of them held.
    """

    place: AnchorPlace
    anchor: Anchor
    steps: tuple[Step, ...] = ()

    @property
    def mined_at(self) -> str | None:
        """The block's time as an instant; None beyond the calendar, since a header can say any number."""
        try:
            return format_instant(datetime.fromtimestamp(self.anchor.block.mined_at, UTC))
        except (OverflowError, ValueError, OSError):
            return None

    def document(self) -> dict[str, Any]:
        """What it says, for programs; docs/verifying.md lists the fields."""
        return {
            **self.place.to_object(),
            "size": self.anchor.checkpoint.size,
            "root": self.anchor.checkpoint.root.hex(),
            "block": self.anchor.block.number,
            "block_hash": "0x" + self.anchor.block.block_hash.hex(),
            "mined_at": self.mined_at,
        }


BlockSource = Callable[[Anchored], Collection[bytes]]
"""Gives hashes of blocks, 32 bytes each, that are believed to be on the chain."""


def verify_anchored(
    untrusted_file: bytes, trust: Trust, checkpoint: CheckpointText, believed_blocks: BlockSource
) -> Anchored:
    """Checks that the tree of a proof that holds is anchored.

    Args:
        untrusted_file: what `CoveredAnchor.to_bytes` or `AnchorProof.to_bytes` wrote.
        trust: names the places whose anchors count.
        checkpoint: of the proof, verified.
        believed_blocks: asked last, and only about an anchor that holds otherwise.

    Raises:
        VerificationError: with the first step that failed.
    """
    checklist = Checklist(ANCHOR_STEPS)
    with checklist.step("anchor_sound"):
        covered = CoveredAnchor.from_bytes(untrusted_file)
        found = find_place(covered.anchor, trust)
    with checklist.step("anchor_covers"):
        require_anchored(found.anchor, checkpoint, covered.consistency)
    with checklist.step("anchor_block_believed"):
        require_believed(found.anchor, believed_blocks(found))
    return Anchored(found.place, found.anchor, checklist.reports())


def find_place(proof: AnchorProof, trust: Trust) -> Anchored:
    """Checks an anchor against the places that a trust file names; whether the block exists is not asked.

    Raises:
        FormatError: malformed, of a transaction that failed, of no believed place, or `anchor_place_unknown`.
        MerkleError: `anchor_proof_broken`.
    """
    refusal = FormatError("the trust file names no chain, contract and anchorer whose anchors count", UNKNOWN)
    for place in trust.anchors:
        try:
            return Anchored(place, proof.check(place.line(trust.log_origin)))
        except FormatError as error:
            if error.code != "anchor_of_another":
                raise
            refusal = error
    raise refusal
