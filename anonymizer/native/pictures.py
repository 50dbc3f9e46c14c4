"""A decoded picture as planes, row after row without padding: one of luma, or three.

Planes are the decoder's, not turned upright, not deinterlaced, not reduced to 8 bits. Formats that pack
several components into one plane are taken apart without loss; alpha is left out. A sample has one byte, or
two, little-endian.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import VideoReformatter

from anonymizer.errors import AnonymizerError
from anonymizer.video.reading import time_of

_DEPTHS: Final = ("", "9le", "10le", "12le", "14le", "16le")
_CHROMA: Final = ("yuv420p", "yuv422p", "yuv444p", "yuv440p")
# Their first planes are the picture's, as they are.
PLANAR: Final = frozenset(
    {
        *(f"gray{depth}" for depth in _DEPTHS),
        *(f"{name}{depth}" for name in (*_CHROMA, "gbrp") for depth in _DEPTHS),
        *(f"{name}{depth}" for name in ("yuva420p", "yuva422p", "yuva444p", "gbrap") for depth in _DEPTHS),
        *("yuvj420p", "yuvj422p", "yuvj444p", "yuvj440p", "yuvj411p", "yuv411p", "yuv410p"),
    }
)
# These hold the same samples in another order.
TAKEN_APART: Final = {
    **dict.fromkeys(("nv12", "nv21"), "yuv420p"),
    **dict.fromkeys(("yuyv422", "uyvy422", "nv16"), "yuv422p"),
    **dict.fromkeys(("rgb24", "bgr24", "rgba", "bgra", "argb", "abgr"), "gbrp"),
    **dict.fromkeys(("rgb0", "bgr0", "0rgb", "0bgr", "pal8"), "gbrp"),
    **dict.fromkeys(("rgb48le", "bgr48le", "rgba64le", "bgra64le"), "gbrp16le"),
    "ya8": "gray",
    "ya16le": "gray16le",
    "p010le": "yuv420p10le",
}
_US: Final = 1_000_000


@dataclass(frozen=True)
class NativePicture:
    """One picture.

    Attributes:
        numbers: width, height, chroma width and height (0 without chroma), bytes a sample.
        planes: luma and both chroma planes; green, blue and red; or luma alone.
    """

    numbers: tuple[int, int, int, int, int]
    planes: tuple[bytes, ...] = field(repr=False)


class PictureReader:
    """Takes the planes of decoded frames, all of one stream."""

    def __init__(self) -> None:
        self._taking_apart = VideoReformatter()

    def picture_of(self, decoded: av.VideoFrame) -> NativePicture:
        """Returns a frame's planes.

        Raises:
            AnonymizerError: media_corrupt; media_unsupported, its pixels are of none of the forms above.
        """
        if decoded.is_corrupt:
            raise AnonymizerError("media_corrupt")
        name = decoded.format.name
        if name in TAKEN_APART:
            decoded = self._taking_apart.reformat(decoded, format=TAKEN_APART[name], threads=1)
        elif name not in PLANAR:
            raise AnonymizerError("media_unsupported", "Its pixels are of a form that has no planes here.")
        sample_bytes = 2 if decoded.format.components[0].bits > 8 else 1
        shown = decoded.planes[: 1 if decoded.format.name.startswith("gray") else 3]
        chroma = (shown[1].width, shown[1].height) if len(shown) > 1 else (0, 0)
        return NativePicture(
            (decoded.width, decoded.height, *chroma, sample_bytes),
            tuple(_rows(plane, sample_bytes) for plane in shown),
        )


def native_still(image: npt.NDArray[np.uint8]) -> NativePicture:
    """Returns a still's planes: luma alone, or green, blue and red.

    Args:
        image: (H, W, 1, 3 or 4) uint8, BGR where there are colours, as `decode_still` gives it.
    """
    height, width, channels = image.shape
    if channels == 1:
        return NativePicture((width, height, 0, 0, 1), (image.tobytes(),))
    planes = tuple(np.ascontiguousarray(image[:, :, at]).tobytes() for at in (1, 0, 2))
    return NativePicture((width, height, width, height, 1), planes)


def time_us_of(frame: av.VideoFrame, begins: Fraction) -> int:
    """Returns when a picture is seen, in whole microseconds since the first one, rounded down.

    Args:
        frame: decoded.
        begins: the first picture's time, seconds.

    Raises:
        AnonymizerError: media_corrupt: it has no time, or one before the first picture.
    """
    time = (time_of(frame) - begins) * _US
    if time < 0:
        raise AnonymizerError("media_corrupt")
    return int(time)


def _rows(plane: av.video.plane.VideoPlane, sample_bytes: int) -> bytes:
    row_bytes = plane.width * sample_bytes
    if plane.line_size < row_bytes:
        raise AnonymizerError("media_unsupported")
    view = memoryview(plane)
    if plane.line_size == row_bytes:
        return bytes(view[: row_bytes * plane.height])
    whole = np.frombuffer(view, np.uint8)[: plane.height * plane.line_size]
    return whole.reshape(plane.height, plane.line_size)[:, :row_bytes].tobytes()
