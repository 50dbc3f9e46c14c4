"""CenterFace's input and output: padding before, boxes after. The same for every engine.

The network (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019) answers,
for each cell of 4 x 4 pixels, how likely it is the centre of a face, the logarithm of the face's height and
width in cells, and the offset of the centre within the cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Boxes, suppress
from anonymizer.detect.contract import Image
from anonymizer.errors import AnonymizerError

FloatArray = npt.NDArray[np.float32]

CELL = 4
GRANULE = 32


@dataclass(frozen=True)
class Maps:
    """What the network answers for one picture; rows and columns are cells.

    Attributes:
        heat: (rows, columns), the likelihood in 0..1.
        size: (2, rows, columns), log of height and of width.
        offset: (2, rows, columns), down and across, in cells.
    """

    heat: FloatArray
    size: FloatArray
    offset: FloatArray


def network_input(image: Image) -> FloatArray:
    """Returns (1, 3, H, W) float32 RGB, padded with black to the right and below to multiples of 32.

    Raises:
        AnonymizerError: detector_failed, where the picture has no pixels or is not (H, W, 3).
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise AnonymizerError("detector_failed")
    height, width = image.shape[:2]
    padded = np.zeros((1, 3, -(-height // GRANULE) * GRANULE, -(-width // GRANULE) * GRANULE), np.float32)
    padded[0, :, :height, :width] = image.transpose(2, 0, 1)
    return padded


def boxes_from(maps: Maps, image: Image, threshold: float) -> Boxes:
    """Turns the maps into boxes within the picture, overlapping ones reduced to the best.

    Raises:
        AnonymizerError: detector_failed, where any number is not finite: a silent network must never
            read as "no faces here".
    """
    if not (np.isfinite(maps.heat).all() and np.isfinite(maps.size).all() and np.isfinite(maps.offset).all()):
        raise AnonymizerError("detector_failed")
    height, width = image.shape[:2]
    rows, columns = np.nonzero(maps.heat > threshold)
    # exp(12) cells are more than any picture: the clip keeps the product finite.
    tall, wide = (np.exp(np.minimum(maps.size[i, rows, columns], 12)) * CELL for i in (0, 1))
    y = (rows + maps.offset[0, rows, columns] + 0.5) * CELL
    x = (columns + maps.offset[1, rows, columns] + 0.5) * CELL
    boxes = np.stack(
        [
            np.clip(x - wide / 2, 0, width),
            np.clip(y - tall / 2, 0, height),
            np.clip(x + wide / 2, 0, width),
            np.clip(y + tall / 2, 0, height),
            maps.heat[rows, columns],
        ],
        axis=1,
    ).astype(np.float32)
    return suppress(boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])])
