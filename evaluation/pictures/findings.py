"""What an evaluation of pictures found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evaluation.figures.means import Measured
from evaluation.figures.writing import figure_document
from evaluation.pictures.actions import ActionsKept

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class PosesKept:
    """What is still read of bodies.

    Attributes:
        kept: share of the joints that lie where they lay, by body.
        off: mean distance of those found again, in shares of the body; None where nobody was.
        again: share of the bodies that are found again at all.
    """

    kept: Measured
    off: Measured | None
    again: Measured


@dataclass(frozen=True)
class PictureFindings:
    """Everything that was found about the pictures. Means have intervals, by recordings drawn anew.

    Attributes:
        files: pairs that were compared.
        unreadable: pairs that were left out.
        pictures: of them, altogether.
        unchanged: pictures that do not differ in a single bit.
        ssim, ssim_worst: structural similarity, mean and least; None of tiny pictures.
        psnr: mean in dB over the pictures that differ at all; None where none does.
        distance: name and digest of the network that says how far pictures are apart; None without one.
        apart: what it says, mean.
        flicker: mean, of 255; None without a film.
        motion: mean agreement, 0 to 1; None where nothing moves.
        reads_poses: whether bodies were looked for.
        poses: None where none was found.
        classifies: whether a classifier of actions was given.
        actions: None where no film is as long as one of its clips.
    """

    files: int
    unreadable: int
    pictures: int
    unchanged: int
    ssim: Measured | None
    ssim_worst: float | None
    psnr: Measured | None
    distance: tuple[str, str] | None
    apart: Measured | None
    flicker: Measured | None
    motion: Measured | None
    reads_poses: bool
    poses: PosesKept | None
    classifies: bool
    actions: ActionsKept | None

    @property
    def sample_in_words(self) -> str:
        """What the number of recordings allows to say; nothing where there are enough."""
        means = (self.ssim, self.psnr, self.apart, self.flicker, self.motion)
        drawn = min((each.drawn for each in means if each is not None and each.is_small_sample), default=0)
        if drawn == 1:
            return "Of one recording: intervals say how figures vary within it, and nothing of any other."
        return f"Small sample: {drawn} recordings. Believe the intervals, not the figures." if drawn else ""

    def document(self) -> dict[str, Any]:
        """Returns the findings as JSON values."""
        return {
            "files": self.files,
            "unreadable": self.unreadable,
            "pictures": self.pictures,
            "unchanged": self.unchanged,
            "ssim": _mean(self.ssim),
            "ssim_worst": None if self.ssim_worst is None else round(self.ssim_worst, 4),
            "psnr_db": _mean(self.psnr),
            "distance": self._distance(),
            "flicker": _mean(self.flicker),
            "motion_agreement": _mean(self.motion),
            "poses": self._poses(),
            "actions": self._actions(),
        }

    def _distance(self) -> dict[str, Any] | str:
        if self.distance is None:
            return NOT_MEASURED
        name, digest = self.distance
        return {"network": name, "sha256": digest, **(_mean(self.apart) or {})}

    def _poses(self) -> dict[str, Any] | str | None:
        if self.poses is None:
            return None if self.reads_poses else NOT_MEASURED
        kept, off, again = self.poses.kept, self.poses.off, self.poses.again
        return {"joints_kept": _mean(kept), "joints_off": _mean(off), "found_again": _mean(again)}

    def _actions(self) -> dict[str, Any] | str | None:
        if self.actions is None:
            return None if self.classifies else NOT_MEASURED
        found = self.actions
        return {
            "classifier": found.classifier,
            "sha256": found.sha256,
            "films": found.films,
            "small_sample": found.is_small_sample,
            "agreement": figure_document(found.agreement),
            "named": found.named,
            "accuracy": {"originals": figure_document(found.before), "results": figure_document(found.after)},
        }


def _mean(measured: Measured | None) -> dict[str, Any] | None:
    if measured is None:
        return None
    counted = {
        "count": measured.count,
        "recordings": measured.drawn,
        "small_sample": measured.is_small_sample,
    }
    return {**(figure_document(measured.mean) or {}), **counted}
