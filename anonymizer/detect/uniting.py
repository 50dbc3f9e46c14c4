"""What two detectors of one kind saw, brought together so that nothing of it stays open."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonymizer.boxes import OVERLAP_OF_ONE_FACE, Boxes, overlaps


def united(seen: Sequence[Boxes]) -> Boxes:
    """Returns boxes around everything that any detector saw, (N, 5).

    Where two detectors saw one thing, the box becomes the one around both: their scores have no common scale,
    so neither box is the better one.

    Args:
        seen: what each detector saw, without overlaps among its own.
    """
    boxes = seen[0].copy()
    for others in seen[1:]:
        for other in others[:, None]:
            shared = overlaps(boxes, other)[:, 0]
            if len(shared) and shared.max() > OVERLAP_OF_ONE_FACE:
                same = boxes[int(shared.argmax())]
                same[:2], same[2:4] = np.minimum(same[:2], other[0, :2]), np.maximum(same[2:4], other[0, 2:4])
                same[4] = max(same[4], other[0, 4])
            else:
                boxes = np.concatenate([boxes, other])
    return boxes
