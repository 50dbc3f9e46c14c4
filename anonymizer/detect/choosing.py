"""Which engine runs CenterFace on this processor: measured once, in the warm parent, before the wall.

OpenVINO in bfloat16 takes half of ONNX Runtime's time where the processor multiplies bfloat16 (AMX or
AVX512-BF16), and more than that where it does not. So it must be faster here by a margin, and say the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.canvas import CANVASES, Canvas
from anonymizer.detect.centerface import Maps
from anonymizer.detect.compiled_engine import CompiledNetworks, compile_networks
from anonymizer.detect.onnx_engine import OnnxCenterFace

TRIAL: Final = Canvas(192, 320)
TRIAL_RUNS: Final = 5
MARGIN: Final = 1.2
# Of a likelihood in 0..1, and of logarithms and shares of a cell (measured where both ran: under .02 and .2).
MOST_APART: Final = 0.1
MOST_APART_WHERE_FACES_ARE: Final = 0.5


@lru_cache(maxsize=1)
def compiled_where_faster(model: bytes) -> CompiledNetworks | None:
    """Returns CenterFace compiled for every canvas, or None where ONNX Runtime is the better choice.

    Args:
        model: from ready_to_run.

    Raises:
        AnonymizerError: detector_failed, where an engine cannot run at all.
    """
    trial = trial_where_faster(model)
    if trial is None:
        return None
    rest = compile_networks(model, tuple(canvas for canvas in CANVASES if canvas != TRIAL))
    return None if rest is None else trial.with_those_of(rest)


@lru_cache(maxsize=1)
def trial_where_faster(model: bytes) -> CompiledNetworks | None:
    """Returns CenterFace compiled for the canvas of the trial, or None where ONNX Runtime is better.

    Args:
        model: from ready_to_run.

    Raises:
        AnonymizerError: detector_failed, where an engine cannot run at all.
    """
    trial = compile_networks(model, (TRIAL,))
    if trial is None:
        return None
    plain = OnnxCenterFace(model, threshold=0.5, threads=1)
    picture = trial_picture()
    if not agree(plain.maps(picture), trial.run(TRIAL, picture)):
        return None
    ours, others = (_fastest(run) for run in (lambda: trial.run(TRIAL, picture), lambda: plain.maps(picture)))
    return None if ours * MARGIN >= others else trial


def agree(one: Maps, other: Maps) -> bool:
    """Tells whether two engines say the same of a picture.

    Sizes and offsets count only where either of them sees a face: elsewhere nobody reads them.
    """
    if one.heat.shape != other.heat.shape or not np.isfinite(other.heat).all():
        return False
    if float(np.abs(one.heat - other.heat).max()) > MOST_APART:
        return False
    seen = np.maximum(one.heat, other.heat) > MOST_APART
    apart = [np.abs(a - b)[:, seen] for a, b in ((one.size, other.size), (one.offset, other.offset))]
    return all(float(each.max(initial=0)) <= MOST_APART_WHERE_FACES_ARE for each in apart)


def trial_picture() -> npt.NDArray[np.uint8]:
    """Returns (192, 320, 3) uint8 RGB: drawn heads, of which CenterFace takes one for a face."""
    picture = np.full((TRIAL.height, TRIAL.width, 3), (96, 110, 120), np.uint8)
    for x, y, size in ((70, 96, 60), (180, 80, 36), (262, 120, 20)):
        _oval(picture, (x, y), (size * 3 // 4, size), (224, 172, 140))
        _oval(picture, (x, y - size * 2 // 3), (size * 3 // 4, size // 2), (60, 40, 30))
        for side in (-1, 1):
            eye = (x + side * size * 3 // 10, y - size // 6)
            _oval(picture, eye, (size // 7, size // 12), (250, 250, 250))
            _oval(picture, eye, (size // 14, size // 14), (40, 30, 20))
        _oval(picture, (x, y + size // 6), (size // 12, size // 7), (180, 120, 100))
        _oval(picture, (x, y + size // 2), (size // 4, size // 14), (170, 60, 60))
    return cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.uint8)


def _oval(
    picture: npt.NDArray[np.uint8], centre: tuple[int, int], radii: tuple[int, int], colour: tuple[int, ...]
) -> None:
    cv2.ellipse(picture, centre, (max(1, radii[0]), max(1, radii[1])), 0, 0, 360, colour, -1)


def _fastest(run: Callable[[], object]) -> float:
    """Seconds of processor time of the fastest of some runs: others may use the machine meanwhile."""
    taken = []
    for _ in range(TRIAL_RUNS):
        began = time.thread_time()
        run()
        taken.append(time.thread_time() - began)
    return min(taken)
