"""Who says that an original had these pieces: a job's statement in the log, a recording key, or both.

Parts of an original and untouched copies are checked against the commitment that comes of it. The check of
the pieces themselves takes decoded media, which whoever calls brings along as a stream.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from provenance.checklist import Checklist, Step
from provenance.pieces.errors import PiecesError
from provenance.pieces.recording import Recording
from provenance.pieces.reveal import RevealPackage, verify_reveal
from provenance.pieces.untouched import TimedFrame, UntouchedReport, verify_untouched
from provenance.register import fingerprint
from provenance.statements import JobFacts
from provenance.trust import Trust
from provenance.verifier import STATED_STEPS, Stated, verify_stated

RECORDED_BY_STEPS = {
    "recording_signed": "A recording key in the trust file signed the commitment to the original.",
}
COMMITTED_STEPS = {
    "original_committed": "The statement commits to the original, piece by piece.",
}
PART_STEPS = {
    "part_matches": "Every picture and all sound of the part are the original's, where the package says.",
}
UNTOUCHED_STEPS = {
    "untouched_matches": "Every tile that the package shows is the original's, at its place and time.",
}

# All of them, in the order in which they stand in a report.
PIECES_STEPS = {**COMMITTED_STEPS, **RECORDED_BY_STEPS, **PART_STEPS, **UNTOUCHED_STEPS}


@dataclass(frozen=True)
class Origin:
    """Who committed to an original.

    Attributes:
        root: of the commitment, 32 bytes.
        stated: the job's statement; None where only a recording key speaks.
        recorder: fingerprint of the recording key; None where only the statement speaks.
    """

    root: bytes
    stated: Stated | None
    recorder: str | None


@dataclass(frozen=True)
class Sources:
    """What stands beside a part or a copy and says who committed to its original.

    Attributes:
        trust: the trust file.
        untrusted_proof: of the job; None without one.
        untrusted_recording: a recording's signature; None without one.
        recorder_asked: whether the recording's step has to hold. Where it only lies beside a part, a reader
            whose trust file names no recorder goes by the proof alone.
    """

    trust: Trust | bytes
    untrusted_proof: bytes | None = None
    untrusted_recording: bytes | None = None
    recorder_asked: bool = True

    @property
    def steps(self) -> Mapping[str, str]:
        """What is checked of them, in order."""
        stated = {**STATED_STEPS, **COMMITTED_STEPS} if self.untrusted_proof is not None else {}
        readable = {} if stated else {"trust_readable": STATED_STEPS["trust_readable"]}
        recorded = RECORDED_BY_STEPS if self.untrusted_recording is not None else {}
        return {**stated, **readable, **recorded}


def verify_origin(checklist: Checklist, sources: Sources) -> Origin:
    """Runs `Sources.steps`, which the checklist begins with.

    Args:
        checklist: of the whole verification.
        sources: with a proof, a recording, or both, which then have to name the same commitment.

    Raises:
        VerificationError: with the first step that failed.
    """
    stated, root, believed = None, None, sources.trust
    if sources.untrusted_proof is not None:
        stated = verify_stated(checklist, sources.untrusted_proof, sources.trust)
        believed = stated.trust
        with checklist.step("original_committed"):
            root = committed_root(stated.facts)
    else:
        with checklist.step("trust_readable"):
            believed = believed if isinstance(believed, Trust) else Trust.from_bytes(believed)
    recorder = None
    if sources.untrusted_recording is None or not isinstance(believed, Trust):
        pass
    elif root is not None and not believed.recorders and not sources.recorder_asked:
        checklist.leave("recording_signed")
    else:
        with checklist.step("recording_signed"):
            recorded, recorder = verify_recording(sources.untrusted_recording, believed)
            if root is not None and recorded != root:
                raise PiecesError("the recording is of another original than the job's", "recording_differs")
            root = recorded
    if root is None:
        raise AssertionError("somebody commits")
    return Origin(root, stated, recorder)


def committed_root(facts: JobFacts) -> bytes:
    """Gives the commitment that a job's statement names.

    Raises:
        PiecesError: `pieces_not_stated`: it names none; workers before this version made no commitment.
    """
    if facts.pieces is None:
        raise PiecesError("the statement commits to no pieces of the original", "pieces_not_stated")
    return bytes.fromhex(facts.pieces)


def verify_recording(untrusted_recording: bytes, trust: Trust) -> tuple[bytes, str]:
    """Gives what a recording's signature commits to, and the fingerprint of the recorder who signed.

    Raises:
        PiecesError: `pieces_not_signed`: by none of the recorders that the trust file names. Or it is
            malformed.
    """
    recording = Recording.from_bytes(untrusted_recording)
    for key in trust.recorders:
        if tuple(item.key_id for item in recording.signatures) == key.key_ids:
            return recording.verify(key), fingerprint(key)
    raise PiecesError("no recorder in the trust file signed this recording", "pieces_not_signed")


@dataclass(frozen=True)
class VerifiedPart:
    """A part that is an original's: who committed to that, what is shown of it, and a report a step."""

    origin: Origin
    package: RevealPackage
    steps: tuple[Step, ...]


def verify_part(
    sources: Sources,
    untrusted_package: bytes,
    pieces_of: Callable[[RevealPackage], Mapping[str, Iterable[bytes]]],
) -> VerifiedPart:
    """Checks a part of an original.

    Args:
        sources: who committed.
        untrusted_package: the reveal package.
        pieces_of: reads the pieces that a package is about from the part; called once, with a package that is
            well formed and not checked yet.

    Raises:
        VerificationError: with the first step that failed.
    """
    checklist = Checklist({**sources.steps, **PART_STEPS})
    origin = verify_origin(checklist, sources)
    with checklist.step("part_matches"):
        pieces = pieces_of(RevealPackage.from_bytes(untrusted_package))
        package = verify_reveal(untrusted_package, origin.root, pieces)
    return VerifiedPart(origin, package, checklist.reports())


def verify_package(sources: Sources, untrusted_package: bytes) -> VerifiedPart:
    """Checks all of a part but the part: for whoever has no decoder. Its last step is "not checked".

    Raises:
        VerificationError: with the first step that failed.
    """
    checklist = Checklist({**sources.steps, **PART_STEPS})
    origin = verify_origin(checklist, sources)
    with checklist.attempt("part_matches"):
        package = RevealPackage.from_bytes(untrusted_package)
        package.require_root(origin.root)
    checklist.leave("part_matches", "not checked")
    return VerifiedPart(origin, package, checklist.reports())


@dataclass(frozen=True)
class VerifiedCopy:
    """A copy that is the original's but for its covers: who committed, what was found, a report a step."""

    origin: Origin
    report: UntouchedReport
    steps: tuple[Step, ...]


def verify_copy(
    sources: Sources, untrusted_package: BinaryIO, untrusted_frames: Iterable[TimedFrame]
) -> VerifiedCopy:
    """Checks a lossless copy without its own proof: by an untouched package and whoever committed.

    Raises:
        VerificationError: with the first step that failed.
    """
    checklist = Checklist({**sources.steps, **UNTOUCHED_STEPS})
    origin = verify_origin(checklist, sources)
    with checklist.step("untouched_matches"):
        report = verify_untouched(untrusted_package, origin.root, untrusted_frames)
        report.require_sound()
    return VerifiedCopy(origin, report, checklist.reports())
