"""What a taken-over worker may say instead of the truth: bytes on the one pipe that the front desk reads."""

from __future__ import annotations

import math
import os
from functools import partial

from attempt import INVALID, TOO_LATE, Attempt, rows

from enclave.host.checks import MAX_REPORT_BYTES
from enclave.worker.handed_over import REPORTS_FD
from protos.bauta.internal.v1.worker_pb2 import WorkerFailure, WorkerProgress, WorkerReport, WorkerResult
from protos.framing import LENGTH_BYTES, write_all, write_message

SHA256 = bytes(32)


def say(report: WorkerReport) -> None:
    """One frame, and the end."""
    write_message(REPORTS_FD, report)
    os._exit(0)


def say_bytes(frame: bytes) -> None:
    """Bytes as they are, and the end."""
    write_all(REPORTS_FD, frame)
    os._exit(0)


def frame(body: bytes, claimed: int | None = None) -> bytes:
    """A frame that may lie about its length."""
    return (len(body) if claimed is None else claimed).to_bytes(LENGTH_BYTES, "big") + body


def noise() -> None:
    """Bytes that are no frame."""
    say_bytes(b"\xff" * 4096)


def half_a_frame() -> None:
    """Stops in the middle."""
    say_bytes(frame(b"\x0a\x02", claimed=100))


def oversized() -> None:
    """Claims a frame of 4 GiB: whoever trusts it allocates that."""
    say_bytes(frame(b"", claimed=0xFFFF_FFFF))


def just_oversized() -> None:
    """Sends a frame one byte longer than any may be."""
    say_bytes(frame(bytes(MAX_REPORT_BYTES + 1)))


def no_message() -> None:
    """A frame of the right length that no protobuf parser takes."""
    say_bytes(frame(b"\x0a\xff\xff\xff\xff\x0f"))


def empty() -> None:
    """A report that reports nothing."""
    say(WorkerReport())


def unknown_field() -> None:
    """A kind of report that is not in the protocol (field 9)."""
    say_bytes(frame(b"\x4a\x01x"))


def progress(**fields: float | str) -> None:
    """Progress out of range."""
    say(WorkerReport(progress=WorkerProgress(**{"stage": "anonymize", **fields})))  # type: ignore[arg-type]  # on purpose


def not_a_number() -> None:
    """A rate that no arithmetic survives."""
    progress(frames_per_second=math.nan)


def text_as_code() -> None:
    """Plaintext in place of a failure code, for a log or a statement to keep."""
    say(WorkerReport(failure=WorkerFailure(code="The source is Jane Doe")))


def result(**fields: object) -> None:
    """A result that is of its form except for one field."""
    honest: dict[str, object] = {
        "sealed_bytes": 1,
        "sealed_sha256": SHA256,
        "media_type": "video/mp4",
        "statement": b"{}",
        "evidence": b"{}",
    }
    say(WorkerReport(result=WorkerResult(**(honest | fields))))  # type: ignore[arg-type]  # on purpose


def flood() -> None:
    """Progress without end, to keep the front desk busy for ever."""
    report = WorkerReport(progress=WorkerProgress(stage="anonymize"))
    while True:
        write_message(REPORTS_FD, report)


ATTEMPTS = [
    *rows(
        INVALID,
        "the front desk's check of every report",
        {
            "reply with noise": noise,
            "reply with half a frame": half_a_frame,
            "claim a reply of 4 GiB": oversized,
            "send a reply one byte too long": just_oversized,
            "reply with bytes that are no message": no_message,
            "reply with an empty report": empty,
            "reply with a report of an unknown kind": unknown_field,
            "report a stage that is none": partial(progress, stage="x" * 64),
            "report progress of NaN": not_a_number,
            "report negative progress": partial(progress, frames_per_second=-1.0),
            "report more frames than there are numbers": partial(progress, frames_done=(1 << 64) - 1),
            "put plaintext where a code belongs": text_as_code,
            "report an empty result": partial(result, sealed_bytes=0),
            "report a digest of the wrong size": partial(result, sealed_sha256=b"x"),
            "report a review package without a digest": partial(result, review_bytes=1),
            "report an untouched package without a digest": partial(result, untouched_bytes=1),
            "report scores without a digest": partial(result, scores_bytes=1),
            "report an unknown kind of media": partial(result, media_type="text/html"),
            "report a statement without end": partial(result, statement=b"x" * 200_000),
            "report no evidence": partial(result, evidence=b""),
            "report text among the timings": partial(result, stage_seconds={"Jane Doe": 1.0}),
        },
    ),
    Attempt("report progress for ever", flood, TOO_LATE, "the warden: time is up"),
]
