"""What a room still tells after cleaning: `python -m benchmarks.room [--speech FOLDER] [--trials 6]`.

Three attackers, each before and after: one who lays a recording's hum along a grid's known course, one who
measures how long a room echoes, and one who listens to what the other channel had. The speech is made, or the
recordings in a folder, joined. docs/sound.md quotes the tables.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.resampler import AudioResampler
from rich.console import Console
from rich.table import Table

from anonymizer.sound.room import RoomCleaner, RoomFigures
from tests.unit.anonymizer.room.made_rooms import echoing, matched_grid, speechlike, wandering_grid, with_hum

Samples = npt.NDArray[np.float32]

RATE: Final = 16_000
GRID_SECONDS: Final = 180
COURSES: Final = 50
HUM_LEVELS_DB: Final = (-20.0, -35.0, -50.0)
ECHO_SECONDS: Final = (0.2, 0.4, 0.7, 1.0, 1.5)


def cleaned(sound: Samples, rate: int) -> tuple[Samples, RoomFigures]:
    """Returns one channel, and the figures."""
    cleaner = RoomCleaner(rate, 1)
    out = [cleaner.push(sound[None, at : at + rate]) for at in range(0, len(sound), rate)]
    out.append(cleaner.flush())
    return np.concatenate(out, axis=1)[0], cleaner.figures


def speech_of(folder: Path | None, seconds: int, seed: int) -> Samples:
    """Returns so many seconds of speech, another for each seed."""
    if folder is None:
        return speechlike(RATE, seconds, seed)
    files = [each for each in sorted(folder.rglob("*")) if each.suffix in {".flac", ".opus", ".wav"}]
    order = np.random.default_rng(seed).permutation(len(files))
    parts: list[Samples] = []
    while sum(map(len, parts)) < seconds * RATE:
        parts.append(np.concatenate(list(_decoded(files[order[len(parts) % len(files)]]))))
    return np.concatenate(parts)[: seconds * RATE]


def _decoded(path: Path) -> Iterator[Samples]:
    to_speech = AudioResampler(format="fltp", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            for part in to_speech.resample(frame):
                yield part.to_ndarray()[0]


def grid_table(folder: Path | None, trials: int) -> Table:
    """How often the true course fits best among fifty."""
    table = Table("mains", "hum under the speech", "found before", "found after", "median rank after")
    for mains in (50.0, 60.0):
        for level_db in HUM_LEVELS_DB:
            before, after = [], []
            for trial in range(trials):
                courses = [wandering_grid(GRID_SECONDS, mains, 1_000 * trial + n) for n in range(COURSES)]
                sound = with_hum(speech_of(folder, GRID_SECONDS, trial), RATE, courses[0], level_db)
                before.append(matched_grid(sound, RATE, mains, courses))
                after.append(matched_grid(cleaned(sound, RATE)[0], RATE, mains, courses))
            table.add_row(
                f"{mains:.0f} Hz",
                f"{level_db:.0f} dB",
                f"{before.count(1)} of {trials}",
                f"{after.count(1)} of {trials}",
                f"{np.median(after):.0f} of {COURSES}",
            )
    return table


def echo_table(folder: Path | None) -> Table:
    """How long sound takes to fall by 60 dB, estimated from the sound."""
    table = Table("room", "estimated before", "estimated after")
    dry = speech_of(folder, 50, 0)
    for seconds in ECHO_SECONDS:
        figures = cleaned(echoing(dry, RATE, seconds, 1), RATE)[1]
        table.add_row(
            f"{seconds:.1f} s", f"{figures.echo_before_seconds:.2f} s", f"{figures.echo_after_seconds:.2f} s"
        )
    return table


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--trials", type=int, default=6)
    asked = parser.parse_args()
    console = Console()
    console.print(echo_table(asked.speech))
    console.print(grid_table(asked.speech, asked.trials))
    for rate in (16_000, 48_000):
        sound = speechlike(rate, 60, 0)
        started = time.process_time()
        cleaned(sound, rate)
        console.print(f"{rate} Hz: {(time.process_time() - started) / 60:.3f} x real time")


if __name__ == "__main__":
    main()
