"""The spool: durable appends, whole results, a full disk."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from grpc_api.errors import ServiceError
from grpc_api.jobs.spool import Spool

JOB = "ab" * 16


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", min_free_bytes=0)


def test_an_upload_goes_on_after_its_last_durable_byte(spool: Spool) -> None:
    with spool.appending(JOB, 0) as upload:
        upload.append(b"durable")
        upload.sync()
        upload.append(b"lost in the power cut")
    with spool.appending(JOB, len(b"durable")) as upload:
        upload.append(b" and more")
        assert upload.size == 16
        assert upload.sha256() == hashlib.sha256(b"durable and more").hexdigest()
    assert spool.upload_path(JOB).read_bytes() == b"durable and more"


def test_a_result_has_its_name_only_when_it_is_whole(spool: Spool) -> None:
    with spool.appending(JOB, 0):
        pass
    fd = spool.create_result(JOB)
    os.write(fd, b"sealed")
    os.close(fd)
    assert not spool.result_path(JOB).exists()
    assert spool.commit_result(JOB) == (6, hashlib.sha256(b"sealed").hexdigest())
    assert b"".join(spool.read_result(JOB, 2)) == b"aled"


def test_a_review_package_has_its_name_only_when_it_is_whole(spool: Spool) -> None:
    with spool.appending(JOB, 0):
        pass
    fd = spool.create_review(JOB)
    os.write(fd, b"package")
    os.close(fd)
    assert not spool.review_path(JOB).exists()
    assert spool.commit_review(JOB) == (7, hashlib.sha256(b"package").hexdigest())
    assert b"".join(spool.read_review(JOB, 4)) == b"age"
    spool.drop_inputs(JOB)
    assert [path.name for path in spool.review_path(JOB).parent.iterdir()] == ["review.age"]


def test_a_package_that_nobody_asked_for_goes_with_the_inputs(spool: Spool) -> None:
    with spool.appending(JOB, 0):
        pass
    for fd in (spool.create_result(JOB), spool.create_review(JOB)):
        os.write(fd, b"x")
        os.close(fd)
    spool.commit_result(JOB)
    spool.drop_inputs(JOB)
    assert [path.name for path in spool.review_path(JOB).parent.iterdir()] == ["result.age"]


def test_everything_is_private(spool: Spool, tmp_path: Path) -> None:
    with spool.appending(JOB, 0) as upload:
        upload.append(b"x")
    os.close(spool.create_result(JOB))
    os.close(spool.create_review(JOB))
    for path in (tmp_path / "spool").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0


def test_scratch_has_no_name(spool: Spool, tmp_path: Path) -> None:
    fd = spool.create_scratch()
    os.write(fd, b"nameless")
    assert list((tmp_path / "spool").iterdir()) == []
    os.close(fd)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_or_broken_disk_is_one_clear_error(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with spool.appending(JOB, 0) as upload:
        monkeypatch.setattr(os, "write", refuse)
        with pytest.raises(ServiceError) as full:
            upload.append(b"x")
    assert full.value.code == "storage_full"


def test_room_is_asked_for_before_it_is_used(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as full:
        Spool(tmp_path / "spool", min_free_bytes=1 << 60).require_room(1)
    assert full.value.code == "storage_full"


def test_dropping_leaves_nothing(spool: Spool, tmp_path: Path) -> None:
    with spool.appending(JOB, 0) as upload:
        upload.append(b"x")
    os.close(spool.create_result(JOB))
    spool.drop(JOB)
    assert list((tmp_path / "spool").iterdir()) == []
