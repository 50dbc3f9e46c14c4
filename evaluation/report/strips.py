"""Small pictures in a row, carried inside the page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from evaluation.report.markup import Markup, element

Pixels = npt.NDArray[np.uint8]

SIDE: Final = 72
MOST: Final = 12
JPEG_QUALITY: Final = 80


def strip(name: str, pictures: Sequence[Pixels]) -> Markup:
    """Returns up to twelve pictures in a row, spread over all of them, made small.

    Args:
        name: what is written before them.
        pictures: (H, W, 3) uint8 RGB, at least one, all of one size.
    """
    chosen = np.linspace(0, len(pictures) - 1, min(MOST, len(pictures))).round().astype(int)
    height, width = pictures[0].shape[:2]
    size = max(1, round(SIDE * width / height)), SIDE
    row = np.concatenate(
        [cv2.resize(pictures[at], size, interpolation=cv2.INTER_AREA) for at in chosen], axis=1
    )
    quality = [int(cv2.IMWRITE_JPEG_QUALITY), JPEG_QUALITY]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(row, cv2.COLOR_RGB2BGR), quality)
    source = "data:image/jpeg;base64," + base64.b64encode(bytes(encoded)).decode("ascii")
    shown = element("img", src=source, width=str(row.shape[1]), height=str(SIDE), alt="as they were covered")
    return element("div", element("span", name), shown, class_="strip")
