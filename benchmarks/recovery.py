"""What keeping covers costs: `python -m benchmarks.recovery [CLIP ...] [--rounds 3] [--json FILE]`.

For each clip the anonymizer runs in the fast mode without a keeper and with the worker's own, in turns; the
package goes into a file. Told are the package as a share of the original, and by how much the job gets
longer. Without a clip, a made one.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from rich.console import Console
from rich.table import Table

from anonymizer import FaceSettings, Limits, Models, Settings, anonymize, load_models
from anonymizer.keeping import Keeper
from benchmarks import demo_clip
from benchmarks.custody import Case
from enclave.worker.keeping import PackageKeeper
from keyvault.recovery.layout import RESULT_TRACK

SETTINGS = Settings(faces=FaceSettings(effect="solid"), mode="fast", audio="remove")


@dataclass(frozen=True)
class Cost:
    """Of one clip.

    Attributes:
        clip: its name.
        original_bytes: of the clip.
        result_bytes: of the anonymized one.
        package_bytes: of the package, which holds the result too.
        tracks: things that were covered.
        plain_seconds: of the job without a keeper, median.
        keeping_seconds: with one, median.
    """

    clip: str
    original_bytes: int
    result_bytes: int
    package_bytes: int
    tracks: int
    plain_seconds: float
    keeping_seconds: float

    @property
    def share(self) -> float:
        """The package as a multiple of the original."""
        return self.package_bytes / self.original_bytes

    @property
    def longer(self) -> float:
        """By what share of its own time a job gets longer."""
        return self.keeping_seconds / self.plain_seconds - 1


def measure(clip: Path, models: Models, rounds: int) -> Cost:
    """Times one clip both ways."""
    policy = Case(3, 5).policy
    plain, keeping = [], []
    package_bytes = result_bytes = tracks = 0
    for _ in range(rounds):
        with clip.open("rb") as source, tempfile.TemporaryFile() as result:
            plain.append(_run(source, result, models, None))
        with clip.open("rb") as source, tempfile.TemporaryFile() as result, tempfile.TemporaryFile() as sink:
            began = time.perf_counter()
            keeper = PackageKeeper(bytes(16), policy, sink)
            _run(source, result, models, keeper)
            result_bytes = result.seek(0, io.SEEK_END)
            # A buffered file reads as a raw one does, and never less than it is asked for.
            written = keeper.package(cast("io.RawIOBase", result))
            keeping.append(time.perf_counter() - began)
        package_bytes, tracks = written.size, len(written.ring.wrapped.keys() - {RESULT_TRACK})
    return Cost(
        clip.name,
        clip.stat().st_size,
        result_bytes,
        package_bytes,
        tracks,
        statistics.median(plain),
        statistics.median(keeping),
    )


def _run(source: BinaryIO, result: BinaryIO, models: Models, keeper: Keeper | None) -> float:
    began = time.perf_counter()
    anonymize(source, result, settings=SETTINGS, models=models, limits=Limits(), keeper=keeper)
    return time.perf_counter() - began


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    models = load_models("cpu")
    with tempfile.TemporaryDirectory() as folder:
        clips = given.clips or [Path(folder) / "made.mp4"]
        if not given.clips:
            demo_clip.write_clip(clips[0])
        costs = [measure(clip, models, given.rounds) for clip in clips]
    table = Table("clip", "original", "package", "share", "tracks", "job", "with keeper", "longer by")
    for cost in costs:
        table.add_row(
            cost.clip,
            f"{cost.original_bytes / 1e6:.2f} MB",
            f"{cost.package_bytes / 1e6:.2f} MB",
            f"{cost.share:.1f} ×",
            str(cost.tracks),
            f"{cost.plain_seconds:.2f} s",
            f"{cost.keeping_seconds:.2f} s",
            f"{cost.longer:.0%}",
        )
    Console().print(table)
    if given.json:
        given.json.write_text(json.dumps([vars(cost) | {"share": cost.share} for cost in costs], indent=1))


if __name__ == "__main__":
    main()
