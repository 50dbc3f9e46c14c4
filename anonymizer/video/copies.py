"""Scaled RGB copies of a picture for a detector.

The planes are halved as long as they are twice as large as they need to be (a mean of four pixels, which is
what processors do fastest), then scaled to size: a fifth of what FFmpeg's scaler takes. Of one picture the
halves are kept, since it is looked at in several sizes.
"""

from __future__ import annotations

from typing import Final

import av
import cv2
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, VideoReformatter

from anonymizer.detect.contract import Image
from anonymizer.video.picture import Picture

PlaneArray = npt.NDArray[np.uint8]
Planes = tuple[PlaneArray, PlaneArray, PlaneArray]

FULL_RANGE: Final = int(ColorRange.JPEG)


class Copies:
    """Makes copies of one picture after the other."""

    def __init__(self) -> None:
        """Has seen no picture."""
        self._frame: av.VideoFrame | None = None
        self._halves: list[Planes] = []
        self._scalers: dict[tuple[int, int], VideoReformatter] = {}

    def of(self, picture: Picture, width: int, height: int) -> Image:
        """Returns the whole picture, (height, width, 3) uint8 RGB."""
        frame = picture.frame
        if int(frame.color_range) == FULL_RANGE:
            # OpenCV reads every picture as 16..235; FFmpeg reads the frame's word.
            scaler = self._scalers.setdefault((width, height), VideoReformatter())
            copy = scaler.reformat(frame, width, height, "rgb24", interpolation="BILINEAR", threads=1)
            return np.asarray(copy.to_ndarray(), np.uint8)
        return _rgb(self._halved(picture, frame.width / width, frame.height / height), width, height)

    def _halved(self, picture: Picture, across: float, down: float) -> Planes:
        """Returns the planes halved as often as they may be, to be scaled by less than two each way."""
        if self._frame is not picture.frame:
            luma, blue, red = (plane.pixels for plane in picture.planes)
            self._frame, self._halves = picture.frame, [(luma, blue, red)]
        times = 0
        while min(across, down) >= 2 and min(self._halves[times][1].shape) >= 2:
            if times + 1 == len(self._halves):
                luma, blue, red = (_half(plane) for plane in self._halves[times])
                self._halves.append((luma, blue, red))
            across, down, times = across / 2, down / 2, times + 1
        return self._halves[times]


def _half(plane: PlaneArray) -> PlaneArray:
    rows, columns = (size // 2 for size in plane.shape)
    return np.asarray(
        cv2.resize(plane[: 2 * rows, : 2 * columns], (columns, rows), interpolation=cv2.INTER_AREA), np.uint8
    )


def _rgb(planes: Planes, width: int, height: int) -> Image:
    # 4:2:0 has even sizes only.
    columns, rows = (width + 1) // 2, (height + 1) // 2
    sheet = np.empty(rows * columns * 6, np.uint8)
    begins = 0
    for plane, (down, across) in zip(
        planes, ((2 * rows, 2 * columns), (rows, columns), (rows, columns)), strict=True
    ):
        target = sheet[begins : begins + down * across].reshape(down, across)
        if plane.shape == target.shape:
            target[:] = plane
        else:
            target[:] = cv2.resize(plane, (across, down), interpolation=cv2.INTER_LINEAR)
        begins += down * across
    rgb = cv2.cvtColor(sheet.reshape(3 * rows, 2 * columns), cv2.COLOR_YUV2RGB_I420)
    return np.ascontiguousarray(rgb[:height, :width], np.uint8)
