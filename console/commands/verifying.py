"""What `bauta verify` does besides a result and its proof: parts of an original, and untouched copies.

Both decode what somebody handed over, in a process of its own behind the wall of a job (evaluation/pieces).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from console.commands.options import read_trust_file
from console.report.pieces import PiecesVerdict
from console.report.verdict import Verdict, read_proof
from grpc_api.errors import invalid
from provenance.checklist import Checklist, VerificationError
from provenance.committed import (
    COMMITTED_STEPS,
    RECORDED_BY_STEPS,
    UNTOUCHED_STEPS,
    Sources,
    committed_root,
    verify_recording,
)
from provenance.errors import ProvenanceError
from provenance.pieces.recording import MAX_RECORDING_BYTES
from provenance.pieces.reveal import MAX_REVEAL_BYTES


def beside_file(file: Path, ending: str, named: Path | None) -> Path | None:
    """Finds what belongs to a file: what was named, or what lies beside it under that ending; or nothing."""
    if named is not None:
        return named
    found = file.with_name(file.name + ending)
    return found if found.is_file() else None


@dataclass(frozen=True)
class Witnesses:
    """Who may say what the original was.

    Attributes:
        trust: the trust file.
        proof: of the job, where there is one.
        recording: a recording's signature, where there is one.
        recorder_asked: whether it was named, and does not only lie beside.
    """

    trust: Path
    proof: Path | None
    recording: Path | None
    recorder_asked: bool = True

    @classmethod
    def beside(cls, file: Path, trust: Path, proof: Path | None, recording: Path | None) -> Witnesses:
        """Takes what was named, and what lies beside a file."""
        found = beside_file(file, ".recording", recording)
        return cls(trust, beside_file(file, ".proof", proof), found, recorder_asked=recording is not None)

    def sources(self) -> Sources:
        """Reads them.

        Raises:
            ServiceError: `proof_missing`, there is neither; `trust_missing`.
            OSError: one cannot be read.
        """
        if self.proof is None and self.recording is None:
            raise invalid(
                "proof_missing", "Nobody says what the original was: name a --proof or a --recording."
            )
        return Sources(
            trust=read_trust_file(self.trust),
            untrusted_proof=None if self.proof is None else read_proof(self.proof),
            untrusted_recording=None if self.recording is None else read_recording(self.recording),
            recorder_asked=self.recorder_asked,
        )


def read_recording(path: Path) -> bytes:
    """Reads a recording's signature, and no more than shows that it is too large.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(MAX_RECORDING_BYTES + 1).removesuffix(b"\n")


def verify_a_part(part: Path, package: Path, witnesses: Witnesses) -> PiecesVerdict:
    """Checks a part of an original.

    Raises:
        ServiceError: as `Witnesses.sources`.
        OSError: a file cannot be read.
    """
    # Only here: no other command needs the reader's room.
    from evaluation.pieces.checking import check_part

    with package.open("rb") as file:
        untrusted_package = file.read(MAX_REVEAL_BYTES + 1)
    try:
        checked = check_part(part, untrusted_package, witnesses.sources())
    except VerificationError as error:
        return PiecesVerdict.failed(error)
    verified = checked.verified
    return PiecesVerdict(verified.steps, verified.origin, verified.package, checked.sound_after_us)


def verify_a_copy(copy: Path, package: Path, witnesses: Witnesses) -> PiecesVerdict:
    """Checks a lossless copy whose worker nobody has to believe, by a recording's signature.

    Raises:
        ServiceError: as `Witnesses.sources`.
        OSError: a file cannot be read.
    """
    from evaluation.pieces.checking import check_copy

    try:
        with package.open("rb") as untrusted_package:
            verified = check_copy(copy, untrusted_package, witnesses.sources())
    except VerificationError as error:
        return PiecesVerdict.failed(error)
    return PiecesVerdict(verified.steps, verified.origin, report=verified.report)


def with_untouched(verdict: Verdict, copy: Path, package: Path) -> Verdict:
    """Adds which share of a result is proven to be the original's, and where it differs."""
    from evaluation.pieces.checking import untouched_share

    if verdict.failure is not None or verdict.result is None:
        return verdict
    stated = verdict.result
    checklist = Checklist({**COMMITTED_STEPS, **UNTOUCHED_STEPS})
    found = verdict
    try:
        with checklist.step("original_committed"):
            root = committed_root(stated.facts)
        with checklist.step("untouched_matches"), package.open("rb") as untrusted_package:
            report = untouched_share(copy, untrusted_package, root)
            found = replace(verdict, untouched=report)
            report.require_sound()
    except VerificationError as error:
        return found.with_failure(error)
    return found.with_steps(*checklist.reports())


def with_recording(verdict: Verdict, recording: Path) -> Verdict:
    """Adds whose recording key signed the commitment that a statement names."""
    if verdict.failure is not None or verdict.result is None or verdict.trust is None:
        return verdict
    facts, trust = verdict.result.facts, verdict.trust
    checklist = Checklist(RECORDED_BY_STEPS)
    try:
        with checklist.step("recording_signed"):
            root, recorder = verify_recording(read_recording(recording), trust)
            if root != committed_root(facts):
                raise ProvenanceError(
                    "the recording is of another original than the job's", "recording_differs"
                )
    except VerificationError as error:
        return verdict.with_failure(error)
    return replace(verdict, recorder=recorder).with_steps(*checklist.reports())
