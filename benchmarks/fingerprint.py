"""What whoever has a camera, or other clips of it, does to tell whether a video came from it.

The noise of a sensor has a fixed part: each pixel is a little more or less sensitive than its neighbours
(photo response non-uniformity, PRNU). From many frames its pattern is estimated by maximum likelihood and
compared with the pattern estimated from another clip (Chen, Fridrich, Goljan, Lukas: "Determining image
origin and integrity using sensor noise", IEEE TIFS 3(1), 2008). The figure is the peak-to-correlation energy
(PCE); 60 is the usual threshold (Goljan, Fridrich, Filler: "Large scale test of sensor fingerprint camera
identification", SPIE 7254, 2009).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pattern = npt.NDArray[np.float32]

# Of white noise of deviation 1, what stays in each level of the B3 spline wavelet (Starck and Murtagh,
# "Astronomical Image and Data Analysis", 2006).
LEVELS: Final = (0.889, 0.200, 0.086)
SPLINE: Final = np.array([1, 4, 6, 4, 1], np.float32) / 16
NOISE_DEVIATION: Final = 3.0
# Around a peak, what is left out of the energy of the rest.
NEIGHBOURHOOD: Final = 5


def residue(luma: npt.NDArray[np.uint8]) -> Pattern:
    """Returns what a wavelet Wiener filter takes for noise in a luma plane, (H, W) float32."""
    smooth = luma.astype(np.float32)
    noise = np.zeros_like(smooth)
    for level, share in enumerate(LEVELS):
        kernel = np.zeros(4 * 2**level + 1, np.float32)
        kernel[:: 2**level] = SPLINE
        smoother = cv2.sepFilter2D(smooth, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
        detail = smooth - smoother
        floor = (share * NOISE_DEVIATION) ** 2
        energy = cv2.multiply(detail, detail)
        signal = np.minimum.reduce([cv2.blur(energy, (size, size)) for size in (3, 5, 9)]) - floor
        noise += detail * (floor / (np.maximum(signal, 0) + floor))
        smooth = smoother
    return noise


class Estimate:
    """The pattern of a sensor as far as the frames so far tell it (maximum likelihood)."""

    def __init__(self) -> None:
        """Has seen no frame."""
        self._weighted: Pattern | None = None
        self._energy: Pattern | None = None

    def add(self, luma: npt.NDArray[np.uint8]) -> None:
        """Takes a frame's luma plane."""
        noise, light = residue(luma), luma.astype(np.float32)
        # What is blown out or black holds no pattern.
        light[(luma > 245) | (luma < 18)] = 0
        if self._weighted is None or self._energy is None:
            self._weighted, self._energy = noise * light, light * light
        else:
            self._weighted += noise * light
            self._energy += light * light

    def pattern(self) -> Pattern:
        """Returns the pattern, freed of what every camera of a make and every coder has in common."""
        if self._weighted is None or self._energy is None:
            raise ValueError("no frame was seen")
        raw = self._weighted / (self._energy + 1)
        raw = raw - raw.mean(axis=0, keepdims=True)
        raw = raw - raw.mean(axis=1, keepdims=True)
        return _without_periods(raw)


def estimated(lumas: Iterable[npt.NDArray[np.uint8]]) -> Pattern:
    """Returns the pattern that frames tell."""
    estimate = Estimate()
    for luma in lumas:
        estimate.add(luma)
    return estimate.pattern()


@dataclass(frozen=True)
class Match:
    """How well two patterns match.

    Attributes:
        pce: peak-to-correlation energy; negative where the peak is.
        shift: rows and columns by which the second was moved for it.
        scale: by which it was resized for it.
    """

    pce: float
    shift: tuple[int, int] = (0, 0)
    scale: float = 1.0


def match(known: Pattern, asked: Pattern) -> Match:
    """Compares two patterns pixel on pixel, as one does with an unchanged video."""
    plane = _correlated(known, asked)
    return Match(_pce(plane, 0, 0))


def match_moved(known: Pattern, asked: Pattern, scales: Iterable[float] = (1.0,)) -> Match:
    """Compares two patterns over every shift, and over scales: the best one that is found.

    The more is tried, the higher the best of a foreign sensor: compare with that one.
    """
    best = Match(-np.inf)
    for scale in scales:
        plane = _correlated(known, _fitted(asked, scale, known.shape))
        row, column = np.unravel_index(int(plane.argmax()), plane.shape)
        pce = _pce(plane, int(row), int(column))
        if pce > best.pce:
            best = Match(pce, (int(row), int(column)), scale)
    return best


def match_by_blocks(known: Pattern, asked: Pattern, block: int, reach: int) -> float:
    """Sums, over blocks, the best correlation that each finds within a small shift of its own.

    This is for whoever knows that the picture was bent: no one shift fits, but near ones fit near places.

    Returns:
        Deviations above what the same search gives for wrong patterns: `known` turned round, shifted far.
    """
    height, width = known.shape
    turned = [
        np.roll(known, (height // 3 * i + 17, width // 4 * j + 29), (0, 1))
        for i in (0, 1, 2)
        for j in (1, 2, 3)
    ]
    turned += [np.ascontiguousarray(each[::-1, ::-1]) for each in turned]
    wrong = [_block_score(each, asked, block, reach) for each in turned]
    return float((_block_score(known, asked, block, reach) - np.mean(wrong)) / np.std(wrong))


def _block_score(known: Pattern, asked: Pattern, block: int, reach: int) -> float:
    height, width = known.shape
    score = 0.0
    for top in range(reach, height - block - reach + 1, block):
        for left in range(reach, width - block - reach + 1, block):
            part = known[top : top + block, left : left + block]
            around = asked[top - reach : top + block + reach, left - reach : left + block + reach]
            found = cv2.matchTemplate(around, part, cv2.TM_CCOEFF_NORMED)
            # Squared, so that the few blocks that match weigh more than the many that guess.
            score += float(max(0.0, found.max())) ** 2
    return score


def _correlated(known: Pattern, asked: Pattern) -> npt.NDArray[np.float64]:
    a, b = (np.fft.rfft2(each - each.mean()) for each in (known, asked))
    return np.fft.irfft2(a * np.conj(b), known.shape)


def _pce(plane: npt.NDArray[np.float64], row: int, column: int) -> float:
    peak = float(plane[row, column])
    rest = np.roll(plane, (NEIGHBOURHOOD - row, NEIGHBOURHOOD - column), (0, 1)) ** 2
    side = 2 * NEIGHBOURHOOD + 1
    energy = (rest.sum() - rest[:side, :side].sum()) / (rest.size - side * side)
    return float(np.sign(peak) * peak * peak / max(energy, 1e-30))


def _fitted(asked: Pattern, scale: float, shape: tuple[int, ...]) -> Pattern:
    if scale == 1:
        return asked
    height, width = shape[:2]
    resized = cv2.resize(asked, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_CUBIC)
    made = np.zeros((height, width), np.float32)
    rows, columns = min(height, resized.shape[0]), min(width, resized.shape[1])
    # About the middle, as a picture is zoomed.
    top, left = (height - rows) // 2, (width - columns) // 2
    from_top, from_left = (resized.shape[0] - rows) // 2, (resized.shape[1] - columns) // 2
    made[top : top + rows, left : left + columns] = resized[
        from_top : from_top + rows, from_left : from_left + columns
    ]
    return made


def _without_periods(raw: Pattern) -> Pattern:
    """Evens out the spectrum: what a coder's grid or a readout's rhythm adds stands out in it as peaks."""
    spectrum = np.fft.rfft2(raw)
    power = np.asarray(np.abs(spectrum) ** 2, np.float32)
    local = np.minimum.reduce([cv2.blur(power, (size, size)) for size in (3, 5, 9)])
    floor = float(np.median(power))
    kept = spectrum * (floor / (np.maximum(local - floor, 0) + floor))
    return np.asarray(np.fft.irfft2(kept, raw.shape), np.float32)


def lumas_of(path: str, every: int = 1) -> Iterator[npt.NDArray[np.uint8]]:
    """Decodes a video's luma planes."""
    import av

    with av.open(path) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                yield np.ascontiguousarray(frame.to_ndarray(format="gray"), np.uint8)
