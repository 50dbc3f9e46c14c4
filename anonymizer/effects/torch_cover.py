"""Covers on a GPU: the outlines of all faces of a batch drawn at once, and filled in place.

The outline of a cover is the one that region.py draws, cell for cell. `solid` gives the same pixels as the
CPU; `mosaic` has square blocks on one grid for the whole frame whose side is a power of two, the CPU's block
or up to twice that: never a finer one.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import torch
from torch.nn import functional

from anonymizer.boxes import Boxes
from anonymizer.detect.torch_batch import PlaneBatch
from anonymizer.effects.region import block_of
from anonymizer.errors import AnonymizerError

# Outlines drawn at once: more would take gigabytes at 4K.
AT_ONCE = 64


def cover_batch(
    batch: PlaneBatch,
    found: list[Boxes],
    *,
    effect: Literal["solid", "mosaic"],
    shape: Literal["box", "ellipse"],
    scale: float,
    neutral: tuple[int, int, int],
) -> None:
    """Covers every box of every frame, in place.

    Args:
        batch: the frames; even sizes.
        found: boxes for each frame, in its pixels.
        effect: what covers.
        shape: the outline.
        scale: the cover's size as a multiple of the box.
        neutral: mid-grey of luma, blue and red.

    Raises:
        AnonymizerError: settings_invalid, for an effect that the device has not.
    """
    if effect not in {"solid", "mosaic"}:
        raise AnonymizerError("settings_invalid", "effect on a GPU: solid or mosaic")
    rows = [
        (index, *(float(value) for value in box[:4])) for index, boxes in enumerate(found) for box in boxes
    ]
    if not rows:
        return
    covers = np.array(rows, np.float64)
    blocks = _blocks(covers, scale, batch)
    planes = ((batch.luma, 1), (batch.blue, 2), (batch.red, 2))
    for block in sorted(set(blocks)) if effect == "mosaic" else [0]:
        # Smaller blocks first: where covers overlap, the coarser one stays.
        chosen = covers[blocks == block] if block else covers
        coarse = _outlines(chosen, shape, scale, batch)
        for (plane, step), grey in zip(planes, neutral, strict=True):
            mask = coarse if step == 2 else coarse.repeat_interleave(2, 1).repeat_interleave(2, 2)
            if effect == "solid":
                plane.masked_fill_(mask, grey)
            else:
                plane.copy_(torch.where(mask, _means(plane, int(block) // step), plane))


def _outlines(
    covers: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    shape: Literal["box", "ellipse"],
    scale: float,
    batch: PlaneBatch,
) -> torch.Tensor:
    """Returns (N, H/2, W/2) bool: the coarse samples that any cover of the frame touches (see region_of)."""
    frames, rows, columns = batch.blue.shape
    device = batch.luma.device
    drawn = torch.zeros((frames, rows, columns), dtype=torch.bool, device=device)
    across_at = torch.arange(columns, dtype=torch.float64, device=device) * 2
    down_at = torch.arange(rows, dtype=torch.float64, device=device) * 2
    for begins in range(0, len(covers), AT_ONCE):
        part = torch.from_numpy(covers[begins : begins + AT_ONCE]).to(device)
        frame = part[:, 0].long()
        # The same steps as Box.scaled and region_of take, so that the last bit is theirs too.
        x1, y1, x2, y2 = (part[:, i] for i in range(1, 5))
        x, y, dx, dy = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) * scale / 2, (y2 - y1) * scale / 2
        x1, y1, x2, y2 = x - dx, y - dy, x + dx, y + dy
        x, y, half_width, half_height = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) / 2, (y2 - y1) / 2
        across = _distance(across_at, x) / half_width[:, None]
        down = _distance(down_at, y) / half_height[:, None]
        if shape == "ellipse":
            inside = across[:, None, :] ** 2 + down[:, :, None] ** 2 <= 1
            inside &= (across < 1)[:, None, :] & (down < 1)[:, :, None]
        else:
            inside = (across < 1)[:, None, :] & (down < 1)[:, :, None]
        for index, outline in zip(frame.tolist(), inside, strict=True):
            drawn[index] |= outline
    return drawn


def _distance(at: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    near, far = at[None], at[None] + 2
    return torch.maximum(near - centre[:, None], centre[:, None] - far).clamp(min=0)


def _blocks(
    covers: np.ndarray[tuple[int, int], np.dtype[np.float64]], scale: float, batch: PlaneBatch
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Returns for each cover the side of its mosaic's blocks in luma pixels: a power of two."""
    columns = batch.blue.shape[2]
    centre, half = (covers[:, 1] + covers[:, 3]) / 2, (covers[:, 3] - covers[:, 1]) * scale / 2
    left = np.maximum(0, np.floor((centre - half) / 2))
    right = np.minimum(columns, np.ceil((centre + half) / 2))
    across = np.maximum(1, right - left)
    widths = covers[:, 3] - covers[:, 1]
    sides = [block_of(int(columns), width) for columns, width in zip(across, widths, strict=True)]
    return np.array([1 << math.ceil(math.log2(side)) for side in sides], np.int64)


def _means(plane: torch.Tensor, block: int) -> torch.Tensor:
    """Returns the plane with every block at its mean."""
    height, width = plane.shape[1:]
    padding = (0, -width % block, 0, -height % block)
    numbers = functional.pad(plane[:, None].to(torch.float32), padding, mode="replicate")
    means = functional.avg_pool2d(numbers, block)[:, 0]
    wide = means.repeat_interleave(block, 1).repeat_interleave(block, 2)
    return wide[:, :height, :width].to(torch.uint8)
