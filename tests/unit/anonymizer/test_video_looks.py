"""Looks that are saved: in calm scenes, by sizes in turn, by cheaper copies; and nothing is missed by it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import av
import cv2
import numpy as np
import pytest

from anonymizer.boxes import Boxes, no_boxes
from anonymizer.detect import finders
from anonymizer.detect.contract import Image
from anonymizer.detect.finders import Finder, Look, Sought
from anonymizer.detect.looking import Looker
from anonymizer.effects.casting import Cast
from anonymizer.models import CENTERFACE, Models
from anonymizer.report import Stopwatch
from anonymizer.review.session import Session
from anonymizer.settings import FaceSettings, Settings
from anonymizer.track.stillness import CELLS
from anonymizer.video.calm import is_calm
from anonymizer.video.copies import Copies
from anonymizer.video.covering import Coverer
from anonymizer.video.picture import Picture, plane_array

WIDTH, HEIGHT = 1280, 720


def picture_of(pixels: Image, index: int = 0, fps: int = 25) -> Picture:
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
    return Picture(frame, index, 1, index / fps)


def colours(width: int, height: int) -> Image:
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([across, down, 255 - across], 2).astype(np.uint8)


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((1280, 720), (320, 180)),
        ((1280, 720), (960, 540)),
        ((1920, 1080), (640, 360)),
        ((1080, 1920), (180, 320)),
        ((854, 480), (640, 359)),
        ((640, 360), (640, 360)),
        ((638, 358), (317, 177)),
        ((320, 180), (640, 360)),
        ((34, 18), (16, 16)),
    ],
)
def test_a_copy_shows_the_picture_at_its_size(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    picture = picture_of(colours(*size))
    copy = Copies().of(picture, *wanted)
    assert copy.shape == (wanted[1], wanted[0], 3)
    assert copy.dtype == np.uint8
    expected = cv2.resize(colours(*size), wanted, interpolation=cv2.INTER_AREA)
    # In a tiny picture a colour sample is wide.
    assert float(np.abs(copy.astype(int) - expected).mean()) < (5 if size[0] > 64 else 8)


def test_each_picture_has_its_own_copies() -> None:
    copies = Copies()
    bright, dark = (picture_of(np.full((180, 320, 3), value, np.uint8)) for value in (240, 10))
    assert copies.of(bright, 160, 90).mean() > 200
    assert copies.of(dark, 160, 90).mean() < 40
    assert copies.of(bright, 80, 45).mean() > 200


def test_a_full_range_picture_is_read_as_such() -> None:
    frame = av.VideoFrame(320, 180, "yuv420p")
    for index, value in enumerate((255, 128, 128)):
        plane_array(frame, index)[:] = value
    frame.color_range = 2
    assert Copies().of(Picture(frame, 0, 1, 0.0), 160, 90).min() >= 253


def small(value: float = 100) -> np.ndarray:
    return np.full(CELLS[::-1], value, np.float32)


ONE_FACE = np.array([[600, 300, 700, 420, 0.9]], np.float32)
CHANGES = {
    "nothing": (None, 0, True),
    "noise": ((0, 0), 3, True),
    "somebody comes in": ((5, 5), 8, False),
    "the face moves a little": ((18, 32), 15, True),
    "the face goes": ((18, 32), 40, False),
    "something beside the face": ((18, 45), 15, False),
}


@pytest.mark.parametrize(("cell", "change", "calm"), CHANGES.values(), ids=CHANGES.keys())
def test_calm_is_when_only_what_is_followed_moves(
    cell: tuple[int, int] | None, change: float, calm: bool
) -> None:
    now = small()
    if cell is not None:
        now[cell] += change
    assert is_calm(now, small(), ONE_FACE, WIDTH, HEIGHT) is calm


def test_a_face_over_the_edge_has_a_neighbourhood_too() -> None:
    now = small()
    now[0, 0] += 15
    at_the_corner = np.array([[0, 0, 60, 60, 0.9]], np.float32)
    assert is_calm(now, small(), at_the_corner, WIDTH, HEIGHT)
    assert not is_calm(now, small(), no_boxes(), WIDTH, HEIGHT)


class Faces:
    """A detector of bright squares, which misses those under 12 pixels, as networks do."""

    def __init__(self) -> None:
        self.pixels = 0

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        self.pixels += image.shape[0] * image.shape[1]
        count, _, stats, _ = cv2.connectedComponentsWithStats((image[:, :, 1] > 128).astype(np.uint8))
        rows = [(x, y, x + w, y + h, 0.9) for x, y, w, h, _ in stats[1:count].tolist() if max(w, h) >= 12]
        return np.array(rows, np.float32).reshape(-1, 5)


def scene(*squares: tuple[int, int, int]) -> Image:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for x, y, size in squares:
        pixels[y : y + size, x : x + size] = 255
    return pixels


def cover_all(frames: list[Image], finder: Finder) -> list[Picture]:
    faces = finder.sought[0].settings
    assert isinstance(faces, FaceSettings)
    cast = Cast(Models({}, {}, "cpu"), Settings(faces=faces))
    coverer = Coverer(Session((finder,)), cast, 1 << 30, Stopwatch())

    def run() -> Iterator[Picture]:
        for index, pixels in enumerate(frames):
            yield from coverer.push(picture_of(pixels, index))
        yield from coverer.flush()

    return list(run())


def is_covered(picture: Picture, square: tuple[int, int, int]) -> bool:
    x, y, size = square
    inside = picture.planes[0].pixels[y + 2 : y + size - 2, x + 2 : x + size - 2]
    return bool((np.abs(inside.astype(int) - 126) < 3).all())


def finder_with(detector: Faces, stride: int, calm_stride: int) -> Finder:
    looks = []

    def look(width: int, height: int, copy_at: object) -> dict[str, Boxes]:
        looks.append(None)
        return {"face": detector.detect(copy_at(width, height))}

    sought = Sought("face", FaceSettings(shape="box"))
    return Finder((sought,), look, stride, calm_stride=calm_stride)


def test_a_calm_scene_is_looked_at_half_as_often_and_stays_covered() -> None:
    still = [(600, 300, 100)]
    often, seldom = Faces(), Faces()
    for detector, calm_stride in ((often, 0), (seldom, 6)):
        covered = cover_all([scene(*still)] * 40, finder_with(detector, 3, calm_stride))
        assert len(covered) == 40
        assert all(is_covered(picture, still[0]) for picture in covered)
    assert seldom.pixels <= 0.6 * often.pixels


def test_who_comes_into_a_calm_scene_is_covered_from_the_first_frame() -> None:
    there, comes = (600, 300, 100), (100, 100, 60)
    frames = [scene(there)] * 20 + [scene(there, comes)] * 20
    covered = cover_all(frames, finder_with(Faces(), 3, 6))
    assert all(is_covered(picture, there) for picture in covered)
    assert all(is_covered(picture, comes) for picture in covered[20:])


class SizesSeen(Faces):
    """Notes the long side of what it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.sides: list[int] = []

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        self.sides.append(max(image.shape[:2]))
        return super().detect(image, threshold)


# What a look at 1280 pixels takes, look by look.
TURNS = {
    "balanced": ("balanced", 1, [[320], [640], [320], [960], [320]]),
    "fast": ("fast", 1, [[320], [640], [320]]),
    "quality": ("quality", 1, [[320], [640], [320], [960], [320]]),
    "two passes take all of them": ("balanced", 2, [[320, 640, 960, 1440]] * 2),
    "a third looks into the mirror": ("fast", 3, [[320, 640, 960, 640]] * 2),
}


@pytest.mark.parametrize(("mode", "passes", "expected"), TURNS.values(), ids=TURNS)
def test_looks_for_faces_take_the_sizes_of_their_mode_in_turn(
    mode: str, passes: int, expected: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = SizesSeen()
    monkeypatch.setattr(finders, "open_detector", lambda *_: detector)
    settings = Settings(mode=mode, faces=FaceSettings(passes=passes))
    (finder,) = finders.open_finders(Models({CENTERFACE: b""}, {}, "cpu"), settings, is_still=False)
    looks = itertools.cycle((finder.look, *finder.next_looks))
    for sides, look in zip(expected, looks, strict=False):
        detector.sides.clear()
        look(WIDTH, HEIGHT, lambda w, h: np.zeros((h, w, 3), np.uint8))
        # Several looks at one frame go on side by side.
        assert sorted(detector.sides) == sorted(sides)


def test_what_only_one_of_the_sizes_shows_is_covered_throughout() -> None:
    detector = SizesSeen()

    def look_at(side: int) -> Look:
        return lambda *of: {"face": Looker(detector, (side,), 0.2, 1).look(*of)}

    sought = Sought("face", FaceSettings(shape="box", linger_seconds=0.2, lookahead_seconds=0.4))
    finder = Finder((sought,), look_at(320), 2, next_looks=(look_at(960),))
    # 24 pixels are 6 of 320, which this detector does not see, and 18 of 960.
    small_face = (900, 500, 24)
    covered = cover_all([scene()] * 10 + [scene(small_face)] * 30, finder)
    assert [i for i in range(10, 40) if not is_covered(covered[i], small_face)] == []
    # A sure face that comes and goes asks for looks between: they take turns as well.
    assert {320, 960} == set(detector.sides)
    assert abs(detector.sides.count(320) - detector.sides.count(960)) <= 1
