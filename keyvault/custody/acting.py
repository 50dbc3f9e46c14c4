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
| `deny` | `policy`, `request`, `requester`, `reason` | `envelope` |
| `open` | `sealed`, an age file | `opened` |
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from keyvault.age import AgeError, open_sealed
from keyvault.custody.access import sign_access
from keyvault.custody.decisions import CustodianKeys, approve, deny
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import CustodyPolicy, keys_sha256, parse_custody_policy
from keyvault.custody.requests import Request, check_request
from keyvault.custody.sharing import Sharing
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
    share, worker_key = _bytes(task, "share"), _bytes(task, "worker_key")
    approval = approve(policy, sharing, request, keys, share, worker_key, now)
    return {"envelope": _text(approval.envelope.to_bytes()), "share": _text(approval.sealed_share)}


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
    "sign": _sign,
}


def _request(task: Task) -> tuple[CustodyPolicy, Request]:
    policy = parse_custody_policy(task["policy"])
    requester = _bytes(task, "requester")
    key = HybridPublicKey(requester[:ED25519_KEY_BYTES], requester[ED25519_KEY_BYTES:])
    return policy, check_request(policy, Envelope.from_bytes(_bytes(task, "request")), key)


def _bytes(task: Task, name: str) -> bytes:
    return base64_bytes(task[name])


def _text(raw: bytes) -> str:
    return base64_text(raw)


def _invalid() -> CustodianError:
    return CustodianError(
        "task_invalid", "the custodian's process was asked for something that it does not do"
    )
