"""What a hello and a report must look like before anybody looks at them.

The other side has parsed a stranger's video. Lengths are capped before this module sees a message
(protos.framing); here the counts, words and sizes inside it are.
"""

from __future__ import annotations

import math
import re

from enclave.errors import HostError
from enclave.wall.names import ALL_WALLS
from keyvault.custody.rule import MAX_CUSTODIANS
from keyvault.custody.seals import SEALED_SHARE_BYTES
from keyvault.custody.sharing import MAX_SHARING_BYTES
from protos.bauta.internal.v1.worker_pb2 import (
    WorkerHello,
    WorkerProgress,
    WorkerRecovery,
    WorkerReport,
    WorkerResult,
    WorkerVersion,
)
from provenance.statements.vocabulary import DEVICES, ENGINES, MEDIA_TYPES

MAX_HELLO_BYTES = 64 << 10
# Two envelopes, and a sharing with as many sealed shares as there can be custodians.
MAX_REPORT_BYTES = 512 << 10
STAGES = ("open", "anonymize", "seal", "prove")

_SHA256_BYTES = 32
_MAX_MODELS = 32
_MAX_POLICIES = 16
_MAX_ENVELOPE_BYTES = 128 << 10
_MAX_STAGES = 16
_MAX_STAGE_SECONDS = 1e7
_MAX_COUNT = 1 << 53
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}")
_VERSION = re.compile(r"[0-9][0-9a-z.]{0,31}")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def check_hello(untrusted: WorkerHello) -> WorkerHello:
    """Gives the hello back once it is of its form.

    Raises:
        HostError: `worker_reply_invalid`.
    """
    _require(len(untrusted.measurement) == _SHA256_BYTES)
    for walls in (untrusted.walls, untrusted.missing_walls):
        _require(len(walls) <= len(ALL_WALLS) and all(wall in ALL_WALLS for wall in walls))
    _require(untrusted.device in DEVICES and untrusted.engine in ENGINES)
    _require(len(untrusted.models) <= _MAX_MODELS)
    for model in untrusted.models:
        _require(_WORD.fullmatch(model.name) is not None and len(model.sha256) == _SHA256_BYTES)
    _check_version(untrusted.version)
    return untrusted


def check_report(untrusted: WorkerReport) -> WorkerReport:
    """Gives a report back once it is of its form. What it claims is still only a claim.

    Raises:
        HostError: `worker_reply_invalid`.
    """
    match untrusted.WhichOneof("report"):
        case "progress":
            _check_progress(untrusted.progress)
        case "evidence":
            _require(0 < len(untrusted.evidence.evidence) <= _MAX_ENVELOPE_BYTES)
        case "result":
            _check_result(untrusted.result)
        case "failure":
            _require(_CODE.fullmatch(untrusted.failure.code) is not None)
        case _:
            _require(False)
    return untrusted


def _check_version(untrusted: WorkerVersion) -> None:
    _require(_VERSION.fullmatch(untrusted.version) is not None)
    _require(len(untrusted.policies) <= _MAX_POLICIES and len(untrusted.lock_sha256) in (0, _SHA256_BYTES))
    for policy in untrusted.policies:
        _require(_WORD.fullmatch(policy.name) is not None and len(policy.sha256) == _SHA256_BYTES)


def _check_progress(untrusted: WorkerProgress) -> None:
    _require(untrusted.stage in STAGES)
    _require(untrusted.frames_done < _MAX_COUNT and untrusted.frames_total < _MAX_COUNT)
    _require(math.isfinite(untrusted.frames_per_second) and untrusted.frames_per_second >= 0)


def _check_result(untrusted: WorkerResult) -> None:
    _require(0 < untrusted.sealed_bytes < _MAX_COUNT and len(untrusted.sealed_sha256) == _SHA256_BYTES)
    _require(untrusted.review_bytes < _MAX_COUNT)
    _require(len(untrusted.review_sha256) == (_SHA256_BYTES if untrusted.review_bytes else 0))
    _require(untrusted.untouched_bytes < _MAX_COUNT)
    _require(len(untrusted.untouched_sha256) == (_SHA256_BYTES if untrusted.untouched_bytes else 0))
    _require(untrusted.scores_bytes < _MAX_COUNT)
    _require(len(untrusted.scores_sha256) == (_SHA256_BYTES if untrusted.scores_bytes else 0))
    if untrusted.HasField("recovery"):
        _check_recovery(untrusted.recovery)
    _require(untrusted.media_type in MEDIA_TYPES)
    _require(0 < len(untrusted.statement) <= _MAX_ENVELOPE_BYTES)
    _require(0 < len(untrusted.evidence) <= _MAX_ENVELOPE_BYTES)
    _require(len(untrusted.stage_seconds) <= _MAX_STAGES)
    for stage, seconds in untrusted.stage_seconds.items():
        _require(_WORD.fullmatch(stage) is not None and 0 <= seconds <= _MAX_STAGE_SECONDS)


def _check_recovery(untrusted: WorkerRecovery) -> None:
    _require(0 < untrusted.package_bytes < _MAX_COUNT and 0 < untrusted.sheet_bytes < _MAX_COUNT)
    for digest in (untrusted.package_sha256, untrusted.sheet_sha256, untrusted.ring_sha256):
        _require(len(digest) == _SHA256_BYTES)
    _require(0 < len(untrusted.sharing) <= MAX_SHARING_BYTES)
    _require(0 < len(untrusted.shares) <= MAX_CUSTODIANS)
    for share in untrusted.shares:
        _require(len(share.custodian) == _SHA256_BYTES and len(share.sealed) == SEALED_SHARE_BYTES)


def _require(holds: bool) -> None:
    if not holds:
        raise HostError(
            "the worker's side sent something that is not in the protocol", "worker_reply_invalid"
        )
