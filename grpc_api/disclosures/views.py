"""What of disclosures is shown to whom: by the keys that a custody policy names."""

from __future__ import annotations

from grpc_api.disclosures.askers import OPERATOR, keys_without_part
from grpc_api.disclosures.book import Book, Written, request_unknown
from grpc_api.disclosures.checks import recorded_request
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.disclosures.states import DisclosureRecord
from grpc_api.disclosures.succession import Successions
from keyvault.custody.requests import Request
from provenance.statements import DisclosureApprovalFacts, DisclosureDenialFacts

DECISIONS = (DisclosureApprovalFacts.kind(), DisclosureDenialFacts.kind())
MOST_SHOWN = 200


class Views:
    """Reads for somebody. Safe for threads.

    Args:
        book: statements and requests.
        kept: what jobs left behind.
    """

    def __init__(self, book: Book, kept: KeptStore) -> None:
        self.book = book
        self.kept = kept
        self.successions = Successions(book, kept)

    def seen_by(self, asker: str, request_sha256: str) -> DisclosureRecord:
        """One request, for who made it, decides on it, or owns the service.

        Raises:
            ServiceError: `request_unknown`, whether it is not there or not for them.
        """
        record = self.book.request(request_sha256)
        if asker not in {OPERATOR, record.requester} and asker not in self._custodians(record):
            raise request_unknown()
        return record

    def all_seen_by(self, asker: str) -> list[DisclosureRecord]:
        """Every request that `seen_by` gives them, newest first."""
        return [
            record
            for record in self.book.requests(limit=-1)
            if asker in {OPERATOR, record.requester} or asker in self._custodians(record)
        ][:MOST_SHOWN]

    def custody_for(self, asker: str, job_id: str) -> Kept:
        """How a job's recovery key was kept at first, for custodians and requesters of any policy of it.

        Raises:
            ServiceError: `nothing_kept`, `keys_without_part`.
        """
        kept = self.kept.get(job_id)
        if asker not in self.successions.seats(kept):
            raise keys_without_part()
        return kept

    def is_custodian(self, asker: str) -> bool:
        """Whether any policy under which something was asked for here names these keys as a custodian's."""
        return any(asker in policy.custodians for policy in self.book.policies())

    def is_known(self, asker: str) -> bool:
        """Whether a policy under which something is kept or was asked for names these keys at all."""
        kept = (one.policy for one in self.kept.jobs())
        return any(
            asker in policy.custodians or asker in policy.requesters
            for policy in (*self.book.policies(), *kept)
        )

    def request_of(self, record: DisclosureRecord) -> Request:
        """What a recorded request says.

        Raises:
            ServiceError: `request_unknown`.
        """
        written = self.book.statement(record.request_sha256)
        if written is None:
            raise request_unknown()
        return recorded_request(written.envelope)

    def decisions(self, record: DisclosureRecord) -> list[Written]:
        """The recorded decisions on a request, in the order of the log."""
        return self.book.about(record.request_sha256, *DECISIONS)

    def _custodians(self, record: DisclosureRecord) -> set[str]:
        """Who decides on a request: by the policy that it names, also when nothing is kept of its job."""
        policy = self.book.policy(self.request_of(record).facts.custody_policy_sha256)
        return set() if policy is None else set(policy.custodians)
