"""Times the whole job, side by side: `python -m benchmarks.whole_job [CLIP ...] [--rounds 3] [--json FILE]`.

With --times N each clip is played N times in a row, without encoding it again: the longer it is, the less the
seconds count that a program takes to start. `deface` is timed on the clip as it is and scaled, since its rate
does not depend on the length and an hour is long.

For each clip, in turns within each round: `bauta submit` to a service that runs (its own start, sealing,
wall, proof and verification counted in), `deface` with its defaults, and a plain decode-and-encode with the
same encoder settings. Prints medians, ratios, and the share of each stage of ours. How long a service takes
to start, once for all its jobs, is told beside them: a `bauta submit` that finds none running waits for that.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
from rich.console import Console
from rich.table import Table

from benchmarks import demo_clip
from console.embedded import embedded_service
from console.paths import data_folder

PROGRAMS = Path(sys.executable).parent
MODES = ("quality", "balanced")
POLICY = """\
schema = "bauta.policy/v1"
name = "benchmark"
summary = "One look a frame, blurred, no sound: what deface does by default."
modes = ["quality", "balanced"]
locked = false
[faces]
effect = "blur"
shape = "ellipse"
scale = 1.3
threshold = 0.2
passes = 1
linger_seconds = 0.5
lookahead_seconds = 0.5
[audio]
effect = "remove"
"""
# What sealing and opening cost, the waiting for the key and its record counted in.
CRYPTOGRAPHY = ("decrypt", "release", "seal", "prove")
_STAGE = re.compile(r"([a-z]+) (\d+\.\d+)")


@dataclass(frozen=True)
class Timing:
    """One run of one command: seconds on the wall and on all processors, its children counted in."""

    wall_seconds: float
    cpu_seconds: float


def timed(words: list[str]) -> Timing:
    """Runs a command to its end.

    Raises:
        RuntimeError: it failed, or what it must wait for did not end.
    """
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - began, os.times()
    if done.returncode != 0:
        raise RuntimeError(f"{Path(words[0]).name} failed: {done.stderr[-2000:]}")
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Timing(wall, cpu)


def play_again(clip: Path, times: int, longer: Path) -> None:
    """Writes the pictures of a clip several times in a row, packet by packet."""
    with av.open(str(longer), "w", format="mp4") as writer:
        shift = 0
        target = None
        for _ in range(times):
            ends = 0
            with av.open(str(clip)) as reader:
                source = reader.streams.video[0]
                if target is None:
                    target = writer.add_stream_from_template(source)
                for packet in reader.demux(source):
                    if packet.dts is None or packet.pts is None:
                        continue
                    ends = max(ends, packet.pts + (packet.duration or 1))
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, target
                    writer.mux(packet)
            shift += ends


def measure(clip: Path, rounds: int, folder: Path, times: int = 1) -> dict[str, object]:
    """Times every command on one clip, in turns."""
    original = clip
    if times > 1:
        clip = folder / f"{times} times {clip.stem}.mp4"
        play_again(original, times, clip)
    with av.open(str(clip)) as container:
        frames = sum(1 for _ in container.demux(video=0)) - 1
    policy = folder / "benchmark.toml"
    policy.write_text(POLICY)
    commands = {"deface": [str(PROGRAMS / "deface"), str(original), "-o", str(folder / "deface.mp4")]}
    for mode in MODES:
        ours = [str(PROGRAMS / "bauta"), "submit", str(clip), "-o", str(folder / f"{mode}.mp4")]
        ours += ["--policy", str(policy), "--mode", mode, "--data", str(folder / "data")]
        commands[f"bauta {mode}"] = ours
        floor = [sys.executable, "-m", "benchmarks.transcode", str(clip), str(folder / "floor.mp4")]
        commands[f"transcode {mode}"] = [*floor, "--mode", mode]
    timings: dict[str, list[Timing]] = {name: [] for name in commands}
    stages: dict[str, dict[str, float]] = {}
    data = data_folder(folder / "data")
    began = time.perf_counter()
    with embedded_service(data):
        start_seconds = time.perf_counter() - began
        for _ in range(rounds):
            for name, words in commands.items():
                taken = timed(words)
                if name == "deface":
                    taken = Timing(taken.wall_seconds * times, taken.cpu_seconds * times)
                timings[name].append(taken)
                if name.startswith("bauta"):
                    stages[name] = _stages(data / "run" / "service.log")
    return {
        "service_start_seconds": round(start_seconds, 3),
        "clip": clip.name,
        "frames": frames,
        "rounds": rounds,
        "wall_seconds": {name: _median(runs, "wall_seconds") for name, runs in timings.items()},
        # What the service's processes spend is not a child's time of ours: see `stages` for theirs.
        "cpu_seconds": {
            name: _median(runs, "cpu_seconds") for name, runs in timings.items() if "bauta" not in name
        },
        "stages": stages,
    }


def _median(runs: list[Timing], what: str) -> float:
    return round(float(statistics.median(getattr(run, what) for run in runs)), 3)


def _stages(log: Path) -> dict[str, float]:
    lines = [line for line in log.read_text().splitlines() if "seconds by stage" in line]
    found = _STAGE.findall(lines[-1].split("by stage:")[1])
    return {name: float(seconds) for name, seconds in found}


def show(report: dict[str, object], console: Console) -> None:
    """Prints one clip's table."""
    wall, frames = report["wall_seconds"], report["frames"]
    assert isinstance(wall, dict)
    assert isinstance(frames, int)
    table = Table(title=f"{report['clip']}: {frames} frames, median of {report['rounds']} rounds")
    for heading in ("command", "seconds", "frames/s", "× deface", "× transcode"):
        table.add_column(heading, justify="left" if heading == "command" else "right")
    for name, seconds in wall.items():
        floor = wall.get("transcode " + name.split()[-1])
        table.add_row(
            name,
            f"{seconds:.2f}",
            f"{frames / seconds:.1f}",
            f"{wall['deface'] / seconds:.2f}",
            f"{floor / seconds:.2f}" if floor else "",
        )
    console.print(table)
    console.print(f"A service takes {report['service_start_seconds']:.1f} s to start, once.")
    stages = report["stages"]
    assert isinstance(stages, dict)
    for name, spent in stages.items():
        whole = wall[name]
        shares = [f"{stage} {seconds / whole:.1%}" for stage, seconds in spent.items()]
        console.print(f"{name}, share of the whole command by stage: {', '.join(shares)}")
        together = sum(spent.get(stage, 0.0) for stage in CRYPTOGRAPHY) / whole
        console.print(f"{name}, {', '.join(CRYPTOGRAPHY)} together: {together:.1%} (aim: under 3 %)")


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=1, help="play each clip this many times in a row")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    console = Console()
    reports = []
    with tempfile.TemporaryDirectory(prefix="bauta-bench-") as name:
        folder = Path(name)
        clips = arguments.clips or [folder / "demo.mp4"]
        if not arguments.clips:
            demo_clip.write_clip(clips[0])
        for clip in clips:
            report = measure(clip, arguments.rounds, folder, arguments.times)
            show(report, console)
            reports.append(report)
            shutil.rmtree(folder / "data", ignore_errors=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(reports, indent=2) + "\n")


if __name__ == "__main__":
    main()
