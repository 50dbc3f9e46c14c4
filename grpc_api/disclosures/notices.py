"""Telling whoever handed a job in that something of it was seen again: sealed, and when the policy lets us.

Sealed to the recipients of the job's result, so that nobody who finds the mailbox reads it. Whether it is
handed out is the desk's to decide, like everything about a mailbox: that a disclosure happened is in the log
all the same, and `bauta audit` shows it.
"""

from __future__ import annotations

import io

from enclave.policy import parse_terms
from grpc_api.disclosures.kept import Kept
from grpc_api.disclosures.shelf import Notice
from keyvault.age import HybridRecipient, seal
from provenance import canonical
from provenance.encoding import base64_text
from provenance.statements import DisclosureReleaseFacts, DisclosureRequestFacts

FORMAT = "bauta.notice/v1"
_SECONDS_A_DAY = 24 * 3600


def notice_of(
    kept: Kept,
    request: DisclosureRequestFacts,
    released: DisclosureReleaseFacts,
    release_proof: bytes,
    now: float,
) -> Notice | None:
    """The notice of one release; None where the custody policy does not have the submitter told.

    Args:
        kept: of the request's job.
        request: what was asked.
        released: what was given.
        release_proof: the release's proof file, with its evidence.
        now: seconds since 1970.
    """
    policy = kept.policy
    if "submitter" not in policy.tell:
        return None
    told = canonical.dumps(
        {
            "format": FORMAT,
            "job_id": request.job_id,
            "legal_basis": request.legal_basis,
            "purpose": request.purpose,
            "release_proof": base64_text(release_proof),
            "released_at": released.released_at,
            "request_sha256": released.request_sha256,
            "stretches": [list(stretch) for stretch in released.stretches],
            "tracks": list(released.tracks),
        }
    )
    sealed = io.BytesIO()
    recipients = [HybridRecipient.parse(each) for each in parse_terms(kept.terms).recipients]
    seal(io.BytesIO(told), sealed, recipients)
    due_at = now + policy.hold_back_days * _SECONDS_A_DAY
    return Notice(kept.job_id, kept.owner, due_at, sealed.getvalue())
