"""What the front desk shows to a disclosure worker: everything is its word, so it is read and capped here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from enclave.errors import WorkerError
from keyvault.custody.history import MAX_ENTRIES
from keyvault.custody.policy import MAX_POLICY_BYTES, keys_sha256
from keyvault.custody.rule import MAX_CUSTODIANS
from keyvault.custody.seals import SEALED_SHARE_BYTES
from keyvault.custody.sharing import MAX_SHARING_BYTES
from protos.bauta.internal.v1.disclosure_pb2 import Proceed
from provenance.dsse import MAX_ENVELOPE_BYTES, Envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.proof import MAX_PROOF_FILE_BYTES

# Of re-sharings in a row, each with as many dealers as there can be.
MAX_RESHARINGS = 16
MAX_STATEMENTS = 4096
MAX_KEYS = 1024


@dataclass(frozen=True)
class Materials:
    """What is to be checked; nothing of it is believed yet.

    Attributes:
        job_proof: the job's result, with its evidence.
        job_release: the release of the job's worker version.
        history_proof: the job's statement under the newest checkpoint.
        request_proof: the request under the oldest one.
        entries: the log from the job on.
        statements: the envelopes of custody among them.
        keys: public keys, by the digest that policies and statements name them by.
        sealed_shares: by the digest that approvals name them by, hex.
        policies: texts of custody policies, by hex digest.
        sharing: the job's own.
        redealt: public parts of what was dealt since, by hex digest.
    """

    job_proof: bytes
    job_release: bytes
    history_proof: bytes
    request_proof: bytes
    entries: tuple[Entry, ...]
    statements: tuple[Envelope, ...]
    keys: Mapping[str, HybridPublicKey]
    sealed_shares: Mapping[str, bytes] = field(repr=False)
    policies: Mapping[str, str]
    sharing: bytes
    redealt: Mapping[str, bytes]


def read_materials(untrusted: Proceed) -> Materials:
    """Reads what came over the wire.

    Raises:
        WorkerError: `materials_malformed`.
    """
    proofs = (
        untrusted.job_proof,
        untrusted.job_release,
        untrusted.history_proof,
        untrusted.request_proof,
    )
    _require(all(len(proof) <= MAX_PROOF_FILE_BYTES for proof in proofs))
    _require(len(untrusted.entries) <= MAX_ENTRIES and len(untrusted.keys) <= MAX_KEYS)
    _require(len(untrusted.statements) <= MAX_STATEMENTS)
    _require(all(len(statement) <= MAX_ENVELOPE_BYTES for statement in untrusted.statements))
    _require(len(untrusted.sealed_shares) <= MAX_CUSTODIANS)
    _require(all(len(share) == SEALED_SHARE_BYTES for share in untrusted.sealed_shares))
    _require(len(untrusted.custody_policies) <= MAX_RESHARINGS + 1)
    _require(all(len(text) <= MAX_POLICY_BYTES for text in untrusted.custody_policies))
    _require(len(untrusted.redealt) <= MAX_RESHARINGS * MAX_CUSTODIANS)
    _require(max(map(len, (untrusted.sharing, *untrusted.redealt))) <= MAX_SHARING_BYTES)
    try:
        entries = tuple(Entry(entry.kind, entry.sha256) for entry in untrusted.entries)
        statements = tuple(Envelope.from_bytes(statement) for statement in untrusted.statements)
        keys = [HybridPublicKey(ed25519=key.ed25519, mldsa65=key.mldsa65) for key in untrusted.keys]
    except ProvenanceError:
        raise _malformed() from None
    return Materials(
        *proofs,
        entries=entries,
        statements=statements,
        keys={keys_sha256(key): key for key in keys},
        sealed_shares={_hex(share): share for share in untrusted.sealed_shares},
        policies={_hex(text.encode()): text for text in untrusted.custody_policies},
        sharing=untrusted.sharing,
        redealt={_hex(redealt): redealt for redealt in untrusted.redealt},
    )


def _hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _require(holds: bool) -> None:
    if not holds:
        raise _malformed()


def _malformed() -> WorkerError:
    return WorkerError("what the front desk shows is out of its form", "materials_malformed")
