"""How the answers of known families of detectors are read. One function each, one line in DECODERS.

Every function takes the outputs in the graph's order and the size of the input, and gives (N, 5) in the
input's pixels, not yet suppressed. Outputs that do not have the family's shapes are `model_unusable`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from anonymizer.boxes import Boxes
from anonymizer.detect.sessions import FloatArray
from anonymizer.errors import AnonymizerError

Outputs = Sequence[FloatArray]
Decode = Callable[[Outputs, int, int, float], Boxes]

STRIDES: Final = (8, 16, 32)
CENTERFACE_CELL: Final = 4
# exp(12) cells are more than any picture: the clip keeps the product finite.
LARGEST_LOG: Final = 12.0
SCRFD_ANCHORS: Final = 2
# RetinaFace (Deng et al., 2019), as its PyTorch implementations are configured: sides of the two square
# anchors of each cell, and the variances by which the network's answers are scaled.
RETINAFACE_SIDES: Final = ((16, 32), (64, 128), (256, 512))
RETINAFACE_VARIANCES: Final = (0.1, 0.2)


def centerface(outputs: Outputs, width: int, height: int, threshold: float) -> Boxes:
    """Reads heat, size and offset, each (1, C, H / 4, W / 4); landmarks after them are ignored.

    CenterFace (Xu et al., 2019): size is the logarithm of height and width, offset is down and across.
    """
    grid = (height // CENTERFACE_CELL, width // CENTERFACE_CELL)
    _require(len(outputs) in (3, 4))
    heat, size, offset = (
        _shaped(output, (1, channels, *grid))[0]
        for output, channels in zip(outputs[:3], (1, 2, 2), strict=True)
    )
    rows, columns = np.nonzero(heat[0] >= threshold)
    tall, wide = (np.exp(np.minimum(size[i, rows, columns], LARGEST_LOG)) for i in (0, 1))
    y, x = rows + offset[0, rows, columns] + 0.5, columns + offset[1, rows, columns] + 0.5
    return _around(np.stack([x, y, wide, tall]).T * CENTERFACE_CELL, heat[0, rows, columns])


def scrfd(outputs: Outputs, width: int, height: int, threshold: float) -> Boxes:
    """Reads three scores, then three distances, for strides 8, 16 and 32; keypoints after them are ignored.

    SCRFD (Guo et al., 2021): each cell has two anchors at its corner, and distances to left, top, right and
    bottom in strides.
    """
    _require(len(outputs) in (6, 9))
    found = []
    for place, stride in enumerate(STRIDES):
        rows, columns = height // stride, width // stride
        count = rows * columns * SCRFD_ANCHORS
        scores = _listed(outputs[place], count, 1)[:, 0]
        distances = _listed(outputs[place + 3], count, 4) * stride
        corners = np.repeat(_cells(rows, columns), SCRFD_ANCHORS, axis=0) * stride
        boxes = np.concatenate([corners - distances[:, :2], corners + distances[:, 2:]], axis=1)
        found.append(_scored(boxes, scores, threshold))
    return np.concatenate(found)


def yunet(outputs: Outputs, width: int, height: int, threshold: float) -> Boxes:
    """Reads class, objectness and box, each for strides 8, 16 and 32; keypoints after them are ignored.

    YuNet (Wu et al., 2023): the score is the root of the product; a box is an offset of the centre and the
    logarithm of the size, in strides.
    """
    _require(len(outputs) in (9, 12))
    found = []
    for place, stride in enumerate(STRIDES):
        rows, columns = height // stride, width // stride
        classes, objects = (
            np.clip(_listed(outputs[i], rows * columns, 1)[:, 0], 0, 1) for i in (place, place + 3)
        )
        boxes = _listed(outputs[place + 6], rows * columns, 4)
        centres = (_cells(rows, columns) + boxes[:, :2]) * stride
        sizes = np.exp(np.minimum(boxes[:, 2:], LARGEST_LOG)) * stride
        scores = np.sqrt(classes * objects)
        found.append(_around(np.concatenate([centres, sizes], axis=1), scores, threshold))
    return np.concatenate(found)


def retinaface(outputs: Outputs, width: int, height: int, threshold: float) -> Boxes:
    """Reads boxes (1, N, 4) and likelihoods of background and face (1, N, 2); landmarks are ignored."""
    _require(len(outputs) in (2, 3))
    anchors = []
    for stride, sides in zip(STRIDES, RETINAFACE_SIDES, strict=True):
        centres = (_cells(-(-height // stride), -(-width // stride)) + 0.5) * stride
        for_each = [np.concatenate([centres, np.full_like(centres, side)], axis=1) for side in sides]
        anchors.append(np.stack(for_each, axis=1).reshape(-1, 4))
    anchor = np.concatenate(anchors)
    boxes, scores = _listed(outputs[0], len(anchor), 4), _listed(outputs[1], len(anchor), 2)
    centre, size = RETINAFACE_VARIANCES
    centres = anchor[:, :2] + boxes[:, :2] * centre * anchor[:, 2:]
    sizes = anchor[:, 2:] * np.exp(np.minimum(boxes[:, 2:] * size, LARGEST_LOG))
    return _around(np.concatenate([centres, sizes], axis=1), scores[:, 1], threshold)


def yolov5(outputs: Outputs, width: int, height: int, threshold: float) -> Boxes:
    """Reads (1, N, 5 + classes): centre, size, objectness, then a likelihood for each class."""
    rows = _rows(outputs)
    _require(rows.shape[1] >= 6)
    return _around(rows[:, :4], rows[:, 4] * rows[:, 5:].max(axis=1, initial=0), threshold)


def yolov8(outputs: Outputs, width: int, height: int, threshold: float) -> Boxes:
    """Reads (1, 4 + classes, N): centre, size, then a likelihood for each class."""
    rows = _rows(outputs).T
    _require(rows.shape[1] >= 5)
    return _around(rows[:, :4], rows[:, 4:].max(axis=1, initial=0), threshold)


DECODERS: Final[Mapping[str, Decode]] = MappingProxyType(
    {
        "centerface": centerface,
        "retinaface": retinaface,
        "scrfd": scrfd,
        "yolov5": yolov5,
        "yolov8": yolov8,
        "yunet": yunet,
    }
)


def of_class(decoder: str, outputs: Outputs, number: int) -> Outputs:
    """Leaves of a YOLO's answer only what it says of one class.

    Raises:
        AnonymizerError: model_unusable, where the network does not know so many.
    """
    _require(len(outputs) == 1 and outputs[0].ndim == 3)
    axis, before = (2, 5) if decoder == "yolov5" else (1, 4)
    _require(outputs[0].shape[axis] > before + number)
    return [np.take(outputs[0], [*range(before), before + number], axis=axis)]


def _cells(rows: int, columns: int) -> FloatArray:
    """Returns (rows * columns, 2): x and y of every cell, row by row."""
    down, across = np.mgrid[:rows, :columns]
    return np.stack([across.ravel(), down.ravel()], axis=1).astype(np.float32)


def _around(centred: FloatArray, scores: FloatArray, threshold: float = 0.0) -> Boxes:
    """Turns x, y, width and height into boxes."""
    half = np.maximum(centred[:, 2:4], 0) / 2
    return _scored(np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1), scores, threshold)


def _scored(corners: FloatArray, scores: FloatArray, threshold: float) -> Boxes:
    boxes: Boxes = np.concatenate([corners, scores[:, None]], axis=1).astype(np.float32)
    return boxes[scores >= threshold]


def _shaped(output: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    _require(output.shape == shape)
    return output


def _listed(output: FloatArray, rows: int, columns: int) -> FloatArray:
    """Takes (rows, columns), with or without a batch of one before it."""
    _require(output.shape in ((rows, columns), (1, rows, columns)))
    return output.reshape(rows, columns)


def _rows(outputs: Outputs) -> FloatArray:
    _require(len(outputs) == 1 and outputs[0].ndim == 3 and outputs[0].shape[0] == 1)
    rows: FloatArray = outputs[0][0]
    return rows


def _require(holds: bool) -> None:
    if not holds:
        raise AnonymizerError("model_unusable", "Its answers do not have the decoder's shapes.")
