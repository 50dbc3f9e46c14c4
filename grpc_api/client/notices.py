"""Notices of disclosures, opened and checked: that something was released is believed only out of the log."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

from grpc_api.errors import invalid
from keyvault.age import HybridIdentity, open_sealed
from protos.bauta.v1 import disclosures_pb2
from provenance import canonical
from provenance.disclosing import verify_disclosure
from provenance.encoding import base64_bytes
from provenance.trust import Trust

FORMAT = "bauta.notice/v1"
_FIELDS = {
    "format",
    "job_id",
    "legal_basis",
    "purpose",
    "release_proof",
    "released_at",
    "request_sha256",
    "stretches",
    "tracks",
}


def read_notices(
    sealed: Iterable[disclosures_pb2.Notice], identity: HybridIdentity, trust: Trust
) -> list[dict[str, Any]]:
    """Opens notices and checks the proof in each.

    Raises:
        AgeError: one is not for this identity.
        ProvenanceError: a proof does not hold.
        ServiceError: `notice_invalid`: one says something else than its proof.
    """
    return [_read(notice, identity, trust) for notice in sealed]


def _read(notice: disclosures_pb2.Notice, identity: HybridIdentity, trust: Trust) -> dict[str, Any]:
    opened = io.BytesIO()
    open_sealed(io.BytesIO(notice.sealed), opened, [identity])
    told = canonical.loads(opened.getvalue())
    if not isinstance(told, dict) or told.keys() != _FIELDS or told["format"] != FORMAT:
        raise _invalid()
    verified = verify_disclosure(base64_bytes(told["release_proof"]), trust)
    facts = verified.facts
    proven = (
        facts.request_sha256,
        list(facts.tracks),
        [list(stretch) for stretch in facts.stretches],
        facts.released_at,
        verified.worker.job_id,
    )
    if proven != (
        told["request_sha256"],
        told["tracks"],
        told["stretches"],
        told["released_at"],
        told["job_id"],
    ):
        raise _invalid()
    return {name: told[name] for name in _FIELDS - {"format", "release_proof"}} | {
        "log_index": verified.log_index
    }


def _invalid() -> Exception:
    return invalid("notice_invalid", "A notice says something else than the proof in it.")
