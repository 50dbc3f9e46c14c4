"""The log gives away how many, which kind, in which order and when, and nothing else; so says SECURITY.md.

A thousand jobs in a log as the service makes it, and an attacker who has every published byte, every
original, every result, every sealed upload, all names and sizes, and the exact text of every statement. What
he links is asserted, in both directions; and the same attacks succeed against logs that were made to leak.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.policy import shipped
from provenance.checkpoint import verify_checkpoint
from provenance.proof import ProofFile
from provenance.tiles.files import FolderFiles
from tests.media_factory import face_clip
from tests.security.known_jobs import Job, PublishedLog, make_jobs, record
from tests.security.log_attacker import Attacker, KnownJob, published
from tests.service_process import Service

JOBS = 1000
SEQUENTIAL = 25
# Six standard deviations and more, for the numbers of jobs and pairs here; chance does not get there.
MOST_CORRELATION = 0.25
MOST_LIKENESS = 10.0


@pytest.fixture(scope="module")
def jobs() -> list[Job]:
    return make_jobs(JOBS)


@pytest.fixture(scope="module")
def honest(jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> PublishedLog:
    """The log of all of them, ten jobs under a checkpoint."""
    return record(tmp_path_factory.mktemp("honest") / "log", jobs, batch=10)


@pytest.fixture(scope="module")
def one_by_one(jobs: list[Job], tmp_path_factory: pytest.TempPathFactory) -> PublishedLog:
    """The log of a quiet service: one job at a time, a checkpoint for every entry."""
    return record(tmp_path_factory.mktemp("quiet") / "log", jobs[:SEQUENTIAL])


def test_no_item_in_any_disguise_is_in_the_log(honest: PublishedLog) -> None:
    known = [job.known for job in honest.jobs]
    assert len(known) == JOBS
    assert honest.attacker.look_up_all(known) == []


def test_no_two_entries_are_alike_whatever_was_handed_in_again(honest: PublishedLog) -> None:
    """The same original, submitter and policy twice: the log deduplicates, and there is nothing to do."""
    repeated = {hashlib.sha256(job.original).digest() for job in honest.jobs}
    assert len(repeated) < JOBS
    entries = honest.attacker.entries
    assert len({entry.digest for entry in entries}) == len(entries) == 3 * JOBS


@pytest.mark.parametrize("kind", ["submission", "release", "job"])
def test_an_entry_says_nothing_of_a_size(honest: PublishedLog, kind: str) -> None:
    sized = honest.sized(kind)
    assert len(sized) > 0.9 * JOBS
    assert honest.attacker.size_correlation(sized) < MOST_CORRELATION
    assert len({len(honest.attacker.entries[index].raw) for index in sized}) == 1


@pytest.mark.parametrize("kind", ["submission", "release", "job"])
@pytest.mark.parametrize("group", ["submitter", "original", "policy"])
def test_entries_of_one_person_file_or_policy_have_nothing_in_common(
    honest: PublishedLog, group: str, kind: str
) -> None:
    pairs = honest.pairs(group, kind)
    assert len(pairs) > 50
    assert abs(honest.attacker.likeness(pairs) - 128) < MOST_LIKENESS


def test_whoever_has_the_proof_finds_its_entry(honest: PublishedLog) -> None:
    """That is what a proof is for: to give it away is to show when the job was done."""
    for job in honest.jobs[::100]:
        for kind, envelope in job.envelopes.items():
            [entry] = honest.attacker.find(envelope.digest)
            assert (entry.kind, entry.index) == (kind, honest.places[job.number, kind])


def test_what_everybody_sees_how_many_and_of_which_kind(honest: PublishedLog) -> None:
    failed = sum("failure" in job.envelopes for job in honest.jobs)
    assert 0 < failed < JOBS
    assert Counter(entry.kind for entry in honest.attacker.entries) == {
        "submission": JOBS,
        "release": JOBS,
        "job": JOBS - failed,
        "failure": failed,
    }


def test_what_everybody_sees_the_entries_of_one_job_where_one_runs_at_a_time(
    one_by_one: PublishedLog,
) -> None:
    """By order alone: three entries in a row are one job, and whether it failed is the last one's kind."""
    entries = one_by_one.attacker.entries
    for job, first in zip(one_by_one.jobs, range(0, len(entries), 3), strict=True):
        assert [entry.kind for entry in entries[first : first + 3]] == list(job.envelopes)
        places = [one_by_one.places[job.number, kind] for kind in job.envelopes]
        assert [entry.index for entry in entries[first : first + 3]] == places


def test_what_everybody_sees_when_and_therefore_how_long_a_job_took(one_by_one: PublishedLog) -> None:
    """Who polls the checkpoints sees the time from release to result; it grows with the video's length.

    So somebody with a list of candidate originals can tell the long ones from the short ones. This is said in
    SECURITY.md; here it is shown.
    """
    attacker = one_by_one.attacker
    took = {
        number: attacker.appeared(3 * number + 2) - attacker.appeared(3 * number + 1)
        for number in range(SEQUENTIAL)
    }
    by_time = sorted(took, key=took.__getitem__)
    by_size = sorted(took, key=lambda number: len(one_by_one.jobs[number].original))
    agree = sum(a == b for a, b in zip(by_time, by_size, strict=True))
    assert agree > 0.8 * SEQUENTIAL


def test_what_a_real_service_publishes_names_nothing_that_was_handed_to_it(tmp_path: Path) -> None:
    """The same clip twice by the same person, through the whole service; every byte that its log shows."""
    clip = face_clip(tmp_path / "interview_with_anna.mp4", seconds=1)
    with Service(tmp_path) as service:
        done = [service.submit(clip, tmp_path / f"result-{number}.mp4") for number in range(2)]
        trust, checkpoint = service.trust, (tmp_path / "desk" / "log" / "checkpoint").read_bytes()
    head = verify_checkpoint(checkpoint, trust.log_origin, trust.log_keys)
    files = published(FolderFiles(tmp_path / "desk" / "log"))
    attacker = Attacker(files, [head], [key.public_key for key in trust.log_keys])
    one_job = ["submission", "release", "job"]
    kinds = [entry.kind for entry in attacker.entries]
    assert kinds[-6:] == one_job * 2
    assert Counter(kinds[:-6]) == {"policy": len(shipped()), "intake": 1, "worker-release": 1}
    for number, submitted in enumerate(done):
        statement = ProofFile.from_bytes(submitted.proof).statement
        items = {
            "the original": clip.read_bytes(),
            "the result": (tmp_path / f"result-{number}.mp4").read_bytes(),
            "the file name": clip.name.encode(),
            "the size": str(clip.stat().st_size).encode(),
            "the job id": bytes.fromhex(submitted.facts.job_id),
        }
        assert attacker.look_up(KnownJob(items, [statement.payload], {})) == []
        assert [entry.kind for entry in attacker.find(statement.digest)] == ["job"]


def test_entries_under_one_checkpoint_have_one_time(honest: PublishedLog) -> None:
    """Under load entries share a checkpoint, and what shares one cannot be told apart by time."""
    appeared = Counter(honest.attacker.appeared(entry.index) for entry in honest.attacker.entries)
    assert set(appeared.values()) == {30}


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


# What a careless log would put into its entries, and the name under which the attacker then finds it.
LEAKS: dict[str, tuple[Callable[[Job, str], bytes], str]] = {
    "a raw hash of the original": (lambda job, _: _sha256(job.original), "sha256 of the original"),
    "a hash of that hash in hex": (
        lambda job, _: _sha256(_sha256(job.original).hex().encode()),
        "sha256 of the hex of the sha256 of the original",
    ),
    "a hash of the result": (lambda job, _: _sha256(job.result), "sha256 of the result"),
    "a hash of the upload": (lambda job, _: _sha256(job.sealed), "sha256 of the sealed upload"),
    "a hash of the file name": (lambda job, _: _sha256(job.file_name.encode()), "sha256 of the file name"),
    "a hash of who it was": (lambda job, _: _sha256(job.submitter.encode()), "sha256 of the submitter"),
    "a commitment under a key that everybody has": (
        lambda job, _: hmac.digest(b"bauta", job.original, "sha256"),
        "HMAC of the original under a public key",
    ),
    "a hash of a statement without its signatures": (
        lambda job, kind: _sha256(job.envelopes[kind].payload),
        "statement 2 without its signatures",
    ),
    "a size where a digest belongs": (
        lambda job, kind: len(job.original).to_bytes(8, "big") + job.envelopes[kind].digest[8:],
        "the size, big-endian itself",
    ),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_log_that_leaks_is_read_by_the_same_attacker(name: str, jobs: list[Job], tmp_path: Path) -> None:
    digest_of, expected = LEAKS[name]
    leaky = record(tmp_path / "log", jobs[:100], digest_of, batch=10)
    for job in leaky.jobs:
        assert expected in leaky.attacker.look_up(job.known), job.number


def test_a_log_that_shows_sizes_is_seen_to(jobs: list[Job], tmp_path: Path) -> None:
    leaky = record(
        tmp_path / "log",
        jobs[:200],
        lambda job, kind: (len(job.original) >> 4).to_bytes(1, "big") + job.envelopes[kind].digest[1:],
        batch=10,
    )
    assert leaky.attacker.size_correlation(leaky.sized("job")) > 0.9


@pytest.mark.parametrize("group", ["submitter", "original", "policy"])
def test_a_log_with_pseudonyms_is_seen_to(group: str, jobs: list[Job], tmp_path: Path) -> None:
    leaky = record(
        tmp_path / "log",
        jobs[:200],
        lambda job, kind: _sha256(job.known.groups[group].encode())[:12] + job.envelopes[kind].digest[12:],
        batch=10,
    )
    assert leaky.attacker.likeness(leaky.pairs(group, "job")) > 128 + 3 * MOST_LIKENESS
