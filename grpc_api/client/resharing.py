"""A job's custody from hand to hand, as somebody with keys follows it: by the witnessed log alone.

A service that leaves a re-sharing out gains nothing: whoever then approves under a policy that is left is
refused by the disclosure worker, which reads the log to its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

from grpc_api.errors import invalid
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import Dealing
from keyvault.custody.holding import Holding, require_own_part
from keyvault.custody.policy import keys_sha256, parse_custody_policy
from keyvault.custody.rule import MAX_CUSTODIANS
from keyvault.custody.sharing import Sharing
from keyvault.custody.succession import Step, Succession
from keyvault.custody.witnessed import require_witnessed
from protos.bauta.v1 import disclosures_pb2
from provenance.keys import HybridPublicKey
from provenance.statements import ResharingFacts
from provenance.trust import Trust

MAX_DEALINGS: Final = 16 * MAX_CUSTODIANS
"""Of one job; no service keeps more."""


def follow(
    succession: Succession,
    untrusted_dealings: Iterable[disclosures_pb2.GetResharingsResponse],
    trust: Trust,
    asker: str,
) -> Mapping[bytes, bytes]:
    """Takes what custodians dealt, in the order of the log; what is false counts for nothing.

    Args:
        succession: begun with what the job's worker signed.
        untrusted_dealings: as the service shows them.
        trust: pinned by whoever decides.
        asker: hex digest of the keys that asked.

    Returns:
        What each dealer sealed to the asker, by the digest of the dealing's envelope.

    Raises:
        ServiceError: `custody_differs`: they are not in the order of the log, or too many.
        ProvenanceError: a proof does not hold.
        CustodianError: custody_policy_invalid, sharing_invalid, rule_invalid or point_invalid;
            sealed_share_invalid, the asker's part is not the one that the dealer signed for.
    """
    parts: dict[bytes, bytes] = {}
    last = -1
    for untrusted in untrusted_dealings:
        recorded = require_witnessed(untrusted.proof, trust, ResharingFacts.kind())
        if recorded.log_index <= last or len(parts) >= MAX_DEALINGS:
            raise invalid("custody_differs", "The service shows re-sharings in another order than the log's.")
        last = recorded.log_index
        facts = ResharingFacts.from_statement(recorded.statement.payload)
        parts[recorded.statement.digest] = b""
        if not succession.concerns(facts):
            continue
        policy = parse_custody_policy(untrusted.custody_policy)
        if untrusted.sealed_part and policy.digest.hex() == facts.custody_policy_sha256:
            given = untrusted.sealed_part, untrusted.part_digests
            require_own_part(*given, facts.parts_sha256, policy, asker)
            parts[recorded.statement.digest] = untrusted.sealed_part
        dealing = Dealing(recorded, read_keys(untrusted.dealer), Sharing.from_bytes(untrusted.redealt))
        with suppress(CustodianError):
            succession.take(policy, dealing)
    return parts


def holding_of(step: Step, parts: Mapping[bytes, bytes]) -> Holding | None:
    """What makes the asker's share under the last hand-over; None for whom nothing was sealed."""
    own = {
        dealer: parts.get(dealing.recorded.statement.digest, b"") for dealer, dealing in step.dealings.items()
    }
    if not all(own.values()):
        return None
    redealt = {dealer: dealing.redealt for dealer, dealing in step.dealings.items()}
    return Holding(step.left, redealt, own)


def require_dealer(succession: Succession, keys: HybridPublicKey) -> None:
    """Checks that somebody may deal now.

    Raises:
        CustodianError: custodian_unknown.
    """
    if keys_sha256(keys) not in succession.policy.custodians:
        raise CustodianError("custodian_unknown", "these keys are of no custodian of the policy in force")


def read_keys(untrusted: disclosures_pb2.SigningKeys) -> HybridPublicKey:
    """Reads public keys that a service shows; what they are worth, signatures and policies say.

    Raises:
        FormatError: they are none.
    """
    return HybridPublicKey(untrusted.ed25519, untrusted.mldsa65)
