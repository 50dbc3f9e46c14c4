"""A decoded frame made plain: 8-bit 4:2:0, upright, even, progressive, nothing but pixels and times.

The pixels are copied into a frame of our own, so that nothing else a decoder attaches to a frame (captions,
camera data, a display matrix) can come out at the other end, and covers never touch a decoder's references.

An odd size gets one more column or row, a copy of its last: H.264 in 4:2:0 has even sizes only, and nothing
may be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast

import av
import numpy as np
import numpy.typing as npt
from av.sidedata.sidedata import SideData, Type
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from anonymizer.effects.region import Plane
from anonymizer.errors import AnonymizerError

PlaneArray = npt.NDArray[np.uint8]

PIXEL_FORMAT: Final = "yuv420p"
SAME_PLANES: Final = frozenset({"yuv420p", "yuvj420p"})
HIGH_DYNAMIC_RANGE: Final = frozenset({int(ColorTrc.SMPTE2084), int(ColorTrc.ARIB_STD_B67)})
NEUTRAL_LUMA, NEUTRAL_CHROMA = 126, 128


@dataclass(frozen=True)
class Picture:
    """One frame on its way through.

    Attributes:
        frame: yuv420p, even, upright; ours alone.
        pts: in ticks of the output's time base, the first frame of the clip at its own offset.
        duration: in the same ticks.
        time: seconds.
    """

    frame: av.VideoFrame
    pts: int
    duration: int
    time: float

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        """Writable views of luma and both colour planes."""
        luma, blue, red = (plane_array(self.frame, i) for i in range(3))
        return (
            Plane(luma, 1, NEUTRAL_LUMA),
            Plane(blue, 2, NEUTRAL_CHROMA),
            Plane(red, 2, NEUTRAL_CHROMA),
        )


class Plain:
    """Turns decoded frames of one stream into plain ones, all of one size."""

    def __init__(self, *, as_decoded: bool = False) -> None:
        """Waits for the first frame, which sets the size of all.

        Args:
            as_decoded: refuses frames that would have to be brought into another form.
        """
        self._as_decoded = as_decoded
        self._scaler = VideoReformatter()
        self._shape: tuple[int, int, bytes] | None = None

    def frame_of(self, decoded: av.VideoFrame) -> av.VideoFrame:
        """Returns a plain copy of a decoded frame, without times.

        Raises:
            AnonymizerError: media_corrupt, media_size_changed, media_unsupported or evidence_impossible.
        """
        if decoded.is_corrupt:
            raise AnonymizerError("media_corrupt")
        matrix = display_matrix(decoded)
        shape = (decoded.width, decoded.height, matrix)
        if self._shape is None:
            self._shape = shape
        elif self._shape != shape:
            raise AnonymizerError("media_size_changed")
        plain = self._to_8_bit(decoded)
        transposed, flip_rows, flip_columns = orientation(matrix)
        width, height = (plain.width + 1) // 2 * 2, (plain.height + 1) // 2 * 2
        is_other = plain is not decoded or transposed or flip_rows or flip_columns or decoded.interlaced_frame
        if self._as_decoded and (is_other or (width, height) != (decoded.width, decoded.height)):
            raise AnonymizerError("evidence_impossible")
        if transposed:
            width, height = height, width
        made = av.VideoFrame(width, height, PIXEL_FORMAT)
        made.colorspace, made.color_range = plain.colorspace, _range_of(plain)
        for index in range(3):
            pixels = plane_array(plain, index)
            if decoded.interlaced_frame:
                pixels = one_field(pixels)
            target = plane_array(made, index)
            upright = pixels.T if transposed else pixels
            missing = [(0, want - have) for want, have in zip(target.shape, upright.shape, strict=True)]
            if any(after for _, after in missing):
                upright = np.pad(upright, missing, mode="edge")
            target[:] = upright[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1]
        return made

    def _to_8_bit(self, decoded: av.VideoFrame) -> av.VideoFrame:
        if decoded.format.name in SAME_PLANES:
            return decoded
        if decoded.format.is_rgb or decoded.format.name == "pal8":
            return self._scaler.reformat(
                decoded,
                format=PIXEL_FORMAT,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                threads=1,
            )
        if decoded.color_trc in HIGH_DYNAMIC_RANGE:
            return self._scaler.reformat(
                decoded,
                format=PIXEL_FORMAT,
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
                dst_color_trc=ColorTrc.BT709,
                dst_color_primaries=ColorPrimaries.BT709,
                threads=1,
            )
        return self._scaler.reformat(decoded, format=PIXEL_FORMAT, threads=1)


def plane_array(frame: av.VideoFrame, index: int) -> PlaneArray:
    """Returns a view of one plane, (h, w) uint8, without the padding at the end of its lines."""
    plane = frame.planes[index]
    if plane.line_size <= 0:
        raise AnonymizerError("media_unsupported")
    whole = np.frombuffer(plane, np.uint8)  # type: ignore[call-overload]  # the stub lacks the buffer protocol
    lines: PlaneArray = whole[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)
    return lines[:, : plane.width]


def one_field(pixels: PlaneArray) -> PlaneArray:
    """Keeps the even lines of an interlaced plane and fills the odd ones from those around them.

    The two fields are two moments; a face that moves would be combed, and harder to find.
    """
    made = pixels.copy()
    even = pixels[0::2].astype(np.uint16)
    below = np.concatenate([even[1:], even[-1:]])
    odd_lines = made[1::2].shape[0]
    made[1::2] = ((even + below + 1) // 2)[:odd_lines].astype(np.uint8)
    return made


def display_matrix(frame: av.VideoFrame) -> bytes:
    """Returns the frame's 36-byte display matrix, empty where there is none."""
    try:
        # PyAV's container, despite its stub, iterates over its values.
        attached = list(cast("Iterable[SideData]", frame.side_data))
    except ValueError:  # PyAV does not know every kind by name, and then gives none
        if frame.rotation:
            raise AnonymizerError("media_unsupported") from None
        return b""
    return next((bytes(item) for item in attached if item.type is Type.DISPLAYMATRIX), b"")


def orientation(matrix: bytes) -> tuple[bool, bool, bool]:
    """Reads a display matrix (ISO/IEC 14496-12, 6.2.2) as: transpose, then flip rows, then flip columns.

    Raises:
        AnonymizerError: media_unsupported, where it is no multiple of a quarter turn.
    """
    if not matrix:
        return False, False, False
    a, b, _, c, d = np.frombuffer(matrix, "<i4")[:5].tolist()
    if (a, b, c, d) == (0, 0, 0, 0):
        return False, False, False
    if b == 0 and c == 0 and a and d:
        return False, d < 0, a < 0
    if a == 0 and d == 0 and b and c:
        return True, b < 0, c < 0
    raise AnonymizerError("media_unsupported", "It is turned by an odd angle.")


def _range_of(frame: av.VideoFrame) -> int:
    if frame.format.name == "yuvj420p":
        return int(ColorRange.JPEG)
    return int(frame.color_range)
