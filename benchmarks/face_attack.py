"""How many people a face recognizer still names through each effect: the tables of docs/evaluating.md.

    python -m benchmarks.face_attack FOLDER [--out out/faces.json] [--effects solid,persona] [--fast]

FOLDER holds PERSON/PICTURE. Every picture goes through `anonymize` three times: under a key of its own, under
another one, and under one key that all pictures share; `bauta evaluate` attacks the results. Beside our
effects stand a few that we do not have, as references: plain blurs and mosaics of known strength, the default
of `deface`, and a solid cover of the detector's own box.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer import FaceSettings, Limits, Models, PeopleSettings, Settings, anonymize, load_models
from anonymizer.boxes import Box
from anonymizer.settings import Effect as FaceEffect
from benchmarks.effects_network import with_a_generator
from evaluation.faces.attackers import Attack, attacks
from evaluation.faces.bands import is_weak
from evaluation.faces.finding import FaceFinder, still_there
from evaluation.faces.gathering import Sample
from evaluation.faces.pairing import View
from evaluation.faces.recognizers import DlibResNet, Recognizer
from evaluation.figures.resampling import RESAMPLES

Pixels = npt.NDArray[np.uint8]
Cover = Callable[[Pixels, Box, bytes], Pixels]
"""A picture, where its face is, and a key of 32 bytes in; the covered picture out."""


@dataclass(frozen=True)
class Effect:
    """What is tried.

    Attributes:
        cover: makes the covered picture.
        is_keyed: whether another key makes another picture.
    """

    cover: Cover
    is_keyed: bool = False


SCALE: Final = 1.3
# Effects that draw from the key.
KEYED: Final = ("warp", "swap", "generator", "persona")
FIRST, SECOND, SHARED = b"first", b"second", b"shared"
ORIGINAL: Final[View] = "original"
ANONYMIZED: Final[View] = "anonymized"


def ours(settings: Settings, models: Models, *, is_keyed: bool = False) -> Effect:
    """Returns one of our effects: the picture goes through all of a job but its wall."""

    def covered(picture: Pixels, _: Box, key: bytes) -> Pixels:
        _, encoded = cv2.imencode(".png", picture[:, :, ::-1])
        sink = io.BytesIO()
        keyed = replace(settings, personas=key)
        anonymize(io.BytesIO(bytes(encoded)), sink, settings=keyed, models=models, limits=Limits())
        return np.ascontiguousarray(cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), 1)[:, :, ::-1])

    return Effect(covered, is_keyed)


def reference(change: Callable[[Pixels, float], Pixels], scale: float = SCALE) -> Effect:
    """Returns an effect under an ellipse around the face, which is told the face's width in pixels."""

    def covered(picture: Pixels, box: Box, _: bytes) -> Pixels:
        (x, y), grown = box.centre, box.scaled(scale)
        mask = np.zeros(picture.shape[:2], np.uint8)
        axes = (round(grown.width / 2), round(grown.height / 2))
        cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 255, -1)
        return np.where(mask[:, :, None] > 0, change(picture, box.width), picture)

    return Effect(covered)


def gaussian(share: float) -> Effect:
    """A Gaussian blur whose deviation is a share of the face's width."""
    return reference(
        lambda picture, wide: np.asarray(cv2.GaussianBlur(picture, (0, 0), share * wide), np.uint8)
    )


def mosaic(blocks: int) -> Effect:
    """A mosaic of so many blocks across the face."""

    def change(picture: Pixels, wide: float) -> Pixels:
        height, width = picture.shape[:2]
        size = max(1, round(width * blocks / wide)), max(1, round(height * blocks / wide))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

    return reference(change)


def as_deface() -> Effect:
    """What `deface` 1.5.0 does by default: a box blur of half the cover's size; 1.6 times the face."""

    def change(picture: Pixels, wide: float) -> Pixels:
        size = max(1, round(0.8 * wide))
        return np.asarray(cv2.blur(picture, (size, size)), np.uint8)

    return reference(change, 1.6)


def effects(models: Models) -> Mapping[str, Effect]:
    """Returns every effect by its name."""

    def face(effect: FaceEffect, scale: float = SCALE) -> Effect:
        settings = Settings(faces=FaceSettings(effect=effect, scale=scale))
        return ours(settings, models, is_keyed=effect in KEYED)

    def person(effect: FaceEffect) -> Effect:
        return ours(Settings(people=PeopleSettings(effect=effect)), models)

    return {
        "none": Effect(lambda picture, _, __: picture),
        **{f"Gaussian {share:g} of the width": gaussian(share) for share in (0.025, 0.05, 0.1, 0.2, 0.4)},
        **{f"mosaic of {blocks} blocks": mosaic(blocks) for blocks in (32, 16, 8)},
        "deface's default": as_deface(),
        "warp": face("warp"),
        "blur": face("blur"),
        "mosaic": face("mosaic"),
        "swap": face("swap"),
        "generator": face("generator"),
        "persona": face("persona"),
        "solid 1.0": face("solid", 1.0),
        "solid 1.3": face("solid"),
        "solid 1.5": face("solid", 1.5),
        "people: solid": person("solid"),
        "people: silhouette": person("silhouette"),
        "people: remove": person("remove"),
    }


def key_of(purpose: bytes, number: int) -> bytes:
    """Returns 32 bytes: figures can be had again."""
    return (purpose + b" " + str(number).encode()).ljust(32, b"\0")


def sampled(
    photographs: Sequence[tuple[str, str, Pixels, Box]],
    effect: Effect,
    finder: FaceFinder,
    recognizers: Sequence[Recognizer],
) -> list[Sample]:
    """Returns every photograph as a sample, covered three times."""
    samples = []
    for number, (person, source, picture, box) in enumerate(photographs):
        cuts = {recognizer.name: recognizer.place(picture, box) for recognizer in recognizers}
        views: dict[View, Pixels] = {
            "original": picture,
            "anonymized": effect.cover(picture, box, key_of(FIRST, number)),
        }
        again: dict[View, bytes] = {"alike": key_of(SECOND, number), "known_key": key_of(SHARED, 0)}
        for view, key in again.items():
            views[view] = effect.cover(picture, box, key) if effect.is_keyed else views["anonymized"]
        chips = {(name, view): cut(each) for name, cut in cuts.items() if cut for view, each in views.items()}
        before, after = (
            {name: finder.find(views[view], name) for name in finder.detectors}
            for view in (ORIGINAL, ANONYMIZED)
        )
        there, left = (still_there(finder, box, found) for found in (before, after))
        samples.append(Sample(source, person, 0.0, box.width, chips, there, left))
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


def photographs_of(folder: Path, finder: FaceFinder) -> list[tuple[str, str, Pixels, Box]]:
    """Returns every photograph with a face: whose, which, the picture, and where its largest face is."""
    found = []
    for path in sorted(folder.glob("*/*.jpg")):
        picture = np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])
        share = min(1.0, MOST_PIXELS / max(picture.shape[:2]))
        picture = np.asarray(
            cv2.resize(picture, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8
        )
        boxes = finder.faces(picture)
        if boxes:
            found.append((path.parent.name, f"{path.parent.name}/{path.name}", picture, boxes[0]))
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
