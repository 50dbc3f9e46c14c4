"""Trackers judged on made movement, where who is who is known: `python -m benchmarks.tracking [--json FILE]`.

No picture and no network: boxes move, a made detector sees them with jitter, misses some, invents others, and
the tracker is told. Counted are changes of identity (a face's detections go to another track than its last
ones), tracks a face, how much of the faces stays open, and what is covered besides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from anonymizer import FaceSettings
from anonymizer.boxes import Box
from anonymizer.track.tracker import Tracker
from benchmarks.covers import mask_of
from benchmarks.scoring import Score

WIDTH, HEIGHT = 640, 360
FPS = 25
FRAMES = 100
LINGER = LOOKAHEAD = 0.5

# Where each person's face is in a frame: x, y of the centre and the size, or None where it is not there.
Path2D = Callable[[int], tuple[float, float, float] | None]


@dataclass(frozen=True)
class Scenario:
    """Movement, and a detector's habits.

    Attributes:
        people: where each face is.
        missed: share of faces missed at random.
        hidden: for a person, the frames in which nothing is seen of the face, though it is there.
        jitter: of centre and size, as a share of the size.
        false_alarms: mean number a frame, faint.
        cuts: frames with which a new shot begins.
    """

    people: tuple[Path2D, ...]
    missed: float = 0.0
    hidden: Mapping[int, range] = field(default_factory=dict)
    jitter: float = 0.03
    false_alarms: float = 0.0
    cuts: tuple[int, ...] = ()


def line(x: float, y: float, dx: float, dy: float = 0.0, size: float = 40) -> Path2D:
    """Returns a face that moves evenly; speeds in pixels a frame."""
    return lambda frame: (x + dx * frame, y + dy * frame, size)


def _stops_and_goes(frame: int) -> tuple[float, float, float]:
    return 120 + 8 * min(frame, 30) + 8 * max(0, frame - 60), 180, 50


def _comes_nearer(frame: int) -> tuple[float, float, float]:
    return 320 + 60 * np.sin(frame / 12), 180, 30 + frame


def _crowd(dx: float) -> tuple[Path2D, ...]:
    return tuple(
        line(20 + 46 * column + 11 * (row % 2) - (FRAMES * dx if dx > 0 else 0), 60 + 60 * row, dx, 0, 26)
        for row in range(5)
        for column in range(14 + int(abs(dx) * FRAMES / 46))
    )


def _before(path: Path2D, end: int) -> Path2D:
    return lambda frame: path(frame) if frame < end else None


def _from(path: Path2D, begin: int) -> Path2D:
    return lambda frame: path(frame) if frame >= begin else None


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "one face, even": Scenario((line(100, 180, 4),)),
    "one in three missed": Scenario((line(100, 180, 4), line(500, 100, -3, 1)), missed=0.33),
    "two cross": Scenario((line(100, 180, 4), line(500, 184, -4))),
    "two cross, the farther hidden": Scenario(
        (line(100, 180, 4, size=46), line(500, 184, -4, size=36)), hidden={1: range(44, 57)}
    ),
    "hidden while it moves": Scenario((line(60, 180, 5),), hidden={0: range(40, 55)}),
    "stops and goes": Scenario((_stops_and_goes,)),
    "comes nearer": Scenario((_comes_nearer,), missed=0.2),
    "jitter": Scenario((line(200, 150, 1), line(320, 200, -1)), jitter=0.1),
    "false alarms": Scenario((line(200, 150, 1),), false_alarms=0.3),
    "in and out at the edge": Scenario((line(-60, 180, 8), line(760, 120, -9, 0, 60))),
    "a cut": Scenario((_before(line(200, 150, 2), 50), _from(line(420, 200, -2), 50)), cuts=(50,)),
    "crowd, steady": Scenario(_crowd(0), missed=0.2),
    "crowd, the camera pans": Scenario(_crowd(9), missed=0.2),
}


def judge(scenario: Scenario, stride: int, *, seed: int = 7) -> dict[str, float]:
    """Runs the tracker through a scenario with a look in every stride-th frame.

    Returns:
        switches: changes of identity; tracks: tracks a face; open: share of the faces' area;
        false: share of the picture that is covered farther than twice any face.
    """
    noise = np.random.default_rng(seed)
    tracker = Tracker(LINGER, LOOKAHEAD)
    owner: dict[int, int] = {}
    switches = 0
    for frame in range(FRAMES):
        if frame in scenario.cuts:
            tracker.cut(frame)
        if frame % stride and frame not in scenario.cuts and frame + 1 not in {*scenario.cuts, FRAMES}:
            continue
        seen = _seen(scenario, frame, noise)
        rows = np.array([row for _, row in seen], np.float32).reshape(-1, 5)
        numbers = tracker.observe(frame, frame / FPS, rows)
        for (person, _), number in zip(seen, numbers, strict=True):
            if person >= 0:
                switches += owner.get(person, number) != number
                owner[person] = number
    score = Score()
    faces = FaceSettings()
    for frame in range(FRAMES):
        covers = [box for _, box in tracker.covers(frame, frame / FPS)]
        score.add(mask_of(covers, faces, WIDTH, HEIGHT), _truth(scenario, frame), [])
    figures: Mapping[str, Any] = score.figures()
    return {
        "switches": switches,
        "tracks": round(tracker.count / len(scenario.people), 3),
        "open": figures["open_face_area"],
        "far": figures["far_area"],
    }


def _truth(scenario: Scenario, frame: int) -> list[Box]:
    """The faces of which at least half is in the picture."""
    there = [_box(where) for where in (path(frame) for path in scenario.people) if where]
    return [box for box in there if 0 <= box.centre[0] <= WIDTH and 0 <= box.centre[1] <= HEIGHT]


def _box(where: tuple[float, float, float]) -> Box:
    x, y, size = where
    return Box(x - 0.4 * size, y - 0.5 * size, x + 0.4 * size, y + 0.5 * size)


def _seen(
    scenario: Scenario, frame: int, noise: np.random.Generator
) -> list[tuple[int, tuple[float, float, float, float, float]]]:
    """Returns what the detector answers: the person, -1 for a false alarm, and the row."""
    seen = []
    for person, path in enumerate(scenario.people):
        where = path(frame)
        misses = noise.random() < scenario.missed
        wobble = noise.normal(0, scenario.jitter, 3)
        if where is None or misses or frame in scenario.hidden.get(person, ()):
            continue
        size = where[2]
        box = _box((where[0] + wobble[0] * size, where[1] + wobble[1] * size, size * (1 + wobble[2])))
        # As a detector does: what the edge cuts off is not in the box, and of half a face it is not sure.
        left, top = max(box.x1, 0.0), max(box.y1, 0.0)
        right, bottom = min(box.x2, float(WIDTH)), min(box.y2, float(HEIGHT))
        if right - left > 0.55 * box.width and bottom - top > 0.55 * box.height:
            seen.append((person, (left, top, right, bottom, 0.8)))
    for _ in range(noise.poisson(scenario.false_alarms)):
        x, y, size = noise.uniform(20, WIDTH - 60), noise.uniform(20, HEIGHT - 60), noise.uniform(20, 60)
        seen.append((-1, (x, y, x + 0.8 * size, y + size, 0.25)))
    return seen


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    table = Table(title=f"Made movement, {FRAMES} frames; a look in every frame, and in every third")
    for heading in ("scenario", "switches", "tracks a face", "open", "far off"):
        table.add_column(heading, justify="left" if heading == "scenario" else "right")
    report: dict[str, dict[str, dict[str, float]]] = {}
    for name, scenario in SCENARIOS.items():
        found = {str(stride): judge(scenario, stride) for stride in (1, 3)}
        report[name] = found
        pairs = [[found[stride][key] for stride in found] for key in ("switches", "tracks", "open", "far")]
        shown = [" / ".join(f"{v:.2%}" if i > 1 else f"{v:g}" for v in pair) for i, pair in enumerate(pairs)]
        table.add_row(name, *shown)
    Console(width=110).print(table)
    if chosen.json:
        chosen.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
