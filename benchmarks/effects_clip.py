"""The clip on which docs/effects.md shows every effect: somebody walks through a room before a steady camera.

Somebody is NASA's portrait of Eileen Collins (public domain), as scikit-image ships it, cut out of its
background. The room is empty at first, as a reconstructed background must have been seen once.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt
from skimage import data

from benchmarks.demo_clip import background

Pixels = npt.NDArray[np.uint8]

SIZE: Final = (1280, 720)
FPS: Final = 12
SECONDS: Final = 7.0
EMPTY_SECONDS: Final = 1.0
# Of the portrait: its head, and by how much it is enlarged.
HEAD: Final = (226, 105)
ZOOM: Final = 1.22
# Roughly her outline; the rest is found from there.
_OUTLINE: Final = (
    (118, 200), (132, 165), (160, 150), (182, 148), (176, 125), (156, 108), (153, 70), (170, 35),
    (205, 15), (240, 14), (280, 30), (299, 65), (298, 105), (280, 130), (268, 150), (262, 178),
    (290, 195), (304, 225), (304, 245), (335, 265), (352, 290), (360, 345), (400, 343), (450, 365),
    (480, 410), (496, 455), (505, 511), (30, 511), (22, 440), (25, 370), (40, 290), (75, 240), (110, 215),
)  # fmt: skip


@cache
def somebody() -> tuple[Pixels, npt.NDArray[np.float32]]:
    """Returns the portrait, (512, 512, 3) RGB, and how much each pixel is hers, 0 to 1."""
    portrait = np.ascontiguousarray(data.astronaut())
    drawn = np.zeros(portrait.shape[:2], np.uint8)
    cv2.fillPoly(drawn, [np.array(_OUTLINE, np.int32)], 1)
    guess = np.full(drawn.shape, cv2.GC_BGD, np.uint8)
    guess[cv2.dilate(drawn, np.ones((13, 13), np.uint8)) == 1] = cv2.GC_PR_BGD
    guess[drawn == 1] = cv2.GC_PR_FGD
    guess[cv2.erode(drawn, np.ones((15, 15), np.uint8), borderValue=1) == 1] = cv2.GC_FGD
    cv2.setRNGSeed(1)
    cv2.grabCut(
        cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR), guess, None, np.zeros((1, 65)), np.zeros((1, 65)), 4,
        cv2.GC_INIT_WITH_MASK,
    )  # fmt: skip
    hers = np.isin(guess, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    _, labels, sizes, _ = cv2.connectedComponentsWithStats(hers)
    hers = (labels == 1 + np.argmax(sizes[1:, cv2.CC_STAT_AREA])).astype(np.uint8)
    hers = cv2.morphologyEx(hers, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    hers = cv2.erode(hers, np.ones((3, 3), np.uint8), borderValue=1)
    return portrait, cv2.GaussianBlur(hers.astype(np.float32), (0, 0), 1.2)


def place(seconds: float) -> npt.NDArray[np.float64]:
    """Returns where the portrait stands at a time: a matrix from its pixels to the frame's."""
    since = max(0.0, seconds - EMPTY_SECONDS) / (SECONDS - EMPTY_SECONDS)
    across = SIZE[0] * (-0.2 + 0.86 * since)
    angle = 5 * math.sin(2.4 * seconds)
    bob = 7 * math.sin(9 * seconds)
    matrix = cv2.getRotationMatrix2D((256.0, 512.0), angle, ZOOM)
    matrix[:, 2] += (across - 256, SIZE[1] + 12 + bob - 512)
    return np.asarray(matrix, np.float64)


def head_at(seconds: float) -> tuple[int, int]:
    """Returns the middle of the head at a time, in the frame's pixels."""
    across, down = place(seconds) @ np.array([*HEAD, 1.0])
    return round(across), round(down)


def frame_at(seconds: float) -> Pixels:
    """Returns the frame at a time, (H, W, 3) uint8 RGB."""
    portrait, hers = somebody()
    room = background(SIZE)[:, : SIZE[0]].astype(np.float32)
    if seconds < EMPTY_SECONDS:
        return room.astype(np.uint8)
    matrix = place(seconds)
    share = cv2.warpAffine(hers, matrix, SIZE, flags=cv2.INTER_LINEAR)[:, :, None]
    moved = cv2.warpAffine(portrait, matrix, SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return (room * (1 - share) + moved * share).clip(0, 255).astype(np.uint8)


def frames() -> Iterator[Pixels]:
    """Yields all frames."""
    for index in range(round(SECONDS * FPS)):
        yield frame_at(index / FPS)


@cache
def clip() -> bytes:
    """Returns the clip as H.264 in an MP4."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=FPS, options={"crf": "16", "preset": "veryfast"})
        video.width, video.height, video.pix_fmt = *SIZE, "yuv420p"
        for index, pixels in enumerate(frames()):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return made.getvalue()
