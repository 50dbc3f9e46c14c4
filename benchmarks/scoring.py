"""What of the reference faces a result leaves open, and what it covers besides: figures from masks.

A face is the oval inside its reference box: the corners of a box hold no face. A face counts as covered when
nine tenths of its oval, as far as it lies in the picture, are. Whatever is covered outside every reference
box is false area; what lies outside twice every box as well (within are hair, neck and a margin) is far off
any face.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box

Mask = npt.NDArray[np.bool_]

COVERED_SHARE = 0.9
FAR_SCALE = 2.0
# Side of a square as large as the reference box, in pixels: from, and below.
SIZES = ((0, 12), (12, 16), (16, 24), (24, 40), (40, 80), (80, 100_000))
EDGE = "edge"


def name_of(size: tuple[int, int]) -> str:
    """Returns a size's heading."""
    low, high = size
    return f"over {low}" if high >= 100_000 else f"under {high}" if low == 0 else f"{low}-{high}"


@dataclass
class Recall:
    """Faces, counted once in each frame, and how many of them were covered."""

    faces: int = 0
    covered: int = 0

    @property
    def share(self) -> float | None:
        """Covered by all; None where there were none."""
        return self.covered / self.faces if self.faces else None


@dataclass
class Score:
    """Adds up one clip.

    Attributes:
        recall: all faces, in all frames.
        by_size: the same by size, and under EDGE those that the picture's edge cuts off.
        frames_open: frames with at least one face that is not covered.
    """

    recall: Recall = field(default_factory=Recall)
    by_size: dict[str, Recall] = field(
        default_factory=lambda: {name: Recall() for name in [*map(name_of, SIZES), EDGE]}
    )
    frames: int = 0
    frames_open: int = 0
    _face_area: float = 0.0
    _open_area: float = 0.0
    _false_area: float = 0.0
    _far_area: float = 0.0
    _covered_area: float = 0.0
    _picture_area: float = 0.0

    def add(self, covered: Mask, faces: list[Box], doubtful: list[Box]) -> list[Box]:
        """Takes one frame, (H, W) true where it is covered; returns the faces that are open.

        Args:
            covered: the mask.
            faces: the reference faces.
            doubtful: boxes in which a cover is neither right nor false.
        """
        height, width = covered.shape
        left_open = []
        for face in faces:
            oval, (rows, columns) = oval_of(face, width, height)
            area = int(oval.sum())
            if area == 0:
                continue
            shown = int((oval & ~covered[rows, columns]).sum())
            is_covered = shown <= (1 - COVERED_SHARE) * area
            self._face_area += area
            self._open_area += shown
            for recall in self._recalls_of(face, width, height):
                recall.faces += 1
                recall.covered += is_covered
            if not is_covered:
                left_open.append(face)
        self.frames += 1
        self.frames_open += bool(left_open)
        self._picture_area += covered.size
        self._covered_area += int(covered.sum())
        self._false_area += int((covered & ~_boxes([*faces, *doubtful], 1, width, height)).sum())
        self._far_area += int((covered & ~_boxes([*faces, *doubtful], FAR_SCALE, width, height)).sum())
        return left_open

    def _recalls_of(self, face: Box, width: int, height: int) -> list[Recall]:
        side = float(np.sqrt(face.width * face.height))
        size = next(size for size in SIZES if side < size[1])
        found = [self.recall, self.by_size[name_of(size)]]
        if face.x1 < 1 or face.y1 < 1 or face.x2 > width - 1 or face.y2 > height - 1:
            found.append(self.by_size[EDGE])
        return found

    def figures(self) -> dict[str, object]:
        """Returns the shares for the report, 0 to 1."""
        return {
            "faces": self.recall.faces,
            "recall": _rounded(self.recall.share),
            "recall_by_size": {
                name: {"faces": r.faces, "recall": _rounded(r.share)} for name, r in self.by_size.items()
            },
            "open_face_area": _rounded(self._open_area / max(self._face_area, 1)),
            "frames_open": _rounded(self.frames_open / max(self.frames, 1)),
            "false_area": _rounded(self._false_area / max(self._picture_area, 1)),
            "far_area": _rounded(self._far_area / max(self._picture_area, 1)),
            "covered_area": _rounded(self._covered_area / max(self._picture_area, 1)),
        }


def oval_of(face: Box, width: int, height: int) -> tuple[Mask, tuple[slice, slice]]:
    """Returns the part of a face's oval that lies in the picture, and which rows and columns it spans."""
    left, top = max(0, int(np.floor(face.x1))), max(0, int(np.floor(face.y1)))
    right, bottom = min(width, int(np.ceil(face.x2))), min(height, int(np.ceil(face.y2)))
    if left >= right or top >= bottom:
        return np.zeros((0, 0), np.bool_), (slice(0, 0), slice(0, 0))
    (x, y) = face.centre
    across = (np.arange(left, right) + 0.5 - x) / (face.width / 2)
    down = (np.arange(top, bottom) + 0.5 - y) / (face.height / 2)
    oval: Mask = across[None, :] ** 2 + down[:, None] ** 2 <= 1
    return oval, (slice(top, bottom), slice(left, right))


def _boxes(faces: list[Box], scale: float, width: int, height: int) -> Mask:
    mask = np.zeros((height, width), np.bool_)
    for face in faces:
        box = face.scaled(scale)
        rows = slice(max(0, int(box.y1)), max(0, int(np.ceil(box.y2))))
        mask[rows, max(0, int(box.x1)) : max(0, int(np.ceil(box.x2)))] = True
    return mask


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 5)
