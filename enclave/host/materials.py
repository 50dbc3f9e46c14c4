"""What the front desk shows to a disclosure worker, on its way to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from protos.bauta.internal.v1.disclosure_pb2 import LoggedEntry, Proceed, PublicKey
from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.keys import HybridPublicKey


@dataclass(frozen=True)
class Materials:
    """Everything that a disclosure worker checks.

    Attributes:
        job_proof: the proof file of the job's result, with its evidence.
        job_release: the proof file of the release of the job's worker version.
        history_proof: the proof file of the job's statement alone, under the newest checkpoint.
        entries: the log from the job on, to that checkpoint.
        statements: the envelopes of custody among them, in any order.
        request_proof: the proof file of the request under its oldest witnessed checkpoint.
        keys: of the requester, the custodians and the dealers, in any order.
        sealed_shares: as custodians sealed them to this worker, in any order.
        custody_policies: the job's, and those that came after it, in any order.
        sharing: the public part of the job's own sharing.
        redealt: the public parts of what was dealt since, in any order.
    """

    job_proof: bytes
    job_release: bytes
    history_proof: bytes
    entries: tuple[Entry, ...]
    statements: tuple[Envelope, ...]
    request_proof: bytes
    keys: tuple[HybridPublicKey, ...]
    sealed_shares: tuple[bytes, ...] = field(repr=False)
    custody_policies: tuple[str, ...]
    sharing: bytes
    redealt: tuple[bytes, ...] = ()

    def to_message(self) -> Proceed:
        """Gives the protobuf message."""
        return Proceed(
            job_proof=self.job_proof,
            job_release=self.job_release,
            history_proof=self.history_proof,
            entries=[LoggedEntry(kind=entry.kind, sha256=entry.envelope_sha256) for entry in self.entries],
            statements=[statement.to_bytes() for statement in self.statements],
            request_proof=self.request_proof,
            keys=[PublicKey(ed25519=key.ed25519, mldsa65=key.mldsa65) for key in self.keys],
            sealed_shares=self.sealed_shares,
            custody_policies=self.custody_policies,
            sharing=self.sharing,
            redealt=self.redealt,
        )
