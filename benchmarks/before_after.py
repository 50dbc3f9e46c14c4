"""Makes the README's picture: `python -m benchmarks.before_after BEFORE.mp4 AFTER.mp4 OUT.jpg`.

Four moments of a clip, before above after.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

MOMENTS = (0.05, 0.3, 0.43, 0.8)
WIDTH = 1600

Pixels = npt.NDArray[np.uint8]


def moments(path: Path) -> list[Pixels]:
    """The frames of a video at MOMENTS, shares of its length, as (H, W, 3) uint8 BGR."""
    with av.open(str(path)) as container:
        count = sum(1 for _ in container.decode(video=0))
    wanted = {round(share * (count - 1)) for share in MOMENTS}
    with av.open(str(path)) as container:
        frames = container.decode(video=0)
        return [f.to_ndarray(format="bgr24").astype(np.uint8) for i, f in enumerate(frames) if i in wanted]


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    rows = [np.hstack(moments(path)) for path in (arguments.before, arguments.after)]
    picture = np.vstack(rows)
    scale = WIDTH / picture.shape[1]
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(arguments.out), small, [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
