"""What a job leaves for custodians: durable, apart from the job, and gone when it is dropped."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.errors import ServiceError
from provenance import canonical
from provenance.errors import FormatError

JOB = "0123456789abcdef" * 2
KEPT = Kept(
    job_id=JOB,
    owner="local",
    terms=b"{}",
    custody_policy="schema",
    sharing=b"{}",
    shares={"ab" * 32: bytes(1200)},
    statement=b"a statement",
    evidence=b"its evidence",
    log_index=7,
    kept_at=1_800_000_000.0,
)


@pytest.fixture
def store(tmp_path: Path) -> KeptStore:
    return KeptStore(tmp_path / "recovery")


def write(fd: int, content: bytes) -> None:
    os.write(fd, content)
    os.close(fd)


def keep(store: KeptStore) -> None:
    write(store.create_package(JOB), b"package")
    write(store.create_sheet(JOB), b"sheet")
    store.commit(JOB, len(b"package"))
    store.keep(KEPT)


def test_what_is_kept_is_found_again(store: KeptStore) -> None:
    write(store.create_package(JOB), b"package")
    write(store.create_sheet(JOB), b"")
    sizes = store.commit(JOB, len(b"package"))
    assert (sizes.package_bytes, sizes.package_sha256) == (7, hashlib.sha256(b"package").hexdigest())
    assert (sizes.sheet_bytes, sizes.sheet_sha256) == (0, "")
    with pytest.raises(ServiceError):
        store.get(JOB)
    store.keep(KEPT)
    assert store.get(JOB) == KEPT
    assert list(store.jobs()) == [KEPT]
    fd = store.open_package(JOB)
    assert os.read(fd, 100) == b"package"
    os.close(fd)


def test_what_stands_behind_a_package_is_cut_off(store: KeptStore) -> None:
    """A second round writes over the first; the wall lets no worker cut a file."""
    write(store.create_package(JOB), b"package" + b"of the first round")
    write(store.create_sheet(JOB), b"")
    sizes = store.commit(JOB, len(b"package"))
    assert (sizes.package_bytes, sizes.package_sha256) == (7, hashlib.sha256(b"package").hexdigest())


def test_only_what_was_not_finished_is_tidied(store: KeptStore) -> None:
    write(store.create_package(JOB), b"package")
    store.drop_partial(JOB)
    with pytest.raises(FileNotFoundError):
        store.commit(JOB, len(b"package"))
    keep(store)
    store.drop_partial(JOB)
    assert store.get(JOB) == KEPT
    assert b"".join(store.read_sheet(JOB)) == b"sheet"
    store.drop(JOB)
    for ask in (store.get, store.open_package):
        with pytest.raises(ServiceError) as caught:
            ask(JOB)
        assert caught.value.code == "nothing_kept"
    assert store.sheet_bytes(JOB) == 0


@pytest.mark.parametrize("name", ["../jobs", "", "ABCDEF0123456789" * 2, JOB + "/", "0" * 31])
def test_a_name_that_is_no_job_s_leads_nowhere(store: KeptStore, name: str) -> None:
    keep(store)
    with pytest.raises(ServiceError) as caught:
        store.get(name)
    assert caught.value.code == "nothing_kept"


@pytest.mark.parametrize("change", [{"format": "bauta.kept/v0"}, {"more": 1}, {"shares": {"ab": "AA=="}}])
def test_a_damaged_document_is_refused(change: dict[str, object]) -> None:
    content = canonical.loads(KEPT.to_bytes()[:-1])
    with pytest.raises(FormatError):
        Kept.from_bytes(canonical.dumps({**content, **change}) + b"\n")
