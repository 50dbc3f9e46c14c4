"""What may be signed: five in-toto statements, one module each, with no field that takes free text.

- `intake`: "seal to this recipient, until then; only these workers get the key" (node key).
- `release`: "this worker, behind these walls, got the key of this upload" (node key).
- `job`: "this is the result, and this is how it was made" (the worker's one-job keys).
- `worker_release`: "this version of the worker is a released one" (a release key, or the node key).
- `failure`: "this job ended without a result, for this reason" (node key).

`fields` has the kinds of field, `vocabulary` the closed lists of words, `base` the in-toto frame.
"""

from provenance.statements.base import Facts
from provenance.statements.failure import FailureFacts
from provenance.statements.intake import IntakeFacts
from provenance.statements.job import JobFacts
from provenance.statements.release import ReleaseFacts
from provenance.statements.worker_release import WorkerReleaseFacts

__all__ = ["Facts", "FailureFacts", "IntakeFacts", "JobFacts", "ReleaseFacts", "WorkerReleaseFacts"]
