"""A job's two envelopes: the node certifies the worker's keys, the worker signs what it did.

Both are read here, with every signature that somebody demands: whoever verifies (a trust file's
`required_signatures`), and the signed statements themselves (what the job's policy asked for). A signature
that is there beyond that is checked too.
"""

from __future__ import annotations

from collections.abc import Sequence

from provenance.dsse import Envelope
from provenance.keys import STATEMENT_SUITE, HybridPublicKey
from provenance.statements import DisclosureWorkerFacts, JobFacts, ReleaseFacts

# What a worker's statement and the evidence for the worker must say alike.
AGREED_FACTS = ("job_id", "measurement", "policy_sha256", "terms_sha256", "tier", "walls", "signatures")


def read_evidence(
    untrusted: Envelope, node: HybridPublicKey, required: Sequence[str] = STATEMENT_SUITE
) -> ReleaseFacts:
    """Reads the release statement that certifies a worker.

    Raises:
        SignatureError: a signature is false, by another key than the node's, or missing
            (`signature_missing`).
        FormatError: it is no release statement.
    """
    release = ReleaseFacts.from_statement(untrusted.verify(node, required))
    untrusted.insist_on(release.signatures)
    return release


def read_job(
    untrusted: Envelope, release: ReleaseFacts, required: Sequence[str] = STATEMENT_SUITE
) -> JobFacts:
    """Reads the job statement of the worker that a release certifies.

    Whether the two are about the same job is for the caller to compare.

    Raises:
        SignatureError: a signature is false, by another key than the worker's, or missing
            (`signature_missing`).
        FormatError: it is no job statement.
    """
    facts = JobFacts.from_statement(untrusted.verify(release.worker_key, required))
    untrusted.insist_on(facts.signatures)
    return facts


def read_disclosure_worker(untrusted: Envelope, node: HybridPublicKey) -> DisclosureWorkerFacts:
    """Reads the statement that certifies a disclosure worker.

    Raises:
        SignatureError: a signature is false, or by another key than the node's.
        FormatError: it is no such statement.
    """
    return DisclosureWorkerFacts.from_statement(untrusted.verify(node))
