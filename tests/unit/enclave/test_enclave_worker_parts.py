"""The small parts of a worker: reports, descriptors as streams, and what a policy means to the anonymizer."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from enclave_makers import POLICY_TEXT, some_terms

from enclave.errors import WorkerError
from enclave.order import JobLimits
from enclave.policy import Terms, parse_policy, shipped
from enclave.worker import reporting
from enclave.worker.handed_over import DescriptorReader, DescriptorSink
from enclave.worker.reporting import Reporter
from enclave.worker.settings import limits_of, settings_of
from protos.bauta.internal.v1.worker_pb2 import WorkerReport
from protos.framing import read_message


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(reporting, "time", made)
    return made


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read_end, write_end = os.pipe()
    yield read_end, write_end
    os.close(read_end)
    os.close(write_end)


def said(read_end: int) -> list[WorkerReport]:
    os.set_blocking(read_end, False)
    reports = []
    try:
        while (report := read_message(read_end, WorkerReport, 1 << 16)) is not None:
            reports.append(report)
    except BlockingIOError:
        pass
    return reports


def test_progress_is_reported_at_most_five_times_a_second(pipe: tuple[int, int], clock: Clock) -> None:
    reporter = Reporter(pipe[1])
    for frame in range(1000):
        reporter.progress("anonymize", frame, 1000, 100.0)
        clock.now += 0.01
    frames = [report.progress.frames_done for report in said(pipe[0])]
    assert 45 <= len(frames) <= 51
    assert frames == sorted(frames)


def test_a_new_stage_is_reported_at_once(pipe: tuple[int, int], clock: Clock) -> None:
    reporter = Reporter(pipe[1])
    for stage in ("open", "anonymize", "seal", "prove"):
        reporter.progress(stage)
    assert [report.progress.stage for report in said(pipe[0])] == ["open", "anonymize", "seal", "prove"]


def test_a_failure_is_a_code_and_nothing_else(pipe: tuple[int, int]) -> None:
    Reporter(pipe[1]).failure("media_empty")
    (report,) = said(pipe[0])
    assert report.failure.code == "media_empty"
    assert report.failure.ListFields()[0][0].name == "code"
    assert len(report.failure.ListFields()) == 1


def test_a_descriptor_reads_like_a_file_and_leaves_its_position_alone(tmp_path: Path) -> None:
    content = bytes(range(256)) * 40
    (tmp_path / "file").write_bytes(content)
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    reader, plain = DescriptorReader(fd), io.BytesIO(content)
    os.lseek(fd, 7, os.SEEK_SET)
    for offset, whence, length in ((0, 0, 10), (-5, 1, 3), (-9, 2, 100), (99_999, 0, 4), (5, 0, -1)):
        assert reader.seek(offset, whence) == plain.seek(offset, whence)
        assert reader.read(length) == plain.read(length)
    with pytest.raises(ValueError, match="no such place"):
        reader.seek(-1)
    assert os.lseek(fd, 0, os.SEEK_CUR) == 7
    os.close(fd)


def test_a_sink_counts_hashes_and_stops(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "result", os.O_WRONLY | os.O_CREAT)
    sink = DescriptorSink(fd, max_bytes=10)
    assert sink.write(b"12345") == 5
    assert sink.write(b"67890") == 5
    with pytest.raises(WorkerError) as caught:
        sink.write(b"x")
    assert caught.value.code == "result_too_large"
    assert (sink.size, sink.digest) == (10, hashlib.sha256(b"1234567890").digest())
    os.close(fd)
    assert (tmp_path / "result").read_bytes() == b"1234567890"


@pytest.mark.parametrize("captured", ["remove", "month"])
def test_the_anonymizer_is_told_whether_the_month_of_capture_stays(captured: str) -> None:
    policy = parse_policy(POLICY_TEXT + f'[metadata]\ncaptured = "{captured}"\n')
    assert settings_of(Terms(policy, policy.modes[0], some_terms().recipients)).captured == captured


@pytest.mark.parametrize("name", list(shipped()))
def test_every_shipped_policy_means_something_to_the_anonymizer(name: str) -> None:
    policy = shipped()[name]
    for mode in policy.allowed_modes:
        settings = settings_of(Terms(policy, mode, some_terms().recipients))
        assert (settings.mode, settings.audio) == (mode, policy.audio.effect)
        assert vars(settings.faces) == vars(policy.faces)
        for cover, asked in (
            (settings.people, policy.people),
            (settings.text, policy.text_cover),
            (settings.plates, policy.plates),
        ):
            assert (cover and vars(cover)) == (asked and vars(asked))
        assert [vars(region) for region in settings.keep] == [vars(region) for region in policy.keep]
        assert [vars(region) for region in settings.keep_skin] == [vars(mark) for mark in policy.keep_skin]
        assert settings.labels == policy.labels
        assert tuple(role.name for role in settings.roles) == policy.role_names
        assert 1 <= settings.threads <= 16


def test_limits_are_passed_on() -> None:
    limits = limits_of(
        JobLimits(
            max_memory_bytes=1,
            max_result_bytes=2,
            max_wall_seconds=3,
            max_frame_pixels=4,
            max_frames=5,
            max_review_bytes=6,
            max_recovery_bytes=7,
            max_untouched_bytes=8,
        )
    )
    assert (limits.max_frame_pixels, limits.max_frames) == (4, 5)
