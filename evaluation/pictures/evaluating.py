"""Two files or two folders in, all findings about pictures out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from anonymizer import Models
from evaluation.errors import EvaluationError
from evaluation.faces.gathering import Moment, OnProgress, moments
from evaluation.faces.pairing import Pairing, pairings
from evaluation.figures.means import Measured, mean_of
from evaluation.installed import installed_models
from evaluation.pictures.actions import ActionsKept, Classifier, actions_kept
from evaluation.pictures.findings import PictureFindings, PosesKept
from evaluation.pictures.likeness import luma, signal_to_noise, structural_similarity
from evaluation.pictures.motion import flicker, motion_agreement
from evaluation.pictures.perceptual import AddedDistance, Distance, installed_lpips
from evaluation.pictures.poses import PoseReader

# Bodies are read in no more pictures than these, spread over the recordings.
MOST_READ: Final = 240


def evaluate_pictures(
    original: Path,
    anonymized: Path,
    *,
    distance: Path | None = None,
    classifier: Path | None = None,
    poses: bool = True,
    on_progress: OnProgress,
    models: Models | None = None,
) -> PictureFindings:
    """Compares originals and results, picture by picture; of a film at most 60 moments.

    Args:
        original, anonymized: two files, or two folders with files under the same names.
        distance: manifest of a network that tells how far two pictures are apart; by default LPIPS, where its
            files are.
        classifier: manifest of a network that tells what is done in a film; by default none.
        poses: whether bodies are read, where the networks for it are installed.
        on_progress: told of each pair.
        models: what reads bodies; by default all that are installed.

    Raises:
        EvaluationError: files_do_not_pair, or one of the codes about a manifest; of a single pair also
            comparison_mismatch, media_unreadable or one of the anonymizer's codes about media.
    """
    pairs = pairings(original, anonymized)
    actor = None if classifier is None else Classifier(classifier)
    far = installed_lpips() if distance is None else AddedDistance(distance)
    if len(pairs) == 1:
        # What is no picture is told before anything is loaded.
        next(moments(pairs[0]), None)
    found = _Found(far, _reader(models) if poses else None, max(1, MOST_READ // len(pairs)))
    unreadable = 0
    for number, pair in enumerate(pairs):
        on_progress("pictures", number, len(pairs))
        try:
            found.add_all(pair)
        except EvaluationError as error:
            # A network that is not what it says is no fault of a recording.
            if len(pairs) == 1 or error.code == "model_unusable":
                raise
            unreadable += 1
    on_progress("pictures", len(pairs), len(pairs))
    actions = None if actor is None else actions_kept(pairs, actor, on_progress)
    return found.findings(len(pairs) - unreadable, unreadable, actor, actions)


def _reader(models: Models | None) -> PoseReader | None:
    """Who reads bodies; nobody where the networks are not installed."""
    try:
        return PoseReader(models or installed_models())
    except EvaluationError as error:
        if error.code != "model_missing":
            raise
        return None


@dataclass
class _Values:
    """One figure's values, each with the recording that it is of."""

    values: list[float] = field(default_factory=list)
    recordings: list[str] = field(default_factory=list)

    def add(self, value: float | None, recording: str) -> None:
        if value is not None:
            self.values.append(value)
            self.recordings.append(recording)

    def mean(self) -> Measured | None:
        return mean_of(self.values, self.recordings)


class _Found:
    """Figures as they come in."""

    def __init__(self, distance: Distance | None, reader: PoseReader | None, most_read: int) -> None:
        self._distance = distance
        self._reader = reader
        self._most_read = most_read
        self._ssim, self._psnr, self._far = _Values(), _Values(), _Values()
        self._flicker, self._motion = _Values(), _Values()
        self._kept, self._off, self._again = _Values(), _Values(), _Values()
        self._pictures = 0

    def add_all(self, pair: Pairing) -> None:
        """Takes all moments of a recording, or as many as can be read."""
        for number, moment in enumerate(moments(pair)):
            self._add(moment, pair.source)
            if self._reader is not None and number < self._most_read:
                self._add_poses(self._reader, moment, pair.source)

    def _add(self, moment: Moment, source: str) -> None:
        original, result = moment.views["original"], moment.views["anonymized"]
        self._pictures += 1
        self._ssim.add(structural_similarity(original.pixels, result.pixels), source)
        noise = signal_to_noise(original.pixels, result.pixels)
        self._psnr.add(noise if math.isfinite(noise) else None, source)
        if self._distance is not None:
            self._far.add(self._distance.between(original.pixels, result.pixels), source)
        if original.before is None or result.before is None:
            return
        pair = luma(original.before), luma(original.pixels)
        pair_made = luma(result.before), luma(result.pixels)
        self._flicker.add(flicker(pair, pair_made), source)
        self._motion.add(motion_agreement(pair, pair_made), source)

    def _add_poses(self, reader: PoseReader, moment: Moment, source: str) -> None:
        for pose in reader.compare(moment.views["original"].pixels, moment.views["anonymized"].pixels):
            self._kept.add(pose.kept, source)
            self._off.add(pose.off, source)
            self._again.add(float(pose.off is not None), source)

    def findings(
        self, files: int, unreadable: int, actor: Classifier | None, actions: ActionsKept | None
    ) -> PictureFindings:
        """Returns what was found."""
        kept, again = self._kept.mean(), self._again.mean()
        poses = None if kept is None or again is None else PosesKept(kept, self._off.mean(), again)
        return PictureFindings(
            files=files,
            unreadable=unreadable,
            pictures=self._pictures,
            unchanged=self._pictures - len(self._psnr.values),
            ssim=self._ssim.mean(),
            ssim_worst=min(self._ssim.values, default=None),
            psnr=self._psnr.mean(),
            distance=None if self._distance is None else (self._distance.name, self._distance.sha256),
            apart=self._far.mean(),
            flicker=self._flicker.mean(),
            motion=self._motion.mean(),
            reads_poses=self._reader is not None,
            poses=poses,
            classifies=actor is not None,
            actions=actions,
        )
