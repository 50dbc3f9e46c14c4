"""Is a record whole? Every entry of the log to a signed end, and every statement of custody in it.

From the log alone: the record comes from whoever is audited. What is left out of it shows as a gap in the
numbers, as a root that does not follow, or as an entry without its statement.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keyvault.custody.record import RECORD_KINDS, Record, Shown
from keyvault.custody.witnessed import moment_of
from provenance.checkpoint import Checkpoint, verify_checkpoint
from provenance.dsse import Envelope
from provenance.merkle import completed_nodes, inclusion_proof, root_hash
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.witness.quorum import require_quorum

MOST_FINDINGS: Final = 200


@dataclass(frozen=True)
class Finding:
    """Something that is missing, or should not be as it is.

    Attributes:
        code: stable, snake_case.
        message: a sentence for people.
        log_index: where in the log; None for the record as a whole.
    """

    code: str
    message: str
    log_index: int | None = None


@dataclass(frozen=True)
class Placed:
    """One statement of custody at its place in the log.

    Attributes:
        log_index: the place.
        kind: of the entry.
        shown: the statement; its signatures are not checked yet.
    """

    log_index: int
    kind: str
    shown: Shown


@dataclass(frozen=True)
class Whole:
    """A record against its checkpoint.

    Attributes:
        checkpoint: signed by both keys of the log.
        witnessed_at: when the last of the witnesses that the trust file asks for saw it; None where it asks
            for none.
        findings: what is missing or changed.
        placed: the statements that are in the log, in its order.
    """

    checkpoint: Checkpoint
    witnessed_at: datetime | None
    findings: tuple[Finding, ...]
    placed: tuple[Placed, ...]


def check_whole(record: Record, trust: Trust) -> Whole:
    """Compares a record with the checkpoint in it.

    Raises:
        ProvenanceError: the checkpoint is not signed by the log, or not seen by enough witnesses: then
            nothing is known at all.
    """
    checkpoint = verify_checkpoint(record.checkpoint, trust.log_origin, trust.log_keys)
    witnessed_at = None
    if trust.witnesses is not None and not trust.witnesses.asks_nobody:
        times = require_quorum(record.checkpoint, trust.witnesses).values()
        witnessed_at = moment_of(max(times))
    findings = _gaps(record, checkpoint) or _changes(record, checkpoint)
    placed, without = [], []
    known = set()
    for at, entry in sorted(record.entries.items()):
        if entry.kind not in RECORD_KINDS or at >= checkpoint.size:
            continue
        known.add(entry.envelope_sha256)
        shown = record.statements.get(entry.envelope_sha256)
        if shown is None:
            without.append(Finding("statement_missing", f"The {entry.kind} in the log is not shown.", at))
        else:
            placed.append(Placed(at, entry.kind, shown))
    strays = [
        Finding("statement_not_recorded", f"A statement is shown that is not in the log: {digest.hex()}.")
        for digest in record.statements
        if digest not in known
    ]
    return Whole(checkpoint, witnessed_at, (*findings, *without, *strays)[:MOST_FINDINGS], tuple(placed))


def prove(record: Record, log_index: int, *evidence: Envelope) -> bytes:
    """The proof file of one statement of a whole record.

    Args:
        record: `check_whole` found nothing missing in it.
        log_index: of an entry whose statement is shown.
        evidence: of a release: that of its worker.

    Raises:
        KeyError: there is no such statement.
    """
    statement = record.statements[record.entries[log_index].envelope_sha256].envelope
    nodes = _nodes(record)
    hashes = inclusion_proof(log_index, len(record.entries), lambda *place: nodes[place])
    place = TlogProof(index=log_index, hashes=tuple(hashes), checkpoint=record.checkpoint).to_bytes()
    return ProofFile(statement, evidence, place).to_bytes()


def _gaps(record: Record, checkpoint: Checkpoint) -> list[Finding]:
    missing = [at for at in range(checkpoint.size) if at not in record.entries]
    findings = [Finding("entry_missing", "This entry of the log is not shown.", at) for at in missing]
    beyond = [at for at in record.entries if at >= checkpoint.size]
    findings += [Finding("entry_beyond", "This entry lies behind the signed end.", at) for at in beyond]
    return findings[:MOST_FINDINGS]


def _changes(record: Record, checkpoint: Checkpoint) -> list[Finding]:
    nodes = _nodes(record)
    root = root_hash(checkpoint.size, lambda *place: nodes[place])
    if root == checkpoint.root:
        return []
    return [Finding("entries_changed", "The entries that are shown are not those that the log signed.")]


def _nodes(record: Record) -> dict[tuple[int, int], bytes]:
    nodes: dict[tuple[int, int], bytes] = {}
    for at, entry in sorted(record.entries.items()):
        for level, position, node in completed_nodes(at, entry.leaf, lambda *place: nodes[place]):
            nodes[level, position] = node
    return nodes
