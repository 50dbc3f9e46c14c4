"""Two files or two folders in, all findings about pictures out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evaluation.errors import EvaluationError
from evaluation.faces.gathering import OnProgress, Picture, moments
from evaluation.faces.pairing import pairings
from evaluation.pictures.findings import PictureFindings
from evaluation.pictures.likeness import luma, signal_to_noise, structural_similarity
from evaluation.pictures.motion import flicker, motion_agreement


def evaluate_pictures(original: Path, anonymized: Path, *, on_progress: OnProgress) -> PictureFindings:
    """Compares originals and results, picture by picture; of a film at most 60 moments.

    Args:
        original, anonymized: two files, or two folders with files under the same names.
        on_progress: told of each pair.

    Raises:
        EvaluationError: files_do_not_pair; of a single pair also comparison_mismatch, media_unreadable or
            one of the anonymizer's codes about media.
    """
    pairs = pairings(original, anonymized)
    found, unreadable = _Found(), 0
    for number, pair in enumerate(pairs):
        on_progress("pictures", number, len(pairs))
        try:
            for moment in moments(pair):
                found.add(moment.views["original"], moment.views["anonymized"])
        except EvaluationError:
            if len(pairs) == 1:
                raise
            unreadable += 1
    on_progress("pictures", len(pairs), len(pairs))
    return found.findings(len(pairs) - unreadable, unreadable)


@dataclass
class _Found:
    """Figures as they come in."""

    ssim: list[float] = field(default_factory=list)
    psnr: list[float] = field(default_factory=list)
    flicker: list[float] = field(default_factory=list)
    motion: list[float] = field(default_factory=list)

    def add(self, original: Picture, result: Picture) -> None:
        alike = structural_similarity(original.pixels, result.pixels)
        self.ssim += [] if alike is None else [alike]
        self.psnr.append(signal_to_noise(original.pixels, result.pixels))
        if original.before is None or result.before is None:
            return
        pair = luma(original.before), luma(original.pixels)
        pair_made = luma(result.before), luma(result.pixels)
        self.flicker.append(flicker(pair, pair_made))
        agreed = motion_agreement(pair, pair_made)
        self.motion += [] if agreed is None else [agreed]

    def findings(self, files: int, unreadable: int) -> PictureFindings:
        finite = [value for value in self.psnr if math.isfinite(value)]
        return PictureFindings(
            files=files,
            unreadable=unreadable,
            pictures=len(self.psnr),
            ssim=_mean(self.ssim),
            ssim_worst=min(self.ssim, default=None),
            psnr=_mean(finite),
            unchanged=len(self.psnr) - len(finite),
            flicker=_mean(self.flicker),
            motion=_mean(self.motion),
        )


def _mean(values: Iterable[float]) -> float | None:
    kept = list(values)
    return float(np.mean(kept)) if kept else None
