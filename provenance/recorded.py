"""The steps that every proof begins with: its form, its entry in the log, who signed for the log."""

from __future__ import annotations

from dataclasses import dataclass

from provenance.checklist import Checklist
from provenance.checkpoint import Checkpoint, CheckpointText, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import FormatError
from provenance.merkle import verify_inclusion
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.witness.quorum import require_quorum

RECORDED_STEPS = {
    "trust_readable": "The trust file is readable and names the node and its log.",
    "proof_well_formed": "The proof is complete and in its one exact form.",
    "entry_recorded": "The statement is recorded in the log.",
    "checkpoint_signed": "The log signed that record with both of its keys.",
    "checkpoint_witnessed": "Enough of the witnesses in the trust file saw the same record.",
}


@dataclass(frozen=True)
class Recorded:
    """A proof whose statement is in the log; who signed the statement is not checked yet.

    Attributes:
        trust: what was believed.
        proof: the proof file.
        log_index: where the statement is recorded.
        checkpoint: the tree head that it was shown under.
    """

    trust: Trust
    proof: ProofFile
    log_index: int
    checkpoint: Checkpoint


def verify_recorded(
    checklist: Checklist, untrusted_proof: bytes, trust: Trust | bytes, kind: str, *, evidence: int
) -> Recorded:
    """Runs `RECORDED_STEPS`, which the checklist begins with.

    Args:
        checklist: of the whole verification.
        untrusted_proof: the proof file.
        trust: a trust file, or what was read from one.
        kind: of the log entry.
        evidence: how many envelopes of evidence this kind has.

    Raises:
        VerificationError: with the first step that failed.
    """
    with checklist.step("trust_readable"):
        believed = trust if isinstance(trust, Trust) else Trust.from_bytes(trust)
    with checklist.step("proof_well_formed"):
        proof = ProofFile.from_bytes(untrusted_proof)
        place = TlogProof.parse(proof.log)
        untrusted_head = CheckpointText.parse(parse_note(place.checkpoint).text.encode())
        if len(proof.evidence) != evidence:
            raise FormatError("the proof does not carry the evidence that its kind needs")
        if proof.timestamps and not evidence:
            raise FormatError("the proof carries timestamps, which only that of a result does")
    with checklist.step("entry_recorded"):
        leaf = Entry(kind, proof.statement.digest).leaf
        verify_inclusion(leaf, place.index, untrusted_head.size, place.hashes, untrusted_head.root)
    with checklist.step("checkpoint_signed"):
        checkpoint = verify_checkpoint(place.checkpoint, believed.log_origin, believed.log_keys)
    policy = believed.witnesses
    if policy is None or policy.asks_nobody:
        checklist.leave("checkpoint_witnessed")
    else:
        with checklist.step("checkpoint_witnessed"):
            require_quorum(place.checkpoint, policy)
    return Recorded(believed, proof, place.index, checkpoint)
