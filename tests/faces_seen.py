"""An independent pair of eyes: dlib's HOG face detector, which shares nothing with the one that covers."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import dlib


def faces_in(path: Path, every: int = 4, upsample: int = 1) -> int:
    """Counts the faces that dlib sees in every n-th frame of a video, or in a picture."""
    detector = dlib.get_frontal_face_detector()
    if path.suffix in {".png", ".jpg", ".jpeg", ".webp"}:
        picture = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert picture is not None, "the picture cannot be read"
        return len(detector(picture, upsample))
    seen = 0
    with av.open(str(path)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                seen += len(detector(frame.to_ndarray(format="gray"), upsample))
    return seen
