"""Statements of a disclosure, as custodians and disclosure workers take them: only out of the witnessed log.

A proof is checked against a trust file that names witnesses. One that names none is not enough here: the log
belongs to the very operator who must not be able to leave it out. Times are the witnesses' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from provenance.checklist import Checklist
from provenance.dsse import Envelope
from provenance.errors import SignatureError
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.witness.quorum import require_quorum


@dataclass(frozen=True)
class Witnessed:
    """A statement that is in the log under a witnessed checkpoint; its signatures are not checked yet.

    Attributes:
        statement: the envelope.
        kind: of the log's entry; another kind of statement does not count under it.
        log_index: its place.
        earliest: the time of the first witness to sign the checkpoint that the proof leads to.
        latest: the time of the last one.
    """

    statement: Envelope
    kind: str
    log_index: int
    earliest: datetime
    latest: datetime


def require_witnessed(untrusted_proof: bytes, trust: Trust, kind: str) -> Witnessed:
    """Takes a statement out of its proof.

    Args:
        untrusted_proof: a proof file without evidence.
        trust: pinned by whoever decides, never the service's own word.
        kind: of the log entry.

    Raises:
        SignatureError: `witnesses_not_named`, the trust file demands none; `witness_time_invalid`.
        VerificationError: with the first step that failed.
    """
    policy = trust.witnesses
    if policy is None or policy.asks_nobody:
        raise SignatureError(
            "a disclosure is only decided by a trust file that names witnesses", "witnesses_not_named"
        )
    recorded = verify_recorded(Checklist(RECORDED_STEPS), untrusted_proof, trust, kind, evidence=0)
    checkpoint = TlogProof.parse(recorded.proof.log).checkpoint
    times = require_quorum(checkpoint, policy).values()
    return Witnessed(
        statement=recorded.proof.statement,
        kind=kind,
        log_index=recorded.log_index,
        earliest=moment_of(min(times)),
        latest=moment_of(max(times)),
    )


def moment_of(seconds: int) -> datetime:
    """A witness's time.

    Raises:
        SignatureError: `witness_time_invalid`.
    """
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise SignatureError(
            "a witness signed with a time beyond all years", "witness_time_invalid"
        ) from None
