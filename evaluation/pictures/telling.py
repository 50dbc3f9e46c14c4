"""What an evaluation of pictures found, said in plain words."""

from __future__ import annotations

from evaluation.figures.means import Measured
from evaluation.figures.writing import percent
from evaluation.pictures.actions import ActionsKept
from evaluation.pictures.findings import PictureFindings, PosesKept
from evaluation.report.markup import Markup, bullets, section

NO_DISTANCE = (
    "LPIPS: not measured. Neither a network by manifest (--distance) nor its two files are here: AlexNet's "
    "weights where torchvision keeps them, and the package lpips. Nothing is downloaded."
)
NO_POSES = "Poses: not measured, the networks that read bodies are not installed (mediapipe and OpenVINO)."
NO_BODIES = "Poses: nobody stands in the originals so that their joints are in sight."
NO_ACTIONS = "Actions: not measured, no classifier was given (--classifier)."
NO_CLIPS = "Actions: not measured, no film is as long as one of the classifier's clips."


def lines(found: PictureFindings) -> list[str]:
    """Returns the findings for a terminal."""
    left_out = f" Left out: {found.unreadable} pairs of files." if found.unreadable else ""
    told = [f"{found.pictures} pictures of {found.files} files, {found.unchanged} unchanged.{left_out}"]
    told += [found.sample_in_words] if found.sample_in_words else []
    if found.ssim is not None and found.ssim_worst is not None:
        told.append(
            f"SSIM: {_number(found.ssim, 3)}, of the worst picture {found.ssim_worst:.3f} (1: the same)."
        )
    if found.psnr is not None:
        told.append(f"PSNR: {_number(found.psnr, 1)} dB over the pictures that differ.")
    if found.distance is None or found.apart is None:
        told.append(NO_DISTANCE)
    else:
        told.append(f"{found.distance[0]}: {_number(found.apart, 3)} (0: the same).")
    return [*told, *_use(found)]


def _use(found: PictureFindings) -> list[str]:
    """What a viewer or a model can still do."""
    told = []
    if found.flicker is not None:
        told.append(f"Flicker: {_number(found.flicker, 2)} of 255 beyond the original's own changes.")
        told.append(
            "Motion: nothing moves."
            if found.motion is None
            else f"Motion: optical flow agrees by {_number(found.motion, 2)} where the original moves "
            "(1: wholly)."
        )
    if found.poses is not None:
        told.append(_poses(found.poses))
    else:
        told.append(NO_BODIES if found.reads_poses else NO_POSES)
    if found.actions is not None:
        return [*told, *_actions(found.actions)]
    return [*told, NO_CLIPS if found.classifies else NO_ACTIONS]


def sections(found: PictureFindings) -> list[Markup]:
    """Returns the findings for a page."""
    return [section("What is left of the pictures", bullets(lines(found)))]


def _poses(poses: PosesKept) -> str:
    off = "" if poses.off is None else f", their joints {100 * poses.off.mean.value:.1f} % of the body off"
    return (
        f"Poses: {percent(poses.kept.mean)} of the joints of {poses.kept.count} bodies are read within a "
        f"tenth of the body (PCK); {percent(poses.again.mean)} of the bodies are found again{off}."
    )


def _actions(found: ActionsKept) -> list[str]:
    small = "Small sample. " if found.is_small_sample else ""
    told = [
        f"Actions: {small}{found.classifier} sees the original's class in {percent(found.agreement)} of "
        f"{found.films} films."
    ]
    if found.before is not None and found.after is not None:
        told.append(
            f"Of {found.named} films in folders named by a class it is right in {percent(found.before)} by "
            f"the originals, in {percent(found.after)} by the results."
        )
    return told


def _number(measured: Measured, digits: int) -> str:
    """A mean and its interval."""
    mean = measured.mean
    return f"{mean.value:.{digits}f} ({mean.within.low:.{digits}f} to {mean.within.high:.{digits}f})"
