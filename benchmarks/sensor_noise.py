"""Whether a result still tells which camera it is from: `python -m benchmarks.sensor_noise [--seconds 10]`.

A simulated sensor (sensor_clips.py) records four clips. From two of them its pattern is estimated, as whoever
has the camera would; the others are compared with it: as they are, anonymized as usual, and anonymized with
`[camera] noise = "suppress"`. Beside them stands a foreign sensor: what it reaches, chance reaches. Four
attackers ask, from the simplest to one who knows how the suppression works:

- pixel on pixel;
- over every shift;
- over every shift and many scales;
- by blocks, each with a small shift of its own (in deviations above wrong patterns, not PCE).

With `--real CLIP` the first half of a real recording is compared with its second half. What stands still in
both (a wall, a logo) looks like a sensor's pattern there, so only clips that move tell something.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from anonymizer import Limits, Models, Settings, anonymize, load_models
from benchmarks.fingerprint import Estimate, Pattern, estimated, lumas_of, match, match_by_blocks, match_moved
from benchmarks.sensor_clips import RATE, Sensor, record, room, sky

Figures = dict[str, float]

THRESHOLD: Final = 60
# One to two hundredths around 1, in steps that shift the edge of the picture by a pixel.
SCALES: Final = tuple(np.arange(0.98, 1.0201, 0.002).round(4).tolist())
BLOCK, REACH = 96, 5
# A frame is much like the next: every second one tells nearly as much, in half the time.
EVERY: Final = 2


def asked(known: Pattern, clip: Path) -> Figures:
    """Returns what each attacker finds in a clip."""
    return compared(known, estimated(lumas_of(str(clip), EVERY)))


def compared(known: Pattern, pattern: Pattern) -> Figures:
    """Returns what each attacker finds when comparing two patterns."""
    return {
        "pixel on pixel": match(known, pattern).pce,
        "any shift": match_moved(known, pattern).pce,
        "shift and scale": match_moved(known, pattern, SCALES).pce,
        "by blocks": match_by_blocks(known, pattern, BLOCK, REACH),
    }


def anonymized(original: Path, result: Path, models: Models, mode: str, noise: str) -> float:
    """Anonymizes a clip; returns the milliseconds a frame that covering and suppressing took."""
    chosen = Settings(mode=mode, sensor_noise=noise)  # type: ignore[arg-type]  # words from the command line
    with original.open("rb") as source, result.open("w+b") as sink:
        report = anonymize(source, sink, settings=chosen, models=models, limits=Limits())
    return report.stage_seconds["cover"] / report.frames * 1000


def measure_made(folder: Path, seconds: float, mode: str) -> dict[str, Figures]:
    """Records with a simulated sensor and a foreign one, and asks every attacker about every clip."""
    models, frames = load_models("cpu"), round(seconds * RATE)
    own, foreign = Sensor.made(1), Sensor.made(2)
    estimate = Estimate()
    for name, scene in (("sky", sky(11)), ("room", room(12))):
        record(folder / f"{name}.mp4", scene, own, min(frames, 5 * RATE), seed=len(name))
        for luma in lumas_of(str(folder / f"{name}.mp4"), EVERY):
            estimate.add(luma)
    known = estimate.pattern()
    found: dict[str, Figures] = {}
    for whose, sensor, number in (("this sensor", own, 13), ("a foreign one", foreign, 14)):
        original = folder / f"{number}.mp4"
        record(original, room(number), sensor, frames, seed=number)
        found[f"{whose}: original"] = asked(known, original)
        for noise, what in (("keep", "anonymized"), ("suppress", "noise suppressed")):
            result = folder / f"{number}.{noise}.mp4"
            cost = anonymized(original, result, models, mode, noise)
            found[f"{whose}: {what}"] = asked(known, result) | {"ms a frame": cost}
    return found


def measure_real(clip: Path, folder: Path, mode: str) -> dict[str, Figures]:
    """Compares the two halves of a recording: as they are, and with the second one's noise suppressed."""
    models = load_models("cpu")
    results = {"": clip}
    for noise, what in (("keep", ", anonymized"), ("suppress", ", noise suppressed")):
        results[what] = folder / f"{noise}.mp4"
        anonymized(clip, results[what], models, mode, noise)
    frames = sum(1 for _ in lumas_of(str(clip)))
    known = estimated(_part(clip, 0, frames // 2))
    return {
        f"{clip.stem}, second half{what}": compared(known, estimated(_part(path, frames // 2, frames)))
        for what, path in results.items()
    }


def _part(clip: Path, first: int, end: int) -> Iterator[npt.NDArray[np.uint8]]:
    return islice(lumas_of(str(clip)), first, end, EVERY)


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--mode", default="balanced")
    parser.add_argument("--real", type=Path, action="append", default=[])
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure_made(Path(folder), chosen.seconds, chosen.mode) if chosen.seconds else {}
        for clip in chosen.real:
            found |= measure_real(clip, Path(folder), chosen.mode)
    table = Table(title=f"Peak-to-correlation energy; {THRESHOLD} and more is taken for the same camera")
    columns = ("pixel on pixel", "any shift", "shift and scale", "by blocks", "ms a frame")
    for heading in ("clip", *columns):
        table.add_column(heading, justify="left" if heading == "clip" else "right")
    for name, figures in found.items():
        table.add_row(name, *(f"{figures[each]:,.1f}" if each in figures else "" for each in columns))
    Console(width=120).print(table)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
