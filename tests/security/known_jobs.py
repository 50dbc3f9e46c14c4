"""Jobs by the hundred, everything about them known; the log that a service makes of them, and logs that leak.

Statements, signers, seals and log are the real ones. The media are short noise, and nothing is decoded: a log
sees neither.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from keyvault.age import HybridIdentity, SealWriter, read_header
from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from provenance.checkpoint import Checkpoint, verify_checkpoint
from provenance.dsse import Envelope, sign_envelope
from provenance.log import TransparencyLog, static_folder
from provenance.statements import Facts, FailureFacts, SubmissionFacts
from provenance.tiles.files import FolderFiles
from tests.security.log_attacker import Attacker, KnownJob, published
from tests.unit.provenance.provenance_makers import hex_of, job_facts, release_facts

ORIGIN = "bauta.test/leaks"
BEGAN_AT = 1_795_219_200
SUBMITTERS = ("anna", "bela", "chidi", "dora", "emre", "farah")
POLICIES = ("street", "telehealth", "whistleblower")
# One job in so many fails, and one in so many has an original that was handed in before.
FAILS, REPEATS = 20, 10


@dataclass
class Job:
    """One job, from the inside: also what no attacker knows, the salt and the envelopes.

    Attributes:
        number: in order of submission.
        job_id: 32 hex digits.
        original, result, sealed: bytes.
        submitter, file_name, policy: words.
        salt: of the commitment.
        envelopes: its statements by kind, in order.
    """

    number: int
    job_id: str
    original: bytes
    result: bytes
    sealed: bytes
    submitter: str
    file_name: str
    policy: str
    salt: bytes = field(repr=False)
    envelopes: dict[str, Envelope] = field(default_factory=dict)

    @property
    def known(self) -> KnownJob:
        """What the attacker knows: all of it but the salt and the signatures."""
        size = len(self.original)
        items = {
            "the original": self.original,
            "the result": self.result,
            "the sealed upload": self.sealed,
            "the age header": read_header(io.BytesIO(self.sealed)).raw,
            "the file name": self.file_name.encode(),
            "the submitter": self.submitter.encode(),
            "submitter and file": f"{self.submitter}/{self.file_name}".encode(),
            "the policy's text": self.policy.encode(),
            "the size": str(size).encode(),
            "the size, big-endian": size.to_bytes(8, "big"),
            "the size, little-endian": size.to_bytes(8, "little"),
            "the job id": bytes.fromhex(self.job_id),
        }
        return KnownJob(
            items=items,
            payloads=[envelope.payload for envelope in self.envelopes.values()],
            groups={
                "submitter": self.submitter,
                "original": hashlib.sha256(self.original).hexdigest(),
                "policy": self.policy,
            },
        )


def make_jobs(count: int) -> list[Job]:
    """Makes jobs and has every statement of theirs signed."""
    draw = random.Random("a thousand jobs")
    node, intake = HybridSigner.generate(), HybridIdentity.generate()
    jobs: list[Job] = []
    for number in range(count):
        repeats = bool(jobs) and number % REPEATS == REPEATS // 2
        original = jobs[-1].original if repeats else draw.randbytes(draw.randrange(100, 4000))
        submitter = jobs[-1].submitter if repeats else draw.choice(SUBMITTERS)
        job = Job(
            number=number,
            job_id=secrets.token_hex(16),
            original=original,
            result=draw.randbytes(len(original)),
            sealed=_seal(original, intake),
            submitter=submitter,
            file_name=f"interview_with_{submitter}_{number}.mp4",
            policy=draw.choice(POLICIES),
            salt=secrets.token_bytes(32),
        )
        _sign(job, node)
        jobs.append(job)
    return jobs


def _seal(original: bytes, intake: HybridIdentity) -> bytes:
    sealed = io.BytesIO()
    with SealWriter(sealed, [intake.recipient]) as sealer:
        sealer.write(original)
    return sealed.getvalue()


def _sign(job: Job, node: HybridSigner) -> None:
    job_id, worker = job.job_id, HybridSigner.generate()
    header = hashlib.sha256(read_header(io.BytesIO(job.sealed)).raw).hexdigest()
    shared = {"job_id": job_id, "policy_sha256": hex_of(job.policy), "terms_sha256": hex_of(job.submitter)}
    submission = SubmissionFacts(
        job_id=job_id,
        upload_sha256=hashlib.sha256(job.sealed).hexdigest(),
        upload_header_sha256=header,
        terms_sha256=shared["terms_sha256"],
        accepted_at="2026-11-21T10:00:00Z",
    )
    release = release_facts(worker.public, upload_header_sha256=header, **shared)
    signed: list[tuple[Facts, HybridSigner]] = [(submission, node), (release, node)]
    if job.number % FAILS == FAILS - 1:
        signed.append((FailureFacts(job_id, "media_corrupt", "2026-11-21T10:00:09Z"), node))
    else:
        commitment = hmac.digest(job.salt, job.original, "sha256").hex()
        signed.append((job_facts(job.result, original_commitment=commitment, **shared), worker))
    for facts, signer in signed:
        job.envelopes[facts.kind()] = sign_envelope(facts.to_statement(), signer)


@dataclass(frozen=True)
class PublishedLog:
    """A log that was made of jobs, and the attacker who reads it.

    Attributes:
        attacker: has every byte of it.
        jobs: in order of submission.
        places: index by number of a job and kind. This is what an oracle would have to tell the attacker.
    """

    attacker: Attacker
    jobs: Sequence[Job]
    places: Mapping[tuple[int, str], int]

    def sized(self, kind: str) -> dict[int, int]:
        """Sizes of originals by the index of each job's entry of one kind."""
        sizes = {job.number: len(job.original) for job in self.jobs}
        return {index: sizes[number] for (number, of), index in self.places.items() if of == kind}

    def pairs(self, group: str, kind: str) -> list[tuple[int, int]]:
        """Neighbours, in order of submission, among jobs that share a submitter, an original or a policy."""
        last: dict[str, int] = {}
        found = []
        for job in self.jobs:
            if (job.number, kind) in self.places:
                name, index = job.known.groups[group], self.places[job.number, kind]
                if name in last:
                    found.append((last[name], index))
                last[name] = index
        return found


def record(
    folder: Path,
    jobs: Sequence[Job],
    digest_of: Callable[[Job, str], bytes] = lambda job, kind: job.envelopes[kind].digest,
    *,
    batch: int = 1,
) -> PublishedLog:
    """Has a log record every statement of these jobs, job after job.

    Args:
        folder: empty.
        jobs: with their envelopes.
        digest_of: what an entry holds; a leaky log puts something else there.
        batch: jobs that share a checkpoint. With 1, each entry has its own, at the second at which a service
            that works for a millisecond a byte would have recorded it.
    """
    signer = LogSigner.generate(ORIGIN)
    heads: list[Checkpoint] = []
    places: dict[tuple[int, str], int] = {}
    now = BEGAN_AT

    def sign(text: bytes, _prove_from: object) -> bytes:
        note = signer.sign_checkpoint(text, now)
        heads.append(verify_checkpoint(note, ORIGIN, signer.verifier_keys))
        return note

    folder.mkdir()
    path = folder / "log.sqlite"
    with TransparencyLog(path, ORIGIN, sign) as log:
        for first in range(0, len(jobs), batch):
            several = jobs[first : first + batch]
            records = [(job, kind) for job in several for kind in job.envelopes]
            for part in [records] if batch > 1 else [[one] for one in records]:
                # The last statement of a job comes when its work is done.
                now += 1 + (len(part[0][0].original) if part[0][1] in ("job", "failure") else 0)
                indices = log.append_all([(kind, digest_of(job, kind)) for job, kind in part])
                places |= {
                    (job.number, kind): index for (job, kind), index in zip(part, indices, strict=True)
                }
    public = [key.public_key for key in signer.verifier_keys]
    attacker = Attacker(
        published(FolderFiles(static_folder(path))), heads, [*public, ORIGIN.encode(), b"anna"]
    )
    return PublishedLog(attacker, jobs, places)
