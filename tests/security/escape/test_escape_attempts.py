"""A hostile payload in the worker's place, one test an attempt: stopped, named, and the next job runs.

The worker host is the real one in every respect but the task (`hostile_host`); the front desk's side is the
real WorkerHost.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import attempts
import pytest
import raw_calls
from attempt import TOO_LATE, Attempt
from integration import worker_harness
from media_factory import face_image

from enclave.errors import HostError
from enclave.policy import Terms, shipped
from keyvault.age import HybridIdentity
from protos.framing import FramingError

FOLDER = Path(__file__).parent
HEADER = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
LIMITS = {
    "max_result_bytes": 16 << 20,
    "max_review_bytes": 1 << 20,
    "max_recovery_bytes": 1 << 20,
    "max_untouched_bytes": 1 << 20,
    "max_memory_bytes": 2 << 30,
    "max_wall_seconds": 60,
}
SHORT = {**LIMITS, "max_wall_seconds": 1}


class SteadyVault(worker_harness.PlayedVault):
    """A hostile worker hangs up on the vault; the vault goes on."""

    def _answer(self, job_id: bytes, fd: int) -> None:
        with contextlib.suppress(OSError, FramingError):
            super()._answer(job_id, fd)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[worker_harness.Nursery]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker_harness, "PlayedVault", SteadyVault)
        folder = tmp_path_factory.mktemp("escape")
        with worker_harness.Nursery(folder, [str(FOLDER / "hostile_host.py")]) as running:
            yield running


@pytest.fixture(scope="module")
def terms() -> Terms:
    recipient = str(HybridIdentity.generate().recipient)
    return Terms(policy=shipped()["street"], mode="fast", recipients=(recipient,))


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_image(tmp_path_factory.mktemp("picture") / "face.jpg").read_bytes()


def outcome(host: worker_harness.Nursery, attempt: Attempt) -> str:
    """What the front desk's side sees of an attempt: the code of the last report, or of its absence."""
    limits = SHORT if attempt.outcome == TOO_LATE else LIMITS
    running, _folder = host.start(b"ciphertext", b"attempt: " + attempt.name.encode(), **limits)
    try:
        *_, last = running.reports()
    except HostError as failed:
        return failed.code
    finally:
        running.close()
    assert last.WhichOneof("report") == "failure", last
    return last.failure.code


@pytest.mark.parametrize("attempt", attempts.ALL, ids=lambda attempt: attempt.name)
def test_it_is_stopped_and_named_and_the_next_job_runs(
    host: worker_harness.Nursery, terms: Terms, picture: bytes, attempt: Attempt
) -> None:
    if attempt.only_x86 and not raw_calls.IS_X86:
        pytest.skip("this way exists on x86-64 only")
    assert outcome(host, attempt) == attempt.outcome
    assert host.run(host.seal(picture, terms), terms.to_bytes()).result.media_type == "image/jpeg"


def test_what_comes_through_is_seen_to_come_through(host: worker_harness.Nursery) -> None:
    assert outcome(host, attempts.CONTROL) == "got_through"


def test_the_table_is_long_and_names_everything_once() -> None:
    assert len(attempts.ALL) >= 40
    assert len({attempt.name for attempt in attempts.ALL}) == len(attempts.ALL)


@pytest.mark.parametrize("page", ["docs/wall.md", "SECURITY.md"])
def test_the_table_for_people_is_the_table_of_the_tests(repository: Path, page: str) -> None:
    text = (repository / page).read_text(encoding="utf-8")
    if page == "SECURITY.md" and attempts.COLUMNS not in text:
        pytest.skip("SECURITY.md shows no table of its own")
    assert attempts.markdown() in text


@pytest.mark.skipif(not HEADER.is_file(), reason="the kernel's headers are not installed here")
def test_the_numbers_are_the_kernels() -> None:
    """A wrong number would be stopped too, and prove nothing."""
    published = dict(re.findall(r"#define __NR_(\w+)\s+(\d+)", HEADER.read_text()))
    # A call that is newer than these headers cannot be compared.
    known = {name: number[0] for name, number in raw_calls.NUMBERS.items() if name in published}
    assert len(known) > 100
    assert known == {name: int(published[name]) for name in known}
