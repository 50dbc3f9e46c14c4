"""One check of one file, and what came of it. Every program that checks a result goes through here."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.report import words
from console.report.leaks import attacked_in_a_line
from console.report.untouched import differing_in_words, untouched_document, untouched_in_words
from provenance.anchors.checking import Anchored
from provenance.checklist import Step, VerificationError
from provenance.checkpoint import Checkpoint
from provenance.errors import FormatError
from provenance.pieces.untouched import UntouchedReport
from provenance.proof import MAX_PROOF_FILE_BYTES
from provenance.statements import JobFacts
from provenance.statements.fields import format_instant
from provenance.timestamps import Remark, Timestamp
from provenance.trust import MAX_TRUST_BYTES, Trust
from provenance.verifier import VerifiedResult, verify_result

_PLURALS = {"person": "whole people", "plate": "number plates", "text": "text"}


@dataclass(frozen=True)
class Failure:
    """The first step that did not hold.

    Attributes:
        step: its id.
        code: why, stable, snake_case.
        message: why, for people.
    """

    step: str
    code: str
    message: str


@dataclass(frozen=True)
class Released:
    """A release of the worker's version that was shown beside the proof.

    Attributes:
        version: "0.1.0".
        by: who released it.
    """

    version: str
    by: str


@dataclass(frozen=True)
class Examined:
    """What identifies a file that did not pass.

    Attributes:
        sha256: hex.
        size: bytes.
    """

    sha256: str
    size: int


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        steps: one report a step, in order.
        trust: whose keys counted; None if the trust file could not be read.
        result: what the proof says; None if the proof did not hold.
        failure: the first step that failed; None if every one held.
        released: the version's release, if one was shown and held.
        examined: the file that did not pass; None if it did, or if nobody asked or could tell.
        anchored: the anchor of its tree on a chain, if one was shown and held.
        untouched: which share of the picture is the original's, if a package was shown; kept if tiles differ.
        recorder: fingerprint of the recording key that signed the same commitment, if one did.
    """

    steps: tuple[Step, ...]
    trust: Trust | None
    result: VerifiedResult | None = None
    failure: Failure | None = None
    released: Released | None = None
    examined: Examined | None = None
    anchored: Anchored | None = None
    untouched: UntouchedReport | None = None
    recorder: str | None = None

    def with_steps(self, *steps: Step) -> Verdict:
        """Adds steps of a further check that held."""
        return replace(self, steps=self.steps + steps)

    def with_failure(self, error: VerificationError) -> Verdict:
        """Adds a further check that failed: the whole is then not verified."""
        failure = Failure(error.step, error.code, str(error))
        return replace(self, steps=self.steps + error.steps, failure=failure)

    def document(self) -> dict[str, Any]:
        """The outcome for programs; docs/verifying.md lists the fields."""
        return {**self._told(), "steps": [asdict(step) for step in self.steps]}

    @property
    def remarks(self) -> tuple[Remark, ...]:
        """What fails no check, and a reader should know; nothing of a proof that did not hold."""
        return () if self.failure is not None or self.result is None else self.result.remarks

    def lines(self) -> str:
        """The outcome for a terminal: a line for each step and remark, one for attacks, and the answer."""
        steps = [f"{words.MARKS[step.status]} {step.sentence}" for step in self.steps]
        told = [f"! {remark.sentence}" for remark in self.remarks]
        if self.failure is None and self.result is not None:
            told.append(attacked_in_a_line(self.result.facts))
        if self.untouched is not None:
            told.append(untouched_in_words(self.untouched))
        if self.untouched is not None and self.untouched.differences:
            told.append(f"It differs at {differing_in_words(self.untouched)}.")
        if self.recorder is not None and self.failure is None:
            told.append(f"Recorder {self.recorder} signed the same original.")
        return "\n".join([*steps, *told, self._answer()])

    def _told(self) -> dict[str, Any]:
        if self.failure is not None or self.result is None:
            failure = self._failure()
            return {"verified": False, "failed_step": failure.step, "code": failure.code, **self._differs()}
        told = {
            "verified": True,
            "log_index": self.result.log_index,
            "logged_at": logged_at(self.result.checkpoint),
            "statement": stated(self.result.facts),
            "timestamps": [_timestamp(stamp) for stamp in self.result.timestamps],
            "remarks": [asdict(remark) for remark in self.result.remarks],
        }
        if self.released is not None:
            told |= {"worker_version": self.released.version, "worker_released_by": self.released.by}
        if self.anchored is not None:
            told |= {"anchor": self.anchored.document()}
        if self.untouched is not None:
            told |= {"untouched": untouched_document(self.untouched)}
        if self.recorder is not None:
            told |= {"recorder": self.recorder}
        return told

    def _differs(self) -> dict[str, Any]:
        """Where a copy differs from its original: the one thing that is told of a check that failed."""
        return {} if self.untouched is None else {"untouched": untouched_document(self.untouched)}

    def _answer(self) -> str:
        if self.failure is not None or self.result is None:
            failure = self._failure()
            return f"NOT VERIFIED at {failure.step} ({failure.code}): {failure.message}."
        facts = self.result.facts
        seen = (
            "sound alone"
            if is_sound_alone(facts)
            else (
                f"{facts.frames} frames, {facts.frames_with_faces} with faces covered by "
                f"{facts.effect}{besides_faces(facts)}"
            )
        )
        return (
            f"VERIFIED: {seen}, audio {facts.audio}{heard(facts)}"
            f"{_falls_short(facts)}{decided(facts)}{kept(facts)}; "
            f"tier {facts.tier}, made {facts.finished_at}{self._anchored()}."
        )

    def _anchored(self) -> str:
        if self.anchored is None:
            return ""
        block, chain = self.anchored.anchor.block.number, self.anchored.place.chain_id
        return f", anchored by {self.anchored.mined_at} in block {block} of chain {chain}"

    def _failure(self) -> Failure:
        if self.failure is None:
            raise AssertionError("a verdict without a result has a failure")
        return self.failure


def stated(facts: JobFacts) -> dict[str, Any]:
    """The statement's fields for JSON, which has no bytes."""
    fields = asdict(facts).items()
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in fields}


def _falls_short(facts: JobFacts) -> str:
    return f", quality short in {' and '.join(facts.quality_short)}" if facts.quality_short else ""


def is_sound_alone(facts: JobFacts) -> bool:
    """Tells whether the file has no picture at all."""
    return facts.media_type.startswith("audio/")


def heard(facts: JobFacts) -> str:
    """Says what became of voices, as a part of a sentence; nothing where nobody listened."""
    if not facts.sound_seconds:
        return ""
    told = ", ".join(words.SOUND_DONE[word].format(count) for word, count in facts.sound_seconds.items())
    return f" ({facts.voices} voice{'' if facts.voices == 1 else 's'}: {told})"


def decided(facts: JobFacts) -> str:
    """Says what a person decided, and whether anybody was recognized, as a part of a sentence or nothing."""
    told = ", ".join(f"{count} {words.DECISIONS[word]}" for word, count in facts.decided.items())
    by_person = f"; by a person's decision {told}" if told else ""
    frames = facts.recognized.get("frames", 0)
    return by_person + (f"; in {frames} frames somebody was recognized as enrolled" if frames else "")


def kept(facts: JobFacts) -> str:
    """Says that covers can be taken off again, as a part of a sentence; nothing where they cannot."""
    return "; custodians together can have it uncovered" if facts.recovery else ""


def besides_faces(facts: JobFacts) -> str:
    """Says what else was covered, as a part of a sentence; nothing where nothing else was sought."""
    return "".join(
        f", {facts.frames_also_covered[kind]} with {_PLURALS[kind]} by {effect}"
        for kind, effect in facts.also_covered.items()
    )


def check(file: Path, untrusted_proof: bytes, trust_file: bytes) -> Verdict:
    """Checks a file against its proof; a check that fails is an outcome, not an exception.

    Args:
        file: the anonymized file.
        untrusted_proof: the proof file's bytes.
        trust_file: the bytes of the trust file that the caller believes in.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with file.open("rb") as stream:
            verified = verify_result(stream, untrusted_proof, trust_file)
    except VerificationError as error:
        return Verdict((), _readable(trust_file)).with_failure(error)
    return Verdict(verified.steps, Trust.from_bytes(trust_file), verified)


def logged_at(checkpoint: Checkpoint) -> str | None:
    """The log's own time, as an instant; None if it does not say, or one beyond the calendar."""
    if checkpoint.signed_at is None:
        return None
    try:
        return format_instant(datetime.fromtimestamp(checkpoint.signed_at, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def _timestamp(stamp: Timestamp) -> dict[str, Any]:
    accuracy = stamp.token.accuracy
    return {
        "at": format_instant(stamp.token.at),
        "accuracy_seconds": None if accuracy is None else accuracy.total_seconds(),
        "serial": f"{stamp.token.serial:x}",
        "root_sha256": None if stamp.root is None else stamp.root.sha256,
    }


def examine(file: Path) -> Examined | None:
    """Identifies a file for a report; None for a pipe or a device, which may have no end.

    Raises:
        OSError: it cannot be read.
    """
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return Examined(digest.hexdigest(), stream.tell())


def read_proof(path: Path) -> bytes:
    """Reads a proof file, and no more of it than shows that it is too large.

    Raises:
        OSError: it cannot be read.
    """
    return _read(path, MAX_PROOF_FILE_BYTES)


def read_trust(path: Path) -> bytes:
    """Reads a trust file, and no more of it than shows that it is too large.

    Raises:
        OSError: it cannot be read.
    """
    return _read(path, MAX_TRUST_BYTES)


def _read(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as stream:
        return stream.read(max_bytes + 1)


def _readable(trust_file: bytes) -> Trust | None:
    try:
        return Trust.from_bytes(trust_file)
    except FormatError:
        return None
