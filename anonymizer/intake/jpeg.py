"""A JPEG's pixels, by a decoder that stops at damage. OpenCV's conceals it and only mutters."""

from __future__ import annotations

from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

from anonymizer.errors import AnonymizerError

FINE = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def decode_jpeg(content: bytes) -> npt.NDArray[np.uint8] | None:
    """Returns (H, W) grey or (H, W, 3) BGR, not turned; None for a kind of JPEG it does not know.

    Raises:
        AnonymizerError: media_corrupt.
    """
    decoder = VideoCodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "crccheck+bitstream+buffer+explode"}
    try:
        packet = cast("Packet[VideoStream]", Packet(content))
        frames = [*decoder.decode(packet), *decoder.decode(None)]
    except av.error.InvalidDataError:
        raise AnonymizerError("media_corrupt") from None
    except av.FFmpegError:
        return None
    if len(frames) != 1 or frames[0].is_corrupt:
        raise AnonymizerError("media_corrupt")
    name = frames[0].format.name
    if name == "gray":
        return np.asarray(frames[0].to_ndarray(), np.uint8)
    if not name.startswith("yuvj"):
        return None
    coloured = frames[0].reformat(format="bgr24", interpolation=FINE, threads=1)
    return np.asarray(coloured.to_ndarray(), np.uint8)
