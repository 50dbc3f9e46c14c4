"""Peak memory: `python -m benchmarks.memory [--sizes 360 1080 2160] [--minutes 1 10] [--json FILE]`.

For each size of picture: the anonymizer in the balanced mode and a plain decode-and-encode with the same
encoder settings, on the same made clip; and the anonymizer on a short and a long clip of the smallest size.
As in the service, models are loaded by a parent, and a fork of it does the job and is measured: a peak never
falls, and loading has one of its own. Pages that the child shares with its parent count: how many megabytes
they are is told, too.
The long clips are the short one's packets again and again: decoding them costs what any clip costs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import traceback
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from rich.console import Console
from rich.table import Table

from anonymizer import Limits, Models, Settings, anonymize, load_models
from benchmarks import demo_clip
from benchmarks.transcode import transcode

MODE: Final = "balanced"
FPS: Final = 25
SECONDS: Final = 4.0
AIM_720P_MB: Final = 400.0
AIM_OF_TRANSCODE_AT_4K: Final = 1.3
KILOBYTES_IN_MB: Final = 1024


def repeated(source: Path, target: Path, times: int) -> None:
    """Writes a clip's pictures so many times in a row, without decoding them."""
    with av.open(str(source)) as reader, av.open(str(target), "w", format="mp4") as writer:
        pictures = reader.streams.video[0]
        copied = writer.add_stream_from_template(pictures)
        step = round(Fraction(1, FPS) / (pictures.time_base or Fraction(1, FPS)))
        packets = [packet for packet in reader.demux(pictures) if packet.size]
        for turn in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.is_keyframe = packet.is_keyframe
                again.pts = (packet.pts or 0) + turn * len(packets) * step
                again.dts = (packet.dts or 0) + turn * len(packets) * step
                again.duration, again.time_base, again.stream = step, packet.time_base, copied
                writer.mux(again)


def peak_mb(what: str, clip: Path, folder: Path) -> float:
    """Runs `anonymize`, `transcode` or `nothing` in a process of its own; returns its peak in megabytes.

    Raises:
        RuntimeError: it failed.
    """
    words = [sys.executable, "-m", "benchmarks.memory", "--run", what, str(clip), str(folder / "out.mp4")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return float(done.stdout)


def run(what: str, clip: Path, target: Path) -> None:
    """Prints the peak of the resident memory, in megabytes, of a fork that does one thing."""
    models = load_models(device="cpu") if what != "transcode" else None
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if what == "anonymize" and models:
                _anonymize(clip, target, models)
            elif what == "transcode":
                transcode(str(clip), str(target), MODE)
            code = 0
        except Exception:
            traceback.print_exc()
        finally:
            # Without the clean-up that belongs to its parent.
            os._exit(code)
    _, status, used = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"{what} failed")
    print(used.ru_maxrss / KILOBYTES_IN_MB)


def _anonymize(clip: Path, target: Path, models: Models) -> None:
    with clip.open("rb") as source, target.open("w+b") as sink:
        anonymize(source, sink, settings=Settings(mode=MODE), models=models, limits=Limits())


def measure(sizes: list[int], minutes: list[float], folder: Path) -> dict[str, dict[str, float]]:
    """Returns peaks in megabytes, by clip and by what ran."""
    peaks = {"no job, models loaded": {"anonymize": round(peak_mb("nothing", folder, folder), 1)}}
    for height in sizes:
        clip = folder / f"{height}p.mp4"
        demo_clip.write_clip(clip, SECONDS, FPS, (height * 16 // 9, height))
        peaks[f"{height}p, {SECONDS:g} s"] = {
            what: round(peak_mb(what, clip, folder), 1) for what in ("anonymize", "transcode")
        }
    for length in minutes:
        clip = folder / "long.mp4"
        repeated(folder / f"{min(sizes)}p.mp4", clip, round(length * 60 / SECONDS))
        found = round(peak_mb("anonymize", clip, folder), 1)
        peaks[f"{min(sizes)}p, {length:g} min"] = {"anonymize": found}
    return peaks


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", nargs="+", type=int, default=[360, 720, 1080, 2160])
    parser.add_argument("--minutes", nargs="*", type=float, default=[1, 10])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.run:
        run(chosen.run[0], Path(chosen.run[1]), Path(chosen.run[2]))
        return
    with tempfile.TemporaryDirectory(prefix="bauta-bench-") as folder:
        peaks = measure(chosen.sizes, chosen.minutes, Path(folder))
    table = Table(title=f"Peak resident memory in MB, {MODE}")
    for heading in ("clip", "anonymize", "transcode", "ratio"):
        table.add_column(heading, justify="left" if heading == "clip" else "right")
    for clip_name, found in peaks.items():
        floor = found.get("transcode")
        ratio = f"{found['anonymize'] / floor:.2f}" if floor else ""
        table.add_row(clip_name, f"{found['anonymize']:.0f}", f"{floor:.0f}" if floor else "", ratio)
    console = Console()
    console.print(table)
    console.print(
        f"Aims: {AIM_720P_MB:g} MB at 720p, {AIM_OF_TRANSCODE_AT_4K} of the transcode at 4K, flat in length"
    )
    if chosen.json:
        chosen.json.write_text(json.dumps(peaks, indent=2) + "\n")


if __name__ == "__main__":
    main()
