"""How like two pictures are: structural similarity, and the peak signal-to-noise ratio."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.quality.ssim import WINDOW, ssim

Pixels = npt.NDArray[np.uint8]
PEAK = 255.0


def luma(picture: Pixels) -> Pixels:
    """Returns (H, W) uint8 of (H, W, 3) uint8 RGB (ITU-R BT.601)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def structural_similarity(original: Pixels, result: Pixels) -> float | None:
    """Returns the SSIM of both lumas (anonymizer/quality/ssim.py); None of pictures under 11 pixels."""
    if min(original.shape[:2]) < WINDOW:
        return None
    return ssim(luma(original), luma(result))


def signal_to_noise(original: Pixels, result: Pixels) -> float:
    """Returns the PSNR over all three channels in dB; infinite where nothing differs."""
    error = float(np.mean((original.astype(np.float32) - result.astype(np.float32)) ** 2))
    return math.inf if error == 0 else 10 * math.log10(PEAK**2 / error)
