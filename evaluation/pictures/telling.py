"""What an evaluation of pictures found, said in plain words."""

from __future__ import annotations

from evaluation.pictures.findings import PictureFindings
from evaluation.report.markup import Markup, bullets, section


def lines(found: PictureFindings) -> list[str]:
    """Returns the findings for a terminal."""
    left_out = f" Left out: {found.unreadable} pairs of files." if found.unreadable else ""
    told = [f"{found.pictures} pictures of {found.files} files, {found.unchanged} unchanged.{left_out}"]
    if found.ssim is not None and found.ssim_worst is not None:
        told.append(f"SSIM: {found.ssim:.3f}, of the worst picture {found.ssim_worst:.3f} (1: the same).")
    if found.psnr is not None:
        told.append(f"PSNR: {found.psnr:.1f} dB over the pictures that differ.")
    if found.flicker is not None:
        told.append(f"Flicker: {found.flicker:.2f} of 255 beyond the original's own changes.")
        told.append(
            "Motion: nothing moves."
            if found.motion is None
            else f"Motion: optical flow agrees by {found.motion:.2f} where the original moves (1: wholly)."
        )
    told.append("LPIPS: not measured, no package brings its backbone along.")
    return told


def sections(found: PictureFindings) -> list[Markup]:
    """Returns the findings for a page."""
    return [section("What is left of the pictures", bullets(lines(found)))]
