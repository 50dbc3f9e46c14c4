"""What lay beneath the covers of one frame, apart for each thing that was covered.

Where covers of two things overlap, neither may bring back what the other one hides. So such a pixel is
divided: each of them has noise, and all of them together, by exclusive or, the pixel. With one of them alone
nobody can tell anything about it. What a person had made plain grey belongs to nothing: none of it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Mask, Plane, Region
from anonymizer.errors import AnonymizerError

Pixels = npt.NDArray[np.uint8]

VOICES_FROM: Final = 1 << 31
"""Numbers of tracks from here on are those of voices, below it those of what is seen."""
MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True)
class Shared:
    """A part of a region that another thing's cover hides as well.

    Attributes:
        track: of the other one.
        mask: (rows, columns) bool, within the region's outline.
    """

    track: int
    mask: Mask


@dataclass(frozen=True)
class Beneath:
    """What lay under one cover in one frame, or a band of it.

    Attributes:
        frame: number in the result, from 0.
        microseconds: when it is shown, from the first frame.
        left, top: the first coarse column and row; a coarse sample is two by two luma pixels.
        outline: (rows, columns) bool.
        shared: which of it opens only with others.
        planes: for each plane its (h, w) uint8 part, zero outside the outline and noise where it is shared.
    """

    frame: int
    microseconds: int
    left: int
    top: int
    outline: Mask
    shared: tuple[Shared, ...]
    planes: tuple[Pixels, ...]

    @property
    def size(self) -> int:
        """Bytes, before they are packed."""
        return sum(plane.size for plane in self.planes) + (1 + len(self.shared)) * self.outline.size // 8


def voice_track(speaker: int) -> int:
    """The number of a speaker's track."""
    return VOICES_FROM + speaker


def beneath_of(scene: Scene, covers: Sequence[Cover], frame: int) -> dict[int, Beneath]:
    """Takes what will be covered out of a frame in which nothing is yet.

    Args:
        scene: the frame.
        covers: one for each thing in it.
        frame: its number.

    Returns:
        By track; nothing where all of a cover lies under what is made plain grey.
    """
    ours = {id(cover.region) for cover in covers}
    grey = [region for region in scene.hidden if id(region) not in ours]
    ordered = sorted(covers, key=lambda cover: cover.track)
    outlines = [_without(cover.region, grey) for cover in ordered]
    overlaps = _overlaps([cover.region for cover in ordered], outlines)
    pads: dict[int, list[Pixels]] = {}
    found: dict[int, Beneath] = {}
    for place, (cover, outline) in enumerate(zip(ordered, outlines, strict=True)):
        region, shared = cover.region, overlaps.get(place, {})
        if not outline.any():
            continue
        parts = [_part(plane, region, outline) for plane in scene.planes]
        _divide(place, outline, shared, parts, pads, ordered, scene.planes)
        pads[place] = parts
        found[cover.track] = Beneath(
            frame=frame,
            microseconds=round(scene.time * MICROSECONDS),
            left=region.left,
            top=region.top,
            outline=outline,
            shared=tuple(Shared(ordered[other].track, mask) for other, mask in sorted(shared.items())),
            planes=tuple(parts),
        )
    return found


def put_back(planes: Sequence[Plane], released: Iterable[tuple[int, Beneath]]) -> None:
    """Takes the covers of some things off one frame, in place; everything else stays covered.

    Args:
        planes: of the covered frame.
        released: tracks, and all that lay beneath them in this frame, bands too.

    Raises:
        AnonymizerError: record_refused, where something does not fit into the frame.
    """
    regions = list(released)
    if not regions:
        return
    tracks = {track for track, _ in regions}
    luma = planes[0].pixels.shape
    opened, closed = (np.zeros((-(-luma[0] // 2), -(-luma[1] // 2)), np.bool_) for _ in range(2))
    sums = [np.zeros_like(plane.pixels) for plane in planes]
    for _, part in regions:
        here = _place(part, opened)
        if len(part.planes) != len(planes):
            raise AnonymizerError("record_refused")
        opened[here] |= part.outline
        for other in part.shared:
            if other.mask.shape != part.outline.shape:
                raise AnonymizerError("record_refused")
            if other.track not in tracks:
                closed[here] |= other.mask
        for plane, whole, pixels in zip(planes, sums, part.planes, strict=True):
            fine = 2 // plane.step
            room = whole[part.top * fine :, part.left * fine :]
            # At the lower and right edge of an odd still half of a coarse sample lies outside.
            height, width = (min(fine * part.outline.shape[axis], room.shape[axis]) for axis in (0, 1))
            if pixels.shape != (height, width):
                raise AnonymizerError("record_refused")
            into = room[:height, :width]
            np.bitwise_xor(into, pixels, out=into, where=_fine(part.outline, fine, pixels.shape))
    opened &= ~closed
    for plane, whole in zip(planes, sums, strict=True):
        np.copyto(plane.pixels, whole, where=_fine(opened, 2 // plane.step, whole.shape))


def _place(part: Beneath, frame: Mask) -> tuple[slice, slice]:
    rows, columns = part.outline.shape
    if part.top + rows > frame.shape[0] or part.left + columns > frame.shape[1]:
        raise AnonymizerError("record_refused")
    return slice(part.top, part.top + rows), slice(part.left, part.left + columns)


def _fine(mask: Mask, fine: int, shape: tuple[int, ...]) -> Mask:
    grown = mask if fine == 1 else mask.repeat(fine, axis=0).repeat(fine, axis=1)
    return grown[: shape[0], : shape[1]]


def _without(region: Region, grey: Sequence[Region]) -> Mask:
    outline = region.coarse.copy()
    for other in grey:
        common = _common(region, other)
        if common is not None:
            mine, its = common
            outline[mine] &= ~other.coarse[its]
    return outline


def _overlaps(regions: Sequence[Region], outlines: Sequence[Mask]) -> dict[int, dict[int, Mask]]:
    """Which samples each region has in common with which other, by their places."""
    found: dict[int, dict[int, Mask]] = {}
    if len(regions) < 2:
        return found
    first = np.array([(region.left, region.top) for region in regions])
    ends = first + np.array([region.coarse.shape[::-1] for region in regions])
    meets = (first[:, None] < ends[None]).all(axis=2)
    meets &= meets.T
    for one, two in np.argwhere(np.triu(meets, 1)).tolist():
        common = _common(regions[one], regions[two])
        if common is None:
            continue
        both = outlines[one][common[0]] & outlines[two][common[1]]
        if both.any():
            for place, other, here in ((one, two, common[0]), (two, one, common[1])):
                mask = np.zeros_like(outlines[place])
                mask[here] = both
                found.setdefault(place, {})[other] = mask
    return found


def _common(one: Region, two: Region) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where two regions lie in each other; None where they do not."""
    left, top = max(one.left, two.left), max(one.top, two.top)
    right = min(one.left + one.coarse.shape[1], two.left + two.coarse.shape[1])
    bottom = min(one.top + one.coarse.shape[0], two.top + two.coarse.shape[0])
    if left >= right or top >= bottom:
        return None
    mine, its = (
        (slice(top - each.top, bottom - each.top), slice(left - each.left, right - each.left))
        for each in (one, two)
    )
    return mine, its


def _part(plane: Plane, region: Region, outline: Mask) -> Pixels:
    fine = 2 // plane.step
    rows, columns = outline.shape
    top, left = region.top * fine, region.left * fine
    pixels = plane.pixels[top : top + rows * fine, left : left + columns * fine]
    return np.where(_fine(outline, fine, pixels.shape), pixels, np.uint8(0))


def _divide(
    place: int,
    outline: Mask,
    shared: Mapping[int, Mask],
    parts: list[Pixels],
    pads: Mapping[int, Sequence[Pixels]],
    ordered: Sequence[Cover],
    planes: Sequence[Plane],
) -> None:
    """Puts noise where somebody after this one shares a pixel; the last one to have it gets what is left."""
    if not shared:
        return
    later = np.zeros_like(outline)
    for other, mask in shared.items():
        if other > place:
            later |= mask
    for number, (plane, pixels) in enumerate(zip(planes, parts, strict=True)):
        fine = 2 // plane.step
        for other, mask in shared.items():
            common = _common(ordered[place].region, ordered[other].region)
            if other > place or common is None:
                continue
            mine, its = (tuple(slice(s.start * fine, s.stop * fine) for s in each) for each in common)
            pad = pads[other][number][its]
            into = pixels[mine]
            last = _fine((mask & ~later)[common[0]], fine, into.shape)
            np.bitwise_xor(into, pad, out=into, where=last)
        noisy = _fine(later, fine, pixels.shape)
        pixels[noisy] = np.frombuffer(os.urandom(int(noisy.sum())), np.uint8)
