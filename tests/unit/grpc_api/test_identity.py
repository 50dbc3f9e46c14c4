"""Who is calling: what a caller cannot choose, what it can, and which of the two limits count."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import grpc
import pytest

from enclave.policy import Terms, shipped
from grpc_api.config import ServiceConfig
from grpc_api.errors import ServiceError
from grpc_api.identity import JOB_KEY_HEADER, caller, certified, certified_part
from grpc_api.jobs.desk import JobDesk
from grpc_api.jobs.store import JobStore

POLICY = shipped()["whistleblower"]
TERMS = Terms(POLICY, POLICY.modes[0], ("age1pq1" + "q" * 1952,)).to_bytes()
NOTHING: Any = None
KEY = bytes(range(32))


class Context:
    """A call as gRPC shows it."""

    def __init__(self, *metadata: tuple[str, str | bytes], peer: str = "unix:") -> None:
        self._metadata = metadata
        self._peer = peer

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    def peer(self) -> str:
        return self._peer

    def auth_context(self) -> dict[str, list[bytes]]:
        return {}


def of(*metadata: tuple[str, str | bytes], peer: str = "unix:") -> grpc.ServicerContext:
    return cast(grpc.ServicerContext, Context(*metadata, peer=peer))


def test_a_key_makes_another_caller_under_the_same_certificate() -> None:
    plain, keyed = caller(of(("user-agent", "x"))), caller(of((JOB_KEY_HEADER, KEY)))
    other = caller(of((JOB_KEY_HEADER, bytes(32))))
    assert plain == "local"
    assert len({plain, keyed, other}) == 3
    assert {certified_part(each) for each in (plain, keyed, other)} == {"local"}
    assert certified(of((JOB_KEY_HEADER, KEY))) == "local"
    assert KEY.hex() not in keyed, "what is stored finds no job"


@pytest.mark.parametrize(
    "metadata",
    [
        [(JOB_KEY_HEADER, b"")],
        [(JOB_KEY_HEADER, bytes(31))],
        [(JOB_KEY_HEADER, "text of thirty-two characters ..")],
        [(JOB_KEY_HEADER, KEY), (JOB_KEY_HEADER, KEY)],
    ],
    ids=["empty", "short", "text", "two"],
)
def test_another_key_is_refused_and_never_left_out(metadata: list[tuple[str, str | bytes]]) -> None:
    with pytest.raises(ServiceError) as refused:
        caller(of(*metadata))
    assert refused.value.code == "job_key_invalid"


def test_a_key_is_no_certificate() -> None:
    with pytest.raises(ServiceError) as refused:
        caller(of((JOB_KEY_HEADER, KEY), peer="ipv4:192.0.2.1:1"))
    assert refused.value.code == "identity_missing"


def test_limits_count_certificates_whatever_keys_come_with_them(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    desk = JobDesk(store, NOTHING, ServiceConfig(max_open_jobs=3), *[NOTHING] * 4)
    owners = ["x509:aa", "x509:aa/1", "x509:aa/2"]
    for owner in owners:
        desk.create(owner, TERMS, os.urandom(16))
    for owner in (*owners, "x509:aa/3"):
        with pytest.raises(ServiceError) as refused:
            desk.create(owner, TERMS, os.urandom(16))
        assert refused.value.code == "too_many_jobs"
    # A certificate whose name merely begins alike is somebody else.
    for owner in ("x509:a", "x509:aab", "x509:aab/1", "local"):
        desk.create(owner, TERMS, os.urandom(16))
    store.delete(store.owned_by("x509:aa/1")[0].job_id)
    desk.create("x509:aa/3", TERMS, os.urandom(16))
    store.close()
