"""How far an evaluation is, on stderr: a bar on a terminal, plain lines elsewhere, nothing with --json."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final

from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from console import output
from console.commands.options import say

STAGES: Final = {
    "listen": "listening",
    "compare": "comparing voices",
    "read": "reading the words",
    "faces": "looking for faces",
    "people": "looking for people",
    "attacks": "attacking",
    "pictures": "comparing pictures",
    "actions": "classifying actions",
}
_LINE_SECONDS: Final = 2.0


class Progress:
    """Shows stages. Use as a context manager and call it with each change."""

    def __init__(self) -> None:
        """Has shown nothing yet."""
        self._stage = ""
        self._said_at = 0.0
        self._bar: Bar | None = None
        if output.stderr.is_terminal and not output.MODE.as_json:
            self._bar = Bar(
                SpinnerColumn(),
                TextColumn("{task.description:<22}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=output.stderr,
                transient=True,
            )
            self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Progress:
        """Begins to show."""
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Takes a stage, how much of it is done, and of how much; 0 where nobody knows."""
        is_new = stage != self._stage
        if self._bar is not None:
            if is_new:
                self._bar.reset(self._task, description=STAGES.get(stage, stage))
            self._bar.update(self._task, completed=done, total=total or None)
            self._stage = stage
            return
        now = time.monotonic()
        if is_new or now - self._said_at >= _LINE_SECONDS:
            self._stage, self._said_at = stage, now
            say(f"{STAGES.get(stage, stage)}  {done}{f'/{total}' if total else ''}")
