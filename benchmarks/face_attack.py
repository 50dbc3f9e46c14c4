"""How many people a face recognizer still names through each effect: the tables of docs/evaluating.md.

    python -m benchmarks.face_attack FOLDER [--out out/faces.json] [--effects solid,persona] [--fast]

FOLDER holds PERSON/PICTURE. Every picture goes through `anonymize` three times: under a key of its own, under
another one, and under one key that all pictures share; `bauta evaluate` attacks the results. Beside our
effects stand a few that we do not have, as references (face_effects.py).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from anonymizer import load_models
from anonymizer.boxes import Box
from benchmarks.effects_network import with_a_generator
from benchmarks.face_effects import Effect, Pixels, effects
from evaluation.faces.attackers import Attack, attacks
from evaluation.faces.finding import FaceFinder, still_there
from evaluation.faces.gathering import Sample
from evaluation.faces.pairing import View
from evaluation.faces.recognizers import DlibResNet, Recognizer
from evaluation.figures.bands import is_weak
from evaluation.figures.resampling import RESAMPLES

FIRST, SECOND, SHARED = b"first", b"second", b"shared"


def key_of(purpose: bytes, number: int) -> bytes:
    """Returns 32 bytes: figures can be had again."""
    return (purpose + b" " + str(number).encode()).ljust(32, b"\0")


@dataclass(frozen=True)
class Photograph:
    """A picture with a face.

    Attributes:
        person, source: whose it is, and which.
        pixels: (H, W, 3) uint8 RGB.
        faces: what each detector finds in it; the first detector something, the largest first.
    """

    person: str
    source: str
    pixels: Pixels
    faces: Mapping[str, list[Box]]


def sampled(
    photographs: Sequence[Photograph],
    effect: Effect,
    finder: FaceFinder,
    recognizers: Sequence[Recognizer],
) -> list[Sample]:
    """Returns every photograph as a sample, covered three times."""
    samples = []
    for number, photograph in enumerate(photographs):
        picture, box = photograph.pixels, photograph.faces[finder.detectors[0]][0]
        cuts = {recognizer.name: recognizer.place(picture, box) for recognizer in recognizers}
        views: dict[View, Pixels] = {
            "original": picture,
            "anonymized": effect.cover(picture, box, key_of(FIRST, number)),
        }
        again: dict[View, bytes] = {"alike": key_of(SECOND, number), "known_key": key_of(SHARED, 0)}
        for view, key in again.items():
            views[view] = effect.cover(picture, box, key) if effect.is_keyed else views["anonymized"]
        chips = {(name, view): cut(each) for name, cut in cuts.items() if cut for view, each in views.items()}
        after = {name: finder.find(views["anonymized"], name) for name in finder.detectors}
        there, left = (still_there(finder, box, found) for found in (photograph.faces, after))
        samples.append(Sample(photograph.source, photograph.person, 0.0, box.width, chips, there, left))
    return samples


def under_one_key(samples: Sequence[Sample]) -> list[Sample]:
    """Returns samples whose results all have the shared key, for the attacker who knows it."""
    return [
        replace(
            sample,
            chips={
                (name, view): sample.chips[name, "known_key" if view == "anonymized" else view]
                for name, view in sample.chips
            },
        )
        for sample in samples
    ]


def attacked(
    samples: Sequence[Sample], recognizers: Sequence[Recognizer], *, is_robust: bool, resamples: int
) -> list[Attack]:
    """Returns every attack on one effect."""

    def quiet(_: str, __: int, ___: int) -> None:
        return

    def found(of: Sequence[Sample], *, robust: bool) -> list[Attack]:
        return list(
            attacks(
                of, recognizers, has_many_files=True, is_robust=robust, resamples=resamples, on_progress=quiet
            )
        )

    tried = [each for each in found(samples, robust=is_robust) if each.knowledge != "known_key"]
    known = [each for each in found(under_one_key(samples), robust=False) if each.knowledge == "known_key"]
    return tried + known


# Recognizers see 150 pixels of a face; larger photographs only take time.
MOST_PIXELS: Final = 400


def photographs_of(folder: Path, finder: FaceFinder) -> list[Photograph]:
    """Returns every photograph in which the first detector finds a face."""
    found = []
    for path in sorted(folder.glob("*/*.jpg")):
        picture = np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])
        share = min(1.0, MOST_PIXELS / max(picture.shape[:2]))
        picture = np.asarray(
            cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        faces = {name: finder.find(picture, name) for name in finder.detectors}
        if faces[finder.detectors[0]]:
            person = path.parent.name
            found.append(Photograph(person, f"{person}/{path.name}", picture, faces))
    return found


def row(name: str, samples: Sequence[Sample], tried: Sequence[Attack]) -> dict[str, object]:
    """Returns what the table says of one effect."""
    said: list[dict[str, object]] = []
    for each in tried:
        first, figures = each.figures.rank_1, each.figures
        said.append(
            {
                "knowledge": each.knowledge,
                "preparation": each.preparation,
                "rank_1": first.value,
                "interval": [first.within.low, first.within.high],
                "rank_5": figures.rank_5.value,
                "mean_average_precision": figures.mean_average_precision.value,
                "eer": figures.eer.value,
                "chance": figures.chance_rank_1,
                "trials": figures.trials,
                "weak": is_weak(figures),
            }
        )
    detectors = sorted({name for sample in samples for name in sample.seen})
    return {
        "effect": name,
        "detected": {
            detector: float(np.mean([detector in sample.detected for sample in samples]))
            for detector in detectors
        },
        "weak": any(is_weak(each.figures) for each in tried),
        "attacks": said,
    }


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--effects", default="")
    parser.add_argument("--fast", action="store_true", help="nothing is restored or learned first")
    asked = parser.parse_args()
    models = with_a_generator(load_models())
    finder, recognizers = FaceFinder(models), [DlibResNet()]
    photographs = photographs_of(asked.folder, finder)
    chosen = effects(models)
    names = [name for name in asked.effects.split(",") if name] or list(chosen)
    rows = []
    for name in names:
        began = time.monotonic()
        samples = sampled(photographs, chosen[name], finder, recognizers)
        made = time.monotonic()
        tried = attacked(samples, recognizers, is_robust=not asked.fast, resamples=RESAMPLES)
        rows.append(row(name, samples, tried))
        print(
            f"{name}: covered in {made - began:.0f} s, attacked in {time.monotonic() - made:.0f} s",
            flush=True,
        )
        for each in tried:
            first = each.figures.rank_1
            print(
                f"  {each.knowledge:10} {each.preparation:32} {100 * first.value:5.1f} "
                f"({100 * first.within.low:.0f} to {100 * first.within.high:.0f})"
                f"{'  weak' if is_weak(each.figures) else ''}",
                flush=True,
            )
        if asked.out is not None:
            asked.out.parent.mkdir(parents=True, exist_ok=True)
            asked.out.write_text(json.dumps(rows, indent=2), "utf-8")


if __name__ == "__main__":
    main()
