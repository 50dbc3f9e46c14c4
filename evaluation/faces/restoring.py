"""What is done to a covered face by a formula, before anybody compares it.

A blur is turned back as far as it kept anything; a mosaic is taken for the small picture that it is, and
enlarged again as pictures are. None knows what was done, or where: each is tried at the strengths below, and
an attacker keeps the one that serves best.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from evaluation.faces.recognizers import Pixels

Floats = npt.NDArray[np.float32]
Restore = Callable[[Pixels], Pixels]

# Shares of the width: of a Gaussian's deviation, and of a mosaic's block.
DEVIATIONS: Final = (0.02, 0.05)
BLOCKS: Final = (1 / 48, 1 / 24, 1 / 12)
# Rounding to 8 bits is a noise of 0.3 of 255; encoders add more.
NOISE_SHARE: Final = 2e-3
ROUNDS: Final = 12
LEAST: Final = 1e-3


def wiener(chip: Pixels, deviation: float) -> Pixels:
    """Undoes a Gaussian blur by Wiener's filter.

    Args:
        chip: (H, W, 3) uint8.
        deviation: of the blur, in shares of the width.
    """
    height, width = chip.shape[:2]
    edge = min(height, width) // 2
    wide = cv2.copyMakeBorder(chip, edge, edge, edge, edge, cv2.BORDER_REFLECT_101).astype(np.float32)
    frequencies = np.fft.fftfreq(wide.shape[0])[:, None] ** 2 + np.fft.rfftfreq(wide.shape[1])[None, :] ** 2
    # The transform of a Gaussian is one.
    passed = np.exp(-2 * (np.pi * deviation * width) ** 2 * frequencies)[:, :, None]
    spectrum = np.fft.rfft2(wide, axes=(0, 1)) * passed / (passed**2 + NOISE_SHARE)
    restored = np.fft.irfft2(spectrum, s=wide.shape[:2], axes=(0, 1))
    return np.asarray(restored[edge : edge + height, edge : edge + width].clip(0, 255), np.uint8)


def richardson_lucy(chip: Pixels, deviation: float) -> Pixels:
    """Undoes a Gaussian blur step by step (Richardson 1972, Lucy 1974).

    Args:
        chip: (H, W, 3) uint8.
        deviation: of the blur, in shares of the width.
    """
    sigma = deviation * chip.shape[1]
    seen = (chip.astype(np.float32) / 255 + LEAST).astype(np.float32)

    def blurred(values: Floats) -> Floats:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT_101))

    guess = seen.copy()
    for _ in range(ROUNDS):
        # A Gaussian is its own mirror image.
        ratio = np.asarray(seen / np.maximum(blurred(guess), LEAST), np.float32)
        guess *= blurred(ratio)
    return np.asarray((255 * (guess - LEAST)).clip(0, 255), np.uint8)


def enlarged_again(chip: Pixels, block: float) -> Pixels:
    """Takes a mosaic for the small picture that it is, and enlarges that smoothly.

    Args:
        chip: (H, W, 3) uint8.
        block: in shares of the width.
    """
    height, width = chip.shape[:2]
    small = (max(2, round(1 / block)), max(2, round(height / width / block)))
    picture = cv2.resize(chip, small, interpolation=cv2.INTER_AREA)
    enlarged = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LANCZOS4).astype(np.float32)
    # Sharper than it was: by so much as enlarging has softened it.
    soft = cv2.GaussianBlur(enlarged, (0, 0), block * width / 2)
    return np.asarray((1.5 * enlarged - 0.5 * soft).clip(0, 255), np.uint8)


def ways() -> Mapping[str, Restore]:
    """Returns every way at every strength, by its name."""

    def at(of: Callable[[Pixels, float], Pixels], strength: float) -> Restore:
        return lambda chip: of(chip, strength)

    return {
        **{f"Wiener's filter, {100 * each:.0f} %": at(wiener, each) for each in DEVIATIONS},
        **{f"Richardson-Lucy, {100 * each:.0f} %": at(richardson_lucy, each) for each in DEVIATIONS},
        **{f"enlarged again, {round(1 / each)} blocks": at(enlarged_again, each) for each in BLOCKS},
    }
