"""All that a disclosure worker is shown before it opens anything: the log from the job to its end, and more.

Whatever is missing or wrong here ends in a refusal there. The desk only gathers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from enclave.host import Materials
from grpc_api.disclosures.book import Book
from grpc_api.disclosures.kept import Kept
from grpc_api.disclosures.states import DisclosureRecord
from grpc_api.disclosures.succession import Dealt
from grpc_api.errors import precondition
from grpc_api.ledger import Ledger
from keyvault.custody.history import CUSTODY_KINDS
from provenance.keys import HybridPublicKey
from provenance.proof import ProofFile
from provenance.register import KIND as WORKER_RELEASE
from provenance.statements import DisclosureApprovalFacts, JobFacts


@dataclass(frozen=True)
class Archive:
    """Where it all lies.

    Attributes:
        book: statements, keys and sealed shares.
        ledger: the log.
    """

    book: Book
    ledger: Ledger

    def gather(self, kept: Kept, dealt: Sequence[Dealt], record: DisclosureRecord) -> Materials:
        """Everything about one request, under the newest checkpoint.

        Args:
            kept: of the request's job, as its worker left it.
            dealt: what its custodians dealt since.
            record: the request.

        Raises:
            ServiceError: `worker_release_unknown`, the version that made the job was never released here.
            LogError: the log cannot be read.
        """
        statement, evidence = kept.job_statement, kept.job_evidence
        place, entries = self.ledger.until_now(kept.log_index)
        wanted = [entry.envelope_sha256.hex() for entry in entries[1:] if entry.kind in CUSTODY_KINDS]
        written = self.book.named(wanted)
        approvals = self.book.about(record.request_sha256, DisclosureApprovalFacts.kind())
        keys: dict[tuple[str, ...], HybridPublicKey] = {}
        for one in written:
            if one.signer is not None:
                keys[one.signer.key_ids] = one.signer
        return Materials(
            job_proof=ProofFile(statement, (evidence,), place).to_bytes(),
            job_release=self._release_of(JobFacts.from_statement(statement.payload).measurement),
            history_proof=ProofFile(statement, (), place).to_bytes(),
            entries=tuple(entries),
            statements=tuple(one.envelope for one in written),
            request_proof=record.proof,
            keys=tuple(keys.values()),
            sealed_shares=tuple(one.sealed_share for one in approvals if one.sealed_share),
            custody_policies=tuple(dict.fromkeys((kept.custody_policy, *(one.policy.text for one in dealt)))),
            sharing=kept.sharing,
            redealt=tuple(dict.fromkeys(one.redealt for one in dealt)),
        )

    def release_proof(self, measurement: str) -> bytes:
        """The proof file of a worker version's release; empty where it is unknown."""
        release = self.book.release_of(measurement)
        if release is None:
            return b""
        return self.ledger.prove(release, (), self.ledger.record(WORKER_RELEASE, release))

    def _release_of(self, measurement: str) -> bytes:
        proof = self.release_proof(measurement)
        if not proof:
            raise precondition(
                "worker_release_unknown",
                "There is no release here of the worker version that made the result.",
            )
        return proof
