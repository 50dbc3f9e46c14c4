"""The check of an anchor beside a proof that holds: three steps, each named.

Whether a block is on the chain is not for a file to say. So the last step asks whoever verifies: a hash that
they were told, a header that they saved, or a node that they believe.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from provenance.anchors.anchor_proof import Anchor, require_anchored, require_believed
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.place import AnchorPlace
from provenance.checklist import Checklist, Step
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError
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
        found = _placed(covered, trust)
    with checklist.step("anchor_covers"):
        require_anchored(found.anchor, checkpoint, covered.consistency)
    with checklist.step("anchor_block_believed"):
        require_believed(found.anchor, believed_blocks(found))
    return Anchored(found.place, found.anchor, checklist.reports())


def _placed(covered: CoveredAnchor, trust: Trust) -> Anchored:
    refusal = FormatError("the trust file names no chain, contract and anchorer whose anchors count", UNKNOWN)
    for place in trust.anchors:
        try:
            return Anchored(place, covered.anchor.check(place.line(trust.log_origin)))
        except FormatError as error:
            if error.code != "anchor_of_another":
                raise
            refusal = error
    raise refusal
