"""Progress on stderr: a bar on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

import time
from types import TracebackType

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

from console import output
from protos.bauta.v1 import jobs_pb2

_LINE_SECONDS = 2.0

STAGES = {
    "start": "starting the service",
    "intake": "checking the intake",
    "seal": "sealing the upload",
    "upload": "uploading",
    "queue": "waiting for a worker",
    "open": "opening behind the wall",
    "anonymize": "anonymizing",
    "prove": "signing and recording",
    "fetch": "fetching the result",
    "verify": "verifying the proof",
}


class ProgressDisplay:
    """Shows stages and frames. Use as a context manager and call it with each change."""

    def __init__(self) -> None:
        self._bar: Progress | None = None
        self._stage = ""
        self._said_at = 0.0
        if output.stderr.is_terminal and not output.MODE.as_json:
            self._bar = Progress(
                SpinnerColumn(),
                TextColumn("{task.description:<26}"),
                BarColumn(),
                TextColumn("{task.fields[frames]}"),
                TimeRemainingColumn(),
                console=output.stderr,
                transient=True,
            )
            self._task = self._bar.add_task("", total=None, frames="")

    def __enter__(self) -> ProgressDisplay:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, stage: str, progress: jobs_pb2.Progress | None) -> None:
        """Shows a stage, with frames while there are any."""
        done, total, rate = 0, 0, 0.0
        if progress is not None:
            done, total, rate = progress.frames_done, progress.frames_total, progress.frames_per_second
        if self._bar is not None:
            self._bar.update(
                self._task,
                description=STAGES.get(stage, stage),
                completed=done,
                total=total or None,
                frames=_frames(done, total, rate),
            )
        elif not output.MODE.as_json:
            self._say(stage, done, total, rate)

    def _say(self, stage: str, done: int, total: int, rate: float) -> None:
        now = time.monotonic()
        if stage == self._stage and now - self._said_at < _LINE_SECONDS:
            return
        self._stage, self._said_at = stage, now
        left = f", {(total - done) / rate:.0f} s left" if rate > 0 and total > done else ""
        output.stderr.print(f"{STAGES.get(stage, stage)}  {_frames(done, total, rate)}{left}".rstrip())


def _frames(done: int, total: int, rate: float) -> str:
    if not done:
        return ""
    of = f"{done}/{total}" if total else f"{done}"
    return f"{of} frames, {rate:.0f} fps"
