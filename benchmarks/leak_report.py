"""What the leak report costs: `python -m benchmarks.leak_report [CLIP ...] [--rounds 3] [--mode balanced]`.

Each clip is anonymized in turns within each round: without any attack, with sampled looks, and with looks at
every frame. Prints medians of wall and processor time, and of the processor time that gathering and attacking
themselves took, as shares of the job: on a machine with other work these tell more than the differences.
Without a clip two are made, of ten and of two seconds at 720p. docs/leaks.md quotes the figures.
"""

from __future__ import annotations

import argparse
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console
from rich.table import Table

from anonymizer import Leaks, LeakSettings, Limits, Models, Report, Settings, anonymize
from anonymizer.leaks.attack import Attack
from anonymizer.video import transform
from evaluation.installed import installed_models
from tests.media_factory import face_clip

SIZE = (1280, 720)


class Unattacked:
    """An attack that keeps nothing and looks at nothing."""

    def __init__(self, *_: object) -> None:
        """Opens nothing."""

    def decided(self, *_: object) -> None:
        """Takes nothing."""

    see = left = decided

    def on_video(self, *_: object) -> None:
        """Finds nothing."""


class Timed(Attack):
    """An attack that knows what it took: processor seconds of this thread, and of all while it looks."""

    gathering = attacking = 0.0

    def decided(self, *scene: Any) -> None:
        """Counts."""
        began = time.thread_time()
        super().decided(*scene)
        Timed.gathering += time.thread_time() - began

    def see(self, *scene: Any) -> None:
        """Counts."""
        began = time.thread_time()
        super().see(*scene)
        Timed.gathering += time.thread_time() - began

    def left(self, *frame: Any) -> None:
        """Counts."""
        began = time.thread_time()
        super().left(*frame)
        Timed.gathering += time.thread_time() - began

    def on_video(self, *finished: Any) -> Leaks:
        """Counts."""
        began = time.process_time()
        leaks = super().on_video(*finished)
        Timed.attacking += time.process_time() - began
        return leaks


@dataclass(frozen=True)
class Run:
    """One job: seconds on the wall and of all processors, those of the attack, and its report."""

    wall: float
    processor: float
    gathering: float
    attacking: float
    report: Report


WAYS: dict[str, tuple[type[Any], LeakSettings]] = {
    "without": (Unattacked, LeakSettings()),
    "sampled": (Timed, LeakSettings()),
    "exhaustive": (Timed, LeakSettings(look="exhaustive")),
}


@contextmanager
def attacking(how: type[Any]) -> Iterator[None]:
    """Lets jobs be attacked in another way."""
    with mock.patch.object(transform, "Attack", how):
        yield


def run(clip: bytes, mode: Any, leaks: LeakSettings, models: Models) -> Run:
    """Does one job."""
    settings = Settings(mode=mode, audio="remove", leaks=leaks)
    Timed.gathering = Timed.attacking = 0.0
    wall, processor = time.perf_counter(), time.process_time()
    report = anonymize(io.BytesIO(clip), io.BytesIO(), settings=settings, models=models, limits=Limits())
    took = time.perf_counter() - wall, time.process_time() - processor
    return Run(*took, Timed.gathering, Timed.attacking, report)


def measure(clip: bytes, mode: Any, rounds: int, models: Models) -> dict[str, list[Run]]:
    """Does the job in every way, in turns."""
    runs: dict[str, list[Run]] = {way: [] for way in WAYS}
    for _ in range(rounds):
        for way, (how, leaks) in WAYS.items():
            with attacking(how):
                runs[way].append(run(clip, mode, leaks, models))
    return runs


def _median(runs: list[Run], of: Callable[[Run], float]) -> float:
    return statistics.median(of(each) for each in runs)


def show(name: str, runs: dict[str, list[Run]], console: Console) -> None:
    """Prints the medians of one clip."""
    table = Table(title=name)
    for heading in ("way", "wall s", "processor s", "gathering", "attack", "frames looked at", "rounds"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, done in runs.items():
        leaks = done[-1].report.leaks
        table.add_row(
            way,
            f"{_median(done, lambda each: each.wall):.2f}",
            f"{_median(done, lambda each: each.processor):.2f}",
            f"{_median(done, lambda each: 100 * each.gathering / each.processor):.1f} %",
            f"{_median(done, lambda each: 100 * each.attacking / each.processor):.1f} %",
            "" if leaks is None else f"{leaks.frames_attacked} of {done[-1].report.frames}",
            "" if leaks is None else str(leaks.rounds),
        )
    console.print(table)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", default="balanced")
    chosen = parser.parse_args()
    models = installed_models()
    with tempfile.TemporaryDirectory() as folder:
        clips = chosen.clips or [
            face_clip(Path(folder) / f"{seconds} seconds.mp4", seconds, 25, SIZE, audio=False)
            for seconds in (10, 2)
        ]
        for clip in clips:
            show(clip.stem, measure(clip.read_bytes(), chosen.mode, chosen.rounds, models), Console())


if __name__ == "__main__":
    main()
