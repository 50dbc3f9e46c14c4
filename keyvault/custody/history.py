"""The log from a job to its end: what an operator would rather leave out.

A proof shows that something is in the log. That a request was not taken back, not answered before, not denied
by somebody who approved later, and that nothing was erased, is known to nobody who is shown proofs alone. So
a disclosure worker gets every leaf from the job to a witnessed end. A leaf tells its kind; for each one of
custody the operator must show the statement, or there is no history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from keyvault.custody.errors import CustodianError
from keyvault.custody.witnessed import Witnessed, require_witnessed
from provenance.checkpoint import CheckpointText
from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.errors import MerkleError
from provenance.merkle import verify_tail
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.statements import (
    DisclosureApprovalFacts,
    DisclosureCancellationFacts,
    DisclosureDenialFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    ErasureFacts,
    JobFacts,
    ResharingFacts,
)
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust

MAX_ENTRIES: Final = 1 << 20
"""Leaves from a job to the log's end: some seconds of hashing."""

CUSTODY_KINDS: Final = tuple(
    facts.kind()
    for facts in (
        DisclosureRequestFacts,
        DisclosureApprovalFacts,
        DisclosureDenialFacts,
        DisclosureCancellationFacts,
        DisclosureReleaseFacts,
        ResharingFacts,
        ErasureFacts,
    )
)


@dataclass(frozen=True)
class Recorded:
    """One statement of custody in the log; its signatures are not checked.

    Attributes:
        log_index: its place.
        kind: of its entry.
        statement: the envelope.
    """

    log_index: int
    kind: str
    statement: Envelope


@dataclass(frozen=True)
class History:
    """All that the log says of custody from one job on.

    Attributes:
        first: what it begins with, under the witnessed end; its times are those of the end.
        recorded: every statement of custody after it, in the log's order.
    """

    first: Witnessed
    recorded: tuple[Recorded, ...]


def read_history(
    untrusted_proof: bytes,
    untrusted_entries: Sequence[Entry],
    untrusted_statements: Iterable[Envelope],
    trust: Trust,
    kind: str = JobFacts.kind(),
) -> History:
    """Reads the log from a statement to the end that its proof leads to.

    Args:
        untrusted_proof: a proof file without evidence, under the newest checkpoint.
        untrusted_entries: the statement's entry and every later one.
        untrusted_statements: the statements of those of custody, in any order.
        trust: as for `require_witnessed`.
        kind: of the first entry.

    Raises:
        CustodianError: history_incomplete: an entry or a statement of custody is missing, or changed.
        ProvenanceError: as for `require_witnessed`.
    """
    first = require_witnessed(untrusted_proof, trust, kind)
    place = TlogProof.parse(ProofFile.from_bytes(untrusted_proof).log)
    head = CheckpointText.parse(parse_note(place.checkpoint).text.encode())
    if len(untrusted_entries) > MAX_ENTRIES:
        raise _incomplete("there are more entries than are read")
    try:
        leaves = [entry.leaf for entry in untrusted_entries]
        verify_tail(leaves, place.index, head.size, place.hashes, head.root)
    except MerkleError:
        raise _incomplete("entries of the log were left out or changed") from None
    statements = {envelope.digest: envelope for envelope in untrusted_statements}
    recorded = []
    for at, entry in enumerate(untrusted_entries[1:], start=place.index + 1):
        if entry.kind in CUSTODY_KINDS:
            if entry.envelope_sha256 not in statements:
                raise _incomplete("a statement of custody is in the log and is not shown")
            recorded.append(Recorded(at, entry.kind, statements[entry.envelope_sha256]))
    return History(first, tuple(recorded))


def _incomplete(why: str) -> CustodianError:
    return CustodianError("history_incomplete", f"the log is not shown to its end: {why}")
