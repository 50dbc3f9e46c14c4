"""Replies that are of their form and not true: a real job behind the real wall, whose last report lies.

The worker that tells them holds real one-job keys and the vault's real evidence, as a taken-over one does.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Set

from enclave.nursery.warden import Task
from enclave.worker.handed_over import RESULT_FD, REVIEW_FD, SCORES_FD, UNTOUCHED_FD
from enclave.worker.reporting import Reporter
from protos.bauta.internal.v1.worker_pb2 import WorkerResult

Lie = Callable[[WorkerResult], None]


def told(lie: Lie, task: Task) -> Task:
    """The task with its result changed before it is said."""
    say = Reporter.result

    def changed(self: Reporter, result: WorkerResult) -> None:
        lie(result)
        say(self, result)

    def run(standing: Set[str]) -> None:
        Reporter.result = changed  # type: ignore[method-assign]  # in a forked child, which ends with it
        task(standing)

    return run


def _another_size(result: WorkerResult) -> None:
    result.sealed_bytes += 1


def _another_digest(result: WorkerResult) -> None:
    result.sealed_sha256 = bytes(32)


def _another_media_type(result: WorkerResult) -> None:
    result.media_type = "image/webp"


def _changed_after_sealing(_result: WorkerResult) -> None:
    os.pwrite(RESULT_FD, b"x", 0)


def _another_package(result: WorkerResult) -> None:
    """A package that the signed statement does not name."""
    os.pwrite(REVIEW_FD, b"x", 0)
    result.review_bytes, result.review_sha256 = 1, hashlib.sha256(b"x").digest()


def _untouched_unasked(result: WorkerResult) -> None:
    """A package that neither the policy asks for nor the signed statement names."""
    os.pwrite(UNTOUCHED_FD, b"x", 0)
    result.untouched_bytes, result.untouched_sha256 = 1, hashlib.sha256(b"x").digest()


def _scores_unasked(result: WorkerResult) -> None:
    """Scores that the signed statement does not name."""
    os.pwrite(SCORES_FD, b"x", 0)
    result.scores_bytes, result.scores_sha256 = 1, hashlib.sha256(b"x").digest()


def _changed_statement(result: WorkerResult) -> None:
    envelope = json.loads(result.statement)
    payload = envelope["payload"]
    envelope["payload"] = ("B" if payload[-8] == "A" else "A").join((payload[:-8], payload[-7:]))
    result.statement = json.dumps(envelope).encode()


def _no_signature(result: WorkerResult) -> None:
    envelope = json.loads(result.statement)
    envelope["signatures"] = []
    result.statement = json.dumps(envelope).encode()


def _half_a_signature(result: WorkerResult) -> None:
    envelope = json.loads(result.statement)
    envelope["signatures"] = envelope["signatures"][:1]
    result.statement = json.dumps(envelope).encode()


def _evidence_as_statement(result: WorkerResult) -> None:
    result.statement = result.evidence


def _other_evidence(result: WorkerResult) -> None:
    result.evidence = result.statement


ALL: dict[str, Lie] = {
    "claim another size of the result": _another_size,
    "claim another digest of the result": _another_digest,
    "claim another kind of media": _another_media_type,
    "change the result after sealing it": _changed_after_sealing,
    "hand out a review package that the statement does not name": _another_package,
    "hand out an untouched package that the statement does not name": _untouched_unasked,
    "hand out scores that the statement does not name": _scores_unasked,
    "change the statement after signing it": _changed_statement,
    "send a statement without signatures": _no_signature,
    "strip the statement's post-quantum signature": _half_a_signature,
    "send the evidence as the statement": _evidence_as_statement,
    "send other evidence than was recorded": _other_evidence,
}
