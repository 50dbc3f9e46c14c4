"""What may be signed: in-toto statements, one module each, with no field that takes free text.

What the service says (docs/statements.md has every field):
- `intake`: "seal to this recipient, until then; only these workers get the key" (node key).
- `submission`: "we hold this sealed upload, under these terms, since then": a receipt (node key).
- `release`: "this worker, behind these walls, got the key of this upload" (node key).
- `job`: "this is the result, and this is how it was made" (the worker's one-job keys).
- `failure`: "this job ended without a result, for this reason" (node key).
- `policy`: "a policy of this name ships with exactly this text" (node key).
- `worker_release`: "this version of the worker is a released one" (a release key, or the node key).
- `key_rotation`: "this intake key is destroyed" (node key).

When a cover is to be undone (docs/disclosures.md):
- `disclosure`: "show me this much of that job" (the requester), and "this was shown" (a disclosure worker).
- `disclosure_worker`: "behind these walls it waits for that request" (node key).
- `decision`: a custodian's approval or denial; `cancellation`: the requester takes it back.
- `resharing`: a custodian hands their part on.
- `consent`: somebody who was filmed agrees to be seen again, or no longer does.
- `erasure`: "nobody can uncover this any more" (node key).

`fields` and `scope` have the kinds of field, `vocabulary` the closed lists of words, `base` the in-toto
frame, `schema` the same as JSON Schema for other people's tools.
"""

from provenance.statements.base import Facts
from provenance.statements.cancellation import DisclosureCancellationFacts
from provenance.statements.consent import ConsentFacts, ConsentWithdrawalFacts
from provenance.statements.decision import DisclosureApprovalFacts, DisclosureDenialFacts
from provenance.statements.disclosure import DisclosureReleaseFacts, DisclosureRequestFacts
from provenance.statements.disclosure_worker import DisclosureCountFacts, DisclosureWorkerFacts
from provenance.statements.erasure import ErasureFacts
from provenance.statements.failure import FailureFacts
from provenance.statements.intake import IntakeFacts
from provenance.statements.job import JobFacts
from provenance.statements.key_rotation import KeyRotationFacts
from provenance.statements.policy import PolicyFacts
from provenance.statements.release import ReleaseFacts
from provenance.statements.resharing import ResharingFacts
from provenance.statements.submission import SubmissionFacts
from provenance.statements.worker_release import WorkerReleaseFacts

__all__ = [
    "STATEMENTS",
    "ConsentFacts",
    "ConsentWithdrawalFacts",
    "DisclosureApprovalFacts",
    "DisclosureCancellationFacts",
    "DisclosureCountFacts",
    "DisclosureDenialFacts",
    "DisclosureReleaseFacts",
    "DisclosureRequestFacts",
    "DisclosureWorkerFacts",
    "ErasureFacts",
    "Facts",
    "FailureFacts",
    "IntakeFacts",
    "JobFacts",
    "KeyRotationFacts",
    "PolicyFacts",
    "ReleaseFacts",
    "ResharingFacts",
    "SubmissionFacts",
    "WorkerReleaseFacts",
]

STATEMENTS: tuple[type[Facts], ...] = (
    IntakeFacts,
    SubmissionFacts,
    ReleaseFacts,
    JobFacts,
    FailureFacts,
    PolicyFacts,
    WorkerReleaseFacts,
    KeyRotationFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
    DisclosureApprovalFacts,
    DisclosureDenialFacts,
    DisclosureCancellationFacts,
    DisclosureCountFacts,
    DisclosureReleaseFacts,
    ResharingFacts,
    ErasureFacts,
    ConsentFacts,
    ConsentWithdrawalFacts,
)
"""Every statement there is, in the order of the manual."""
