"""What is left open and what is covered in vain: `python -m benchmarks.coverage [CLIP ...] [--out FOLDER]`.

For each clip, against its reference faces (benchmarks/reference.py; those of the made clip are committed,
others are made and kept in the output folder): every mode of ours with its defaults, and deface with its own.
Prints tables, and writes coverage.json and coverage.svg. Without clips it takes the made one, and those of
../shared/media/video that show faces, where there are any.

What deface covers of a clip depends on nothing of ours: its figures are kept in the output folder, too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, get_args

from rich.console import Console
from rich.table import Table

from benchmarks import covers, demo_clip, plot
from benchmarks.reference import Reference, search
from benchmarks.scoring import Score

Figures = Mapping[str, Any]

MADE_CLIP: Final = "made_720p.mp4"
MADE_REFERENCE: Final = Path(__file__).parent / "data" / "made_720p.json"
SHARED: Final = Path(__file__).parents[2] / "shared" / "media" / "video"
SHARED_CLIPS: Final = ("hamilton_360p.mp4", "talk_720p.mp4", "crowd_1080p.mp4")
MODES: Final = get_args(covers.ModeName)
DEFACE: Final = "deface"

LEAST_RECALL: Final = 0.995
MOST_FALSE_OF_DEFACE: Final = 0.5


def measure(clip: Path, modes: Sequence[covers.ModeName], kept: Path) -> dict[str, Any]:
    """Returns one clip's figures, by method."""
    reference = _reference_of(clip, kept)
    methods: dict[str, Figures] = {DEFACE: _deface(clip, reference, kept)}
    for mode in modes:
        methods[f"bauta {mode}"] = _ours(clip, mode, reference)
    return {
        "clip": clip.name,
        "frames": reference.frames,
        "people": len(reference.people),
        "faces": sum(len(boxes) for boxes in reference.people),
        "methods": methods,
    }


def _reference_of(clip: Path, kept: Path) -> Reference:
    if clip.name == MADE_CLIP:
        return Reference.load(MADE_REFERENCE)
    stored = kept / f"reference-{_name_of(clip)}.json"
    if not stored.exists():
        search(clip).save(stored)
    return Reference.load(stored)


def _ours(clip: Path, mode: covers.ModeName, reference: Reference) -> Figures:
    asked_for, in_pixels = Score(), Score()
    asked_area = grey_area = 0
    tracks, masks = covers.ours(clip, mode)
    # A result has even sizes: what was added to an odd one is left out.
    shown = slice(reference.height), slice(reference.width)
    for index, (asked, grey) in enumerate((a[shown], g[shown]) for a, g in masks):
        faces, doubtful = reference.at(index), reference.doubtful_at(index)
        asked_for.add(asked, faces, doubtful)
        in_pixels.add(asked & grey, faces, doubtful)
        asked_area += int(asked.sum())
        grey_area += int((asked & grey).sum())
    if asked_for.frames != reference.frames:
        raise RuntimeError(f"{clip.name}: its reference faces are of another clip")
    return {
        **asked_for.figures(),
        "tracks": tracks,
        "recall_in_pixels": in_pixels.figures()["recall"],
        "covers_in_pixels": round(grey_area / max(asked_area, 1), 5),
    }


def _deface(clip: Path, reference: Reference, kept: Path) -> Figures:
    stored = kept / f"deface-{version('deface')}-{_name_of(clip)}.json"
    if not stored.exists():
        score = Score()
        for index, mask in enumerate(covers.deface(clip)):
            score.add(mask, reference.at(index), reference.doubtful_at(index))
        stored.write_text(json.dumps(score.figures(), indent=2) + "\n")
    return dict(json.loads(stored.read_text()))


def _name_of(clip: Path) -> str:
    return f"{clip.stem}-{hashlib.sha256(clip.read_bytes()).hexdigest()[:12]}"


def shortfalls(ours: Figures, theirs: Figures) -> list[str]:
    """Returns which of the aims a mode misses on a clip; empty where it reaches all."""
    missed = []
    if ours["recall"] < LEAST_RECALL:
        missed.append(f"recall {ours['recall']:.4f}, aim {LEAST_RECALL}")
    for size, beside in theirs["recall_by_size"].items():
        recall = ours["recall_by_size"][size]["recall"]
        if recall is not None and beside["recall"] is not None and recall < beside["recall"]:
            missed.append(f"{size}: {recall:.3f}, deface {beside['recall']:.3f}")
    share = ours["false_area"] / theirs["false_area"] if theirs["false_area"] else 0.0
    if share > MOST_FALSE_OF_DEFACE:
        missed.append(f"false area {share:.2f} of deface's, aim {MOST_FALSE_OF_DEFACE}")
    return missed


def show(report: Mapping[str, Any], console: Console) -> None:
    """Prints one clip's tables."""
    title = (
        f"{report['clip']}: {report['people']} faces followed, {report['faces']} in {report['frames']} frames"
    )
    table = Table(title=title)
    methods: Mapping[str, Figures] = report["methods"]
    sizes = [size for size, r in methods[DEFACE]["recall_by_size"].items() if r["faces"]]
    for heading in ("method", "recall", "open area", "frames open", "false area", "far off", *sizes):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for name, figures in methods.items():
        table.add_row(
            name,
            f"{figures['recall']:.4f}",
            f"{figures['open_face_area']:.2%}",
            f"{figures['frames_open']:.1%}",
            f"{figures['false_area']:.2%}",
            f"{figures['far_area']:.2%}",
            *(f"{figures['recall_by_size'][size]['recall']:.3f}" for size in sizes),
        )
    console.print(table)
    for name, figures in methods.items():
        if name != DEFACE:
            missed = shortfalls(figures, methods[DEFACE])
            console.print(f"  {name}: " + ("reaches every aim" if not missed else "; ".join(missed)))


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="*", type=Path)
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--out", type=Path, default=Path("out") / "bench")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    console, reports = Console(width=160), []
    with tempfile.TemporaryDirectory(prefix="bauta-bench-") as folder:
        clips = chosen.clips
        if not clips:
            clips = [Path(folder) / MADE_CLIP, *(SHARED / name for name in SHARED_CLIPS)]
            demo_clip.write_clip(clips[0])
        for clip in clips:
            if not clip.exists():
                console.print(f"{clip.name}: left out, because it is not there")
                continue
            reports.append(measure(clip, chosen.modes, chosen.out))
            show(reports[-1], console)
    (chosen.out / "coverage.json").write_text(json.dumps(reports, indent=2) + "\n")
    (chosen.out / "coverage.svg").write_text(plot.coverage(reports))


if __name__ == "__main__":
    main()
