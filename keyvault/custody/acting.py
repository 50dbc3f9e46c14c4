"""What a custodian's keys do, task by task, in the process that has them (`python -m keyvault.custody act`).

The console says what is to be done, and passes on what a service told it. So whatever would give something
away is checked here once more: a statement is signed only if it is one that these keys may sign in their own
name, a share is handed over only for a request that its policy takes, and only to the worker that is named.

A task is a JSON object with `do` and the fields that belong to it; bytes are base64. The answer is one, too.

| do | fields | answer |
|---|---|---|
| `access` | `service`, `call`, `about` | `access` |
| `sign` | `payload`, a statement | `envelope` |
| `approve` | `policy`, `sharing`, `request`, `requester`, `share`, `worker_key` | `envelope`, `share` |
| `redeal` | `policy`, `sharing`, `job`, `share`, `new_policy` | `envelope`, `redealt`, `parts` |
| `deny` | `policy`, `request`, `requester`, `reason` | `envelope` |
| `open` | `sealed`, an age file | `opened` |

After a re-sharing `holding` takes the place of `share`: the dealers' parts, which become a share here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from keyvault.age import AgeError, open_sealed
from keyvault.custody.access import sign_access
from keyvault.custody.decisions import CustodianKeys, approve, deny, opened_share
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import sign_dealing
from keyvault.custody.holding import Holding, seal_parts
from keyvault.custody.policy import CustodyPolicy, keys_sha256, parse_custody_policy
from keyvault.custody.requests import Request, check_request
from keyvault.custody.resharing import redeal
from keyvault.custody.sharing import Sharing, job_context
from provenance import canonical
from provenance.dsse import Envelope, sign_envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError, ProvenanceError
from provenance.keys import ED25519_KEY_BYTES, HybridPublicKey
from provenance.statements import (
    ConsentFacts,
    ConsentWithdrawalFacts,
    DisclosureCancellationFacts,
    DisclosureRequestFacts,
)
from provenance.statements.base import Facts

MAX_TASK_BYTES: Final = 64 << 20
"""Of a task and of an answer, on one line: a sheet is the largest."""

JOB_ID_BYTES: Final = 16

Task = Mapping[str, Any]

# Each names the keys that sign it, in this field. Decisions are not among them: they have tasks of their own.
_SIGNED: Final[Mapping[type[Facts], str]] = {
    DisclosureRequestFacts: "requester_key_sha256",
    DisclosureCancellationFacts: "requester_key_sha256",
    ConsentFacts: "giver_key_sha256",
    ConsentWithdrawalFacts: "giver_key_sha256",
}


def act(keys: CustodianKeys, untrusted_line: bytes, now: datetime) -> dict[str, Any]:
    """Does one task.

    Args:
        keys: the custodian's own.
        untrusted_line: the task, canonical JSON.
        now: by the clock of this machine.

    Raises:
        CustodianError: task_invalid, or the reason of what was to be done.
        KeyvaultError: the worker's key is none.
        FormatError: there is no such reason.
    """
    try:
        task = canonical.loads(untrusted_line, MAX_TASK_BYTES)
    except FormatError:
        raise _invalid() from None
    if not isinstance(task, dict) or not all(isinstance(value, str) for value in task.values()):
        raise _invalid()
    how = _TASKS.get(task.pop("do", ""))
    if how is None:
        raise _invalid()
    try:
        return how(keys, task, now)
    except (KeyError, FormatError):
        raise _invalid() from None


def _access(keys: CustodianKeys, task: Task, now: datetime) -> dict[str, Any]:
    about = task["service"], task["call"], task["about"]
    return {"access": _text(sign_access(keys.signer, keys.signer.public, *about, now).to_bytes())}


def _sign(keys: CustodianKeys, task: Task, now: datetime) -> dict[str, Any]:
    payload = _bytes(task, "payload")
    for kind, field in _SIGNED.items():
        try:
            facts = kind.from_statement(payload)
        except ProvenanceError:
            continue
        if getattr(facts, field) == keys_sha256(keys.signer.public):
            return {"envelope": _text(sign_envelope(payload, keys.signer).to_bytes())}
    raise CustodianError("statement_not_own", "these keys sign requests and consents in their own name alone")


def _approve(keys: CustodianKeys, task: Task, now: datetime) -> dict[str, Any]:
    policy, request = _request(task)
    sharing = Sharing.from_bytes(_bytes(task, "sharing"))
    approval = approve(policy, sharing, request, keys, _held(task), _bytes(task, "worker_key"), now)
    return {"envelope": _text(approval.envelope.to_bytes()), "share": _text(approval.sealed_share)}


def _redeal(keys: CustodianKeys, task: Task, now: datetime) -> dict[str, Any]:
    policy, new_policy = parse_custody_policy(task["policy"]), parse_custody_policy(task["new_policy"])
    sharing, job_id = Sharing.from_bytes(_bytes(task, "sharing")), _bytes(task, "job")
    if len(job_id) != JOB_ID_BYTES:
        raise _invalid()
    if sharing.context != job_context(job_id) or sharing.rule != policy.rule:
        raise CustodianError("sharing_invalid", "the shares are of another job, or of other custodians")
    dealer = keys_sha256(keys.signer.public)
    if dealer not in policy.custodians:
        raise CustodianError("custodian_unknown", "these keys are of no custodian of this policy")
    made = redeal(sharing, dealer, opened_share(sharing, keys, _held(task)), new_policy.rule)
    parts = seal_parts(made, dealer, new_policy)
    envelope = sign_dealing(sharing, made.sharing, job_id, new_policy, keys, now, parts)
    return {
        "envelope": _text(envelope.to_bytes()),
        "redealt": _text(made.sharing.to_bytes()),
        "parts": _text(parts),
    }


def _deny(keys: CustodianKeys, task: Task, now: datetime) -> dict[str, Any]:
    policy, request = _request(task)
    return {"envelope": _text(deny(policy, request, keys, task["reason"], now).to_bytes())}


def _open(keys: CustodianKeys, task: Task, now: datetime) -> dict[str, Any]:
    opened = io.BytesIO()
    try:
        open_sealed(io.BytesIO(_bytes(task, "sealed")), opened, [keys.identity])
    except AgeError:
        raise CustodianError(
            "sealed_for_others", "this is not sealed to these keys, or was changed"
        ) from None
    return {"opened": _text(opened.getvalue())}


_TASKS: Final[Mapping[str, Callable[[CustodianKeys, Task, datetime], dict[str, Any]]]] = {
    "access": _access,
    "approve": _approve,
    "deny": _deny,
    "open": _open,
    "redeal": _redeal,
    "sign": _sign,
}


def _request(task: Task) -> tuple[CustodyPolicy, Request]:
    policy = parse_custody_policy(task["policy"])
    requester = _bytes(task, "requester")
    key = HybridPublicKey(requester[:ED25519_KEY_BYTES], requester[ED25519_KEY_BYTES:])
    return policy, check_request(policy, Envelope.from_bytes(_bytes(task, "request")), key)


def _held(task: Task) -> bytes | Holding:
    if "holding" in task:
        return Holding.from_bytes(_bytes(task, "holding"))
    return _bytes(task, "share")


def _bytes(task: Task, name: str) -> bytes:
    return base64_bytes(task[name])


def _text(raw: bytes) -> str:
    return base64_text(raw)


def _invalid() -> CustodianError:
    return CustodianError(
        "task_invalid", "the custodian's process was asked for something that it does not do"
    )
